/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/fuse.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/fd.h"
#include "platform/process.h"

static const struct helper {
	const char *prefix, *program;
} helpers[] = {{"fuse.", "mount.fuse"}, {"fuse3.", "mount.fuse3"}};

static const struct helper *find_helper(const char *type)
{
	size_t i;

	for (i = 0; i < sizeof(helpers) / sizeof(helpers[0]); i++)
		if (strncmp(type, helpers[i].prefix,
			    strlen(helpers[i].prefix)) == 0)
			return &helpers[i];
	return NULL;
}

bool fuse_is_type(const char *type)
{
	return find_helper(type) != NULL;
}

/* What it has written so far, without waiting: what it left running may hold
 * the other end. */
static void read_words(int fd, char *buf, size_t n)
{
	ssize_t got;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	got = read(fd, buf, n - 1);
	while (got > 0 && buf[got - 1] == '\n')
		got--;
	buf[got > 0 ? got : 0] = '\0';
}

/* Its status, or -ETIMEDOUT. Until its exit is collected the pid is its own. */
static int await(int64_t pid, int *ret)
{
	auto_fd int fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	int r = fd < 0 ? -errno : 0;

	if (r == 0)
		r = poll(&p, 1, FUSE_MS);
	if (r <= 0)
		kill((pid_t)pid, SIGKILL);
	while (waitpid((pid_t)pid, ret, 0) < 0 && errno == EINTR)
		;
	return r > 0 ? 0 : r == 0 ? -ETIMEDOUT : r;
}

static int run(const char *const *argv, struct err *e)
{
	struct process_spec spec = {.argv = argv, .dies_with_us = true};
	auto_fd int from = -1;
	char words[256];
	int fds[2], status = 0, r;
	int64_t pid = 0;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, -errno, "pipe");
	from = fds[0];
	r = endpoint_from_fd(fds[1], &spec.endpoints[2]);
	if (r == 0)
		r = process_spawn(&spec, &pid, e);
	else
		err_sys(e, r, "pipe");
	endpoint_close(spec.endpoints[2]);
	if (r < 0)
		return r;
	r = await(pid, &status);
	if (r == -ETIMEDOUT)
		return err_set(e, r, "%s: no mount within %d s", argv[0],
			FUSE_MS / 1000);
	if (r < 0)
		return err_sys(e, r, "%s", argv[0]);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	read_words(from, words, sizeof(words));
	return err_set(e, -EREMOTEIO, "%s: status %d%s%s", argv[0],
		WIFEXITED(status) ? WEXITSTATUS(status)
				  : 128 + WTERMSIG(status),
		*words ? ": " : "", words);
}

int fuse_mount(const struct mount_spec *m, const char *target, struct err *e)
{
	const struct helper *h = find_helper(m->type);
	const char **argv = calloc(2 * m->n_options + 6, sizeof(*argv));
	size_t i, n = 0;
	int r;

	if (!argv)
		return err_set(e, -ENOMEM, "no memory for mount options");
	argv[n++] = h->program;
	argv[n++] = m->source;
	argv[n++] = target;
	for (i = 0; i < m->n_options; i++) {
		argv[n++] = "-o";
		argv[n++] = m->options[i];
	}
	argv[n++] = "-t";
	argv[n++] = m->type + strlen(h->prefix);
	r = run(argv, e);
	free(argv);
	return r;
}
