/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema.h - which fields a config.json has, and of what type.
 *
 * The JSON schema of runtime-spec 1.2 and later as tables; names are those of
 * the specification.
 */
#ifndef WISP_CTL_SCHEMA_H
#define WISP_CTL_SCHEMA_H

#include <stdbool.h>

enum schema_type {
	SCHEMA_BOOL,
	SCHEMA_STRING,
	SCHEMA_STRINGS, /* an array of them */
	SCHEMA_INT32,
	SCHEMA_INT64,
	SCHEMA_UINT16,
	SCHEMA_UINT32,
	SCHEMA_UINT64,
	SCHEMA_UINT32S,
	SCHEMA_OBJECT,     /* has the fields of `of` */
	SCHEMA_OBJECTS,    /* an array of them */
	SCHEMA_OBJECT_MAP, /* an object with any names and such values */
	SCHEMA_STRING_MAP,
	SCHEMA_ANY, /* told by others, or by nobody */
};

struct schema_field {
	const char *name; /* NULL: the end of a table */
	enum schema_type type;
	const struct schema_field *of;
	const char *const *names; /* of a string: one of these */
	bool required;
};

extern const struct schema_field schema_config[];
extern const struct schema_field schema_linux[];   /* schema_linux.c */
extern const struct schema_field schema_windows[]; /* schema_windows.c */
extern const struct schema_field schema_id_maps[];

#endif
