/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What test_ctl_seccomp.py runs in containers: system calls, and what becomes
 * of them.
 *
 *   probe loop N      mount(2) N times; how many did not fail with EPERM
 *   probe ask N       for each line "NR A0 A1 A2" of stdin the errno of it
 *   probe names N     mount(2) N times, each under another name
 *   probe kill        a call that the profile kills for
 *   probe hole        mount(2) with addresses that nobody can read
 *   probe stuck       mount(2) with text on a page that nobody ever fills
 *   probe wait FILE   mount(2) every 10 ms, the errno into FILE
 */
#include <errno.h>
#include <linux/userfaultfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static int denied(void)
{
	return mount("from", "/to", "tmpfs", 0, NULL) < 0 ? errno : 0;
}

static void loop(long n, int rename)
{
	long wrong = 0, i;
	char name[16];

	for (i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "\033\n\"%ld", i);
		if (rename)
			prctl(PR_SET_NAME, name);
		wrong += denied() != EPERM;
	}
	printf("wrong %ld of %ld\n", wrong, n);
}

static void ask(void)
{
	unsigned long a[3];
	long nr;

	while (scanf("%ld %lu %lu %lu", &nr, &a[0], &a[1], &a[2]) == 4) {
		long r = syscall(nr, a[0], a[1], a[2], 0, 0, 0);

		printf("%ld %lu %s\n", nr, a[0],
			r < 0 ? strerrorname_np(errno) : "ok");
	}
}

static void hole(void)
{
	long r = syscall(SYS_mount, 8, (char *)-4096L, 1, 0, 0);

	printf("%ld %d\n", r, errno);
}

static void stuck(void)
{
	int fd = (int)syscall(SYS_userfaultfd, 0);
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register reg = {.mode = UFFDIO_REGISTER_MODE_MISSING};
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long r;

	reg.range.start = (unsigned long)page;
	reg.range.len = 4096;
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) < 0 ||
		ioctl(fd, UFFDIO_REGISTER, &reg) < 0) {
		printf("no userfaultfd: %d\n", errno);
		return;
	}
	r = syscall(SYS_mount, page, "/to", page, 0, 0);
	printf("%ld %d\n", r, errno);
}

static void keep_on(const char *path)
{
	for (;;) {
		int code = denied();
		FILE *f = fopen(path, "a");

		if (f) {
			fprintf(f, "%d\n", code);
			fclose(f);
		}
		usleep(10000);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(what, "loop") == 0)
		loop(n, 0);
	else if (strcmp(what, "names") == 0)
		loop(n, 1);
	else if (strcmp(what, "ask") == 0)
		ask();
	else if (strcmp(what, "kill") == 0)
		syscall(SYS_sethostname, "x", 1);
	else if (strcmp(what, "hole") == 0)
		hole();
	else if (strcmp(what, "stuck") == 0)
		stuck();
	else if (strcmp(what, "wait") == 0 && argc > 2)
		keep_on(argv[2]);
	else
		return 2;
	return 0;
}
