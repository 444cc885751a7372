/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plant.c - linked into a shim for tests (`make plant`): with each container
 * that is deleted, it leaks what WISP_PLANT names. `wispctl stress` must find
 * that, and say what it is.
 *
 * The linker puts it in front of a function that every Delete calls
 * (--wrap=events_delete): the shim's own sources know nothing of it.
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "shim/task.h"

#define MEMORY (64u << 10)

void __real_events_delete(struct task *t);
void __wrap_events_delete(struct task *t);

static unsigned n_planted;

/* A name in the bundle of the container that the shim was started for. */
static void name(char *buf, size_t n)
{
	char cwd[PATH_MAX];

	if (!getcwd(cwd, sizeof(cwd)))
		abort();
	snprintf(buf, n, "%s/planted-%u", cwd, n_planted);
}

static void plant_fd(const struct task *t)
{
	(void)t;
	if (open("/dev/null", O_RDONLY | O_CLOEXEC) < 0)
		abort();
}

static void plant_child(const struct task *t)
{
	(void)t;
	if (fork() != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	close_range(0, ~0u, 0);
	execl("/bin/sleep", "sleep", "1000000", NULL);
	_exit(1);
}

/* The shim reaps all that is told by SIGCHLD; this one is not: clone(2). */
static void plant_zombie(const struct task *t)
{
	(void)t;
	if (syscall(SYS_clone, 0, NULL, NULL, NULL, 0) == 0)
		_exit(0);
}

static void plant_mount(const struct task *t)
{
	char path[PATH_MAX + 32];

	(void)t;
	name(path, sizeof(path));
	if (mkdir(path, 0700) < 0 ||
		mount("planted", path, "tmpfs", 0, "size=4k") < 0)
		abort();
}

static void plant_cgroup(const struct task *t)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char path[PATH_MAX];
	struct mntent *m;

	while (mounts && (m = getmntent(mounts))) {
		if (strncmp(m->mnt_type, "cgroup", 6) != 0)
			continue;
		snprintf(path, sizeof(path), "%s/wisp-%s-planted", m->mnt_dir,
			t->id);
		if (mkdir(path, 0755) == 0)
			break;
	}
	if (mounts)
		endmntent(mounts);
}

/* One more file is watched by the same descriptor. */
static void plant_inotify(const struct task *t)
{
	static int fd = -1;
	static DIR *dir;
	struct dirent *d;
	char path[PATH_MAX];

	(void)t;
	if (fd < 0) {
		fd = inotify_init1(IN_CLOEXEC);
		dir = opendir("/usr/bin");
	}
	d = dir ? readdir(dir) : NULL;
	if (!d || fd < 0)
		abort();
	snprintf(path, sizeof(path), "/usr/bin/%s", d->d_name);
	if (inotify_add_watch(fd, path, IN_ATTRIB) < 0)
		abort();
}

static void plant_socket(const struct task *t)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char path[PATH_MAX + 32];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)t;
	name(path, sizeof(path));
	if (strlen(path) >= sizeof(a.sun_path))
		abort();
	strcpy(a.sun_path, path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
		listen(fd, 1) < 0)
		abort();
}

static void plant_file(const struct task *t)
{
	char path[PATH_MAX + 32];
	int fd;

	(void)t;
	name(path, sizeof(path));
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0)
		abort();
	close(fd);
}

static void plant_memory(const struct task *t)
{
	static void *volatile last; /* or the compiler would do without */
	void *p = malloc(MEMORY);

	(void)t;
	if (!p)
		abort();
	memset(p, 1, MEMORY);
	last = p;
	(void)last;
}

static const struct {
	const char *kind;
	void (*plant)(const struct task *t);
} kinds[] = {
	{"fd", plant_fd},
	{"child", plant_child},
	{"zombie", plant_zombie},
	{"mount", plant_mount},
	{"cgroup", plant_cgroup},
	{"inotify", plant_inotify},
	{"socket", plant_socket},
	{"file", plant_file},
	{"memory", plant_memory},
};

void __wrap_events_delete(struct task *t)
{
	const char *wanted = getenv("WISP_PLANT");
	size_t i;

	for (i = 0; wanted && i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(wanted, kinds[i].kind) == 0)
			kinds[i].plant(t);
	n_planted++;
	__real_events_delete(t);
}
