/* SPDX-License-Identifier: Apache-2.0 */
/* Who host-process containers run as. The functions are doubles: Wine logs
 * everybody on, with a handle that is none. */
#include "platform/windows/job_user.h"

#include <stdlib.h>
#include <string.h>

#include <lm.h>

#include "platform/container.h"
#include "platform/process.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_calls.h"
#include "tests/windows/util_loop.h"

static unsigned accounts; /* that are there */
static wchar_t password[64];
static BYTE buffer;
static int buffers;
static DWORD group_code;

/* A token like one that has logged on: this process's. */
static BOOL WINAPI fake_log_on(const wchar_t *name, const wchar_t *domain,
	const wchar_t *given, DWORD type, DWORD provider, HANDLE *ret)
{
	ck_assert_uint_eq(provider, 0);
	if (accounts)
		ck_assert(given && wcscmp(given, password) == 0);
	else
		ck_assert_ptr_null(given);
	SetLastError(ERROR_PRIVILEGE_NOT_HELD);
	return called("log on %ls %ls %lu", domain ? domain : L"-", name,
		       type) &&
	       OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, ret);
}

static BOOL WINAPI fake_look_up(const wchar_t *system, const wchar_t *name,
	void *sid, DWORD *n_sid, wchar_t *domain, DWORD *n_domain,
	SID_NAME_USE *use)
{
	ck_assert_ptr_null(system);
	ck_assert_uint_ge(*n_sid, SECURITY_MAX_SID_SIZE);
	ck_assert_uint_gt(*n_domain, 0);
	memset(sid, 7, 8);
	domain[0] = L'\0';
	*use = SidTypeUser;
	SetLastError(ERROR_NONE_MAPPED);
	return called("look up %ls", name);
}

static DWORD WINAPI fake_group_info(
	const wchar_t *server, const wchar_t *name, DWORD level, BYTE **ret)
{
	ck_assert_ptr_null(server);
	ck_assert_uint_eq(level, 1);
	if (_wcsicmp(name, L"Operators") != 0)
		return group_code;
	*ret = &buffer;
	buffers++;
	return NERR_Success;
}

static DWORD WINAPI fake_group_add(const wchar_t *server, const wchar_t *group,
	DWORD level, BYTE *members, DWORD n)
{
	ck_assert_ptr_null(server);
	ck_assert_uint_eq(level, 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(**(BYTE **)members, 7);
	return called("add to %ls", group) ? NERR_Success : ERROR_ACCESS_DENIED;
}

static DWORD WINAPI fake_user_add(
	const wchar_t *server, DWORD level, BYTE *info, DWORD *wrong)
{
	const USER_INFO_1 *u = (void *)info;

	ck_assert_ptr_null(server);
	ck_assert_ptr_nonnull(wrong);
	ck_assert_uint_eq(level, 1);
	ck_assert_uint_eq(u->usri1_priv, USER_PRIV_USER);
	ck_assert_uint_ge(wcslen(u->usri1_password), 32);
	ck_assert(wcscmp(u->usri1_password, password) != 0);
	wcscpy(password, u->usri1_password);
	if (!called("make %ls", u->usri1_name))
		return NERR_UserExists;
	accounts++;
	return NERR_Success;
}

static DWORD WINAPI fake_user_remove(const wchar_t *server, const wchar_t *name)
{
	ck_assert_ptr_null(server);
	if (!called("remove %ls", name))
		return ERROR_ACCESS_DENIED;
	if (accounts == 0)
		return NERR_UserNotFound;
	accounts--;
	return NERR_Success;
}

static DWORD WINAPI fake_free(void *p)
{
	ck_assert_ptr_eq(p, &buffer);
	buffers--;
	return NERR_Success;
}

static unsigned blocks;

static BOOL WINAPI fake_environment(void **ret, HANDLE token, BOOL inherit)
{
	static wchar_t block[] = L"=C:=C:\\x\0Path=C:\\users\0WHO=user\0";
	DWORD flags;

	ck_assert(!inherit);
	ck_assert(GetHandleInformation(token, &flags));
	*ret = block;
	SetLastError(ERROR_NOT_ENOUGH_MEMORY);
	if (!called("environment"))
		return FALSE;
	blocks++;
	return TRUE;
}

static BOOL WINAPI fake_environment_free(void *block)
{
	ck_assert_ptr_nonnull(block);
	blocks--;
	return TRUE;
}

static const struct user_api fake = {.log_on = fake_log_on,
	.look_up = fake_look_up,
	.environment = fake_environment,
	.environment_free = fake_environment_free,
	.group_info = fake_group_info,
	.group_add = fake_group_add,
	.user_add = fake_user_add,
	.user_remove = fake_user_remove,
	.buffer_free = fake_free};

static struct undo *undo;
static struct err e;
static HANDLE token;

static void begin(void)
{
	user_double = &fake;
	group_code = NERR_GroupNotFound;
	accounts = 0;
	ck_assert_int_eq(undo_new(here("notes"), &undo, &e), 0);
	calls_reset(0);
}

static void end(void)
{
	handle_close(&token);
	ck_assert_msg(undo_all(undo, &e) == 0, "%s", e.msg);
	undo_free(undo);
	ck_assert_uint_eq(accounts, 0);
	ck_assert_int_eq(buffers, 0);
	ck_assert_uint_eq(blocks, 0);
	ck_assert(!file_exists("notes"));
	user_double = NULL;
}

START_TEST(test_service)
{
	static const char *const names[][2] = {
		{"NT AUTHORITY\\SYSTEM", "log on NT AUTHORITY SYSTEM 5\n"},
		{"nt authority\\local service",
			"log on NT AUTHORITY local service 5\n"},
		{"NT AUTHORITY\\NetworkService",
			"log on NT AUTHORITY NetworkService 5\n"}};
	size_t i;

	for (i = 0; i < LENGTH(names); i++) {
		begin();
		ck_assert_int_eq(
			user_token("web", names[i][0], undo, &token, &e), 0);
		ck_assert(handle_is(token));
		ck_assert_str_eq(calls(), names[i][1]);
		end();
		begin();
		calls_reset(1);
		ck_assert_int_eq(
			user_token("web", names[i][0], undo, &token, &e),
			-EPERM);
		ck_assert_ptr_null(token);
		end();
	}
}
END_TEST

START_TEST(test_group)
{
	char text[128];

	begin();
	ck_assert_msg(user_token("a-container-with-a-long-name", "operators",
			      undo, &token, &e) == 0,
		"%s", e.msg);
	ck_assert_str_eq(calls(),
		"make a-container-with-a-l\nlook up a-container-with-a-l\n"
		"add to operators\nlog on - a-container-with-a-l 2\n");
	get_file("notes", text, sizeof(text));
	ck_assert_str_eq(text, "Ua-container-with-a-l\n");
	end();
	ck_assert_ptr_nonnull(strstr(calls(), "remove a-container-with-a-l"));
}
END_TEST

/* An account of that name which is somebody else's is left alone. */
START_TEST(test_group_fails)
{
	unsigned n;

	for (n = 1; n <= 4; n++) {
		begin();
		calls_reset(n);
		ck_assert_int_lt(
			user_token("web", "operators", undo, &token, &e), 0);
		ck_assert_ptr_null(token);
		ck_assert_ptr_nonnull(strstr(e.msg, "web"));
		ck_assert_ptr_null(strstr(e.msg, "aA1-"));
		calls_reset(0);
		end();
		ck_assert((strstr(calls(), "remove") != NULL) == (n > 1));
	}
}
END_TEST

START_TEST(test_refused)
{
	static const char *const names[] = {"ContainerAdministrator",
		"DOMAIN\\somebody", "NT AUTHORITY\\nobody", "NT AUTHORITY",
		"NT AUTHORITY\\", "x\\operators", "SYSTEM"};
	size_t i;

	for (i = 0; i < LENGTH(names); i++) {
		begin();
		ck_assert_int_eq(
			user_token("web", names[i], undo, &token, &e), -EINVAL);
		ck_assert_ptr_nonnull(strstr(e.msg, names[i]));
		ck_assert_ptr_nonnull(strstr(e.msg, "inherit-user"));
		ck_assert_str_eq(calls(), "");
		end();
	}
	begin();
	ck_assert_int_eq(
		user_token("web", "\xff\xfe", undo, &token, &e), -EINVAL);
	/* there is one, of which nothing is known */
	group_code = NERR_Success;
	ck_assert_int_eq(
		user_token("web", "anybody", undo, &token, &e), -EINVAL);
	ck_assert_int_eq(user_token("web", "", undo, &token, &e), 0);
	ck_assert_ptr_null(token);
	end();
}
END_TEST

START_TEST(test_environment)
{
	char **env;

	begin();
	ck_assert_int_eq(user_environment(NULL, &env, &e), 0);
	ck_assert_str_eq(env[0], "=C:=C:\\x");
	ck_assert_str_eq(env[2], "WHO=user");
	ck_assert_ptr_null(env[3]);
	user_free_environment(env);
	calls_reset(1);
	ck_assert_int_eq(user_environment(NULL, &env, &e), -ENOMEM);
	end();
	/* Wine has this */
	ck_assert_int_eq(user_environment(NULL, &env, &e), 0);
	ck_assert_ptr_nonnull(env[0]);
	user_free_environment(env);
}
END_TEST

static void on_ready(void *arg)
{
	(void)arg;
}

/* The whole of a container: the process has the token, and the environment of
 * its user; each of all that can fail leaves nothing. */
START_TEST(test_container)
{
	struct event_base *base = event_base_new();
	const char *argv[] = {own_path(), "child", "env", "WHO", NULL};
	struct container_config config = {.id = "user-whole",
		.notes = here("notes2"),
		.user = "Operators"};
	struct container_program program = {.process.argv = argv};
	struct exit_source *source;
	struct container *c;
	struct process_exit x;
	unsigned n;

	ck_assert_int_eq(exit_source_new(base, on_ready, NULL, &source, &e), 0);
	begin();
	for (n = 1;; n++) {
		bool failed;
		int64_t pid;
		int r;

		calls_reset(n);
		r = container_new(&config, &c, &e);
		if (r == 0) {
			struct endpoint *theirs;
			struct stream *out;
			char buf[8];

			ck_assert_int_eq(
				stream_pipe_from_child(base, &out, &theirs), 0);
			program.process.endpoints[1] = theirs;
			r = container_create(c, &program, &pid, NULL, &e);
			endpoint_close(theirs);
			if (r == 0) {
				ck_assert_int_eq(container_start(c, &program,
							 &pid, NULL, &e),
					0);
				ck_assert_uint_eq(
					read_some(base, out, buf, 4), 4);
				ck_assert_mem_eq(buf, "user", 4);
				ck_assert(wait_for(base,
					exit_source_next_of(source, pid, &x)));
			}
			stream_close(out);
			failed = calls_failed();
			calls_reset(0);
			container_free(c);
		} else {
			failed = calls_failed();
			calls_reset(0);
			if (accounts > 0) /* the one whose removal failed */
				ck_assert_int_eq(
					container_forget(config.notes, &e), 0);
		}
		ck_assert_uint_eq(accounts, 0);
		ck_assert(!file_exists("notes2"));
		if (!failed) {
			ck_assert_msg(r == 0, "%s", e.msg);
			break;
		}
	}
	ck_assert_uint_eq(n, 6);
	end();
	exit_source_free(source);
	event_base_free(base);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_service, test_group,
		test_group_fails, test_refused, test_environment,
		test_container, NULL};
	char **env;

	child_main();
	/* the system's libraries keep what they open at first */
	if (user_environment(NULL, &env, NULL) == 0)
		user_free_environment(env);
	return suite_run("windows job user", tests);
}
