/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/hcs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/json.h"

static const struct hcs_api *in_use;
static struct hcs_api loaded;

#define HCS_NAME(name) {#name, offsetof(struct hcs_api, name)},
static const struct {
	const char *name;
	size_t offset;
} functions[] = {HCS_FUNCTIONS(HCS_NAME)};

static int load(struct err *e)
{
	HMODULE dll = LoadLibraryExW(
		L"computecore.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
	size_t i;

	if (!dll)
		return err_set(e, -ENOSYS,
			"containers other than host-process ones need the host "
			"compute service, and its computecore.dll can't be "
			"loaded from system32 (error %lu): install the Windows "
			"feature Containers, on Windows 1809 or later",
			GetLastError());
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		FARPROC f = GetProcAddress(dll, functions[i].name);

		if (!f) {
			FreeLibrary(dll);
			return err_set(e, -ENOSYS,
				"computecore.dll has no %s: this Windows is "
				"too old for containers other than "
				"host-process ones",
				functions[i].name);
		}
		memcpy((char *)&loaded + functions[i].offset, &f, sizeof(f));
	}
	in_use = &loaded; /* the DLL stays */
	return 0;
}

int hcs_api(const struct hcs_api **ret, struct err *e)
{
	int r = in_use ? 0 : load(e);

	if (r == 0)
		*ret = in_use;
	return r;
}

void hcs_use(const struct hcs_api *api)
{
	in_use = api;
}

/* ---- errors ---- */

/* The low 16 bits, which both families share. */
static const struct {
	unsigned short code;
	short error;
} codes[] = {
	{0x0102, ENOSYS},                  /* Hyper-V is not installed */
	{0x0105, EBUSY},                   /* invalid state */
	{0x0106, EREMOTEIO},               /* unexpected exit */
	{0x0107, ESRCH},                   /* terminated */
	{0x0109, ETIMEDOUT},               /* of the connection */
	{0x010C, ENOSYS},                  /* protocol version */
	{0x010D, EINVAL},                  /* JSON */
	{0x010E, ENOENT},                  /* system not found */
	{0x010F, EEXIST}, {0x0110, ESRCH}, /* already stopped */
	{0x0112, EINVAL},                  /* layer */
	{0x0114, ENOSYS},                  /* service not available */
	{0x0118, ETIMEDOUT},               /* of the operation */
	{0x011A, ENOMEM}, {0x011B, EACCES}, {0x011F, ESRCH},
	/* process already stopped */
	{0x0120, ENOSYS}, /* the system is not configured for this */
};

/* Kinds of HRESULT: facility 0x037 of both, and Windows' own errors. */
#define FACILITY_OF_HCS 0x0037
#define NOT_IMPLEMENTED 0x80004001
#define UNKNOWN_SERVICE 0x80070424 /* ERROR_SERVICE_DOES_NOT_EXIST */
#define NOT_FOUND 0x80070490       /* ERROR_NOT_FOUND */

int hcs_error(HRESULT hr)
{
	uint32_t code = (uint32_t)hr;
	size_t i;

	if (hr >= 0 || hr == HCS_PENDING)
		return 0;
	if ((code >> 16 & 0x0fff) == FACILITY_OF_HCS) {
		for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
			if (codes[i].code == (code & 0xffff))
				return -codes[i].error;
		return -EREMOTEIO;
	}
	switch (code) {
	case NOT_IMPLEMENTED:
	case UNKNOWN_SERVICE:
		return -ENOSYS;
	case NOT_FOUND: /* a process that has gone */
		return -ESRCH;
	case (uint32_t)E_OUTOFMEMORY:
		return -ENOMEM;
	case (uint32_t)E_ACCESSDENIED:
		return -EACCES;
	case (uint32_t)E_INVALIDARG:
		return -EINVAL;
	default:
		return -EREMOTEIO;
	}
}

struct words {
	char message[512];
};

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct words *w = arg;

	if (type != JSON_STRING || strcmp(path, "ErrorMessage") != 0)
		return;
	if (n >= sizeof(w->message))
		n = sizeof(w->message) - 1;
	memcpy(w->message, text, n);
	w->message[n] = '\0';
	while (n > 0 && strchr(" .\r\n", w->message[n - 1]))
		w->message[--n] = '\0';
}

int hcs_explain(struct err *e, HRESULT hr, const char *json, const char *what)
{
	struct words w = {""};
	int r = hcs_error(hr);

	if (json && *json)
		json_scan(json, strlen(json), on_value, &w, NULL);
	if (r == 0)
		return 0;
	if (w.message[0])
		return err_set(e, r, "%s: %s (host compute service, 0x%08lX)",
			what, w.message, (unsigned long)hr);
	return err_set(e, r, "%s: the host compute service says 0x%08lX", what,
		(unsigned long)hr);
}
