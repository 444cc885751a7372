/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/libc.h"

#undef strerror

static const struct {
	int code;
	const char *text;
} known[] = {
	{EADDRINUSE, "Address already in use"},
	{EBADMSG, "Bad message"},
	{ECANCELED, "Operation canceled"},
	{ECONNREFUSED, "Connection refused"},
	{ECONNRESET, "Connection reset by peer"},
	{EDQUOT, "Disk quota exceeded"},
	{ELOOP, "Too many levels of symbolic links"},
	{EMSGSIZE, "Message too long"},
	{ENOBUFS, "No buffer space available"},
	{ENODATA, "No data available"},
	{ENOTCONN, "Not connected"},
	{ENOTSUP, "Not supported"},
	{EOPNOTSUPP, "Operation not supported"},
	{EOVERFLOW, "Value too large"},
	{EPROTO, "Protocol error"},
	{EREMOTEIO, "Remote I/O error"},
	{ETIMEDOUT, "Connection timed out"},
	{EWOULDBLOCK, "Resource temporarily unavailable"},
};

const char *libc_strerror(int code)
{
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].code == code)
			return known[i].text;
	return strerror(code);
}
