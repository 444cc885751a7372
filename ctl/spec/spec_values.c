/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/spec/spec_values.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "ctl/names.h"
#include "ctl/spec/winpath.h"

#define NANO 1000000000ull
#define CPUS_MAX 65535
#define CONSOLE_MAX 32767

int spec_parse_cpus(const char *text, uint64_t *ret, struct err *e)
{
	uint64_t nano = 0, unit = NANO;
	const char *p = text;
	bool digits = false;

	for (; isdigit((unsigned char)*p) && nano <= CPUS_MAX; p++) {
		nano = nano * 10 + (uint64_t)(*p - '0');
		digits = true;
	}
	nano *= NANO;
	if (*p == '.')
		for (p++; isdigit((unsigned char)*p) && unit > 1; p++) {
			unit /= 10;
			nano += unit * (uint64_t)(*p - '0');
			digits = true;
		}
	if (!digits || *p || nano == 0 || nano > CPUS_MAX * NANO)
		return err_set(e, -EINVAL,
			"--cpus '%s': use a number of CPUs, such as 1.5", text);
	*ret = nano;
	return 0;
}

/* Up to max; what follows is left. */
static bool take_number(
	const char **p, unsigned long long max, unsigned long long *ret)
{
	char *end;

	if (!isdigit((unsigned char)**p))
		return false;
	errno = 0;
	*ret = strtoull(*p, &end, 10);
	*p = end;
	return errno == 0 && *ret <= max;
}

static bool take_id(const char **p, uint32_t *ret)
{
	unsigned long long n;

	if (!take_number(p, UINT32_MAX - 1, &n))
		return false;
	*ret = (uint32_t)n;
	return true;
}

int spec_parse_user(const char *text, uint32_t *uid, uint32_t *gid,
	uint32_t *groups, size_t *n_groups, struct err *e)
{
	const char *p = text;
	bool ok = take_id(&p, uid);

	*gid = 0;
	*n_groups = 0;
	if (ok && *p == ':') {
		p++;
		ok = take_id(&p, gid);
	}
	while (ok && *p == ':' && *n_groups < SPEC_GROUPS_MAX) {
		p++;
		ok = take_id(&p, &groups[(*n_groups)++]);
	}
	if (ok && !*p)
		return 0;
	return err_set(e, -EINVAL,
		"--user '%s': use numbers, UID[:GID[:MORE...]]; names are the "
		"image's business",
		text);
}

int spec_parse_id_map(const char *text, struct ctl_id_map *ret, struct err *e)
{
	const char *p = text;

	if (take_id(&p, &ret->container) && *p++ == ':' &&
		take_id(&p, &ret->host) && *p++ == ':' &&
		take_id(&p, &ret->size) && !*p && ret->size > 0)
		return 0;
	return err_set(e, -EINVAL,
		"--userns '%s': use CONTAINER:HOST:SIZE, such as "
		"0:100000:65536",
		text);
}

int spec_parse_console(
	const char *text, unsigned *height, unsigned *width, struct err *e)
{
	unsigned long long h, w;
	const char *p = text;

	if (!take_number(&p, CONSOLE_MAX, &h) || *p++ != 'x' ||
		!take_number(&p, CONSOLE_MAX, &w) || *p || !h || !w)
		return err_set(e, -EINVAL,
			"--console-size '%s': use HEIGHTxWIDTH, such as 25x80",
			text);
	*height = (unsigned)h;
	*width = (unsigned)w;
	return 0;
}

static bool is_access(const char *text)
{
	return *text && strspn(text, "rwm") == strlen(text);
}

int spec_parse_device(char *text, struct ctl_device *ret, struct err *e)
{
	char *second = strchr(text, ':');
	char *third = second ? strchr(second + 1, ':') : NULL;
	struct stat st;

	*ret = (struct ctl_device){.path = text, .access = "rwm"};
	if (second)
		*second++ = '\0';
	if (third)
		*third++ = '\0';
	if (third)
		ret->access = third;
	if (second && !third && is_access(second))
		ret->access = second;
	else if (second)
		ret->path = second;
	if (*text != '/' || *ret->path != '/' || !is_access(ret->access))
		return err_set(e, -EINVAL,
			"--device '%s': use /dev/NAME[:/dev/NAME][:rwm]", text);
	if (stat(text, &st) < 0)
		return err_sys(e, -errno, "--device '%s'", text);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(
			e, -EINVAL, "--device '%s': this is no device", text);
	ret->type = S_ISCHR(st.st_mode) ? 'c' : 'b';
	ret->major = major(st.st_rdev);
	ret->minor = minor(st.st_rdev);
	ret->mode = st.st_mode & 0777;
	ret->uid = st.st_uid;
	ret->gid = st.st_gid;
	return 0;
}

int spec_parse_windows_device(
	char *text, struct ctl_windows_device *ret, struct err *e)
{
	char *colon = strstr(text, "://");

	if (strncmp(text, "class/", 6) == 0) {
		text[5] = '\0';
		*ret = (struct ctl_windows_device){text, text + 6};
	} else if (colon && colon > text && colon[3]) {
		*colon = '\0';
		*ret = (struct ctl_windows_device){text, colon + 3};
	} else {
		return err_set(e, -EINVAL,
			"--device '%s': use class/GUID, or TYPE://ID such as "
			"vpci-instance-id://...",
			text);
	}
	if (strstr(ret->type, "class") && !winpath_is_guid(ret->id))
		return err_set(e, -EINVAL,
			"--device: '%s' is no GUID of a device interface class",
			ret->id);
	return 0;
}

/* The constant with that name, CAP_ in front or not; NULL: there is none. */
static const char *find_capability(const char *name)
{
	const char *const *i;

	if (strncasecmp(name, "CAP_", 4) == 0)
		name += 4;
	for (i = names_capabilities; *i; i++)
		if (strcasecmp(*i + 4, name) == 0)
			return *i;
	return NULL;
}

static bool is_all(const char *name)
{
	return strcasecmp(name, "ALL") == 0;
}

/* Whether it is in the list; -EINVAL: the list has a name that is none. */
static int lists(const char *const *list, const char *capability,
	const char *option, struct err *e)
{
	int found = 0;

	for (; list && *list; list++) {
		const char *name = find_capability(*list);

		if (!name && !is_all(*list))
			return err_set(e, -EINVAL,
				"%s '%s': there is no such capability; see "
				"capabilities(7)",
				option, *list);
		if (is_all(*list) || name == capability)
			found = 1;
	}
	return found;
}

/* As docker: what is added by its own name stays when ALL are dropped. */
static bool is_named(const char *const *list, const char *capability)
{
	for (; list && *list; list++)
		if (find_capability(*list) == capability)
			return true;
	return false;
}

int spec_capabilities(const char *const *add, const char *const *drop,
	const char **ret, struct err *e)
{
	const char *const *i;
	size_t n = 0;

	for (i = names_capabilities; *i && n < SPEC_CAPS_MAX - 1; i++) {
		int added = lists(add, *i, "--cap-add", e);
		int dropped = lists(drop, *i, "--cap-drop", e);

		if (added < 0 || dropped < 0)
			return -EINVAL;
		if (dropped && !(is_named(add, *i) && !is_named(drop, *i)))
			continue;
		if (added || names_has(ctl_spec_capabilities, *i))
			ret[n++] = *i;
	}
	ret[n] = NULL;
	return 0;
}

int spec_parse_mounts(const struct spec_list *list,
	int (*parse)(const char *text, struct ctl_mount *ret, struct err *e),
	struct ctl_mount **ret, size_t *ret_n, struct err *e)
{
	size_t i;
	int r = 0;

	if (list->n == 0)
		return 0;
	*ret = calloc(list->n, sizeof(**ret));
	if (!*ret)
		return err_sys(e, -ENOMEM, "--mount");
	for (i = 0; r == 0 && i < list->n; i++) {
		r = parse(list->v[i], &(*ret)[i], e);
		*ret_n += r == 0;
	}
	return r;
}

void spec_free_mounts(struct ctl_mount *mounts, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		ctl_mount_clear(&mounts[i]);
	free(mounts);
}
