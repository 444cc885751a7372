/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/ident.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

static bool is_separator(char c)
{
	return c == '.' || c == '_' || c == '-';
}

int ident_check(const char *what, const char *name, struct err *e)
{
	size_t i, n = name ? strlen(name) : 0;

	if (n == 0)
		return err_set(e, -EINVAL, "%s is empty", what);
	if (n > IDENT_MAX)
		return err_set(e, -EINVAL,
			"%s of %zu bytes is longer than %d: '%.20s...'", what,
			n, IDENT_MAX, name);
	for (i = 0; i < n; i++) {
		if (is_alnum(name[i]))
			continue;
		if (is_separator(name[i]) && i > 0 && i + 1 < n &&
			is_alnum(name[i - 1]))
			continue;
		return err_set(e, -EINVAL,
			"%s '%s' is not made of letters and digits with single "
			"'.', '_' or '-' between them",
			what, name);
	}
	return 0;
}
