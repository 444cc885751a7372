/* SPDX-License-Identifier: Apache-2.0 */
/* Layers over a double of vmcompute.dll: calls, descriptors, failures. */
#include "platform/file.h"
#include "platform/json.h"
#include "platform/windows/layer.h"
#include "platform/windows/win.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_vmcompute.h"

#define VOLUME "\\\\?\\Volume{11111111-2222-3333-4444-555555555555}\\"
#define HR(code) (0x80070000ul | (code))

static struct err e;

static int mount(const struct mount_spec *m)
{
	return mount_all(m, 1, here("rootfs"), here("mounts"), &e);
}

static int undo(void)
{
	return mount_undo_all(here("rootfs"), here("mounts"), &e);
}

/* The first in this program: the library is loaded once. */
START_TEST(test_no_library)
{
	wchar_t dll[MAX_PATH], away[MAX_PATH];

	vmc_begin();
	GetSystemDirectoryW(dll, MAX_PATH - 20);
	wcscat(wcscpy(away, dll), L"\\vmcompute.away");
	wcscat(dll, L"\\vmcompute.dll");
	ck_assert(MoveFileW(dll, away));
	ck_assert_int_eq(mount(vmc_mount()), -ENOSYS);
	ck_assert_ptr_nonnull(strstr(e.msg, "vmcompute.dll of system32"));
	/* neither is needed where there are no layers */
	ck_assert_int_eq(mount_all(NULL, 0, "x", "y", &e), 0);
	ck_assert_int_eq(undo(), 0);
	ck_assert(MoveFileW(away, dll));
}
END_TEST

START_TEST(test_calls)
{
	struct mount_rootfs found;

	vmc_begin();
	ck_assert_int_eq(
		mount_find_rootfs("x", here("mounts"), &found, &e), -ENOENT);
	ck_assert_msg(mount(vmc_mount()) == 0, "%s", e.msg);
	ck_assert_str_eq(vmc_calls(), "CAPgG");
	ck_assert(file_exists(here("layers/scratch/sandbox.vhdx")));
	ck_assert(!vmc_is_clean());
	ck_assert_msg(mount_find_rootfs("x", here("mounts"), &found, &e) == 0,
		"%s", e.msg);
	ck_assert_str_eq(found.path, VOLUME);
	ck_assert_uint_eq(found.n_layers, 3);
	ck_assert_str_eq(found.layers[0].path, vmc_layer("top"));
	ck_assert_str_eq(found.layers[2].path, vmc_layer("base"));
	ck_assert_uint_eq(strlen(found.layers[0].id), 36);
	ck_assert_str_ne(found.layers[0].id, found.layers[1].id);
	mount_rootfs_clear(&found);
	/* the daemon's snapshotter may ask twice, which is once too often */
	ck_assert_int_eq(mount(vmc_mount()), -EBUSY);
	vmc_calls();
	ck_assert_msg(undo() == 0, "%s", e.msg);
	ck_assert_str_eq(vmc_calls(), "UD");
	ck_assert(vmc_is_clean());
	ck_assert(!file_exists(here("mounts")));
	ck_assert_int_eq(undo(), 0);
	ck_assert_str_eq(vmc_calls(), "");
	ck_assert_int_eq(
		mount_find_rootfs("x", here("mounts"), &found, &e), -ENOENT);
	/* again: the disk is there now */
	ck_assert_int_eq(mount(vmc_mount()), 0);
	ck_assert_str_eq(vmc_calls(), "APgG");
	ck_assert_int_eq(undo(), 0);
}
END_TEST

/* Each value of a call, by its path in the line. */
static char seen[4096];

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	(void)arg;
	if (type == JSON_STRING || type == JSON_NUMBER)
		snprintf(seen + strlen(seen), sizeof(seen) - strlen(seen),
			"%s=%.*s\n", path, (int)n, text);
}

static const char *flat(const char *line)
{
	seen[0] = '\0';
	ck_assert_int_eq(json_scan(line, strlen(line), on_value, NULL, &e), 0);
	return seen;
}

static const char *find_call(const char *name)
{
	unsigned i = 0;

	while (*vmc_line(i) && !strstr(vmc_line(i), name))
		i++;
	return vmc_line(i);
}

START_TEST(test_arguments)
{
	static const char *const with_parents[] = {
		"CreateSandboxLayer", "PrepareLayer"};
	static const char *const plain[] = {"ActivateLayer", "UnprepareLayer",
		"DeactivateLayer", "GetLayerMountPath"};
	struct mount_rootfs found;
	char expected[4096];
	size_t i;

	vmc_begin();
	ck_assert_int_eq(mount(vmc_mount()), 0);
	ck_assert_int_eq(mount_find_rootfs("x", here("mounts"), &found, &e), 0);
	ck_assert_int_eq(undo(), 0);
	for (i = 0; i < LENGTH(with_parents); i++) {
		snprintf(expected, sizeof(expected),
			"call=%s\npath=%s\nflavour=1\nhome=0\n"
			"parents[].id=%s\nparents[].flags=0\n"
			"parents[].path=%s\n"
			"parents[].id=%s\nparents[].flags=0\n"
			"parents[].path=%s\n"
			"parents[].id=%s\nparents[].flags=0\n"
			"parents[].path=%s\n"
			"hr=0x00000000\n",
			with_parents[i], vmc_layer("scratch"),
			found.layers[0].id, vmc_layer("top"),
			found.layers[1].id, vmc_layer("mid"),
			found.layers[2].id, vmc_layer("base"));
		ck_assert_str_eq(flat(find_call(with_parents[i])), expected);
	}
	for (i = 0; i < LENGTH(plain); i++) {
		snprintf(expected, sizeof(expected),
			"call=%s\npath=%s\nflavour=1\nhome=0\n%s"
			"hr=0x00000000\n",
			plain[i], vmc_layer("scratch"),
			i == 3 ? "more=size\n" : "");
		ck_assert_str_eq(flat(find_call(plain[i])), expected);
	}
	/* an id is of the folder's name alone */
	ck_assert_str_eq(flat(find_call("NameToGuid")),
		"call=NameToGuid\npath=top\nhr=0x00000000\n");
	mount_rootfs_clear(&found);
}
END_TEST

/* What may get better is tried five times, the disk attached anew each time. */
START_TEST(test_retry)
{
	vmc_begin();
	vmc_fail(6, HR(ERROR_NOT_READY), 0); /* 3 ids, C, A, P */
	ck_assert_msg(mount(vmc_mount()) == 0, "%s", e.msg);
	ck_assert_str_eq(vmc_calls(), "CAP!DAPgG");
	ck_assert_int_eq(undo(), 0);
	vmc_calls();
	vmc_fail(4, HR(ERROR_DEVICE_NOT_CONNECTED), 0);
	ck_assert_int_eq(mount(vmc_mount()), 0);
	ck_assert_str_eq(vmc_calls(), "A!APgG");
	ck_assert_int_eq(undo(), 0);
	vmc_calls();
	vmc_fail(4, HR(ERROR_NOT_READY), 10);
	ck_assert_int_lt(mount(vmc_mount()), 0);
	ck_assert_str_eq(vmc_calls(), "A!A!A!A!A!");
	ck_assert_ptr_nonnull(strstr(e.msg, "ActivateLayer"));
	ck_assert_ptr_nonnull(strstr(e.msg, "0x80070015"));
	vmc_fail_no_more();
	ck_assert_int_eq(undo(), 0);
	ck_assert_str_eq(vmc_calls(), "");
	/* others are not */
	vmc_fail(5, HR(ERROR_ACCESS_DENIED), 10);
	ck_assert_int_eq(mount(vmc_mount()), -EACCES);
	ck_assert_str_eq(vmc_calls(), "AP!D");
	ck_assert(vmc_is_clean());
}
END_TEST

/* Each call of all in its turn: nothing is left, then or after the undo that
 * follows a failed create. */
START_TEST(test_each_fails)
{
	unsigned nth;
	int r = -1;

	vmc_begin();
	for (nth = 1; r < 0; nth++) {
		file_remove(here("layers/scratch/sandbox.vhdx"));
		vmc_fail(nth, HR(ERROR_GEN_FAILURE), 0);
		r = mount(vmc_mount());
		vmc_fail_no_more();
		ck_assert_uint_lt(nth, 20);
		ck_assert_msg(
			r == 0 || vmc_is_clean(), "call %u: %s", nth, e.msg);
		ck_assert_msg(r == 0 || strstr(e.msg, "0x8007001f"),
			"call %u: %s", nth, e.msg);
		ck_assert_msg(undo() == 0, "call %u: %s", nth, e.msg);
		ck_assert(vmc_is_clean());
		ck_assert(!file_exists(here("mounts")));
	}
	ck_assert_uint_eq(nth, 10); /* 3 ids, C, A, P, g, G; then none */
}
END_TEST

/* An undo that fails half-way goes on where it was, and undoes nothing twice.
 */
START_TEST(test_undo_fails)
{
	vmc_begin();
	ck_assert_int_eq(mount(vmc_mount()), 0);
	vmc_calls();
	vmc_fail(1, HR(ERROR_BUSY), 0);
	ck_assert_int_lt(undo(), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "UnprepareLayer"));
	ck_assert_str_eq(vmc_calls(), "U!");
	vmc_fail(2, HR(ERROR_BUSY), 0);
	ck_assert_int_lt(undo(), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "DeactivateLayer"));
	ck_assert_str_eq(vmc_calls(), "UD!");
	ck_assert_int_eq(undo(), 0);
	ck_assert_str_eq(vmc_calls(), "D");
	ck_assert(vmc_is_clean());
	/* a mount that fails, and so does what undoes it */
	put_text(here("vmc/prepared-scratch"), "");
	ck_assert_int_lt(mount(vmc_mount()), 0);
	ck_assert_str_eq(vmc_calls(), "APD");
	ck_assert(!vmc_is_clean());
	file_remove(here("vmc/prepared-scratch"));
	ck_assert_int_eq(undo(), 0);
	ck_assert_str_eq(vmc_calls(), "D");
	ck_assert(vmc_is_clean());
	/* somebody else has let go of it: the host was started anew */
	ck_assert_int_eq(mount(vmc_mount()), 0);
	vmc_calls();
	file_remove(here("vmc/prepared-scratch"));
	file_remove(here("vmc/active-scratch"));
	vmc_fail(1, HR(ERROR_NOT_FOUND), 0);
	ck_assert_int_lt(undo(), 0);
	vmc_fail(1, HR(ERROR_PATH_NOT_FOUND), 0);
	ck_assert_int_eq(undo(), 0);
	ck_assert_str_eq(vmc_calls(), "U!DD!");
}
END_TEST

/* What a killed process left: how far it was is not known to the last step. */
START_TEST(test_crash)
{
	static const char *const stages[] = {
		"activating", "active", "preparing", "prepared"};
	/* what was done; the calls that undo it */
	static const struct {
		unsigned stage;
		bool active, prepared;
		const char *calls;
	} cases[] = {
		{0, false, false, "D"},
		{0, true, false, "D"},
		{1, true, false, "D"},
		{2, true, false, "UD"},
		{2, true, true, "UD"},
		{3, true, true, "UD"},
	};
	char text[8192], path[4096] = "", *to = path;
	const char *p;
	size_t i;

	vmc_begin();
	for (p = vmc_layer("scratch"); *p; p++) {
		if (*p == '\\')
			*to++ = '\\';
		*to++ = *p;
	}
	for (i = 0; i < LENGTH(cases); i++) {
		snprintf(text, sizeof(text),
			"{\"stage\":\"%s\",\"scratch\":\"%s\","
			"\"parents\":[\"C:\\\\x\"]}",
			stages[cases[i].stage], path);
		ck_assert_int_eq(file_make_folder(here("mounts")), 0);
		put_text(here("mounts/layers"), text);
		if (cases[i].active)
			put_text(here("vmc/active-scratch"), "");
		if (cases[i].prepared)
			put_text(here("vmc/prepared-scratch"), "");
		ck_assert_msg(undo() == 0, "case %zu: %s", i, e.msg);
		ck_assert_str_eq(vmc_calls(), cases[i].calls);
		ck_assert(vmc_is_clean());
		ck_assert(!file_exists(here("mounts")));
	}
	/* a note that is none */
	ck_assert_int_eq(file_make_folder(here("mounts")), 0);
	put_text(here("mounts/layers"), "{\"stage\":\"prepared\"}");
	ck_assert_int_eq(undo(), -EINVAL);
	put_text(here("mounts/layers"), "[");
	ck_assert_int_eq(undo(), -EINVAL);
	ck_assert_str_eq(vmc_calls(), "");
}
END_TEST

static void refuse(const char *option, const char *word)
{
	const char *options[] = {"ro", option};
	struct mount_spec m = *vmc_mount();

	m.options = options;
	ck_assert_int_eq(mount(&m), -EINVAL);
	ck_assert_msg(strstr(e.msg, word), "'%s' lacks '%s'", e.msg, word);
	ck_assert_str_eq(vmc_calls(), "");
}

START_TEST(test_hostile_options)
{
	static char many[32768];
	struct mount_spec m;
	int i;

	vmc_begin();
	refuse("parentLayerPaths=", "parentLayerPaths");
	refuse("parentLayerPaths=[", "line 1");
	refuse("parentLayerPaths=[]", "no parent");
	refuse("parentLayerPaths=null", "no JSON list");
	refuse("parentLayerPaths=\"C:\\\\x\"", "no JSON list");
	refuse("parentLayerPaths={\"a\":\"C:\\\\x\"}", "no JSON list");
	refuse("parentLayerPaths=[[\"C:\\\\x\"]]", "no JSON list");
	refuse("parentLayerPaths=[1]", "no JSON list");
	refuse("parentLayerPaths=[\"C:\\\\x\\u0000y\"]", "no JSON list");
	refuse("parentLayerPaths=[\"x\"]", "no absolute path");
	refuse("parentLayerPaths=[\"C:x\"]", "no absolute path");
	refuse("parentLayerPaths=[\"\"]", "no absolute path");
	refuse("parentLayerPaths=[\"C:\\\\a\\\\..\\\\b\"]", "'..'");
	refuse("parentLayerPaths=[\"C:\\\\\"]", "no name");
	refuse("parentLayerPaths=[\"C:\\\\not\\\\there\"]", "not there");
	refuse("parentLayerPaths=[\"C:\\\\\\ufffe\xff\"]", "layer");
	refuse("cimpath=C:\\x", "'cimpath=C:\\x'");
	refuse("rw", "is missing");
	strcpy(many, "parentLayerPaths=[");
	for (i = 0; i <= LAYER_PARENTS_MAX; i++)
		strcat(many, i ? ",\"C:\\\\x\"" : "\"C:\\\\x\"");
	strcat(many, "]");
	refuse(many, "more than 128");
	snprintf(many, sizeof(many), "parentLayerPaths=[\"C:\\\\%05000d\"]", 0);
	refuse(many, "too long");
	m = *vmc_mount();
	m.source = "scratch";
	ck_assert_int_eq(mount(&m), -EINVAL);
	m = *vmc_mount();
	m.source = "";
	ck_assert_int_eq(mount(&m), -EINVAL);
	m = *vmc_mount();
	m.source = "C:\\no\\such\\folder";
	ck_assert_int_eq(mount(&m), -EINVAL);
	m = *vmc_mount();
	m.target = "x";
	ck_assert_int_eq(mount(&m), -EINVAL);
	m = *vmc_mount();
	m.type = "overlay";
	ck_assert_int_eq(mount(&m), -ENOSYS);
	ck_assert_ptr_nonnull(strstr(e.msg, "'overlay'"));
	ck_assert_int_eq(mount_all(&m, 2, "x", here("mounts"), &e), -EINVAL);
	ck_assert_str_eq(vmc_calls(), "");
}
END_TEST

/* What the library answers is checked, too. */
START_TEST(test_hostile_answer)
{
	static const char *const bad[] = {"", "C:\\x", "\\\\?\\Volume{",
		"\\\\?\\Volume{11111111-2222-3333-4444-555555555555}\\x\\y\\z"
		"\\and\\so\\on\\until\\it\\is\\too\\long"};
	size_t i;

	vmc_begin();
	for (i = 0; i < LENGTH(bad); i++) {
		put_text(here("vmc/volume"), bad[i]);
		ck_assert_int_eq(mount(vmc_mount()), -EIO);
		ck_assert_ptr_nonnull(strstr(e.msg, "no volume"));
		ck_assert(vmc_is_clean());
		ck_assert_int_eq(undo(), 0);
	}
	put_text(here("vmc/volume"), VOLUME);
	ck_assert_int_eq(mount(vmc_mount()), 0);
	ck_assert_int_eq(undo(), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_no_library, test_calls,
		test_arguments, test_retry, test_each_fails, test_undo_fails,
		test_crash, test_hostile_options, test_hostile_answer, NULL};

	return suite_run("windows layers", tests);
}
