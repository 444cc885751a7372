/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/dump_words.h"

#include <stdio.h>

/* ---- members of a map; what is not there is "", 0, false, or empty ---- */

yajl_val dump_get(yajl_val map, const char *key)
{
	const char *path[] = {key, NULL};

	return map ? yajl_tree_get(map, path, yajl_t_any) : NULL;
}

const char *dump_str(yajl_val map, const char *key)
{
	yajl_val v = dump_get(map, key);

	return v && YAJL_IS_STRING(v) ? v->u.string : "";
}

long long dump_num(yajl_val map, const char *key)
{
	yajl_val v = dump_get(map, key);

	return v && YAJL_IS_INTEGER(v) ? YAJL_GET_INTEGER(v) : 0;
}

bool dump_is(yajl_val map, const char *key)
{
	yajl_val v = dump_get(map, key);

	return v && YAJL_IS_TRUE(v);
}

size_t dump_count(yajl_val v)
{
	return v && YAJL_IS_ARRAY(v) ? v->u.array.len : 0;
}

yajl_val dump_at(yajl_val v, size_t i)
{
	return v->u.array.values[i];
}

/* ---- words ---- */

/* No control characters: neither C0 nor, in UTF-8, C1. */
void dump_put(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	for (; *s; s++) {
		if (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0)
			s++, putchar('?');
		else
			putchar(*s < 0x20 || *s == 0x7f ? '?' : *s);
	}
}

void dump_put_if(const char *before, const char *text, const char *after)
{
	if (!*text)
		return;
	fputs(before, stdout);
	dump_put(text);
	fputs(after, stdout);
}

void dump_put_age(long long ms)
{
	long long s = ms / 1000;

	if (s < 60)
		printf("%lld.%llds", s, ms % 1000 / 100);
	else if (s < 3600)
		printf("%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		printf("%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		printf("%lldd%02lldh", s / 86400, s / 3600 % 24);
}

void dump_put_size(long long n)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double x = (double)n / 1024;
	unsigned i = 0;

	if (n < 1024) {
		printf("%lld B", n);
		return;
	}
	while (x >= 1024 && i < 3) {
		x /= 1024;
		i++;
	}
	printf("%.1f %s", x, units[i]);
}

void dump_line(const char *name)
{
	printf("%-10s ", name);
}
