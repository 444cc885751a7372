/* SPDX-License-Identifier: Apache-2.0 */
/* Mounting and undoing of layer.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/windows/layer_note.h"
#include "platform/windows/layer_wide.h"

/* On older Windows the disk may need a moment: hcsshim tries that often, and
 * waits that long in between. */
#define TRIES 5
#define TRY_AGAIN_MS 100

static const struct layer_driver_info info = {1, L""};

/* ---- undo ---- */

/* It is not there any more: the host was started anew, say. */
static bool is_gone(HRESULT hr)
{
	switch (layer_api_code(hr)) {
	case ERROR_FILE_NOT_FOUND:
	case ERROR_PATH_NOT_FOUND:
	case ERROR_NOT_FOUND:
	case ERROR_DEVICE_NOT_CONNECTED:
		return true;
	default:
		return false;
	}
}

static int unprepare(const struct layer_api *api, const wchar_t *wide,
	const struct layer_stack *s, struct err *e)
{
	HRESULT hr = api->unprepare_layer(&info, wide);

	return FAILED(hr) && !is_gone(hr)
		       ? layer_api_failed(e, "UnprepareLayer", s->scratch, hr)
		       : 0;
}

static int deactivate(const struct layer_api *api, const wchar_t *wide,
	const struct layer_stack *s, struct err *e)
{
	HRESULT hr = api->deactivate_layer(&info, wide);

	return FAILED(hr) && !is_gone(hr)
		       ? layer_api_failed(e, "DeactivateLayer", s->scratch, hr)
		       : 0;
}

/* From that stage on; the note tells what is left if something fails. */
static int undo(const struct layer_api *api, const wchar_t *wide,
	const struct layer_stack *s, const char *note, enum layer_stage stage,
	struct err *e)
{
	bool unsure = stage == LAYER_ACTIVATING;
	int r = 0;

	if (stage == LAYER_PREPARING || stage == LAYER_PREPARED) {
		r = unprepare(api, wide, s, e);
		if (r < 0 && stage == LAYER_PREPARED) {
			layer_note_write(note, s, stage, NULL);
			return r;
		}
		layer_note_write(note, s, LAYER_ACTIVE, NULL);
	}
	r = deactivate(api, wide, s, e);
	if (r < 0 && !unsure) {
		layer_note_write(note, s, LAYER_ACTIVE, NULL);
		return r;
	}
	r = file_remove(note);
	return r < 0 ? err_sys(e, r, "remove '%s'", note) : 0;
}

int layer_undo(const char *note, struct err *e)
{
	const struct layer_api *api;
	auto_free wchar_t *wide = NULL;
	struct layer_stack s;
	enum layer_stage stage;
	int r = file_check(note);

	if (r == -ENOENT)
		return 0;
	r = layer_note_read(note, &s, &stage, e);
	if (r < 0)
		return r;
	if (stage == LAYER_LISTED) {
		layer_stack_clear(&s);
		r = file_remove(note);
		return r < 0 ? err_sys(e, r, "remove '%s'", note) : 0;
	}
	r = layer_api_get(&api, e);
	if (r == 0)
		r = layer_widen(s.scratch, &wide, e);
	if (r == 0)
		r = undo(api, wide, &s, note, stage, e);
	layer_stack_clear(&s);
	return r;
}

/* ---- mount ---- */

static int make_scratch(const struct layer_api *api, const struct layer_wide *w,
	const struct layer_stack *s, struct err *e)
{
	char disk[FILE_PATH_MAX + 16];
	HRESULT hr;
	int r = file_make_folder(s->scratch);

	if (r < 0)
		return err_sys(e, r == -ENOENT ? -EINVAL : r,
			"folder '%s' of the scratch layer", s->scratch);
	snprintf(disk, sizeof(disk), "%s\\sandbox.vhdx", s->scratch);
	r = file_check(disk);
	if (r != -ENOENT)
		return r < 0 ? err_sys(e, r, "'%s'", disk) : 0;
	hr = api->create_sandbox_layer(&info, w->scratch, 0, w->parents, w->n);
	return FAILED(hr) ? layer_api_failed(
				    e, "CreateSandboxLayer", s->scratch, hr)
			  : 0;
}

static bool may_get_better(HRESULT hr)
{
	DWORD code = layer_api_code(hr);

	return code == ERROR_NOT_READY || code == ERROR_DEVICE_NOT_CONNECTED;
}

/* Both steps once. What failed in the second one is undone, or in the note. */
static int attach(const struct layer_api *api, const struct layer_wide *w,
	const struct layer_stack *s, const char *note, bool *again,
	struct err *e)
{
	HRESULT hr;
	int r = layer_note_write(note, s, LAYER_ACTIVATING, e);

	if (r < 0)
		return r;
	hr = api->activate_layer(&info, w->scratch);
	*again = FAILED(hr) && may_get_better(hr);
	if (FAILED(hr)) {
		file_remove(note);
		return layer_api_failed(e, "ActivateLayer", s->scratch, hr);
	}
	r = layer_note_write(note, s, LAYER_PREPARING, e);
	if (r < 0) {
		undo(api, w->scratch, s, note, LAYER_ACTIVE, NULL);
		return r;
	}
	hr = api->prepare_layer(&info, w->scratch, w->parents, w->n);
	if (SUCCEEDED(hr))
		return 0;
	r = undo(api, w->scratch, s, note, LAYER_ACTIVE, NULL);
	*again = r == 0 && may_get_better(hr);
	return layer_api_failed(e, "PrepareLayer", s->scratch, hr);
}

/* The letters of \\?\Volume{GUID} */
#define VOLUME_NAME 48

/* "\\?\Volume{GUID}", as the host compute service wants it: with a separator at
 * the end. */
static int take_volume(
	const wchar_t *path, struct layer_stack *s, struct err *e)
{
	char text[VOLUME_NAME + 3];
	size_t n = 0;

	if (win_narrow(path, text, sizeof(text) - 1) == 0)
		n = strlen(text);
	if (n < VOLUME_NAME || strncmp(text, "\\\\?\\Volume{", 11) != 0 ||
		text[VOLUME_NAME - 1] != '}' ||
		(n > VOLUME_NAME && text[VOLUME_NAME] != '\\'))
		return err_set(e, -EIO,
			"layer '%s': GetLayerMountPath gave no volume",
			s->scratch);
	if (n == VOLUME_NAME)
		strcpy(text + n, "\\");
	s->volume = strdup(text);
	return s->volume ? 0 : err_set(e, -ENOMEM, "no memory for layers");
}

#define VOLUME_MAX 4096

static int find_volume(const struct layer_api *api, const struct layer_wide *w,
	struct layer_stack *s, struct err *e)
{
	auto_free wchar_t *path = NULL;
	SIZE_T n = 0, given;
	HRESULT hr = api->get_layer_mount_path(&info, w->scratch, &n, NULL);

	if (SUCCEEDED(hr) && n > 0 && n < VOLUME_MAX) {
		given = n;
		path = calloc(n + 1, sizeof(*path)); /* ends in any case */
		if (!path)
			return err_set(e, -ENOMEM, "no memory for layers");
		hr = api->get_layer_mount_path(&info, w->scratch, &given, path);
	}
	if (FAILED(hr))
		return layer_api_failed(e, "GetLayerMountPath", s->scratch, hr);
	return take_volume(path ? path : L"", s, e);
}

static int mount(const struct layer_api *api, const struct layer_wide *w,
	struct layer_stack *s, const char *note, struct err *e)
{
	bool again = true;
	int i, r = make_scratch(api, w, s, e);

	for (i = 0; i < TRIES && r == 0 && again; i++) {
		int tried = attach(api, w, s, note, &again, e);

		if (tried == 0)
			again = false;
		else if (!again || i == TRIES - 1)
			r = tried;
		else
			Sleep(TRY_AGAIN_MS);
	}
	if (r < 0)
		return r;
	r = find_volume(api, w, s, e);
	if (r == 0)
		r = layer_note_write(note, s, LAYER_PREPARED, e);
	if (r < 0)
		undo(api, w->scratch, s, note, LAYER_PREPARED, NULL);
	return r;
}

int layer_mount(struct layer_stack *s, const char *note, struct err *e)
{
	const struct layer_api *api;
	struct layer_wide w = {0};
	int r = layer_stack_check(s, e);

	if (r == 0 && file_check(note) == 0)
		r = err_set(e, -EBUSY,
			"layers of an earlier container are still in '%s'",
			note);
	if (r == 0)
		r = layer_api_get(&api, e);
	if (r == 0)
		r = layer_wide_fill(api, s, &w, e);
	if (r == 0)
		r = mount(api, &w, s, note, e);
	layer_wide_clear(&w);
	return r;
}

int layer_list(const struct layer_stack *s, const char *note, struct err *e)
{
	int r = layer_stack_check(s, e);

	return r < 0 ? r : layer_note_write(note, s, LAYER_LISTED, e);
}

int layer_read_note(const char *note, struct layer_stack *ret, struct err *e)
{
	enum layer_stage stage;
	int r = layer_note_read(note, ret, &stage, e);

	if (r < 0 || (stage == LAYER_PREPARED && ret->volume))
		return r;
	layer_stack_clear(ret);
	return err_set(e, -ENOENT, "'%s': no layers are mounted", note);
}

int layer_read_list(const char *note, struct layer_stack *ret, struct err *e)
{
	enum layer_stage stage;
	int r = layer_note_read(note, ret, &stage, e);

	if (r < 0 || stage == LAYER_LISTED)
		return r;
	layer_stack_clear(ret);
	return err_set(e, -ENOENT, "'%s': no layers are listed", note);
}
