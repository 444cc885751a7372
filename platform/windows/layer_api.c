/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/layer_api.h"

static const char *const names[] = {"CreateSandboxLayer", "ActivateLayer",
	"DeactivateLayer", "PrepareLayer", "UnprepareLayer",
	"GetLayerMountPath", "NameToGuid"};

#define N_NAMES (sizeof(names) / sizeof(names[0]))

/* The table is the functions in the order of their names, and nothing else. */
_Static_assert(sizeof(struct layer_api) == N_NAMES * sizeof(FARPROC),
	"a function has no name, or a name no function");

union table {
	struct layer_api api;
	FARPROC at[N_NAMES];
};

static int load(union table *ret, struct err *e)
{
	HMODULE lib = LoadLibraryExW(
		L"vmcompute.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
	DWORD code = GetLastError();
	size_t i;

	if (!lib)
		return err_set(e, -ENOSYS,
			"image layers need vmcompute.dll of system32, which "
			"can't be loaded (error %lu): is the Windows feature "
			"\"Containers\" there?",
			code);
	for (i = 0; i < N_NAMES; i++) {
		ret->at[i] = GetProcAddress(lib, names[i]);
		if (ret->at[i])
			continue;
		FreeLibrary(lib);
		return err_set(e, -ENOSYS,
			"vmcompute.dll of this Windows has no %s", names[i]);
	}
	return 0;
}

int layer_api_get(const struct layer_api **ret, struct err *e)
{
	static union table table;
	static bool loaded;
	int r = loaded ? 0 : load(&table, e);

	if (r < 0)
		return r;
	loaded = true;
	*ret = &table.api;
	return 0;
}

DWORD layer_api_code(HRESULT hr)
{
	DWORD code = (DWORD)hr;

	return HRESULT_FACILITY(hr) == FACILITY_WIN32 ? code & 0xffff : code;
}

int layer_api_failed(
	struct err *e, const char *call, const char *path, HRESULT hr)
{
	int r = win_error(layer_api_code(hr));

	/* to a client that would be the container */
	if (r == -ENOENT)
		r = -EINVAL;
	return err_set(e, r, "%s of layer '%s' failed: HRESULT 0x%08lx", call,
		path, (unsigned long)hr);
}
