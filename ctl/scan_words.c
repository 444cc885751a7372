/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ctl/scan.h"

/* One word of a command line after the other. */
struct reader {
	const char *at, *end;
};

static const char *next(struct reader *r)
{
	const char *word = r->at;

	if (word >= r->end)
		return NULL;
	r->at += strlen(word) + 1;
	return word;
}

/* "-name value" or "-name=value", with one dash or two. */
static bool take(struct reader *r, const char *word, const char *name, char *to,
	size_t size)
{
	const char *at = word + strspn(word, "-");
	size_t n = strlen(name);

	if (at == word || strncmp(at, name, n) != 0)
		return false;
	if (at[n] == '=')
		at += n + 1;
	else if (at[n] == '\0')
		at = next(r);
	else
		return false;
	/* what is cut would be somebody else's name */
	if ((size_t)snprintf(to, size, "%s", at ? at : "") >= size)
		*to = '\0';
	return true;
}

bool scan_parse(const char *words, size_t n, struct scan_words *ret)
{
	struct reader r = {words, words + n};
	const char *word = next(&r), *name;

	memset(ret, 0, sizeof(*ret));
	name = word ? strrchr(word, '/') : NULL;
	name = name ? name + 1 : word;
	if (!name || !strstr(name, "shim"))
		return false;
	snprintf(ret->program, sizeof(ret->program), "%s", name);
	while ((word = next(&r))) {
		if (take(&r, word, "namespace", ret->ns, sizeof(ret->ns)) ||
			take(&r, word, "id", ret->id, sizeof(ret->id)) ||
			take(&r, word, "address", ret->daemon,
				sizeof(ret->daemon)))
			continue;
		if (strcmp(word, "delete") == 0)
			return false;
	}
	return *ret->ns && *ret->id && !strchr(ret->id, '/');
}
