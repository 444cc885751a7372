/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util_clock.h"
#include "util_oom.h" /* __wrap_malloc() and the others */
#include "util_test.h"

static struct event_base *base;
static unsigned n_accepted;

/* Says something and hangs up. */
static void on_accept(struct stream *s, void *arg)
{
	ck_assert_ptr_eq(arg, &n_accepted);
	n_accepted++;
	stream_write(s, "hello", 5);
	stream_close(s);
}

static struct listener *listener_of(const char *address)
{
	struct listener *l;
	struct err e;

	ck_assert_int_eq(listener_bind(address, &l, &e), 0);
	ck_assert_int_eq(listener_start(l, base, on_accept, &n_accepted), 0);
	return l;
}

/* Whether whoever dials gets through. */
static bool is_served(const char *address)
{
	struct stream *s;
	struct err e;
	char buf[8];
	bool yes;

	if (stream_connect(base, address, &s, &e) < 0)
		return false;
	loop_settle(base);
	yes = stream_read(s, buf, sizeof(buf)) == 5;
	stream_close(s);
	return yes;
}

static void *stay(void *arg)
{
	(void)arg;
	for (;;)
		pause();
	return NULL;
}

/* A killed process lets go of its memory first, and of its listener last; one
 * whose first thread has ended looks the same for as long as the other lives.
 */
START_TEST(test_dying_owner)
{
	struct listener *l;
	pthread_t thread;
	pid_t pid;

	base = event_base_new();
	ck_assert_int_eq(listener_bind(here("sock"), &l, NULL), 0);
	pid = fork();
	if (pid == 0) {
		struct event_base *own = event_base_new();

		if (!own || listener_start(l, own, NULL, NULL) < 0 ||
			pthread_create(&thread, NULL, stay, NULL) != 0)
			_exit(1);
		pthread_exit(NULL);
	}
	listener_close(l);
	ck_assert(
		wait_for(NULL, listener_probe(here("sock")) == -ECONNREFUSED));
	ck_assert_int_eq(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGKILL);
	ck_assert_int_eq(reap(pid), 128 + SIGKILL);
	event_base_free(base);
}
END_TEST

START_TEST(test_life)
{
	static const char *const forms[] = {"unix://%s", "unix:%s", "%s"};
	char address[4200];
	struct listener *l;
	struct stat st;
	unsigned i;

	base = event_base_new();
	for (i = 0; i < LENGTH(forms); i++) {
		snprintf(address, sizeof(address), forms[i], here("sock"));
		ck_assert_int_eq(listener_probe(address), -ENOENT);
		l = listener_of(address);
		ck_assert_int_eq(listener_probe(address), 0);
		ck_assert(is_served(address));
		ck_assert_int_eq(stat("sock", &st), 0);
		ck_assert_uint_eq(st.st_mode & 07777, 0600);
		ck_assert(loop_is_idle(base));
		listener_close(l);
		ck_assert(file_exists("sock"));
		ck_assert_int_eq(listener_probe(address), -ECONNREFUSED);
		ck_assert_int_eq(listener_unlink(address), 0);
		ck_assert_int_eq(listener_unlink(address), 0);
		ck_assert(!file_exists("sock"));
	}
	listener_close(NULL);
	event_base_free(base);
}
END_TEST

START_TEST(test_in_use)
{
	struct listener *l, *second = NULL;
	struct err e = {0};

	base = event_base_new();
	l = listener_of("sock");
	ck_assert_int_eq(listener_bind("sock", &second, &e), -EADDRINUSE);
	ck_assert_ptr_nonnull(strstr(e.msg, "'sock'"));
	ck_assert(is_served("sock")); /* it did no harm */
	listener_close(l);
	ck_assert_int_eq(listener_bind("sock", &second, &e), -EADDRINUSE);
	ck_assert_int_eq(listener_bind("no/sock", &second, &e), -ENOENT);
	ck_assert_ptr_null(second);
	put_text("file", "");
	ck_assert_int_eq(listener_probe("file"), -ECONNREFUSED);
	event_base_free(base);
}
END_TEST

/* Who connects before it starts is served then; mode and umask are restored.
 */
START_TEST(test_not_started)
{
	struct listener *l;
	struct stream *s;
	struct err e;
	char buf[8];

	base = event_base_new();
	umask(022);
	ck_assert_int_eq(listener_bind("sock", &l, &e), 0);
	ck_assert_uint_eq(umask(022), 022);
	ck_assert_int_eq(listener_probe("sock"), 0);
	ck_assert_int_eq(stream_connect(base, "sock", &s, &e), 0);
	ck_assert_int_eq(listener_start(l, base, on_accept, &n_accepted), 0);
	loop_settle(base);
	ck_assert_int_eq(stream_read(s, buf, sizeof(buf)), 5);
	stream_close(s);
	listener_close(l);
	/* never started */
	listener_unlink("sock");
	ck_assert_int_eq(listener_bind("sock", &l, &e), 0);
	listener_close(l);
	event_base_free(base);
}
END_TEST

/* sockaddr_un holds 107 bytes and a NUL. */
START_TEST(test_long_path)
{
	size_t cwd = strlen(here("")), n;
	struct listener *l, *second;
	char name[300];
	struct err e;

	base = event_base_new();
	for (n = 105 - cwd; n <= 111 - cwd; n++) {
		memset(name, 'n', n);
		name[n] = '\0';
		ck_assert_int_eq(listener_probe(here(name)), -ENOENT);
		l = listener_of(here(name));
		ck_assert(is_served(here(name)));
		ck_assert(file_exists(name));
		ck_assert_int_eq(
			listener_bind(here(name), &second, &e), -EADDRINUSE);
		listener_close(l);
		ck_assert_int_eq(listener_probe(here(name)), -ECONNREFUSED);
		ck_assert_int_eq(listener_unlink(here(name)), 0);
	}
	/* the folder may be as long as it likes */
	memset(name, 'd', 250);
	name[250] = '\0';
	ck_assert_int_eq(mkdir(name, 0700), 0);
	strcpy(name + 250, "/sock");
	l = listener_of(here(name));
	ck_assert(is_served(here(name)));
	listener_close(l);
	memset(name, 'n', 200); /* but not the name */
	name[200] = '\0';
	ck_assert_int_eq(listener_bind(here(name), &l, &e), -ENAMETOOLONG);
	event_base_free(base);
}
END_TEST

/* In a child of another uid: what it reads, or 99. */
static pid_t dial_as(uid_t uid, const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	pid_t pid = fork();
	char buf[8];
	int fd;

	ck_assert_int_ge(pid, 0);
	if (pid)
		return pid;
	strcpy(sa.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (setgid(uid) < 0 || setuid(uid) < 0 ||
		connect(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		_exit(99);
	_exit((int)read(fd, buf, sizeof(buf)));
}

static bool has_ended(pid_t pid)
{
	siginfo_t si = {0};

	return waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG | WNOWAIT) ==
		       0 &&
	       si.si_pid == pid;
}

START_TEST(test_peer_of_another_uid)
{
	struct listener *l;
	pid_t pid;

	if (!is_root())
		return;
	base = event_base_new();
	l = listener_of("sock");
	/* the mode alone would keep it out */
	ck_assert_int_eq(chmod("sock", 0666), 0);
	ck_assert_int_eq(chmod(".", 0755), 0);
	pid = dial_as(65534, "sock");
	ck_assert(wait_for(base, has_ended(pid)));
	ck_assert_int_eq(reap(pid), 0); /* the end at once, no hello */
	ck_assert_uint_eq(n_accepted, 0);
	pid = dial_as(0, "sock");
	ck_assert(wait_for(base, has_ended(pid)));
	ck_assert_int_eq(reap(pid), 5);
	ck_assert_uint_eq(n_accepted, 1);
	ck_assert(is_served("sock"));
	listener_close(l);
	event_base_free(base);
}
END_TEST

/* Out of descriptors it rests 100 ms, instead of spinning. */
START_TEST(test_no_descriptor)
{
	struct rlimit was, few;
	struct listener *l;
	struct stream *s;
	struct err e;
	char buf[8];
	int fd;

	base = event_base_new();
	clock_freeze();
	l = listener_of("sock");
	ck_assert_int_eq(stream_connect(base, "sock", &s, &e), 0);
	fd = dup(0);
	close(fd);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &was), 0);
	few = was;
	few.rlim_cur = (rlim_t)fd;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	loop_settle(base);
	clock_skip_ms(100);
	loop_settle(base); /* still none */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	ck_assert(loop_is_idle(base));
	ck_assert_uint_eq(n_accepted, 0);
	clock_skip_ms(99);
	loop_settle(base);
	ck_assert_uint_eq(n_accepted, 0);
	clock_skip_ms(1);
	loop_settle(base);
	ck_assert_uint_eq(n_accepted, 1);
	ck_assert_int_eq(stream_read(s, buf, sizeof(buf)), 5);
	stream_close(s);
	ck_assert(is_served("sock"));
	/* which is no sign that nobody listens */
	few.rlim_cur--; /* s was the last */
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	ck_assert_int_eq(stream_connect(base, "sock", &s, &e), -EMFILE);
	ck_assert_int_eq(listener_probe("sock"), -EMFILE);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &was), 0);
	listener_close(l);
	event_base_free(base);
}
END_TEST

START_TEST(test_out_of_memory)
{
	struct listener *l;
	struct stream *s;
	struct err e;
	int r;

	oom_begin();
	base = event_base_new();
	ck_assert_int_eq(stream_open_null(base, &s), 0);
	OOM_SWEEP(n)
	{
		l = NULL;
		oom_at(n);
		r = listener_bind("sock", &l, &e);
		if (r == 0)
			r = listener_start(l, base, on_accept, &n_accepted);
		oom_off();
		ck_assert(r == 0 || r == -ENOMEM);
		/* a name that nobody has is not left behind */
		ck_assert(file_exists("sock") == (l != NULL));
		listener_close(l);
		listener_unlink("sock");
	}
	stream_close(s);
	event_base_free(base);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_life, test_dying_owner, test_in_use,
		test_not_started, test_long_path, test_peer_of_another_uid,
		test_no_descriptor, test_out_of_memory, NULL};

	return suite_run("listener", tests);
}
