/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include "platform/linux/fd.h"
#include "platform/seccomp.h"
#include "platform/text.h"

#define TEXT_MS 20
#define TEXT_MAX 256
#define PAGE 4096
#define OUT 3 /* the child's only descriptor, but for the null device */

/* A page that is not there must not cost the text on the page before it. */
static ssize_t copy(int64_t pid, uint64_t at, char *buf, size_t n)
{
	size_t first = PAGE - at % PAGE;
	struct iovec ours = {buf, n};
	struct iovec theirs[] = {{(void *)(uintptr_t)at, n},
		{(void *)(uintptr_t)(at + first), 0}};

	if (first < n) {
		theirs[0].iov_len = first;
		theirs[1].iov_len = n - first;
	}
	return process_vm_readv((pid_t)pid, &ours, 1, theirs, 2, 0);
}

/* In the child: only what is async-signal-safe. It may hang for longer than we
 * live, and must hold nothing of ours: not the filters, nor anybody's output.
 */
static void __attribute__((noreturn))
be_reader(const struct seccomp_call *call, unsigned arg, int to)
{
	char text[TEXT_MAX];
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(to, OUT) < 0 || close_range(OUT + 1, ~0U, 0) < 0)
		_exit(1);
	to = OUT;
	n = copy(call->pid, call->args[arg], text, sizeof(text));
	if (n > 0)
		n = write(to, text, (size_t)n);
	_exit(n > 0 ? 0 : 1);
}

static ssize_t read_in_time(int fd, char *buf, size_t n)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	ssize_t got;

	if (poll(&p, 1, TEXT_MS) <= 0)
		return -ETIMEDOUT;
	got = read(fd, buf, n);
	return got < 0 ? -errno : got;
}

int seccomp_call_text(
	const struct seccomp_call *call, unsigned arg, char *buf, size_t n)
{
	int ends[2];
	ssize_t got;
	pid_t child;

	if (call->pid <= 0 || call->args[arg] == 0 || n == 0)
		return -EFAULT;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0)
		be_reader(call, arg, ends[1]);
	close(ends[1]);
	if (n > TEXT_MAX)
		n = TEXT_MAX;
	got = child < 0 ? -ENOMEM : read_in_time(ends[0], buf, n);
	close(ends[0]);
	if (got == -ETIMEDOUT)
		kill(child, SIGKILL); /* the reaper sees to it */
	if (got <= 0)
		return got < 0 ? (int)got : -EFAULT;
	buf[(size_t)got < n ? (size_t)got : n - 1] = '\0';
	text_make_printable(buf);
	return 0;
}
