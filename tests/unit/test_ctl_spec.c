/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/spec/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/json.h"
#include "util_test.h"

static const char *const args[] = {"sh", "-c", "echo \"\x01\"", NULL};

static const struct ctl_user root = {.is_root = true, .has_tty = true};

static yajl_val make(const struct ctl_spec *s)
{
	yajl_val v;
	char *text;

	ck_assert_int_eq(ctl_spec_make(s, &text), 0);
	v = yajl_tree_parse(text, NULL, 0);
	ck_assert_ptr_nonnull(v);
	free(text);
	return v;
}

static yajl_val at2(yajl_val v, const char *a, const char *b)
{
	const char *path[] = {a, b, NULL};
	yajl_val got = yajl_tree_get(v, path, yajl_t_any);

	ck_assert_msg(got != NULL, "%s.%s", a, b ? b : "");
	return got;
}

/* The element of an array of maps whose key has that value, or NULL. */
static yajl_val find(yajl_val array, const char *key, const char *value)
{
	size_t i;

	for (i = 0; i < array->u.array.len; i++) {
		const char *got = ctl_json_get(array->u.array.values[i], key);

		if (got && strcmp(got, value) == 0)
			return array->u.array.values[i];
	}
	return NULL;
}

static bool has_text(yajl_val array, const char *text)
{
	size_t i;

	for (i = 0; i < array->u.array.len; i++)
		if (strcmp(array->u.array.values[i]->u.string, text) == 0)
			return true;
	return false;
}

START_TEST(test_defaults)
{
	struct ctl_spec s = {.id = "c1",
		.rootfs = "/r",
		.cgroup = "/cg",
		.args = args,
		.user = root};
	yajl_val v = make(&s), got;

	/* crun 1.8 takes nothing above 1.0 */
	ck_assert_str_eq(ctl_json_get(v, "ociVersion"), "1.0.2");
	ck_assert_str_eq(ctl_json_get(v, "hostname"), "c1");
	ck_assert_str_eq(at2(v, "root", "path")->u.string, "/r");
	ck_assert_str_eq(at2(v, "process", "cwd")->u.string, "/");
	ck_assert(YAJL_IS_FALSE(at2(v, "process", "terminal")));
	got = at2(v, "process", "args");
	ck_assert_uint_eq(got->u.array.len, 3);
	ck_assert_str_eq(got->u.array.values[2]->u.string, args[2]);
	ck_assert_uint_eq(at2(v, "process", "env")->u.array.len, 2);
	ck_assert_str_eq(at2(v, "linux", "cgroupsPath")->u.string, "/cg");
	ck_assert_uint_eq(at2(v, "linux", "namespaces")->u.array.len, 5);
	ck_assert_ptr_nonnull(
		find(at2(v, "linux", "namespaces"), "type", "network"));
	ck_assert_ptr_nonnull(
		find(at2(v, "mounts", NULL), "destination", "/proc"));
	ck_assert_uint_eq(
		at2(v, "linux", "resources")->u.object.len, 1); /* devices */
	yajl_tree_free(v);
}
END_TEST

/* As Docker and containerd have it: of its own where there is but cgroup v2. */
START_TEST(test_cgroup_namespace)
{
	struct ctl_spec s = {
		.id = "c1", .rootfs = "/r", .args = args, .user = root};
	yajl_val v = make(&s);

	ck_assert_ptr_null(
		find(at2(v, "linux", "namespaces"), "type", "cgroup"));
	yajl_tree_free(v);
	s.user.unified = true;
	v = make(&s);
	ck_assert_ptr_nonnull(
		find(at2(v, "linux", "namespaces"), "type", "cgroup"));
	yajl_tree_free(v);
}
END_TEST

START_TEST(test_wishes)
{
	static const char *const env[] = {"A=b", "PATH=/x"};
	struct ctl_mount mount = {"bind", "/src", "/dst", "ro:rbind"};
	struct ctl_spec s = {.id = "c1",
		.rootfs = "/r",
		.cgroup = "/cg",
		.user = root,
		.args = args,
		.cwd = "/tmp",
		.env = env,
		.n_env = 2,
		.mounts = &mount,
		.n_mounts = 1,
		.memory = 1 << 20,
		.terminal = true};
	yajl_val v, got;

	setenv("TERM", "vt100", 1);
	v = make(&s);
	got = at2(v, "process", "env");
	ck_assert(has_text(got, "A=b"));
	ck_assert(has_text(got, "PATH=/x")); /* the last one counts */
	ck_assert_str_eq(
		got->u.array.values[got->u.array.len - 1]->u.string, "PATH=/x");
	ck_assert(has_text(got, "TERM=vt100"));
	ck_assert(YAJL_IS_TRUE(at2(v, "process", "terminal")));
	ck_assert_str_eq(at2(v, "process", "cwd")->u.string, "/tmp");
	got = find(at2(v, "mounts", NULL), "destination", "/dst");
	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(ctl_json_get(got, "source"), "/src");
	got = at2(got, "options", NULL);
	ck_assert_uint_eq(got->u.array.len, 2);
	ck_assert(has_text(got, "ro"));
	ck_assert(has_text(got, "rbind"));
	got = at2(at2(v, "linux", "resources"), "memory", "limit");
	ck_assert_int_eq(YAJL_GET_INTEGER(got), 1 << 20);
	yajl_tree_free(v);
}
END_TEST

/* Nothing that only root may do, or that means nothing there. */
START_TEST(test_ordinary_user)
{
	struct ctl_spec s = {.id = "c1",
		.rootfs = "/r",
		.cgroup = "/cg",
		.args = args,
		.user = {.needs_own = true, .uid = 1000, .gid = 50}};
	yajl_val v = make(&s), linux_map = at2(v, "linux", NULL), got;

	ck_assert_ptr_null(ctl_json_get(linux_map, "cgroupsPath"));
	ck_assert_ptr_nonnull(
		find(at2(v, "linux", "namespaces"), "type", "user"));
	got = at2(v, "linux", "uidMappings")->u.array.values[0];
	ck_assert_int_eq(YAJL_GET_INTEGER(at2(got, "containerID", NULL)), 0);
	ck_assert_int_eq(YAJL_GET_INTEGER(at2(got, "hostID", NULL)), 1000);
	ck_assert_int_eq(YAJL_GET_INTEGER(at2(got, "size", NULL)), 1);
	got = at2(v, "linux", "gidMappings")->u.array.values[0];
	ck_assert_int_eq(YAJL_GET_INTEGER(at2(got, "hostID", NULL)), 50);
	got = at2(v, "mounts", NULL);
	ck_assert_ptr_null(find(got, "type", "cgroup"));
	got = at2(find(got, "type", "devpts"), "options", NULL);
	ck_assert(!has_text(got, "gid=5"));
	ck_assert(has_text(got, "newinstance"));
	yajl_tree_free(v);
	/* root of a user namespace that somebody else made */
	s.user = (struct ctl_user){.has_tty = true};
	v = make(&s);
	got = at2(v, "mounts", NULL);
	ck_assert(has_text(
		at2(find(got, "type", "devpts"), "options", NULL), "gid=5"));
	ck_assert_ptr_null(find(at2(v, "linux", "namespaces"), "type", "user"));
	ck_assert_ptr_null(ctl_json_get(at2(v, "linux", NULL), "cgroupsPath"));
	yajl_tree_free(v);
}
END_TEST

START_TEST(test_process)
{
	struct ctl_spec s = {.args = args};
	yajl_val v;
	char *text;

	ck_assert_int_eq(ctl_spec_make_process(&s, &text), 0);
	v = yajl_tree_parse(text, NULL, 0);
	ck_assert_str_eq(ctl_json_get(v, "cwd"), "/");
	ck_assert_uint_eq(at2(v, "args", NULL)->u.array.len, 3);
	yajl_tree_free(v);
	free(text);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_defaults, test_cgroup_namespace,
		test_wishes, test_ordinary_user, test_process, NULL};

	return suite_run("ctl spec", tests);
}
