/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp: names of system calls. Runtimes leave out what libseccomp does
 * not know, without a word, so a misspelled one is not denied, or not allowed.
 * A profile for all kernels has names that this libseccomp is too old for:
 * only what looks like another name is told. */
#include <ctype.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/spec/check.h"
#include "ctl/names.h"

#define NUMBERS_MAX 1024 /* of system calls; there are some 460 */
#define NAME_MAX_BYTES 64

static bool is_known(const char *name)
{
	return seccomp_syscall_resolve_name(name) != __NR_SCMP_ERROR;
}

/* "fchmodat2" comes after "fchmodat". */
static bool is_next_of_known(const char *name)
{
	char base[NAME_MAX_BYTES];
	size_t n = strlen(name);

	while (n > 0 && isdigit((unsigned char)name[n - 1]))
		n--;
	if (!name[n] || n >= sizeof(base))
		return false;
	memcpy(base, name, n);
	base[n] = '\0';
	return is_known(base);
}

/* The nearest name, for free(); NULL: there is none. */
static char *find_near(const char *name)
{
	unsigned best = names_limit(name) + 1, d;
	char *found = NULL;
	int i;

	for (i = 0; i < NUMBERS_MAX; i++) {
		char *other =
			seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i);

		if (!other)
			continue;
		d = names_distance(other, name, best);
		if (d >= best) {
			free(other);
			continue;
		}
		best = d;
		free(found);
		found = other;
	}
	return found;
}

static void check_name(struct check *c, const struct doc_node *v)
{
	char *near;

	if (check_is_full(c) || !doc_text(v) || v->text_n >= NAME_MAX_BYTES ||
		is_known(v->text) || is_next_of_known(v->text))
		return;
	near = find_near(v->text);
	if (!near)
		return;
	check_warn(c, v,
		"'%s' is no system call that libseccomp knows: "
		"runtimes leave it out",
		v->text);
	check_hint(c, "did you mean '%s'?", near);
	free(near);
}

void check_syscalls(struct check *c)
{
	const struct doc_node *p = doc_get_type(
		doc_get(c->doc.top, "linux"), "seccomp", DOC_OBJECT);
	const struct doc_node *i = doc_get_type(p, "syscalls", DOC_ARRAY), *v;
	unsigned n = 0;

	if (c->os == CHECK_WINDOWS)
		return;
	for (i = i ? i->first : NULL; i; i = i->next) {
		v = doc_get_type(i, "names", DOC_ARRAY);
		for (v = v ? v->first : NULL; v && n < 5000; v = v->next, n++)
			check_name(c, v);
	}
}
