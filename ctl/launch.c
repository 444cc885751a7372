/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/launch.h"

#include <stdio.h>

int ctl_launch_shim(struct client *c, const struct ctl_place *p,
	struct ctl_record *r, struct client_shim **ret, struct err *e)
{
	struct client_await *aw = client_await_new(c, 0);
	int rc;

	rc = client_shim_start(c, &r->container, client_await_done, aw, ret, e);
	rc = client_await(aw, rc, e);
	if (rc < 0)
		return rc;
	snprintf(r->address, sizeof(r->address), "%s",
		client_shim_address(*ret));
	r->version = client_shim_version(*ret);
	return ctl_record_write(p, r, e);
}
