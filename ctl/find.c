/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/find.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHIM_NAME "containerd-shim-wisp-v1"
#define DEFAULT_PATH \
	"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static int check_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		return -EACCES;
	return 0;
}

static int find_path(const char *name, char *ret, size_t n)
{
	char real[PATH_MAX];
	int r = check_program(name);

	if (r < 0)
		return r;
	/* Not realpath(3): a shim may be told by the name of its link. */
	if (name[0] == '/' || !getcwd(real, sizeof(real)))
		r = snprintf(ret, n, "%s", name);
	else
		r = snprintf(ret, n, "%s/%s", real, name);
	return r < 0 || (size_t)r >= n ? -ENAMETOOLONG : 0;
}

int ctl_find_program(const char *name, char *ret, size_t n)
{
	const char *dir = getenv("PATH");
	int r = -ENOENT;

	if (strchr(name, '/'))
		return find_path(name, ret, n);
	if (!dir || !*dir)
		dir = DEFAULT_PATH;
	for (; *dir; dir += strcspn(dir, ":"), dir += *dir == ':') {
		int len = (int)strcspn(dir, ":"), got;

		if (len == 0 ||
			snprintf(ret, n, "%.*s/%s", len, dir, name) >= (int)n)
			continue;
		got = check_program(ret);
		if (got == 0)
			return 0;
		if (got == -EACCES)
			r = got;
	}
	return r;
}

int ctl_find_self(char *ret, size_t n)
{
	ssize_t len = readlink("/proc/self/exe", ret, n - 1);

	if (len < 0)
		return -errno;
	ret[len] = '\0';
	return 0;
}

static int find_beside(const char *name, char *ret, size_t n)
{
	char self[PATH_MAX], *slash;
	int r = ctl_find_self(self, sizeof(self));

	if (r < 0)
		return r;
	slash = strrchr(self, '/');
	if (!slash)
		return -ENOENT;
	*slash = '\0';
	if (snprintf(ret, n, "%s/%s", self, name) >= (int)n)
		return -ENAMETOOLONG;
	return check_program(ret);
}

int ctl_find_shim(const char *given, char *ret, size_t n, struct err *e)
{
	int r;

	if (given) {
		r = ctl_find_program(given, ret, n);
		return r < 0 ? err_sys(e, r, "--shim '%s'", given) : 0;
	}
	if (find_beside(SHIM_NAME, ret, n) == 0 ||
		ctl_find_program(SHIM_NAME, ret, n) == 0)
		return 0;
	return err_set(e, -ENOENT,
		"no shim: " SHIM_NAME " is neither beside wispctl nor in PATH; "
		"`make install`, or pass --shim PATH");
}

int ctl_find_runtime(const char *given, char *ret, size_t n, struct err *e)
{
	int r;

	if (given) {
		r = ctl_find_program(given, ret, n);
		return r < 0 ? err_sys(e, r,
				       "OCI runtime '%s' cannot be run "
				       "(`apt-get install runc` or crun)",
				       given)
			     : 0;
	}
	if (ctl_find_program("runc", ret, n) == 0 ||
		ctl_find_program("crun", ret, n) == 0)
		return 0;
	return err_set(e, -ENOENT,
		"no OCI runtime: neither runc nor crun is in PATH; `apt-get "
		"install runc`, or pass --runtime PATH");
}
