/* SPDX-License-Identifier: Apache-2.0 */
/* Where the files of host-process containers are: with the bind filter, and by
 * links. The functions that make them are doubles: Wine has none of them. */
#include "platform/windows/job_root.h"

#include <stdlib.h>
#include <string.h>
#include <winioctl.h>

#include "platform/windows/job_link.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_calls.h"

#define JOB ((HANDLE)0x77)

/* ---- doubles ---- */

static wchar_t links[8][MAX_PATH]; /* that are there */
static unsigned n_links;
static bool no_junctions;

static int link_at(const wchar_t *at)
{
	unsigned i;

	for (i = 0; i < n_links; i++)
		if (_wcsicmp(links[i], at) == 0)
			return (int)i;
	return -1;
}

/* The real thing is a folder or file that looks like a link. */
static BOOL add_link(const wchar_t *at)
{
	wcscpy(links[n_links++], at);
	return TRUE;
}

static BOOLEAN WINAPI fake_symlink(
	const wchar_t *at, const wchar_t *to, DWORD flags)
{
	SetLastError(ERROR_PRIVILEGE_NOT_HELD);
	if (!called("symlink %ls -> %ls %lu", wcsrchr(at, L'\\') + 1, to,
		    flags))
		return FALSE;
	if (flags & SYMBOLIC_LINK_FLAG_DIRECTORY)
		CreateDirectoryW(at, NULL);
	else
		CloseHandle(CreateFileW(at, GENERIC_WRITE, 0, NULL, CREATE_NEW,
			FILE_ATTRIBUTE_NORMAL, NULL));
	return (BOOLEAN)add_link(at);
}

static BOOL WINAPI fake_mount(const wchar_t *at, const wchar_t *volume)
{
	SetLastError(ERROR_DIR_NOT_EMPTY);
	return called("mount %ls at %ls", volume, at);
}

static BOOL WINAPI fake_unmount(const wchar_t *at)
{
	SetLastError(ERROR_SHARING_VIOLATION);
	return called("unmount %ls", at);
}

static wchar_t junction_at[MAX_PATH];

static BOOL WINAPI fake_control(HANDLE h, DWORD code, void *in, DWORD n_in,
	void *out, DWORD n_out, DWORD *ret_n, OVERLAPPED *ov)
{
	const USHORT *j = in;

	(void)h;
	(void)out;
	(void)n_out;
	(void)ret_n;
	(void)ov;
	ck_assert_uint_eq(code, FSCTL_SET_REPARSE_POINT);
	ck_assert_uint_eq(*(ULONG *)in, IO_REPARSE_TAG_MOUNT_POINT);
	ck_assert_uint_eq(n_in, 8u + j[2]);      /* the data's length */
	ck_assert_uint_eq(j[2], 8u + j[5] + 4u); /* two names and their NULs */
	ck_assert_uint_eq(j[6], j[5] + 2u);
	ck_assert_uint_eq(j[7], 0);
	ck_assert_uint_eq(wcslen((wchar_t *)&j[8]) * 2, j[5]);
	SetLastError(no_junctions ? ERROR_NOT_SUPPORTED : ERROR_ACCESS_DENIED);
	if (no_junctions || !called("junction to %ls", (wchar_t *)&j[8]))
		return FALSE;
	return add_link(junction_at);
}

static DWORD WINAPI fake_attributes(const wchar_t *path)
{
	DWORD a = GetFileAttributesW(path);

	return a != INVALID_FILE_ATTRIBUTES && link_at(path) >= 0
		       ? a | FILE_ATTRIBUTE_REPARSE_POINT
		       : a;
}

static const struct link_api fake_links = {.symlink = fake_symlink,
	.mount = fake_mount,
	.unmount = fake_unmount,
	.control = fake_control,
	.attributes = fake_attributes};

static bool silos;

static BOOL WINAPI fake_set(
	HANDLE job, JOBOBJECTINFOCLASS which, void *info, DWORD n)
{
	ck_assert_ptr_eq(job, JOB);
	ck_assert_int_eq(which, 35); /* JobObjectCreateSilo */
	ck_assert_ptr_null(info);
	ck_assert_uint_eq(n, 0);
	SetLastError(ERROR_INVALID_PARAMETER);
	return called("silo") && silos;
}

static HRESULT WINAPI fake_bind(HANDLE job, ULONG flags, const wchar_t *at,
	const wchar_t *to, const wchar_t **except, ULONG n)
{
	ck_assert_ptr_eq(job, JOB);
	ck_assert_ptr_null(except);
	ck_assert_uint_eq(n, 0);
	return called("bind %ls to %ls %lu", at, to, flags)
		       ? S_OK
		       : HRESULT_FROM_WIN32(ERROR_ACCESS_DENIED);
}

static const struct root_api fake_root = {
	.set_job = fake_set, .bind = fake_bind};
static const struct root_api fake_no_bind = {.set_job = fake_set};

/* ---- a container ---- */

static struct container_config config;
static struct container_mount mounts[2];
static struct job_root root;
static struct undo *undo;
static struct err e;
static char folder[MAX_PATH], location[MAX_PATH], notes[MAX_PATH];
static char sources[2][MAX_PATH];

static const char *back(const char *name)
{
	static char path[FILE_PATH_MAX];
	char *p;

	snprintf(path, sizeof(path), "%s", here(name));
	for (p = path; *p; p++)
		if (*p == '/')
			*p = '\\';
	return path;
}

static void begin(const struct root_api *api, bool volume)
{
	strcpy(folder, back("root"));
	strcpy(location, back("hpc"));
	strcpy(notes, back("notes"));
	strcpy(sources[0], back("folder"));
	strcpy(sources[1], back("file"));
	file_make_folder(folder);
	file_make_folder(sources[0]);
	put_text(sources[1], "");
	mounts[0] = (struct container_mount){sources[0], "C:\\a\\data", false};
	mounts[1] = (struct container_mount){sources[1], "c:/b.txt", true};
	config = (struct container_config){.id = "web",
		.notes = notes,
		.root = volume ? "\\\\?\\Volume{93df249b-ae90-4619-8e3c-"
				 "28482c52729c}\\"
			       : folder,
		.root_location = location,
		.mounts = mounts};
	root_double = api;
	link_double = &fake_links;
	n_links = 0;
	no_junctions = false;
	silos = true;
	_snwprintf(junction_at, MAX_PATH, L"%hs\\web", location);
	ck_assert_int_eq(undo_new(notes, &undo, &e), 0);
	calls_reset(0);
}

static int set_up(void)
{
	return job_root_set_up(JOB, &config, undo, &root, &e);
}

/* Everything is as it was. */
static void end(void)
{
	char at[FILE_PATH_MAX];

	ck_assert_msg(undo_all(undo, &e) == 0, "%s", e.msg);
	undo_free(undo);
	ck_assert(!file_exists(notes));
	snprintf(at, sizeof(at), "%s\\web", location);
	ck_assert(!file_exists(at));
	snprintf(at, sizeof(at), "%s\\a", folder);
	ck_assert(!file_exists(at));
	snprintf(at, sizeof(at), "%s\\b.txt", folder);
	ck_assert(!file_exists(at));
	root_double = NULL;
	link_double = NULL;
}

START_TEST(test_bound)
{
	char want[4096];

	begin(&fake_root, false);
	config.n_mounts = 2;
	/* where what is bound goes must be there; what is bound is not */
	mounts[0].destination = here("sub/x/data");
	mounts[1].destination = here("b.txt");
	ck_assert_msg(set_up() == 0, "%s", e.msg);
	ck_assert(root.bound);
	ck_assert_str_eq(root.path, location);
	snprintf(want, sizeof(want), "silo\nbind %s to %s 4\nbind %s to %s 4\n",
		location, folder, back("sub/x/data"), sources[0]);
	ck_assert_msg(strncmp(calls(), want, strlen(want)) == 0, "%s", calls());
	ck_assert(file_exists("sub/x"));
	ck_assert(!file_exists("sub/x/data"));
	snprintf(want, sizeof(want), "bind %s to %s 5\n", back("b.txt"),
		sources[1]);
	ck_assert_msg(strstr(calls(), want) != NULL, "%s", calls());
	end();
}
END_TEST

START_TEST(test_bound_default)
{
	begin(&fake_root, true);
	config.root_location = NULL;
	ck_assert_msg(set_up() == 0, "%s", e.msg);
	ck_assert_str_eq(root.path, "C:\\hpc");
	ck_assert_str_eq(calls(),
		"silo\nbind C:\\hpc to \\\\?\\Volume{93df249b-ae90-4619-8e3c-"
		"28482c52729c}\\ 4\n");
	end();
}
END_TEST

/* A system with the filter, but without silos, is one without both. */
START_TEST(test_no_silo)
{
	char want[1024];

	begin(&fake_root, false);
	silos = false;
	ck_assert_msg(set_up() == 0, "%s", e.msg);
	ck_assert(!root.bound);
	snprintf(want, sizeof(want), "%s\\web", location);
	ck_assert_str_eq(root.path, want);
	snprintf(want, sizeof(want), "silo\njunction to \\??\\%s\n", folder);
	ck_assert_str_eq(calls(), want);
	end();
}
END_TEST

START_TEST(test_linked)
{
	char want[4096], text[4096];

	begin(&fake_no_bind, false);
	config.n_mounts = 2;
	ck_assert_msg(set_up() == 0, "%s", e.msg);
	snprintf(want, sizeof(want),
		"junction to \\??\\%s\nsymlink data -> %s 1\n"
		"symlink b.txt -> %s 0\n",
		folder, sources[0], sources[1]);
	ck_assert_str_eq(calls(), want);
	snprintf(want, sizeof(want),
		"M%s\\web\nD%s\\web\nM%s\\a\nD%s\\a\\data\nF%s\\b.txt\n",
		location, location, folder, folder, folder);
	get_file(notes, text, sizeof(text));
	ck_assert_str_eq(text, want);
	end();
}
END_TEST

/* By another process, which has nothing but the notes. */
START_TEST(test_after_a_crash)
{
	char at[FILE_PATH_MAX];

	begin(&fake_no_bind, false);
	config.n_mounts = 2;
	ck_assert_int_eq(set_up(), 0);
	undo_free(undo);
	ck_assert_int_eq(undo_load(notes, &undo, &e), 0);
	snprintf(at, sizeof(at), "%s\\b.txt", folder);
	ck_assert(file_exists(at));
	end();
	ck_assert_int_eq(undo_load(notes, &undo, &e), -ENOENT);
	ck_assert_int_eq(container_forget(notes, &e), 0);
}
END_TEST

START_TEST(test_volume)
{
	char want[4096];

	begin(&fake_no_bind, true);
	ck_assert_msg(set_up() == 0, "%s", e.msg);
	snprintf(want, sizeof(want),
		"mount \\\\?\\Volume{93df249b-ae90-4619-8e3c-28482c52729c}\\ "
		"at %s\\web\\\n",
		location);
	ck_assert_str_eq(calls(), want);
	/* what can't be undone stays noted, and is tried again */
	calls_reset(1);
	ck_assert_int_lt(undo_all(undo, &e), 0);
	ck_assert_ptr_nonnull(strstr(e.msg, "web"));
	ck_assert(file_exists(notes));
	calls_reset(0);
	ck_assert_int_eq(undo_all(undo, &e), 0);
	snprintf(want, sizeof(want), "unmount %s\\web\\\n", location);
	ck_assert_str_eq(calls(), want);
	end();
}
END_TEST

/* Root stays where it is on a file system without junctions. */
START_TEST(test_no_junctions)
{
	begin(&fake_no_bind, false);
	no_junctions = true;
	ck_assert_msg(set_up() == 0, "%s", e.msg);
	ck_assert_str_eq(root.path, folder);
	end();
	/* and on Wine, which this is */
	begin(NULL, false);
	link_double = NULL;
	ck_assert_msg(set_up() == 0, "%s", e.msg);
	ck_assert(!root.bound);
	ck_assert_str_eq(root.path, folder);
	config.n_mounts = 1;
	ck_assert_int_eq(set_up(), -ENOSYS);
	ck_assert_ptr_nonnull(strstr(e.msg, "symbolic links"));
	end();
}
END_TEST

/* Whichever call fails, all that was made before it is undone. */
START_TEST(test_each_fails)
{
	static const struct root_api *const apis[] = {
		&fake_root, &fake_no_bind};
	unsigned i, n;

	for (i = 0; i < LENGTH(apis); i++) {
		for (n = 1;; n++) {
			bool failed;
			int r;

			begin(apis[i], false);
			config.n_mounts = 2;
			mounts[0].destination = "C:\\a\\data";
			mounts[1].destination = "C:\\b.txt";
			calls_reset(n);
			r = set_up();
			failed = calls_failed();
			calls_reset(0);
			end();
			if (!failed) {
				ck_assert_int_eq(r, 0);
				break;
			}
			/* without silos there are links, and a link beside what
			 * is bound is not missed */
			if (i == 1)
				ck_assert_int_lt(r, 0);
		}
		ck_assert_uint_gt(n, 3);
	}
	RemoveDirectoryW(L"C:\\a");
}
END_TEST

START_TEST(test_folders)
{
	char path[FILE_PATH_MAX];

	snprintf(path, sizeof(path), "\\\\?\\%s", back("un/x"));
	ck_assert_int_eq(link_make_folders(path, NULL), 0);
	ck_assert(file_exists("un/x"));
	ck_assert_int_eq(link_make_folders(here("de/ux/"), NULL), 0);
	ck_assert(file_exists("de/ux"));
	ck_assert_int_eq(link_make_folders("\\", NULL), 0);
	ck_assert_int_eq(link_make_folders("C:\\", NULL), 0);
	put_text("file", "");
	ck_assert_int_eq(link_make_folders(here("file"), NULL), -ENOTDIR);
	ck_assert_int_lt(link_make_folders(here("file/x"), NULL), 0);
}
END_TEST

static void refused(int code, const char *what)
{
	ck_assert_int_eq(set_up(), code);
	ck_assert_msg(strstr(e.msg, what) != NULL, "%s", e.msg);
	end();
}

START_TEST(test_hostile)
{
	begin(&fake_no_bind, false);
	config.n_mounts = 1;
	mounts[0].destination = "C:\\x\\..\\..\\y";
	refused(-EINVAL, "..");
	begin(&fake_no_bind, false);
	config.n_mounts = 1;
	mounts[0].destination = "";
	refused(-EINVAL, "destination");
	begin(&fake_root, false);
	config.n_mounts = 1;
	mounts[0].source = NULL;
	refused(-EINVAL, "source");
	begin(&fake_root, false);
	config.n_mounts = 1;
	mounts[0].source = "\\\\.\\PIPE\\x";
	refused(-EINVAL, "named pipes");
	begin(&fake_no_bind, false);
	config.n_mounts = 1;
	mounts[0].source = "C:\\none\\such";
	refused(-EINVAL, "not there");
	begin(&fake_no_bind, false);
	config.n_mounts = 1;
	mounts[0].destination = "C:";
	refused(-EINVAL, "C:");
	begin(&fake_no_bind, false);
	config.root_location = "hpc";
	refused(-EINVAL, "absolute");
	begin(&fake_no_bind, false);
	config.root = back("none/such");
	refused(-EINVAL, "none");
	begin(&fake_no_bind, false);
	config.root = sources[1];
	refused(-EINVAL, "no folder");
}
END_TEST

/* Somebody else's folder or link is neither used nor removed. */
START_TEST(test_others)
{
	char at[FILE_PATH_MAX];

	begin(&fake_no_bind, false);
	snprintf(at, sizeof(at), "%s\\web", location);
	ck_assert_int_eq(link_make_folders(at, NULL), 0);
	add_link(junction_at);
	ck_assert_int_eq(set_up(), -EBUSY);
	ck_assert_int_eq(undo_all(undo, &e), 0);
	ck_assert(file_exists(at));
	n_links = 0;
	ck_assert_int_eq(link_remove_folder(at), 0);
	end();
	begin(&fake_no_bind, false);
	config.n_mounts = 2;
	snprintf(at, sizeof(at), "%s\\b.txt", folder);
	put_text(at, "mine");
	ck_assert_int_eq(set_up(), -EBUSY);
	ck_assert_int_eq(undo_all(undo, &e), 0);
	ck_assert(file_exists(at));
	file_remove(at);
	end();
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_bound, test_bound_default,
		test_no_silo, test_linked, test_after_a_crash, test_volume,
		test_no_junctions, test_each_fails, test_folders, test_hostile,
		test_others, NULL};

	return suite_run("windows job root", tests);
}
