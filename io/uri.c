/* SPDX-License-Identifier: Apache-2.0 */
#include "io/uri.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* RFC 3986, 2.1; an escaped NUL would cut the path short. */
static bool unescape(const char *from, size_t n, char *to)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (from[i] != '%') {
			*to++ = from[i];
			continue;
		}
		if (i + 2 >= n || hex(from[i + 1]) < 0 || hex(from[i + 2]) < 0)
			return false;
		*to = (char)(hex(from[i + 1]) * 16 + hex(from[i + 2]));
		if (*to++ == '\0')
			return false;
		i += 2;
	}
	*to = '\0';
	return true;
}

static bool climbs(const char *path)
{
	const char *p = path;

	while ((p = strstr(p, "/.."))) {
		if (p[3] == '/' || p[3] == '\0')
			return true;
		p += 3;
	}
	return false;
}

static const struct {
	const char *name;
	enum uri_scheme scheme;
} schemes[] = {
	{"fifo", URI_FIFO},
	{"file", URI_FILE},
	{"binary", URI_BINARY},
};

static int parse_scheme(
	const char *text, const char *colon, struct uri *ret, struct err *e)
{
	size_t i, n = (size_t)(colon - text);

	for (i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		if (strlen(schemes[i].name) != n ||
			strncmp(schemes[i].name, text, n) != 0)
			continue;
		ret->scheme = schemes[i].scheme;
		return 0;
	}
	return err_set(e, -EINVAL,
		"stdio '%s': unknown scheme '%.*s'; known are a FIFO's path, "
		"fifo, file and binary",
		text, (int)n, text);
}

int uri_parse(const char *text, struct uri *ret, struct err *e)
{
	const char *colon, *path = text;
	size_t n;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (!text || !*text)
		return 0;
	ret->scheme = URI_FIFO;
	colon = text[0] == '/' ? NULL : strstr(text, "://");
	if (colon) {
		r = parse_scheme(text, colon, ret, e);
		if (r < 0)
			return r;
		path = colon + 3;
	}
	n = colon ? strcspn(path, "?") : strlen(path);
	if (n >= sizeof(ret->path))
		return err_set(
			e, -EINVAL, "stdio path of %zu bytes is too long", n);
	if (!colon)
		memcpy(ret->path, path, n + 1);
	else if (!unescape(path, n, ret->path))
		return err_set(e, -EINVAL, "stdio '%s': bad %%-escape", text);
	if (ret->path[0] != '/' || climbs(ret->path))
		return err_set(e, -EINVAL,
			"stdio '%s': the path must be absolute, without '..'",
			text);
	return 0;
}
