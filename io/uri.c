/* SPDX-License-Identifier: Apache-2.0 */
#include "io/uri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "platform/file.h"

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

/* RFC 3986, 2.1; an escaped NUL would cut the path short. In a query a plus
 * stands for a space. */
static bool unescape(const char *from, size_t n, bool query, char *to)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (from[i] != '%') {
			*to++ = query && from[i] == '+' ? ' ' : from[i];
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

static const struct {
	const char *name;
	enum uri_scheme scheme;
} schemes[] = {
	{"fifo", URI_FIFO},
	{"file", URI_FILE},
	{"binary", URI_BINARY},
	{"binary-v2", URI_BINARY_V2},
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
		"fifo, file, binary and binary-v2",
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
	/* a scheme ends before the first slash: RFC 3986, 3.1 */
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
	else if (!unescape(path, n, false, ret->path))
		return err_set(e, -EINVAL, "stdio '%s': bad %%-escape", text);
	if (colon)
		memmove(ret->path, file_of_uri(ret->path),
			strlen(file_of_uri(ret->path)) + 1);
	if (!file_is_absolute(ret->path) || file_goes_up(ret->path))
		return err_set(e, -EINVAL,
			"stdio '%s': the path must be absolute, without '..'",
			text);
	return 0;
}

bool uri_is_logger(const struct uri *u)
{
	return u->scheme == URI_BINARY || u->scheme == URI_BINARY_V2;
}

/* A command line being put together: the pointers, then what they point to. */
struct words {
	const char **at;
	char *to;
};

static bool word_add(struct words *w, const char *text, size_t n)
{
	*w->at++ = w->to;
	if (!unescape(text, n, true, w->to))
		return false;
	w->to += strlen(w->to) + 1;
	return true;
}

/* "k=v&k2=v2" */
static bool words_add_query(struct words *w, const char *query)
{
	while (*query && *query != '#') {
		size_t n = strcspn(query, "&#");
		size_t key = strcspn(query, "=&#");
		size_t skip = key < n; /* the '=' */

		if (n > 0 && (!word_add(w, query, key) ||
				     !word_add(w, query + key + skip,
					     n - key - skip)))
			return false;
		query += n + (query[n] == '&');
	}
	return true;
}

int uri_argv(const char *text, const char ***ret, struct err *e)
{
	const char *query = strchr(text, '?'), *p, **block;
	size_t pairs = 1;
	struct words w;
	struct uri u;
	int r = uri_parse(text, &u, e);

	if (r < 0)
		return r;
	query = query ? query + 1 : "";
	for (p = query; *p; p++)
		pairs += *p == '&';
	/* unescaped text is no longer; each word has its NUL */
	block = malloc((2 * pairs + 2) * sizeof(*block) + sizeof(u.path) +
		       strlen(query) + 2 * pairs);
	if (!block)
		return err_set(e, -ENOMEM, "no memory for a logger's URI");
	w = (struct words){block, (char *)(block + 2 * pairs + 2)};
	*w.at++ = w.to;
	strcpy(w.to, u.path);
	w.to += strlen(u.path) + 1;
	if (!words_add_query(&w, query)) {
		free(block);
		return err_set(e, -EINVAL, "stdio '%s': bad %%-escape", text);
	}
	*w.at = NULL;
	*ret = block;
	return 0;
}
