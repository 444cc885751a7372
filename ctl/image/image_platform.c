/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/image/image_platform.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

/* uname(2)'s machine, and what Go calls it. Of 32 bit ARM the variant counts:
 * a v6 cannot run what is for v7. */
static const char *const machines[][3] = {
	{"x86_64", "amd64", ""},
	{"aarch64", "arm64", ""},
	{"armv7l", "arm", "v7"},
	{"armv6l", "arm", "v6"},
	{"i686", "386", ""},
	{"i586", "386", ""},
	{"ppc64le", "ppc64le", ""},
	{"s390x", "s390x", ""},
	{"riscv64", "riscv64", ""},
	{"loongarch64", "loong64", ""},
	{"mips64", "mips64le", ""},
};

static void look_at_host(struct image_platform *ret)
{
	struct utsname u;
	size_t i;

	if (uname(&u) < 0)
		u.machine[0] = '\0';
	image_platform_set(ret, "linux", u.machine, NULL);
	for (i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		if (strcmp(u.machine, machines[i][0]) == 0)
			image_platform_set(
				ret, "linux", machines[i][1], machines[i][2]);
}

int image_platform_parse(
	const char *text, struct image_platform *ret, struct err *e)
{
	struct image_platform p = {0};
	int n = 0;

	if (!text) {
		look_at_host(ret);
		return 0;
	}
	if (sscanf(text, "%31[a-z0-9]/%31[a-z0-9_]%n", p.os, p.arch, &n) != 2 ||
		n == 0 ||
		(text[n] &&
			(sscanf(text + n, "/%31[a-z0-9.]", p.variant) != 1 ||
				strlen(p.variant) + 1 != strlen(text + n))))
		return err_set(e, -EINVAL,
			"--platform '%s': use OS/ARCHITECTURE[/VARIANT], as in "
			"linux/amd64 or linux/arm/v7",
			text);
	*ret = p;
	return 0;
}

void image_platform_set(struct image_platform *p, const char *os,
	const char *arch, const char *variant)
{
	snprintf(p->os, sizeof(p->os), "%s", os ? os : "");
	snprintf(p->arch, sizeof(p->arch), "%s", arch ? arch : "");
	snprintf(p->variant, sizeof(p->variant), "%s", variant ? variant : "");
}

static bool fits(const char *a, const char *b)
{
	return !*a || !*b || strcmp(a, b) == 0;
}

bool image_platform_fits(
	const struct image_platform *want, const struct image_platform *have)
{
	return fits(want->os, have->os) && fits(want->arch, have->arch) &&
	       fits(want->variant, have->variant);
}

const char *image_platform_text(
	const struct image_platform *p, char buf[IMAGE_PLATFORM_TEXT_MAX])
{
	snprintf(buf, IMAGE_PLATFORM_TEXT_MAX, "%s/%s%s%s",
		*p->os ? p->os : "?", *p->arch ? p->arch : "?",
		*p->variant ? "/" : "", p->variant);
	return buf;
}
