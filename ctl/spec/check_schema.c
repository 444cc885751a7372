/* SPDX-License-Identifier: Apache-2.0 */
/* Names and types of fields. Go's decoder, so runc, refuses a wrong type. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "ctl/spec/check.h"
#include "ctl/names.h"
#include "ctl/spec/schema.h"

static const struct range {
	enum schema_type type;
	long long min;
	unsigned long long max;
} ranges[] = {
	{SCHEMA_INT32, INT32_MIN, INT32_MAX},
	{SCHEMA_INT64, INT64_MIN, INT64_MAX},
	{SCHEMA_UINT16, 0, UINT16_MAX},
	{SCHEMA_UINT32, 0, UINT32_MAX},
	{SCHEMA_UINT32S, 0, UINT32_MAX},
	{SCHEMA_UINT64, 0, UINT64_MAX},
};

static const char *const type_names[] = {[DOC_NULL] = "null",
	[DOC_BOOL] = "true or false",
	[DOC_NUMBER] = "a number",
	[DOC_STRING] = "a string",
	[DOC_OBJECT] = "an object",
	[DOC_ARRAY] = "an array"};

static void check_object(struct check *c, const struct doc_node *v,
	const struct schema_field *fields);

/* Whether the value has the type; if not, that is told. null stands for a
 * value that is not there. */
static bool has_type(
	struct check *c, const struct doc_node *v, enum doc_type type)
{
	if (v->type == type)
		return true;
	if (v->type == DOC_NULL) {
		check_warn(c, v, "is null");
		check_hint(c, "leave the field out");
		return false;
	}
	check_error(c, v, "must be %s, not %s", type_names[type],
		type_names[v->type]);
	if (type == DOC_ARRAY && v->type == DOC_STRING)
		check_hint(c, "write [\"%.60s\"]", v->text);
	else if (v->type == DOC_STRING &&
		 (type == DOC_NUMBER || type == DOC_BOOL))
		check_hint(c, "leave out the quotes");
	else if (type == DOC_STRING &&
		 (v->type == DOC_NUMBER || v->type == DOC_BOOL))
		check_hint(c, "put it into quotes: \"%s\"", v->text);
	return false;
}

static bool is_in(const struct range *r, const struct doc_node *v)
{
	bool negative = v->text[0] == '-';
	long long n;

	if (!doc_int(v, &n))
		return false;
	if (negative)
		return n >= r->min;
	return (unsigned long long)n <= r->max;
}

static void check_number(
	struct check *c, const struct doc_node *v, enum schema_type type)
{
	const struct range *r = ranges;

	if (!has_type(c, v, DOC_NUMBER))
		return;
	while (r->type != type)
		r++;
	if (strpbrk(v->text, ".eE"))
		check_error(c, v, "%.40s must be a whole number", v->text);
	else if (!is_in(r, v))
		check_error(c, v, "%.40s must be from %lld to %llu", v->text,
			r->min, r->max);
}

static void check_name(struct check *c, const struct doc_node *v,
	const char *const *names, const char *text)
{
	const char *near = check_nearest(c, names, text);
	char all[320];
	size_t n = 0;

	check_error(c, v, "'%.60s' is not known", text);
	if (near) {
		check_hint(c, "did you mean '%s'?", near);
		return;
	}
	for (all[0] = '\0'; *names && n < sizeof(all); names++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
			n ? ", " : "", *names);
	check_hint(c, "use one of: %s%s", all, *names ? ", ..." : "");
}

static void check_string(
	struct check *c, const struct doc_node *v, const char *const *names)
{
	if (!has_type(c, v, DOC_STRING))
		return;
	if (strlen(v->text) != v->text_n) {
		check_error(c, v, "has a NUL character in it");
		check_hint(c, "the text would end there for a runtime");
	} else if (names && !names_has(names, v->text)) {
		check_name(c, v, names, v->text);
	}
}

static void check_array(
	struct check *c, const struct doc_node *v, const struct schema_field *f)
{
	const struct doc_node *i;

	if (!has_type(c, v, DOC_ARRAY))
		return;
	for (i = v->first; i; i = i->next)
		if (f->type == SCHEMA_STRINGS)
			check_string(c, i, f->names);
		else if (f->type == SCHEMA_UINT32S)
			check_number(c, i, f->type);
		else if (has_type(c, i, DOC_OBJECT))
			check_object(c, i, f->of);
}

/* Names that stand twice: which one counts depends on who reads. */
static void check_twice(struct check *c, const struct doc_node *v)
{
	const struct doc_node *first = doc_get(v->parent, v->key);

	if (first == v)
		return;
	check_warn_key(c, v, "stands here a second time");
	check_hint(c, "some runtimes take the first, some the last: keep one");
}

static void check_map(
	struct check *c, const struct doc_node *v, const struct schema_field *f)
{
	const struct doc_node *m;

	if (!has_type(c, v, DOC_OBJECT))
		return;
	for (m = v->first; m; m = m->next) {
		if (f->type == SCHEMA_STRING_MAP)
			check_string(c, m, NULL);
		else if (has_type(c, m, DOC_OBJECT))
			check_object(c, m, f->of);
		if (!*m->key)
			check_error(c, m, "has no name");
		if (m->index < 1000) /* it would take for ever */
			check_twice(c, m);
	}
}

static void check_value(
	struct check *c, const struct doc_node *v, const struct schema_field *f)
{
	switch (f->type) {
	case SCHEMA_BOOL:
		has_type(c, v, DOC_BOOL);
		break;
	case SCHEMA_STRING:
		check_string(c, v, f->names);
		break;
	case SCHEMA_STRINGS:
	case SCHEMA_UINT32S:
	case SCHEMA_OBJECTS:
		check_array(c, v, f);
		break;
	case SCHEMA_OBJECT:
		if (has_type(c, v, DOC_OBJECT))
			check_object(c, v, f->of);
		break;
	case SCHEMA_OBJECT_MAP:
	case SCHEMA_STRING_MAP:
		check_map(c, v, f);
		break;
	case SCHEMA_ANY:
		break;
	default:
		check_number(c, v, f->type);
	}
}

static const struct schema_field *find_field(
	const struct schema_field *fields, const char *name)
{
	for (; fields->name; fields++)
		if (strcmp(fields->name, name) == 0)
			return fields;
	return NULL;
}

/* Go reads field names without regard to case, C does not. */
static void check_unknown(struct check *c, const struct doc_node *v,
	const struct schema_field *fields)
{
	const struct schema_field *f, *near = NULL;
	unsigned best = names_limit(v->key) + 1, d;

	for (f = fields; f->name; f++) {
		d = names_distance(f->name, v->key, best);
		if (d < best) {
			best = d;
			near = f;
		}
	}
	if (near && strcasecmp(near->name, v->key) == 0) {
		check_warn_key(c, v, "is not spelled '%s'", near->name);
		check_hint(c, "runc takes it for that, crun ignores it");
		return;
	}
	check_warn_key(c, v, "is not known: runtimes ignore it");
	if (near)
		check_hint(c, "did you mean '%s'?", near->name);
}

static void check_object(struct check *c, const struct doc_node *v,
	const struct schema_field *fields)
{
	const struct schema_field *f;
	const struct doc_node *m;

	for (m = v->first; m; m = m->next) {
		f = find_field(fields, m->key);
		if (f && f->required && m->type == DOC_NULL) {
			check_error(c, m, "is null, but must be there");
		} else if (f) {
			check_value(c, m, f);
			check_twice(c, m);
		} else if (m->index < 1000) {
			check_unknown(c, m, fields);
		}
	}
	for (f = fields; f->name; f++)
		if (f->required && !doc_get(v, f->name))
			check_missing(c, v, f->name, "is missing");
}

void check_schema(struct check *c)
{
	check_object(c, c->doc.top, schema_config);
}
