/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/socket.h"

#include <errno.h>
#include <stdio.h>

#include "platform/listener.h"
#include "platform/windows/split.h"

/* The name is fixed by what daemons expect; only who is the daemon's user may
 * open what is below ProtectedPrefix\Administrators. */
int socket_address(const char *dir, const char *daemon, const char *ns,
	const char *group, char *buf, size_t n, struct err *e)
{
	(void)dir;
	(void)daemon;
	if ((size_t)snprintf(buf, n,
		    "\\\\.\\pipe\\ProtectedPrefix\\Administrators\\"
		    "containerd-shim-%s-%s-pipe",
		    ns, group) >= n)
		return err_set(e, -ENAMETOOLONG,
			"the names '%s' and '%s' are too long for a pipe", ns,
			group);
	return 0;
}

/* A pipe goes with its process, so none is ever stale. */
int socket_claim(const char *address, struct listener **ret, struct err *e)
{
	int r = split_inherit_listener(address, ret, e);

	if (r <= 0)
		return r;
	r = listener_bind(address, ret, e);
	if (r == 0)
		split_keep_listener(*ret);
	return r == -EADDRINUSE ? 1 : r;
}
