/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer_api.h - what vmcompute.dll exports about image layers, as one table.
 *
 * Nothing else in this program calls that library, and tests put another one
 * in its place. It is loaded at the first use, from system32 only, and stays.
 * No header of Windows declares it: the types are those that hcsshim has
 * (internal/wclayer). Every function returns an HRESULT; layers are known by
 * the full path of their folder (driver_info.home is "").
 */
#ifndef WISP_PLATFORM_WINDOWS_LAYER_API_H
#define WISP_PLATFORM_WINDOWS_LAYER_API_H

#include "platform/err.h"
#include "platform/windows/win.h"

/* The flavour: 1 is the filter driver, which all images are made for. */
struct layer_driver_info {
	int flavour;
	const wchar_t *home;
};

/* WC_LAYER_DESCRIPTOR: a read-only layer. */
struct layer_descriptor {
	GUID id;     /* NameToGuid() of the folder's name */
	ULONG flags; /* bit 31: dirty; always 0 here */
	const wchar_t *path;
};

struct layer_api {
	/* Makes sandbox.vhdx in the folder; parent is unused. */
	HRESULT(WINAPI *create_sandbox_layer)
	(const struct layer_driver_info *info, const wchar_t *path,
		ULONG_PTR parent, const struct layer_descriptor *parents,
		ULONG n_parents);
	/* Attaches the disk; detaches it. */
	HRESULT(WINAPI *activate_layer)
	(const struct layer_driver_info *info, const wchar_t *path);
	HRESULT(WINAPI *deactivate_layer)
	(const struct layer_driver_info *info, const wchar_t *path);
	/* Attaches the filter that shows the parents in it; detaches it. */
	HRESULT(WINAPI *prepare_layer)
	(const struct layer_driver_info *info, const wchar_t *path,
		const struct layer_descriptor *parents, ULONG n_parents);
	HRESULT(WINAPI *unprepare_layer)
	(const struct layer_driver_info *info, const wchar_t *path);
	/* The volume. With buf NULL, *n becomes the room that it needs, in
	 * characters. */
	HRESULT(WINAPI *get_layer_mount_path)
	(const struct layer_driver_info *info, const wchar_t *path, SIZE_T *n,
		wchar_t *buf);
	HRESULT(WINAPI *name_to_guid)(const wchar_t *name, GUID *ret);
};

/* The table; borrowed, for good. -ENOSYS: this Windows has no such library, or
 * one that lacks something. */
int layer_api_get(const struct layer_api **ret, struct err *e);

/* A failed HRESULT as a Windows error code if it is one in disguise, else
 * itself; for win_error(). */
DWORD layer_api_code(HRESULT hr);

/* Says in e which call failed, on what, with its HRESULT; returns e's code. */
int layer_api_failed(
	struct err *e, const char *call, const char *path, HRESULT hr);

#endif
