/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/bundle.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

static int open_config(const char *json, struct bundle *b, struct err *e)
{
	put_text("config.json", json);
	return bundle_open(here("."), b, e);
}

START_TEST(test_plain)
{
	struct bundle b;
	struct err e;

	ck_assert_int_eq(open_config("{}", &b, &e), 0);
	ck_assert_str_eq(b.dir, here("."));
	ck_assert(!b.own_pid_namespace);
	ck_assert_ptr_null(b.group);
	bundle_clear(&b);
	ck_assert_ptr_null(b.dir);
	bundle_clear(&b);
}
END_TEST

#define MAPS(uid, gid) \
	"{\"linux\":{\"uidMappings\":[" uid "],\"gidMappings\":[" gid "]}}"
#define RANGE(inside, outside) \
	"{\"containerID\":" inside ",\"hostID\":" outside ",\"size\":9}"

/* Who root is outside. */
START_TEST(test_id_maps)
{
	static const struct {
		const char *json;
		uint32_t uid, gid;
	} configs[] = {
		{MAPS("", ""), 0, 0},
		{MAPS(RANGE("0", "7"), RANGE("0", "8")), 7, 8},
		{MAPS(RANGE("1", "5") "," RANGE("0", "7"),
			 RANGE("0", "8") "," RANGE("1", "5")),
			7, 8},
		{MAPS("{\"hostID\":7,\"containerID\":0}",
			 "{\"hostID\":8,\"containerID\":3}"),
			7, 0},
		/* as Go reads what is not there */
		{MAPS("{\"hostID\":7}", "{\"containerID\":0}"), 7, 0},
		{MAPS("{\"hostID\":\"7\"}", "7"), 0, 0},
		{MAPS(RANGE("0", "4294967295"), RANGE("0", "4294967294")), 0,
			4294967294},
		{MAPS(RANGE("0", "99999999999999999999999999"),
			 RANGE("0", "-1")),
			0, 0},
		{"{\"uidMappings\":[" RANGE("0", "7") "]}", 0, 0},
	};
	struct bundle b;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(configs); i++) {
		ck_assert_int_eq(open_config(configs[i].json, &b, &e), 0);
		ck_assert_msg(b.root_uid == configs[i].uid &&
				      b.root_gid == configs[i].gid,
			"%s: %u:%u", configs[i].json, b.root_uid, b.root_gid);
		bundle_clear(&b);
	}
}
END_TEST

#define NAMESPACES(list) "{\"linux\":{\"namespaces\":[" list "]}}"

START_TEST(test_pid_namespace)
{
	static const struct {
		const char *json;
		bool own;
	} configs[] = {
		{"{\"linux\":{}}", false},
		{NAMESPACES(""), false},
		{NAMESPACES("{\"type\":\"pid\"}"), true},
		{NAMESPACES("{\"type\":\"mount\"},{\"type\":\"pid\"},"
			    "{\"type\":\"network\"}"),
			true},
		{NAMESPACES("{\"type\":\"pid\",\"path\":\"\"}"), true},
		{NAMESPACES("{\"path\":\"\",\"type\":\"pid\"}"), true},
		{NAMESPACES("{\"type\":\"pid\",\"path\":\"/proc/1/ns/pid\"}"),
			false},
		{NAMESPACES("{\"path\":\"/proc/1/ns/pid\",\"type\":\"pid\"}"),
			false},
		/* another namespace's path is its own */
		{NAMESPACES("{\"type\":\"network\",\"path\":\"/n\"},"
			    "{\"type\":\"pid\"}"),
			true},
		{NAMESPACES("{\"path\":\"/n\",\"type\":\"network\"},"
			    "{\"type\":\"pid\"}"),
			true},
		{NAMESPACES("{\"type\":\"pid\"},"
			    "{\"path\":\"/n\",\"type\":\"network\"}"),
			true},
		{NAMESPACES("{\"type\":\"pid\"},"
			    "{\"type\":\"network\",\"path\":\"/n\"}"),
			true},
		{NAMESPACES("{\"type\":\"mount\"}"), false},
		{NAMESPACES("{\"type\":\"pids\"}"), false},
		{NAMESPACES("{\"type\":\"\"}"), false},
		{"{\"namespaces\":[{\"type\":\"pid\"}]}", false},
		{"{\"windows\":{\"namespaces\":[{\"type\":\"pid\"}]}}", false},
	};
	struct bundle b;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(configs); i++) {
		ck_assert_int_eq(open_config(configs[i].json, &b, &e), 0);
		ck_assert_msg(b.own_pid_namespace == configs[i].own, "%s",
			configs[i].json);
		bundle_clear(&b);
	}
}
END_TEST

START_TEST(test_systemd_cgroup)
{
	static const struct {
		const char *path;
		bool systemd;
	} paths[] = {
		{"system.slice:docker:0123", true},
		{"kubepods-a.slice:cri-containerd:x", true},
		{":docker:0123", true},
		{".slice:a:b", true},
		{"", false},
		{":", false},
		{"system.slice", false},
		{"system.slice:docker", false},
		{"system.slice:a:b:c", false},
		{"slice:a:b", false},
		{"xslice:a:b", false},
		{"/system.slice:a:b", false},
		{"a.slice:b:c/d", false},
		{"/docker/0123", false},
		{"docker", false},
	};
	struct bundle b;
	char json[128];
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(paths); i++) {
		snprintf(json, sizeof(json),
			"{\"linux\":{\"cgroupsPath\":\"%s\"}}", paths[i].path);
		ck_assert_int_eq(open_config(json, &b, &e), 0);
		ck_assert_msg(b.systemd_cgroup == paths[i].systemd, "%s",
			paths[i].path);
		bundle_clear(&b);
	}
}
END_TEST

/* What Go reads as no path at all. */
START_TEST(test_null_path)
{
	struct bundle b;
	struct err e;

	ck_assert_int_eq(
		open_config(
			NAMESPACES("{\"type\":\"pid\",\"path\":null}"), &b, &e),
		0);
	ck_assert(b.own_pid_namespace);
	bundle_clear(&b);
}
END_TEST

#define RUNC_GROUP "\"io.containerd.runc.v2.group\""
#define SANDBOX "\"io.kubernetes.cri.sandbox-id\""

START_TEST(test_group)
{
	static const char *const configs[][2] = {
		{"{\"annotations\":{}}", NULL},
		{"{\"annotations\":{" RUNC_GROUP ":\"a\"}}", "a"},
		{"{\"annotations\":{" SANDBOX ":\"b\"}}", "b"},
		{"{\"annotations\":{" RUNC_GROUP ":\"a\"," SANDBOX ":\"b\"}}",
			"a"},
		{"{\"annotations\":{" SANDBOX ":\"b\"," RUNC_GROUP ":\"a\"}}",
			"a"},
		{"{\"annotations\":{" RUNC_GROUP ":\"\"," SANDBOX ":\"b\"}}",
			"b"},
		{"{\"annotations\":{" SANDBOX ":\"b\"," SANDBOX ":\"c\"}}",
			"c"},
		{"{\"annotations\":{" SANDBOX ":7}}", NULL},
		{"{" SANDBOX ":\"b\"}", NULL},
		{"{\"annotations\":{\"x\":{" SANDBOX ":\"b\"}}}", NULL},
		{"{\"annotations\":{" SANDBOX ":\"\\u00e9/..\"}}",
			"\xc3\xa9/.."},
	};
	struct bundle b;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(configs); i++) {
		ck_assert_int_eq(open_config(configs[i][0], &b, &e), 0);
		if (configs[i][1])
			ck_assert_pstr_eq(b.group, configs[i][1]);
		else
			ck_assert_ptr_null(b.group);
		bundle_clear(&b);
	}
}
END_TEST

/* With what the message must say; the bundle's place is told, too. */
START_TEST(test_garbage)
{
	static const char *const configs[][2] = {
		{"", "line 1, column 1"},
		{"{\n\"annotations\": {" SANDBOX ":\"x\"},\n!}",
			"line 3, column "},
		{"{\"a\": ", "line 1, column 7"},
		{"\x7f"
		 "ELF",
			"line 1, column "},
		{"{\"annotations\":{" SANDBOX ":\"x\"," RUNC_GROUP ":\"y\"",
			"not valid JSON"},
	};
	struct bundle b;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(configs); i++) {
		memset(&b, 0x55, sizeof(b));
		ck_assert_int_eq(open_config(configs[i][0], &b, &e), -EINVAL);
		ck_assert_int_eq(e.code, -EINVAL);
		ck_assert_msg(strstr(e.msg, configs[i][1]), "%s", e.msg);
		ck_assert_ptr_nonnull(strstr(e.msg, here("./config.json")));
		ck_assert_int_eq(((unsigned char *)&b)[0], 0x55);
	}
}
END_TEST

START_TEST(test_places)
{
	struct bundle b;
	struct err e;

	ck_assert_int_eq(bundle_open(NULL, &b, &e), -EINVAL);
	ck_assert_int_eq(bundle_open("", &b, &e), -EINVAL);
	ck_assert_int_eq(bundle_open("relative", &b, &e), -EINVAL);
	ck_assert_int_eq(bundle_open(here("../x"), &b, &e), -EINVAL);
	ck_assert_ptr_nonnull(strstr(e.msg, "'..'"));
	ck_assert_int_eq(bundle_open("/..", &b, &e), -EINVAL);
	ck_assert_int_eq(bundle_open(here("missing"), &b, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, here("missing")));
	ck_assert_int_eq(bundle_open(here("."), &b, &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, "no config.json"));
	put_text("file", "x");
	ck_assert_int_lt(bundle_open(here("file"), &b, &e), 0);
	ck_assert_int_eq(mkdir("a..b", 0700), 0);
	put_text("a..b/config.json", "{}");
	ck_assert_int_eq(bundle_open(here("a..b"), &b, &e), 0);
	bundle_clear(&b);
}
END_TEST

static int open_long(size_t n, struct err *e)
{
	static char dir[2 * BUNDLE_PATH_MAX];
	struct bundle b;

	memset(dir, 'a', n);
	dir[0] = '/';
	dir[n] = '\0';
	return bundle_open(dir, &b, e);
}

START_TEST(test_long_place)
{
	struct err e;

	ck_assert_int_eq(open_long(BUNDLE_PATH_MAX - 10, &e), -ENAMETOOLONG);
	ck_assert_int_eq(open_long(2 * BUNDLE_PATH_MAX - 1, &e), -ENAMETOOLONG);
}
END_TEST

/* What is no file does not hang, and is no config. */
START_TEST(test_odd_config)
{
	struct bundle b;
	struct err e;

	ck_assert_int_eq(mkfifo("config.json", 0600), 0);
	ck_assert_int_eq(bundle_open(here("."), &b, &e), -EINVAL);
	unlink("config.json");
	ck_assert_int_eq(mkdir("config.json", 0700), 0);
	ck_assert_int_eq(bundle_open(here("."), &b, &e), -EINVAL);
}
END_TEST

static void put_sized(size_t size)
{
	static const char json[] = "{\"annotations\":{" RUNC_GROUP ":\"big\"}}";
	char *text = malloc(size);

	memset(text, ' ', size);
	memcpy(text, json, sizeof(json) - 1);
	put_file("config.json", text, size);
	free(text);
}

START_TEST(test_size)
{
	enum { LIMIT = 16 * 1024 * 1024 };
	struct bundle b;
	struct err e;

	put_sized(1024 * 1024);
	ck_assert_int_eq(bundle_open(here("."), &b, &e), 0);
	bundle_clear(&b);
	put_sized(LIMIT);
	ck_assert_int_eq(bundle_open(here("."), &b, &e), 0);
	ck_assert_pstr_eq(b.group, "big");
	bundle_clear(&b);
	put_sized(LIMIT + 1);
	ck_assert_int_lt(bundle_open(here("."), &b, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "limit"));
}
END_TEST

START_TEST(test_out_of_memory)
{
	const char *dir = here(".");
	struct bundle b;
	struct err e;
	int r;

	put_text("config.json",
		"{\"annotations\":{" RUNC_GROUP ":\"a\"," SANDBOX ":\"b\"},"
		"\"linux\":{\"namespaces\":[{\"type\":\"pid\"}]}}");
	OOM_SWEEP(n)
	{
		memset(&b, 0x55, sizeof(b));
		oom_at(n);
		r = bundle_open(dir, &b, &e);
		if (oom_off()) {
			ck_assert_int_eq(r, -ENOMEM);
			ck_assert_int_eq(e.code, -ENOMEM);
			ck_assert_int_eq(((unsigned char *)&b)[0], 0x55);
		} else {
			ck_assert_int_eq(r, 0);
			ck_assert_pstr_eq(b.group, "a");
			bundle_clear(&b);
		}
	}
}
END_TEST

START_TEST(test_paths)
{
	char buf[BUNDLE_PATH_MAX], dir[BUNDLE_PATH_MAX + 1];

	ck_assert_int_eq(bundle_path("/b", "init.pid", buf), 0);
	ck_assert_str_eq(buf, "/b/init.pid");
	memset(dir, 'a', sizeof(dir));
	dir[BUNDLE_PATH_MAX - 3] = '\0';
	ck_assert_int_eq(bundle_path(dir, "x", buf), 0);
	ck_assert_uint_eq(strlen(buf), BUNDLE_PATH_MAX - 1);
	ck_assert_int_eq(bundle_path(dir, "xy", buf), -ENAMETOOLONG);
}
END_TEST

START_TEST(test_files)
{
	char buf[64];
	struct err e;

	ck_assert_int_eq(bundle_write(here("."), "runtime", "crun", &e), 0);
	get_file("runtime", buf, sizeof(buf));
	ck_assert_str_eq(buf, "crun");
	ck_assert_int_eq(bundle_write(here("."), "runtime", "", &e), 0);
	ck_assert_uint_eq(get_file("runtime", buf, sizeof(buf)), 0);
	bundle_remove(here("."), "runtime");
	ck_assert(!file_exists("runtime"));
	bundle_remove(here("."), "runtime");
	ck_assert_int_eq(
		bundle_write(here("missing"), "runtime", "x", &e), -ENOENT);
	ck_assert_ptr_nonnull(strstr(e.msg, here("missing/runtime")));
}
END_TEST

static void exit_round_trip(int64_t pid, uint32_t status, time_t s, long ns)
{
	struct timespec at = {.tv_sec = s, .tv_nsec = ns}, got_at;
	uint32_t got_status;
	int64_t got_pid;

	ck_assert_int_eq(bundle_write_exit(here("."), pid, status, &at), 0);
	ck_assert_int_eq(
		bundle_read_exit(here("."), &got_pid, &got_status, &got_at), 0);
	ck_assert_int_eq(got_pid, pid);
	ck_assert_uint_eq(got_status, status);
	ck_assert_int_eq(got_at.tv_sec, s);
	ck_assert_int_eq(got_at.tv_nsec, ns);
}

/* Only what was noted, only if nothing is in it; what an earlier container
 * noted is forgotten. */
START_TEST(test_cgroup_left_empty)
{
	struct bundle b;
	struct err e;
	char folder[1024];

	ck_assert_int_eq(
		open_config("{\"linux\":{\"cgroupsPath\":\"/../x\"}}", &b, &e),
		0);
	ck_assert_str_eq(b.cgroup, "/../x");
	snprintf(folder, sizeof(folder), "%s", here("group"));
	mkdir("group", 0700);
	bundle_remove_cgroup(b.dir);
	ck_assert(file_exists("group"));
	put_text("cgroup", folder);
	mkdir("group/below", 0700);
	bundle_remove_cgroup(b.dir);
	ck_assert(file_exists("group"));
	rmdir("group/below");
	bundle_remove_cgroup(b.dir);
	ck_assert(!file_exists("group"));
	bundle_remove_cgroup(b.dir);
	mkdir("group", 0700);
	ck_assert_int_eq(bundle_note_cgroup(&b, &e), 0);
	ck_assert(!file_exists("cgroup"));
	bundle_remove_cgroup(b.dir);
	ck_assert(file_exists("group"));
	bundle_clear(&b);
}
END_TEST

START_TEST(test_exit_round_trip)
{
	unsigned status;

	for (status = 0; status < 256; status++)
		exit_round_trip(1234, status, 1700000000, 999999999);
	exit_round_trip(1, 0xffffffff, 0, 0);
	exit_round_trip(INT32_MAX, 0x80000000, INT64_MAX / 2, 1);
	exit_round_trip(INT64_MAX, 137, 1, 2);
}
END_TEST

START_TEST(test_exit_allocates_nothing)
{
	struct timespec at = {.tv_sec = 1};
	const char *dir = here(".");
	int r;

	oom_all();
	r = bundle_write_exit(dir, 7, 9, &at);
	ck_assert(!oom_off());
	ck_assert_int_eq(r, 0);
	ck_assert(file_exists("exit-status"));
}
END_TEST

START_TEST(test_no_exit)
{
	struct timespec at;
	uint32_t status;
	int64_t pid;

	ck_assert_int_eq(
		bundle_read_exit(here("."), &pid, &status, &at), -ENOENT);
	ck_assert_int_eq(
		bundle_write_exit(here("missing"), 1, 2, &at), -ENOENT);
}
END_TEST

/* A file that is nobody's: an error, and nothing half read. */
START_TEST(test_exit_garbage)
{
	static const char *const wrong[] = {"", "\n", "x", "12", "12 3",
		"12 3 4", "a b c d", "12 x 4 5", "{\"pid\":1}",
		"12\n3\n4\n5\n"};
	struct timespec at = {.tv_sec = 42, .tv_nsec = 42};
	uint32_t status = 42;
	int64_t pid = 42;
	size_t i;

	for (i = 0; i < LENGTH(wrong); i++) {
		put_text("exit-status", wrong[i]);
		ck_assert_int_eq(
			bundle_read_exit(here("."), &pid, &status, &at),
			-EINVAL);
		ck_assert_int_eq(pid, 42);
		ck_assert_uint_eq(status, 42);
		ck_assert_int_eq(at.tv_sec, 42);
		ck_assert_int_eq(at.tv_nsec, 42);
	}
}
END_TEST

START_TEST(test_stdio_policy)
{
#define POLICY "{\"annotations\":{\"io.wisp.stdio.policy\":"
	static const char *const configs[][2] = {
		{"{\"annotations\":{}}", NULL},
		{POLICY "\"drop\"}}", "drop"},
		{POLICY "\"\"}}", ""},
		{POLICY "\"block\"," /* the last one holds, as in Go */
			"\"io.wisp.stdio.policy\":\"spool=64M\"}}",
			"spool=64M"},
		{POLICY "7}}", "(no string)"},
		{POLICY "null}}", "(no string)"},
		{POLICY "{}}}", "(no string)"},
		{"{\"io.wisp.stdio.policy\":\"drop\"}", NULL},
	};
	struct bundle b;
	struct err e;
	size_t i;

	for (i = 0; i < LENGTH(configs); i++) {
		ck_assert_int_eq(open_config(configs[i][0], &b, &e), 0);
		ck_assert_pstr_eq(b.stdio_policy, configs[i][1]);
		bundle_clear(&b);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_plain, test_id_maps,
		test_pid_namespace, test_null_path, test_systemd_cgroup,
		test_group, test_stdio_policy, test_garbage, test_places,
		test_long_place, test_odd_config, test_size, test_out_of_memory,
		test_paths, test_files, test_cgroup_left_empty,
		test_exit_round_trip, test_exit_allocates_nothing, test_no_exit,
		test_exit_garbage, NULL};

	return suite_run("bundle", tests);
}
