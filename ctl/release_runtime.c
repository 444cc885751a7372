/* SPDX-License-Identifier: Apache-2.0 */
/* What is left when the shim has gone: in the OCI runtime's state, and of the
 * cgroup. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "client/program.h"
#include "ctl/cgroup.h"
#include "ctl/release.h"

#define DELETE_MS 15000

static void on_program_done(const struct client_program_result *r, void *arg)
{
	bool *done = arg;

	(void)r;
	*done = true;
}

/* Whether the OCI runtime still knows of the container; its state is where
 * nobody else's is. */
static bool runtime_has_it(const struct client_container *k)
{
	char path[CTL_PATH_MAX];

	if (!k->runtime_root)
		return false;
	snprintf(path, sizeof(path), "%s/%s/%s", k->runtime_root, k->ns, k->id);
	return access(path, F_OK) == 0;
}

static int run_runtime_delete(
	struct client *c, const struct client_container *k, struct err *e)
{
	char root[CTL_PATH_MAX];
	const char *argv[] = {k->runtime ? k->runtime : "runc", "--root", root,
		"delete", "--force", k->id, NULL};
	struct client_program_spec spec = {
		.argv = argv, .timeout_ms = DELETE_MS};
	bool done = false;
	int rc;

	if (!runtime_has_it(k))
		return 0;
	snprintf(root, sizeof(root), "%s/%s", k->runtime_root, k->ns);
	rc = client_program_run(c, &spec, on_program_done, &done, e);
	if (rc == 0)
		rc = client_run_until(c, &done, 0);
	client_program_drop(c, &done);
	if (rc == 0 && runtime_has_it(k))
		return err_set(e, -EREMOTEIO,
			"'%s' cannot delete container '%s'", argv[0], k->id);
	return rc;
}

int ctl_release_runtime(
	struct client *c, const struct ctl_record *r, struct err *e)
{
	int rc = run_runtime_delete(c, &r->container, e);

	if (rc == 0 && r->cgroup)
		ctl_cgroup_remove(r->cgroup);
	return rc;
}
