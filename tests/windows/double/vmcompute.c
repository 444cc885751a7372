/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A double of vmcompute.dll: what platform/windows/layer_api.h calls.
 *
 * It works in the folder that WISP_VMCOMPUTE names, for all processes that use
 * it: log has each call as a line of JSON; active-NAME and prepared-NAME are
 * there as long as the layer whose folder has that name is. A file fail, "N
 * HRESULT [MORE]", has the Nth call of all fail, and those of the same function
 * that follow, MORE times; a file volume names the volume.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

struct info {
	int flavour;
	const wchar_t *home;
};

struct descriptor {
	GUID id;
	ULONG flags;
	const wchar_t *path;
};

#define EXPORT __declspec(dllexport) HRESULT WINAPI

static const char *folder(void)
{
	static char path[MAX_PATH];
	DWORD n = GetEnvironmentVariableA("WISP_VMCOMPUTE", path, MAX_PATH);

	return n > 0 && n < MAX_PATH ? path : NULL;
}

static const char *in_folder(const char *kind, const wchar_t *layer)
{
	static char path[2 * MAX_PATH];
	char name[MAX_PATH] = "";
	const wchar_t *at = layer ? wcsrchr(layer, L'\\') : NULL;

	if (at)
		WideCharToMultiByte(
			CP_UTF8, 0, at + 1, -1, name, MAX_PATH, NULL, NULL);
	snprintf(path, sizeof(path), "%s\\%s%s", folder(), kind, name);
	return path;
}

static unsigned count_lines(void)
{
	FILE *f = fopen(in_folder("log", NULL), "rb");
	unsigned n = 0;
	int c;

	while (f && (c = fgetc(f)) != EOF)
		n += c == '\n';
	if (f)
		fclose(f);
	return n;
}

static void put_string(FILE *f, const wchar_t *text)
{
	char utf8[4096] = "";
	const char *p;

	if (!text) {
		fputs("null", f);
		return;
	}
	WideCharToMultiByte(
		CP_UTF8, 0, text, -1, utf8, sizeof(utf8), NULL, NULL);
	fputc('"', f);
	for (p = utf8; *p; p++) {
		if (*p == '"' || *p == '\\')
			fputc('\\', f);
		fputc(*p, f);
	}
	fputc('"', f);
}

static void format_guid(const GUID *g, char buf[40])
{
	snprintf(buf, 40, "%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x",
		g->Data1, g->Data2, g->Data3, g->Data4[0], g->Data4[1],
		g->Data4[2], g->Data4[3], g->Data4[4], g->Data4[5], g->Data4[6],
		g->Data4[7]);
}

static void put_parents(FILE *f, const struct descriptor *d, ULONG n)
{
	char id[40];
	ULONG i;

	fputs(",\"parents\":[", f);
	for (i = 0; i < n; i++) {
		format_guid(&d[i].id, id);
		fprintf(f, "%s{\"id\":\"%s\",\"flags\":%lu,\"path\":",
			i ? "," : "", id, d[i].flags);
		put_string(f, d[i].path);
		fputc('}', f);
	}
	fputc(']', f);
}

/* Is this call to fail? Then with what. */
static HRESULT planned(const char *call)
{
	static char failing[64];
	static unsigned more, plan; /* plan: which one that is */
	FILE *f = fopen(in_folder("fail", NULL), "rb");
	unsigned n = 0, times = 0;
	unsigned long hr = 0;

	if (f) {
		fscanf(f, "%u %lx %u", &n, &hr, &times);
		fclose(f);
	}
	if (n > 0 && n == count_lines() + 1) {
		plan = n;
		more = times;
		snprintf(failing, sizeof(failing), "%s", call);
		return (HRESULT)hr;
	}
	if (n == 0 || n != plan || more == 0 || strcmp(call, failing) != 0)
		return S_OK;
	more--;
	return (HRESULT)hr;
}

static HRESULT log_call(const char *call, const struct info *info,
	const wchar_t *path, const struct descriptor *parents, ULONG n,
	const wchar_t *more)
{
	HRESULT hr;
	FILE *f;

	if (!folder())
		return E_NOTIMPL;
	hr = planned(call);
	f = fopen(in_folder("log", NULL), "ab");
	if (!f)
		return E_FAIL;
	fprintf(f, "{\"call\":\"%s\",\"path\":", call);
	put_string(f, path);
	if (info)
		fprintf(f, ",\"flavour\":%d,\"home\":%u", info->flavour,
			(unsigned)wcslen(info->home));
	if (parents)
		put_parents(f, parents, n);
	if (more) {
		fputs(",\"more\":", f);
		put_string(f, more);
	}
	fprintf(f, ",\"hr\":\"0x%08lx\"}\n", (unsigned long)hr);
	fclose(f);
	return hr;
}

static BOOL is_there(const char *kind, const wchar_t *layer)
{
	return GetFileAttributesA(in_folder(kind, layer)) !=
	       INVALID_FILE_ATTRIBUTES;
}

static HRESULT put_mark(const char *kind, const wchar_t *layer)
{
	FILE *f = is_there(kind, layer) ? NULL
					: fopen(in_folder(kind, layer), "wb");

	if (!f)
		return HRESULT_FROM_WIN32(ERROR_ALREADY_EXISTS);
	fclose(f);
	return S_OK;
}

static HRESULT take_mark(const char *kind, const wchar_t *layer)
{
	return DeleteFileA(in_folder(kind, layer))
		       ? S_OK
		       : HRESULT_FROM_WIN32(ERROR_INVALID_STATE);
}

EXPORT CreateSandboxLayer(const struct info *info, const wchar_t *path,
	ULONG_PTR parent, const struct descriptor *parents, ULONG n)
{
	wchar_t disk[MAX_PATH];
	HRESULT hr = log_call("CreateSandboxLayer", info, path, parents, n,
		parent ? L"parent" : NULL);
	HANDLE h;

	if (FAILED(hr))
		return hr;
	swprintf(disk, MAX_PATH, L"%ls\\sandbox.vhdx", path);
	h = CreateFileW(disk, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
	if (h == INVALID_HANDLE_VALUE)
		return HRESULT_FROM_WIN32(GetLastError());
	CloseHandle(h);
	return S_OK;
}

EXPORT ActivateLayer(const struct info *info, const wchar_t *path)
{
	HRESULT hr = log_call("ActivateLayer", info, path, NULL, 0, NULL);

	return FAILED(hr) ? hr : put_mark("active-", path);
}

EXPORT DeactivateLayer(const struct info *info, const wchar_t *path)
{
	HRESULT hr = log_call("DeactivateLayer", info, path, NULL, 0, NULL);

	if (SUCCEEDED(hr) && is_there("prepared-", path))
		hr = HRESULT_FROM_WIN32(ERROR_SHARING_VIOLATION);
	return FAILED(hr) ? hr : take_mark("active-", path);
}

EXPORT PrepareLayer(const struct info *info, const wchar_t *path,
	const struct descriptor *parents, ULONG n)
{
	HRESULT hr = log_call("PrepareLayer", info, path, parents, n, NULL);

	if (SUCCEEDED(hr) && !is_there("active-", path))
		hr = HRESULT_FROM_WIN32(ERROR_INVALID_STATE);
	return FAILED(hr) ? hr : put_mark("prepared-", path);
}

EXPORT UnprepareLayer(const struct info *info, const wchar_t *path)
{
	HRESULT hr = log_call("UnprepareLayer", info, path, NULL, 0, NULL);

	return FAILED(hr) ? hr : take_mark("prepared-", path);
}

EXPORT GetLayerMountPath(
	const struct info *info, const wchar_t *path, SIZE_T *n, wchar_t *buf)
{
	wchar_t volume[MAX_PATH] =
		L"\\\\?\\Volume{11111111-2222-3333-4444-555555555555}";
	HRESULT hr = log_call("GetLayerMountPath", info, path, NULL, 0,
		buf ? L"path" : L"size");
	char other[MAX_PATH] = "";
	FILE *f;

	if (FAILED(hr))
		return hr;
	f = fopen(in_folder("volume", NULL), "rb");
	if (f) {
		other[fread(other, 1, sizeof(other) - 1, f)] = '\0';
		fclose(f);
		MultiByteToWideChar(CP_UTF8, 0, other, -1, volume, MAX_PATH);
	}
	if (buf && *n < wcslen(volume) + 1)
		return HRESULT_FROM_WIN32(ERROR_INSUFFICIENT_BUFFER);
	if (buf)
		wcscpy(buf, volume);
	*n = wcslen(volume) + 1;
	return S_OK;
}

/* Not how Windows does it, but always the same one for a name. */
EXPORT NameToGuid(const wchar_t *name, GUID *ret)
{
	HRESULT hr = log_call("NameToGuid", NULL, name, NULL, 0, NULL);
	unsigned char *at = (unsigned char *)ret;
	unsigned hash = 2166136261u, i;

	if (FAILED(hr))
		return hr;
	for (i = 0; i < sizeof(*ret); i++) {
		const wchar_t *p;

		for (p = name; *p; p++)
			hash = (hash ^ (*p + i)) * 16777619u;
		at[i] = (unsigned char)(hash >> 24);
	}
	return S_OK;
}
