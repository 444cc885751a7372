/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "ctl/json.h"
#include "ctl/seccomp/seccomp_profile.h"
#include "ctl/spec/spec_values.h"
#include "platform/auto.h"

#define PROFILE_MAX (4u << 20)

static yajl_val get(yajl_val v, const char *key)
{
	const char *path[] = {key, NULL};

	return yajl_tree_get(v, path, yajl_t_any);
}

static bool is_dockers(yajl_val v)
{
	yajl_val rules = get(v, "syscalls");
	size_t i;

	if (get(v, "archMap"))
		return true;
	for (i = 0; YAJL_IS_ARRAY(rules) && i < rules->u.array.len; i++)
		if (get(rules->u.array.values[i], "includes") ||
			get(rules->u.array.values[i], "excludes"))
			return true;
	return false;
}

/* As config.json has it. */
static int put_profile(const struct sec_profile *p, yajl_val *ret)
{
	yajl_gen g = yajl_gen_alloc(NULL);
	auto_free char *text = NULL;

	if (!g)
		return -ENOMEM;
	sec_profile_put(g, p, NULL, NULL);
	if (ctl_json_take(g, &text) < 0)
		return -ENOMEM;
	*ret = yajl_tree_parse(text, NULL, 0);
	return *ret ? 0 : -ENOMEM;
}

/* Which rules apply depends on what else the container may do. */
static int convert(const char *path, const struct ctl_spec *s, yajl_val *ret,
	struct err *e)
{
	auto_free char *text = NULL;
	struct sec_profile p;
	yajl_val config;
	int r = ctl_spec_make(s, &text);

	if (r < 0)
		return err_sys(e, r, "make config.json");
	config = yajl_tree_parse(text, NULL, 0);
	if (!config)
		return err_sys(e, -ENOMEM, "make config.json");
	r = sec_profile_read(path, config, &p, e);
	if (r == 0) {
		r = put_profile(&p, ret);
		sec_profile_clear(&p);
		if (r < 0)
			err_sys(e, r, "seccomp profile '%s'", path);
	}
	yajl_tree_free(config);
	return r;
}

int spec_read_seccomp(const char *path, const struct ctl_spec *s, yajl_val *ret,
	struct err *e)
{
	yajl_val v = NULL;
	int r = ctl_json_read(path, PROFILE_MAX, &v, e);

	if (r == 0 && is_dockers(v)) {
		r = convert(path, s, ret, e);
	} else if (r == 0 && !ctl_json_get(v, "defaultAction")) {
		r = err_set(e, -EINVAL,
			"'%s' has no defaultAction: it is no seccomp profile",
			path);
	} else if (r == 0) {
		*ret = v;
		return 0;
	}
	yajl_tree_free(v);
	if (r < 0)
		err_prefix(e, "--seccomp");
	return r;
}
