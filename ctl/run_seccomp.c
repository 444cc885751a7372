/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/run_seccomp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "ctl/seccomp/seccomp_config.h"

/* The shim's: its manual has the list. */
#define ANNOTATION "io.wisp.seccomp.explain"
#define ADDRESS "seccomp-explain.address" /* in the bundle, if it explains */

int ctl_run_seccomp(
	const struct ctl_run_options *o, char **config, struct err *e)
{
	yajl_val root = yajl_tree_parse(*config, NULL, 0);
	struct sec_profile profile = {0};
	struct sec_config_changes changes = {0};
	char *text;
	int r = 0;

	if (!root)
		return err_set(e, -ENOMEM, "no memory for config.json");
	if (o->explain_seccomp)
		changes.annotation = ANNOTATION;
	if (o->seccomp) {
		r = sec_profile_read(o->seccomp, root, &profile, e);
		changes.profile = &profile;
	} else if (!sec_config_profile(root)) {
		r = err_set(e, -EINVAL,
			"--explain-seccomp: the container has no seccomp "
			"profile; name one with --seccomp FILE");
	}
	if (r == 0) {
		r = sec_config_make(root, &changes, &text);
		if (r < 0)
			err_sys(e, r, "make config.json");
	}
	if (r == 0) {
		free(*config);
		*config = text;
	}
	yajl_tree_free(root);
	sec_profile_clear(&profile);
	return r;
}

int ctl_run_is_explained(
	const struct ctl_run_options *o, const char *bundle, struct err *e)
{
	char path[4096];

	if (!o->explain_seccomp)
		return 0;
	snprintf(path, sizeof(path), "%s/" ADDRESS, bundle);
	if (access(path, F_OK) == 0)
		return 0;
	return err_set(e, -ENOTSUP,
		"--explain-seccomp: this shim does not explain seccomp; leave "
		"out --shim, or the option");
}
