/* SPDX-License-Identifier: Apache-2.0 */
/*
 * settings.h - what containerd.runhcs.v1.Options ask for: see settings.c for
 * each field.
 */
#ifndef WISP_SHIM_NATIVE_SETTINGS_H
#define WISP_SHIM_NATIVE_SETTINGS_H

#include <stddef.h>

#include "shim/runtime.h"

struct runtime_settings {
	/* default_container_annotations: a container's own win */
	struct {
		char *key, *value;
	} * annotations;
	size_t n_annotations;
};

#endif
