/* SPDX-License-Identifier: Apache-2.0 */
/* What processes have open: NtQuerySystemInformation, whose classes 64 and up
 * are in no header. (GetProcessHandleCount() is always 0 under Wine.) */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/look.h"
#include "platform/windows/win.h"

#define ALL_HANDLES 64 /* SystemExtendedHandleInformation */
#define ALL_TYPES 3    /* ObjectTypesInformation */
#define TOO_SMALL ((LONG)0xc0000004)
#define ROOM (1u << 17)
#define ROOM_MAX (1u << 28)
#define TYPES_MAX 256

struct handle {
	PVOID object;
	ULONG_PTR pid, value;
	ULONG access;
	USHORT trace, type;
	ULONG attributes, reserved;
};

struct handles {
	ULONG_PTR n, reserved;
	struct handle at[];
};

struct text {
	USHORT length, room; /* in bytes */
	wchar_t *at;
};

struct type {
	struct text name;
	ULONG counts[17], access;
	UCHAR secured, counted, index, reserved[13];
};

struct types {
	ULONG n, padding;
	unsigned char at[];
};

typedef LONG(NTAPI *query_system)(ULONG, PVOID, ULONG, PULONG);
typedef LONG(NTAPI *query_object)(HANDLE, ULONG, PVOID, ULONG, PULONG);

static FARPROC ntdll(const char *name)
{
	HMODULE dll = GetModuleHandleW(L"ntdll.dll");

	return dll ? GetProcAddress(dll, name) : NULL;
}

/* Every handle of the system, in fresh memory. */
static int all_handles(struct handles **ret)
{
	query_system query =
		(query_system)(void *)ntdll("NtQuerySystemInformation");
	auto_free struct handles *all = NULL;
	ULONG room = ROOM, got = 0;
	LONG r = TOO_SMALL;

	if (!query)
		return -ENOSYS;
	for (; r == TOO_SMALL; room *= 2) {
		if (room > ROOM_MAX)
			return -EFBIG;
		free(all);
		all = malloc(room);
		if (!all)
			return -ENOMEM;
		r = query(ALL_HANDLES, all, room, &got);
	}
	if (r != 0)
		return -EIO;
	*ret = ptr_take(&all);
	return 0;
}

/* The names of all kinds of objects. */
struct kinds {
	struct types *all; /* ROOM bytes; NULL: not known */
	int shift;         /* a handle's number is this much more */
};

/* Each one is followed by its name, and begins at a multiple of 8. */
static const struct type *type_next(const struct kinds *k, const struct type *t)
{
	const unsigned char *end = (const unsigned char *)k->all + ROOM;
	const unsigned char *at = k->all->at;

	if (t)
		at = (const unsigned char *)(t + 1) +
		     ((t->name.room + 7u) & ~7u);
	t = (const void *)at;
	if (at >= end || (size_t)(end - at) < sizeof(*t) ||
		(size_t)(end - at) < sizeof(*t) + t->name.room)
		return NULL;
	return t;
}

static void name_of(const struct kinds *k, unsigned number, char *buf, size_t n)
{
	const struct type *t = NULL;
	wchar_t name[32] = L"";
	ULONG i;

	for (i = 0; k->all && i < k->all->n; i++) {
		t = type_next(k, t);
		if (!t || t->index + k->shift == (int)number)
			break;
	}
	if (k->all && i < k->all->n && t && t->name.at)
		memcpy(name, t->name.at,
			t->name.length < sizeof(name) ? t->name.length
						      : sizeof(name) - 2);
	if (!*name || win_narrow(name, buf, n) < 0)
		snprintf(buf, n, "type %u", number);
}

/* The numbers of handles and those of types are not the same under Wine: one
 * handle whose type is known tells how far they are apart. */
static void kinds_get(
	struct kinds *ret, const struct handles *all, HANDLE event)
{
	query_object query = (query_object)(void *)ntdll("NtQueryObject");
	char name[64] = "";
	ULONG got = 0;
	ULONG_PTR i;
	int number;

	*ret = (struct kinds){.all = malloc(ROOM)};
	if (!ret->all || !query ||
		query(NULL, ALL_TYPES, ret->all, ROOM, &got) != 0) {
		free(ret->all);
		ret->all = NULL;
		return;
	}
	for (i = 0; i < all->n; i++)
		if (all->at[i].value == (ULONG_PTR)event &&
			all->at[i].pid == GetCurrentProcessId())
			break;
	for (number = 0; i < all->n && number < TYPES_MAX; number++) {
		name_of(ret, (unsigned)number, name, sizeof(name));
		if (strcmp(name, "Event") != 0)
			continue;
		ret->shift = all->at[i].type - number;
		return;
	}
}

/* What a file is, a pipe perhaps, is not asked: the answer may wait for who
 * reads it. */
void look_open(int64_t pid, void (*each)(const struct look_open *o, void *arg),
	void *arg)
{
	auto_handle HANDLE event = CreateEventW(NULL, TRUE, FALSE, NULL);
	auto_free struct handles *all = NULL;
	struct kinds kinds;
	char what[64];
	ULONG_PTR i;

	if (all_handles(&all) < 0)
		return;
	kinds_get(&kinds, all, event);
	for (i = 0; i < all->n; i++) {
		const struct handle *h = &all->at[i];
		struct look_open o = {.number = (int)h->value,
			.what = what,
			.waiting = -1,
			.room = -1};

		if (h->pid != (ULONG_PTR)pid ||
			(h->value == (ULONG_PTR)event &&
				h->pid == GetCurrentProcessId()))
			continue;
		name_of(&kinds, h->type, what, sizeof(what));
		each(&o, arg);
	}
	free(kinds.all);
}

int look_open_count(int64_t pid)
{
	auto_free struct handles *all = NULL;
	int r = all_handles(&all), n = 0;
	ULONG_PTR i;

	for (i = 0; r == 0 && i < all->n; i++)
		n += all->at[i].pid == (ULONG_PTR)pid;
	return r < 0 ? r : n;
}
