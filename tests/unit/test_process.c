/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

/* A report on itself, by this very program: see be_child(). */
#define SELF "/proc/self/exe"

static int64_t spawn(const struct process_spec *spec)
{
	int64_t pid = -1;
	struct err e;
	int r = process_spawn(spec, &pid, &e);

	ck_assert_msg(r == 0, "%s", e.msg);
	ck_assert_int_gt(pid, 0);
	return pid;
}

static int64_t spawn_shell(const char *script)
{
	const char *const argv[] = {"sh", "-c", script, NULL};
	struct process_spec spec = {.argv = argv};

	return spawn(&spec);
}

static struct endpoint *endpoint_of(int fd)
{
	struct endpoint *ep = NULL;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(endpoint_from_fd(fd, &ep), 0);
	return ep;
}

/* A file without a name, open both ways. */
static int scratch(void)
{
	int fd = memfd_create("scratch", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

/* What somebody wrote into it. */
static const char *text_of(int fd)
{
	static char text[4096];
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	ck_assert_int_ge(n, 0);
	text[n] = '\0';
	return text;
}

/* Spawns a child with its stdout in a file, waits, and returns what it said. */
static const char *output_of(struct process_spec *spec)
{
	int fd = scratch();
	const char *text;

	spec->endpoints[1] = endpoint_of(dup(fd));
	ck_assert_int_eq(reap((pid_t)spawn(spec)), 0);
	endpoint_close(spec->endpoints[1]);
	text = text_of(fd);
	close(fd);
	return text;
}

static const char *report(const char *what, struct process_spec *spec)
{
	const char *const argv[] = {SELF, what, NULL};

	spec->argv = argv;
	return output_of(spec);
}

/* ---- the child's side ---- */

static void report_fds(void)
{
	struct stat st;
	int fd;

	for (fd = 0; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0 && fstat(fd, &st) == 0)
			printf("%d:%lu ", fd, (unsigned long)st.st_ino);
}

static void report_self(void)
{
	char cwd[4096];
	int sig = 0;

	prctl(PR_GET_PDEATHSIG, &sig);
	printf("pid %d group %d session %d pdeathsig %d cwd %s", getpid(),
		getpgid(0), getsid(0), sig, getcwd(cwd, sizeof(cwd)));
}

static int be_child(const char *what)
{
	if (strcmp(what, "fds") == 0)
		report_fds();
	else
		report_self();
	fflush(stdout);
	_exit(0);
}

/* ---- spawning ---- */

START_TEST(test_exit_statuses)
{
	char script[32];
	int status;

	for (status = 0; status < 256; status++) {
		snprintf(script, sizeof(script), "exit %d", status);
		ck_assert_int_eq(reap((pid_t)spawn_shell(script)), status);
	}
}
END_TEST

START_TEST(test_arguments)
{
	const char *const argv[] = {
		"printf", "%s|", "", "a b", "$x", "'\"\\", "\xff", NULL};
	struct process_spec spec = {.argv = argv};

	ck_assert_str_eq(output_of(&spec), "|a b|$x|'\"\\|\xff|");
}
END_TEST

START_TEST(test_environment)
{
	const char *const argv[] = {"env", NULL};
	const char *const env[] = {"A=1", "B=x y", NULL};
	const char *const none[] = {NULL};
	struct process_spec spec = {.argv = argv, .envp = env};

	ck_assert_str_eq(output_of(&spec), "A=1\nB=x y\n");
	spec.envp = none;
	ck_assert_str_eq(output_of(&spec), "");
	setenv("WISP_TEST", "inherited", 1);
	spec.envp = NULL;
	ck_assert_ptr_nonnull(
		strstr(output_of(&spec), "WISP_TEST=inherited\n"));
}
END_TEST

static void write_script(const char *path, const char *text, mode_t mode)
{
	put_text(path, text);
	ck_assert_int_eq(chmod(path, mode), 0);
}

/* Whether PATH finds "prog", and with which exit status. */
static int run_prog(void)
{
	const char *const argv[] = {"prog", NULL};
	struct process_spec spec = {.argv = argv};
	int64_t pid;
	struct err e;
	int r = process_spawn(&spec, &pid, &e);

	ck_assert_int_eq(process_find("prog"), r == 0);
	return r < 0 ? r : reap((pid_t)pid);
}

static void set_path(const char *a, const char *b, const char *c)
{
	char path[16384];

	snprintf(path, sizeof(path), "%s:%s:%s", a, b, c);
	setenv("PATH", path, 1);
}

START_TEST(test_path)
{
	ck_assert_int_eq(mkdir("a", 0700), 0);
	ck_assert_int_eq(mkdir("b", 0700), 0);
	write_script("b/prog", "#!/bin/sh\nexit 2\n", 0755);
	set_path("/nowhere", here("a"), here("b"));
	ck_assert_int_eq(run_prog(), 2);
	/* one that may not be executed is passed over */
	write_script("a/prog", "#!/bin/sh\nexit 1\n", 0644);
	ck_assert_int_eq(run_prog(), 2);
	ck_assert_int_eq(chmod("a/prog", 0755), 0);
	ck_assert_int_eq(run_prog(), 1);
	set_path("/nowhere", "/nowhere", "/");
	ck_assert_int_eq(run_prog(), -ENOENT);
	/* the working directory is no part of it */
	write_script("prog", "#!/bin/sh\nexit 3\n", 0755);
	set_path("", "", "");
	ck_assert_int_eq(run_prog(), -ENOENT);
}
END_TEST

/* As execvp(3) and the shell do it. */
START_TEST(test_path_with_a_folder_of_that_name)
{
	ck_assert_int_eq(mkdir("a", 0700), 0);
	ck_assert_int_eq(mkdir("b", 0700), 0);
	ck_assert_int_eq(mkdir("a/prog", 0755), 0);
	write_script("b/prog", "#!/bin/sh\nexit 2\n", 0755);
	set_path("/nowhere", here("a"), here("b"));
	ck_assert_int_eq(run_prog(), 2);
}
END_TEST

START_TEST(test_no_path)
{
	unsetenv("PATH");
	ck_assert(process_find("sh"));
	ck_assert_int_eq(reap((pid_t)spawn_shell("exit 4")), 4);
	setenv("PATH", "", 1);
	ck_assert(process_find("sh"));
}
END_TEST

START_TEST(test_find)
{
	char name[5000];

	ck_assert(process_find("sh"));
	ck_assert(process_find("/bin/sh"));
	ck_assert(!process_find("no-such-program-anywhere"));
	ck_assert(!process_find("/no/such/program"));
	ck_assert(!process_find("/etc/passwd"));
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	ck_assert(!process_find(name));
	name[0] = '/';
	ck_assert(!process_find(name));
}
END_TEST

/* They can't be executed. */
START_TEST(test_find_no_folder)
{
	ck_assert(!process_find("/tmp"));
	ck_assert(!process_find("/"));
	ck_assert(!process_find(""));
}
END_TEST

static void spawn_fails(const char *program, int error)
{
	const char *const argv[] = {program, NULL};
	struct process_spec spec = {.argv = argv};
	unsigned fds = count_fds();
	int64_t pid = 42;
	struct err e;
	siginfo_t si;

	ck_assert_int_eq(process_spawn(&spec, &pid, &e), error);
	ck_assert_int_eq(e.code, error);
	ck_assert_ptr_nonnull(strstr(e.msg, program));
	ck_assert_int_eq(pid, 42);
	ck_assert_uint_eq(count_fds(), fds);
	/* the child is gone already */
	ck_assert_int_lt(waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT), 0);
}

START_TEST(test_errors)
{
	spawn_fails("/no/such/program", -ENOENT);
	spawn_fails("no-such-program-anywhere", -ENOENT);
	put_text("plain", "x");
	spawn_fails("./plain", -EACCES);
	spawn_fails("/tmp", -EACCES);
	spawn_fails("./plain/x", -ENOTDIR);
	write_script("empty", "", 0755);
	spawn_fails("./empty", -ENOEXEC);
	write_script("elf",
		"\x7f"
		"ELFoops",
		0755);
	spawn_fails("./elf", -ENOEXEC);
	write_script("script", "#!/no/interpreter\n", 0755);
	spawn_fails("./script", -ENOENT);
}
END_TEST

START_TEST(test_error_without_err)
{
	const char *const argv[] = {"/no/such/program", NULL};
	struct process_spec spec = {.argv = argv};
	int64_t pid;

	ck_assert_int_eq(process_spawn(&spec, &pid, NULL), -ENOENT);
}
END_TEST

/* ---- descriptors ---- */

static unsigned long inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : (unsigned long)st.st_ino;
}

/* Whether a child that gets these has them as its 0, 1, ... and nothing else.
 * It tells in its descriptor 1. Runs where Check's own may be closed. */
static bool placed_right(const int *fds, int n)
{
	const char *const argv[] = {SELF, "fds", NULL};
	struct process_spec spec = {.argv = argv};
	char want[512] = "", got[512] = "";
	int64_t pid;
	int i;

	for (i = 0; i < n; i++) {
		endpoint_from_fd(fds[i], &spec.endpoints[i]);
		sprintf(want + strlen(want), "%d:%lu ", i, inode(fds[i]));
	}
	if (process_spawn(&spec, &pid, NULL) == 0)
		waitpid((pid_t)pid, NULL, 0);
	if (pread(fds[1], got, sizeof(got) - 1, 0) < 0)
		return false;
	for (i = 0; i < n; i++)
		endpoint_close(spec.endpoints[i]);
	return strcmp(got, want) == 0;
}

START_TEST(test_six_descriptors)
{
	int fds[PROCESS_ENDPOINTS_MAX], i;

	cloexec_all();
	for (i = 0; i < PROCESS_ENDPOINTS_MAX; i++)
		fds[i] = scratch();
	ck_assert(placed_right(fds, PROCESS_ENDPOINTS_MAX));
}
END_TEST

/* Ours are where the child's are to be, in some other order. */
static bool placed_right_from(const char *order)
{
	int fds[PROCESS_ENDPOINTS_MAX], n = (int)strlen(order), i;
	pid_t pid = fork();

	if (pid > 0)
		return reap(pid) == 0;
	cloexec_all();
	for (i = 0; i < 10; i++)
		close(i);
	for (i = 0; i < PROCESS_ENDPOINTS_MAX; i++)
		if (memfd_create("scratch", MFD_CLOEXEC) != i)
			_exit(1);
	for (i = 0; i < n; i++)
		fds[i] = order[i] - '0';
	_exit(placed_right(fds, n) ? 0 : 1);
}

START_TEST(test_overlapping_descriptors)
{
	static const char *const orders[] = {"012345", "543210", "123450",
		"501234", "214305", "345012", "102", "201", "012", "541", "105",
		"043215"};
	size_t i;

	for (i = 0; i < LENGTH(orders); i++)
		ck_assert_msg(placed_right_from(orders[i]), "%s", orders[i]);
}
END_TEST

/* One endpoint, twice. */
START_TEST(test_shared_descriptor)
{
	struct process_spec spec = {0};
	const char *const argv[] = {"sh", "-c", "echo a; echo b >&2", NULL};
	int fd = open("log", O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	spec.argv = argv;
	spec.endpoints[1] = spec.endpoints[2] = endpoint_of(fd);
	ck_assert_int_eq(reap((pid_t)spawn(&spec)), 0);
	ck_assert_str_eq(text_of(fd), "a\nb\n");
	endpoint_close(spec.endpoints[1]);
}
END_TEST

/* No endpoint is the null device. */
START_TEST(test_null_descriptors)
{
	const char *const argv[] = {"sh", "-c",
		"readlink /proc/$$/fd/0 /proc/$$/fd/2 >&1; cat", NULL};
	struct process_spec spec = {.argv = argv};

	ck_assert_str_eq(output_of(&spec), "/dev/null\n/dev/null\n");
}
END_TEST

START_TEST(test_nothing_else_is_inherited)
{
	int fds[3] = {scratch(), scratch(), scratch()};
	int extra = scratch();

	cloexec_all();
	ck_assert(placed_right(fds, 3));
	close(extra);
}
END_TEST

/* Not even what somebody left without FD_CLOEXEC. */
START_TEST(test_nothing_careless_is_inherited)
{
	int fds[3] = {scratch(), scratch(), scratch()};
	int extra;

	cloexec_all();
	extra = memfd_create("careless", 0);
	ck_assert(placed_right(fds, 3));
	close(extra);
}
END_TEST

/* The parent's own are as before. */
START_TEST(test_endpoints_are_borrowed)
{
	struct process_spec spec = {0};
	struct endpoint *ep = endpoint_of(scratch());
	const char *const argv[] = {"echo", "x", NULL};
	int fd = endpoint_fd(ep);

	spec.argv = argv;
	spec.endpoints[1] = ep;
	ck_assert_int_eq(reap((pid_t)spawn(&spec)), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(reap((pid_t)spawn(&spec)), 0);
	ck_assert_str_eq(text_of(fd), "x\nx\n");
	endpoint_close(ep);
}
END_TEST

/* ---- what else a child is ---- */

static void handler(int sig)
{
	(void)sig;
}

START_TEST(test_signals)
{
	const char *const argv[] = {
		"grep", "^Sig[BI]", "/proc/self/status", NULL};
	struct process_spec spec = {.argv = argv};
	sigset_t all, old;
	int sig;

	for (sig = 1; sig < NSIG; sig++) {
		if (sig == SIGCHLD || sig == SIGSEGV || sig == SIGABRT)
			continue;
		signal(sig, sig % 2 ? SIG_IGN : handler);
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	ck_assert_str_eq(output_of(&spec), "SigBlk:\t0000000000000000\n"
					   "SigIgn:\t0000000000000000\n");
	/* and ours are as they were */
	sigprocmask(SIG_SETMASK, NULL, &all);
	ck_assert_int_eq(sigismember(&all, SIGUSR1), 1);
	sigprocmask(SIG_SETMASK, &old, NULL);
	sigprocmask(SIG_SETMASK, NULL, &all);
	ck_assert_int_eq(sigismember(&all, SIGUSR1), 0);
	ck_assert(signal(SIGUSR1, SIG_DFL) == handler);
	ck_assert(signal(SIGHUP, SIG_DFL) == SIG_IGN);
}
END_TEST

START_TEST(test_cwd)
{
	struct process_spec spec = {0};
	char want[4200];

	ck_assert_int_eq(mkdir("sub", 0700), 0);
	snprintf(want, sizeof(want), "cwd %s", here("sub"));
	spec.cwd = here("sub");
	ck_assert_ptr_nonnull(strstr(report("self", &spec), want));
	*strrchr(want, '/') = '\0';
	spec.cwd = NULL;
	ck_assert_ptr_nonnull(strstr(report("self", &spec), want));
}
END_TEST

START_TEST(test_bad_cwd)
{
	const char *const argv[] = {"/bin/true", NULL};
	struct process_spec spec = {.argv = argv, .cwd = "/no/such/folder"};
	int64_t pid = 42;
	struct err e;

	ck_assert_int_eq(process_spawn(&spec, &pid, &e), -ENOENT);
	ck_assert_int_eq(pid, 42);
	ck_assert_msg(strstr(e.msg, "/no/such/folder"), "%s", e.msg);
}
END_TEST

START_TEST(test_group)
{
	struct process_spec spec = {0};
	int pid, group, session;
	const char *text;

	text = report("self", &spec);
	ck_assert_int_eq(sscanf(text, "pid %d group %d session %d", &pid,
				 &group, &session),
		3);
	ck_assert_int_eq(group, getpgid(0));
	spec.own_group = true;
	text = report("self", &spec);
	ck_assert_int_eq(sscanf(text, "pid %d group %d session %d", &pid,
				 &group, &session),
		3);
	ck_assert_int_eq(group, pid);
	ck_assert_int_eq(session, getsid(0));
}
END_TEST

/* A process of ours spawns another one, is killed, and takes it along. */
static bool dies_along(bool dies_with_us)
{
	const char *const argv[] = {"sleep", "1000", NULL};
	struct process_spec spec = {.argv = argv, .dies_with_us = dies_with_us};
	int fds[2], status = 0;
	int64_t pid;
	pid_t middle;

	ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	ck_assert_int_eq(pipe(fds), 0);
	middle = fork();
	if (middle == 0) {
		process_spawn(&spec, &pid, NULL);
		status = write(fds[1], &pid, sizeof(pid)) < 0;
		pause();
		_exit(status);
	}
	ck_assert_int_eq(read(fds[0], &pid, sizeof(pid)), sizeof(pid));
	close(fds[0]);
	close(fds[1]);
	kill(middle, SIGKILL);
	reap(middle);
	if (!dies_with_us)
		kill((pid_t)pid, SIGTERM);
	return reap((pid_t)pid) == 128 + SIGKILL;
}

START_TEST(test_dies_with_us)
{
	ck_assert(dies_along(true));
	ck_assert(!dies_along(false));
}
END_TEST

/* Out of descriptors: an error, and nothing left. */
START_TEST(test_no_descriptors)
{
	const char *const argv[] = {"/bin/true", NULL};
	struct process_spec spec = {.argv = argv};
	struct rlimit old, low;
	int64_t pid;
	struct err e;
	int r;

	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	low.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &low);
	r = process_spawn(&spec, &pid, &e);
	setrlimit(RLIMIT_NOFILE, &old);
	ck_assert_int_eq(r, -EMFILE);
}
END_TEST

/* /dev/null is opened, then the child finds no room. How many descriptors the
 * test began with must not matter: too few of them below the limit is another
 * error of fcntl(2) than all of them taken. */
START_TEST(test_no_descriptors_in_the_child)
{
	const char *const argv[] = {"/bin/true", NULL};
	struct process_spec spec = {.argv = argv};
	struct rlimit old, low;
	int64_t pid;
	struct err e;
	int fds[8], r, i, lowest;

	getrlimit(RLIMIT_NOFILE, &old);
	for (i = 0; i <= 8; i++) {
		lowest = dup(0);
		ck_assert_int_ge(lowest, 0);
		close(lowest);
		low = old;
		low.rlim_cur = (rlim_t)lowest + 1;
		setrlimit(RLIMIT_NOFILE, &low);
		r = process_spawn(&spec, &pid, &e);
		setrlimit(RLIMIT_NOFILE, &old);
		ck_assert_int_eq(r, -EMFILE);
		ck_assert_int_lt(waitpid(-1, NULL, WNOHANG), 0);
		if (i < 8)
			fds[i] = dup(0);
	}
	for (i = 0; i < 8; i++)
		close(fds[i]);
}
END_TEST

START_TEST(test_spawn_allocates_nothing)
{
	const char *const argv[] = {"true", NULL};
	struct process_spec spec = {.argv = argv};
	int64_t pid;
	int r;

	oom_all();
	r = process_spawn(&spec, &pid, NULL);
	oom_off();
	ck_assert_int_eq(r, 0);
	reap((pid_t)pid);
}
END_TEST

int main(int argc, char **argv)
{
	const TTest *const tests[] = {test_exit_statuses, test_arguments,
		test_environment, test_path,
		test_path_with_a_folder_of_that_name, test_no_path, test_find,
		test_find_no_folder, test_errors, test_error_without_err,
		test_six_descriptors, test_overlapping_descriptors,
		test_shared_descriptor, test_null_descriptors,
		test_nothing_else_is_inherited,
		test_nothing_careless_is_inherited, test_endpoints_are_borrowed,
		test_signals, test_cwd, test_bad_cwd, test_group,
		test_dies_with_us, test_no_descriptors,
		test_no_descriptors_in_the_child, test_spawn_allocates_nothing,
		NULL};

	return argc > 1 ? be_child(argv[1]) : suite_run("process", tests);
}
