/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/spec/winpath.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is_slash(char c)
{
	return c == '\\' || c == '/';
}

static bool begins(const char *text, const char *with)
{
	return strncasecmp(text, with, strlen(with)) == 0;
}

bool winpath_is_absolute(const char *path)
{
	static const char mount_point[] = "%CONTAINER_SANDBOX_MOUNT_POINT%";

	if (isalpha((unsigned char)path[0]) && path[1] == ':')
		return is_slash(path[2]);
	if (is_slash(path[0]) && is_slash(path[1]))
		return path[2] != '\0' && !is_slash(path[2]);
	return begins(path, mount_point);
}

static const char *skip_guid(const char *p)
{
	static const int groups[] = {8, 4, 4, 4, 12};
	int i, j;

	for (i = 0; i < 5; i++) {
		if (i > 0 && *p++ != '-')
			return NULL;
		for (j = 0; j < groups[i]; j++)
			if (!isxdigit((unsigned char)*p++))
				return NULL;
	}
	return p;
}

bool winpath_is_guid(const char *text)
{
	bool braces = text[0] == '{';
	const char *end = skip_guid(text + braces);

	return end && strcmp(end, braces ? "}" : "") == 0;
}

bool winpath_is_volume(const char *path)
{
	static const char prefix[] = "\\\\?\\Volume{";
	const char *end;

	if (!begins(path, prefix))
		return false;
	end = skip_guid(path + sizeof(prefix) - 1);
	return end && (strcmp(end, "}") == 0 || strcmp(end, "}\\") == 0);
}

bool winpath_is_pipe(const char *path)
{
	static const char prefix[] = "\\\\.\\pipe\\";

	return begins(path, prefix) && path[sizeof(prefix) - 1];
}
