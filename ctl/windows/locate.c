/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shim that others started is not found by looking at processes: its pipe has
 * a name that namespace and container tell.
 */
#include "ctl/locate.h"

#include <errno.h>
#include <stdio.h>

#include "platform/listener.h"
#include "platform/socket.h"

int ctl_locate(
	const char *ns, const char *id, struct ctl_shim *ret, struct err *e)
{
	int r;

	*ret = (struct ctl_shim){.version = 2};
	if (!ns)
		return err_set(e, -ENOENT,
			"there is no container '%s' below the root folder; for "
			"one that a daemon runs, -n NAMESPACE is needed",
			id);
	if (!client_id_is_valid(ns) || !client_id_is_valid(id))
		return err_set(e, -EINVAL,
			"'%s' in namespace '%s' can be no container", id, ns);
	r = socket_address(
		NULL, "", ns, id, ret->address, sizeof(ret->address), e);
	if (r < 0)
		return r;
	snprintf(ret->ns, sizeof(ret->ns), "%s", ns);
	snprintf(ret->id, sizeof(ret->id), "%s", id);
	r = listener_probe(ret->address);
	return r < 0 ? err_set(e, -ENOENT,
			       "there is no container '%s' below the root "
			       "folder, and no shim of wisp's serves one in "
			       "namespace %s",
			       id, ns)
		     : 0;
}

int ctl_locate_connect(struct client *c, const struct ctl_shim *s,
	struct client_shim **ret, struct err *e)
{
	return client_shim_connect(c, s->ns, s->address, s->version, ret, e);
}
