/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seccomp_docker.c - what docker's profiles have beyond config.json's: rules
 * that apply to some containers only (moby's profiles/seccomp).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "ctl/seccomp/seccomp_profile.h"

static yajl_val get(yajl_val v, const char *key, yajl_type type)
{
	const char *path[] = {key, NULL};

	return yajl_tree_get(v, path, type);
}

static bool has(yajl_val list, const char *text)
{
	size_t i;

	for (i = 0; list && i < list->u.array.len; i++) {
		const char *at = YAJL_GET_STRING(list->u.array.values[i]);

		if (at && strcmp(at, text) == 0)
			return true;
	}
	return false;
}

/* As Go calls it. */
static const char *own_arch(void)
{
	switch (seccomp_arch_native()) {
	case SCMP_ARCH_X86_64:
		return "amd64";
	case SCMP_ARCH_X86:
		return "386";
	case SCMP_ARCH_AARCH64:
		return "arm64";
	case SCMP_ARCH_ARM:
		return "arm";
	case SCMP_ARCH_PPC64LE:
		return "ppc64le";
	case SCMP_ARCH_S390X:
		return "s390x";
	case SCMP_ARCH_RISCV64:
		return "riscv64";
	default:
		return "";
	}
}

static bool kernel_is_at_least(const char *text)
{
	unsigned major = 0, minor = 0, want_major = 0, want_minor = 0;
	struct utsname u;

	if (uname(&u) < 0 || sscanf(u.release, "%u.%u", &major, &minor) < 1 ||
		sscanf(text, "%u.%u", &want_major, &want_minor) < 1)
		return false;
	return major > want_major ||
	       (major == want_major && minor >= want_minor);
}

static bool includes_us(yajl_val v, yajl_val caps)
{
	yajl_val wanted = get(v, "caps", yajl_t_array);
	yajl_val archs = get(v, "arches", yajl_t_array);
	const char *kernel = ctl_json_get(v, "minKernel");
	size_t i;

	if (archs && archs->u.array.len > 0 && !has(archs, own_arch()))
		return false;
	for (i = 0; wanted && i < wanted->u.array.len; i++) {
		const char *cap = YAJL_GET_STRING(wanted->u.array.values[i]);

		if (!cap || !has(caps, cap))
			return false;
	}
	return !kernel || !*kernel || kernel_is_at_least(kernel);
}

static bool excludes_us(yajl_val v, yajl_val caps)
{
	yajl_val unwanted = get(v, "caps", yajl_t_array);
	const char *kernel = ctl_json_get(v, "minKernel");
	size_t i;

	for (i = 0; unwanted && i < unwanted->u.array.len; i++) {
		const char *cap = YAJL_GET_STRING(unwanted->u.array.values[i]);

		if (cap && has(caps, cap))
			return true;
	}
	return has(get(v, "arches", yajl_t_array), own_arch()) ||
	       (kernel && *kernel && kernel_is_at_least(kernel));
}

bool sec_docker_applies(yajl_val rule, yajl_val config)
{
	static const char *path[] = {
		"process", "capabilities", "bounding", NULL};
	yajl_val caps =
		config ? yajl_tree_get(config, path, yajl_t_array) : NULL;
	yajl_val includes = get(rule, "includes", yajl_t_object);
	yajl_val excludes = get(rule, "excludes", yajl_t_object);

	return (!includes || includes_us(includes, caps)) &&
	       (!excludes || !excludes_us(excludes, caps));
}

static int add_arch(struct sec_profile *p, const char *text, struct err *e)
{
	uint32_t arch = text ? sec_arch_find(text) : 0;

	if (!arch || p->n_archs == SEC_ARCHS)
		return err_set(e, -EINVAL, "architecture '%s' is unknown",
			text ? text : "");
	p->archs[p->n_archs++] = arch;
	return 0;
}

int sec_docker_archs(yajl_val v, struct sec_profile *p, struct err *e)
{
	yajl_val map = get(v, "archMap", yajl_t_array), subs;
	size_t i, k;
	int r = 0;

	for (i = 0; map && i < map->u.array.len; i++) {
		yajl_val one = map->u.array.values[i];
		const char *name = ctl_json_get(one, "architecture");

		if (!name || sec_arch_find(name) != seccomp_arch_native())
			continue;
		r = add_arch(p, name, e);
		subs = get(one, "subArchitectures", yajl_t_array);
		for (k = 0; r == 0 && subs && k < subs->u.array.len; k++)
			r = add_arch(
				p, YAJL_GET_STRING(subs->u.array.values[k]), e);
		break;
	}
	return r;
}
