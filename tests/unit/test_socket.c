/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/host.h"
#include "platform/linux/lock.h"
#include "platform/listener.h"
#include "util_test.h"

/* ---- the address ---- */

static const char *address_of(
	const char *dir, const char *daemon, const char *ns, const char *group)
{
	static char bufs[8][512];
	static unsigned next;
	char *buf = bufs[next++ % LENGTH(bufs)];

	ck_assert_int_eq(socket_address(dir, daemon, ns, group, buf,
				 sizeof(bufs[0]), NULL),
		0);
	return buf;
}

/* sha256sum of "/run/containerd/containerd.sock/k8s.io/web" */
#define DIGITS                             \
	"31492f64622e2197f39d1097eef6dd53" \
	"ef2551ab09ee09a8437ce5507a085daa"

START_TEST(test_address)
{
	static const char daemon[] = "/run/containerd/containerd.sock";

	ck_assert_str_eq(address_of("/tmp/s", daemon, "k8s.io", "web"),
		"unix:///tmp/s/" DIGITS);
	ck_assert_str_eq(address_of("/tmp/s", daemon, "k8s.io", "web"),
		"unix:///tmp/s/" DIGITS);
}
END_TEST

START_TEST(test_address_by_default)
{
	static const char daemon[] = "/run/containerd/containerd.sock";
	char dir[256], want[512];

	ck_assert_int_eq(host_own_dir("s", 42, dir, sizeof(dir), NULL), 0);
	snprintf(want, sizeof(want), "unix://%s/" DIGITS, dir);
	ck_assert_str_eq(address_of(NULL, daemon, "k8s.io", "web"), want);
	ck_assert_str_eq(address_of("", daemon, "k8s.io", "web"), want);
}
END_TEST

START_TEST(test_address_by_each_input)
{
	const char *a[] = {
		address_of("/d", "c", "ns", "id"),
		address_of("/e", "c", "ns", "id"),
		address_of("/d", "c2", "ns", "id"),
		address_of("/d", "c", "ns2", "id"),
		address_of("/d", "c", "ns", "id2"),
		address_of("/d", "c", "nsi", "d"),
		address_of("/d", "", "ns", "id"),
	};
	unsigned i, j;

	for (i = 0; i < LENGTH(a); i++)
		for (j = 0; j < i; j++)
			ck_assert_str_ne(a[i], a[j]);
}
END_TEST

START_TEST(test_address_too_long)
{
	char buf[100], dir[64];
	struct err e = {0};

	/* 7 + dir + 1 + 64 + NUL */
	memset(dir, 'd', sizeof(dir));
	dir[27] = '\0';
	ck_assert_int_eq(
		socket_address(dir, "c", "ns", "id", buf, sizeof(buf), &e), 0);
	ck_assert_uint_eq(strlen(buf), 99);
	dir[27] = 'd';
	dir[28] = '\0';
	ck_assert_int_eq(
		socket_address(dir, "c", "ns", "id", buf, sizeof(buf), &e),
		-ENAMETOOLONG);
	ck_assert_ptr_nonnull(strstr(e.msg, dir));
}
END_TEST

/* ---- the claim ---- */

static const char *socket_here(const char *name)
{
	static char buf[4200];

	snprintf(buf, sizeof(buf), "unix://%s", here(name));
	return buf;
}

START_TEST(test_claim)
{
	const char *address = socket_here("s/deep/sock");
	struct listener *l = NULL, *second = NULL;
	struct stat st;
	struct err e;

	ck_assert_int_eq(socket_claim(address, &l, &e), 0);
	ck_assert_int_eq(stat("s/deep/sock", &st), 0);
	ck_assert(S_ISSOCK(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(stat("s/deep", &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	ck_assert_int_eq(listener_probe(address), 0);
	ck_assert_int_eq(socket_claim(address, &second, &e), 1);
	ck_assert_ptr_null(second);
	listener_close(l);
	/* stale now */
	ck_assert(file_exists("s/deep/sock"));
	ck_assert_int_eq(listener_probe(address), -ECONNREFUSED);
	ck_assert_int_eq(socket_claim(address, &l, &e), 0);
	ck_assert_int_eq(listener_probe(address), 0);
	listener_close(l);
}
END_TEST

/* Longer than a sockaddr_un holds. */
START_TEST(test_claim_long)
{
	char name[300];
	const char *address;
	struct listener *l, *second;
	struct err e;

	memset(name, 'n', 200);
	strcpy(name + 200, "/0123456789012345678901234567890123456789012345678"
			   "901234567890123");
	address = socket_here(name);
	ck_assert_int_eq(socket_claim(address, &l, &e), 0);
	ck_assert_int_eq(socket_claim(address, &second, &e), 1);
	listener_close(l);
	ck_assert_int_eq(socket_claim(address, &l, &e), 0);
	listener_close(l);
}
END_TEST

/* What is there and is no socket was not put there by a shim. */
START_TEST(test_claim_folder_in_the_way)
{
	struct listener *l = NULL;
	struct err e = {0};

	ck_assert_int_eq(mkdir("sock", 0700), 0);
	ck_assert_int_lt(socket_claim(socket_here("sock"), &l, &e), 0);
	ck_assert_ptr_null(l);
	ck_assert_ptr_nonnull(strstr(e.msg, "sock"));
}
END_TEST

/* One of many: claims when told to, and lives until told otherwise. */
static void claimer(const char *address, int go, int told, int end)
{
	struct listener *l;
	struct err e;
	char r, c;

	if (read(go, &c, 1) != 0) /* until the parent closes its end */
		_exit(99);
	r = (char)socket_claim(address, &l, &e);
	if (write(told, &r, 1) != 1 || read(end, &c, 1) != 0)
		_exit(98);
	_exit(0);
}

static void claim_by_many(const char *address)
{
	int go[2], told[2], end[2];
	unsigned i, winners = 0;
	pid_t pids[20];
	char r;

	ck_assert_int_eq(pipe(go), 0);
	ck_assert_int_eq(pipe(told), 0);
	ck_assert_int_eq(pipe(end), 0);
	for (i = 0; i < LENGTH(pids); i++) {
		pids[i] = fork();
		ck_assert_int_ge(pids[i], 0);
		if (pids[i] == 0) {
			close(go[1]);
			close(end[1]);
			claimer(address, go[0], told[1], end[0]);
		}
	}
	close(go[1]);
	for (i = 0; i < LENGTH(pids); i++) {
		ck_assert_int_eq(read(told[0], &r, 1), 1);
		ck_assert_int_ge(r, 0);
		winners += r == 0;
	}
	ck_assert_uint_eq(winners, 1);
	close(end[1]);
	for (i = 0; i < LENGTH(pids); i++)
		ck_assert_int_eq(reap(pids[i]), 0);
	close(go[0]);
	close(end[0]);
	close(told[0]);
	close(told[1]);
}

START_TEST(test_claim_by_many)
{
	const char *address = socket_here("s/sock");

	claim_by_many(address);
	claim_by_many(address); /* with a stale one there */
}
END_TEST

/* ---- the folder ---- */

START_TEST(test_folder_is_a_file)
{
	struct listener *l = NULL;
	struct err e = {0};

	put_text("s", "");
	ck_assert_int_eq(socket_claim(socket_here("s/sock"), &l, &e), -ENOTDIR);
	ck_assert_ptr_nonnull(strstr(e.msg, "socket directory '"));
	ck_assert_ptr_nonnull(strstr(e.msg, "/s' can't be written to: "
					    "Not a directory"));
	ck_assert_ptr_null(l);
}
END_TEST

/* For an ordinary user, that is. */
START_TEST(test_folder_of_another)
{
	const char *address = socket_here("s/sock");
	struct listener *l;
	struct err e = {0};
	char cwd[4096];
	pid_t pid;

	if (!is_root())
		return;
	ck_assert_int_eq(mkdir("s", 0755), 0);
	ck_assert_ptr_nonnull(getcwd(cwd, sizeof(cwd)));
	ck_assert_int_eq(chmod(cwd, 0755), 0);
	*strrchr(cwd, '/') = '\0';
	ck_assert_int_eq(chmod(cwd, 0755), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (setgid(65534) < 0 || setuid(65534) < 0)
			_exit(99);
		if (socket_claim(address, &l, &e) != -EACCES)
			_exit(1);
		_exit(strstr(e.msg, "/s' can't be written to: "
				    "Permission denied")
				? 0
				: 2);
	}
	ck_assert_int_eq(reap(pid), 0);
	ck_assert(!file_exists("s/sock"));
}
END_TEST

/* host.h: -ETIMEDOUT */
START_TEST(test_folder_is_locked)
{
	struct err e = {0};
	int fd, lock = -1;

	ck_assert_int_eq(host_lock_dir(here("s"), 0, &lock, &e), 0);
	host_unlock_dir(lock);
	lock = -1;
	fd = open("s", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(host_lock_dir(here("s"), 1, &lock, &e), -ETIMEDOUT);
	ck_assert_int_eq(lock, -1);
	close(fd);
	ck_assert_int_eq(host_lock_dir(here("s"), 0, &lock, &e), 0);
	host_unlock_dir(lock);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_address, test_address_by_default,
		test_address_by_each_input, test_address_too_long, test_claim,
		test_claim_long, test_claim_folder_in_the_way,
		test_claim_by_many, test_folder_is_a_file,
		test_folder_of_another, test_folder_is_locked, NULL};

	return suite_run("socket", tests);
}
