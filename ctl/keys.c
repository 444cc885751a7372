/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/keys.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

static int parse_key(const char *text, size_t n, char *ret)
{
	static const char ctrl[] = "ctrl-", others[] = "@[\\]^_";
	size_t at = strlen(ctrl);
	char c;

	if (n == 1) {
		*ret = *text;
		return 0;
	}
	if (n != at + 1 || strncmp(text, ctrl, at) != 0)
		return -EINVAL;
	c = (char)toupper((unsigned char)text[at]);
	if (!(c >= 'A' && c <= 'Z') && !strchr(others, c))
		return -EINVAL;
	*ret = (char)(c & 0x1f);
	return 0;
}

int ctl_keys_parse(struct ctl_keys *ret, const char *text, struct err *e)
{
	const char *at = text;

	*ret = (struct ctl_keys){0};
	if (!*text)
		return 0;
	for (;;) {
		size_t n = strcspn(at, ",");

		if (n == 0 && *at == ',' && (at[1] == ',' || !at[1]))
			n = 1; /* the comma itself */
		if (ret->n == CTL_KEYS_MAX ||
			parse_key(at, n, &ret->keys[ret->n]) < 0)
			return err_set(e, -EINVAL,
				"--detach-keys '%s': use up to %d of a "
				"character or ctrl- and one of a-z @ [ \\ ] ^ "
				"_, as in " CTL_KEYS_DEFAULT,
				text, CTL_KEYS_MAX);
		ret->n++;
		at += n;
		if (!*at)
			return 0;
		at++;
	}
}

/* One key that is not the next one of the sequence: what was held may be its
 * beginning in another way ("aab" after "aaa"), or is passed on. */
static size_t refuse(struct ctl_keys *k, char c, char *out)
{
	size_t n = 0, given_up;

	while (k->keys[k->held] != c) {
		if (k->held == 0) {
			out[n++] = c;
			return n;
		}
		/* as many of them as are a beginning, too, stay */
		given_up = 0;
		do {
			out[n++] = k->keys[given_up++];
		} while (memcmp(k->keys, k->keys + given_up,
				 k->held - given_up) != 0);
		k->held -= given_up;
	}
	k->held++;
	return n;
}

bool ctl_keys_feed(
	struct ctl_keys *k, const char *in, size_t n, char *out, size_t *ret_n)
{
	size_t i, m = 0;

	for (i = 0; i < n; i++) {
		if (k->n == 0)
			out[m++] = in[i];
		else
			m += refuse(k, in[i], out + m);
		if (k->n > 0 && k->held == k->n) {
			k->held = 0;
			*ret_n = m;
			return true;
		}
	}
	*ret_n = m;
	return false;
}
