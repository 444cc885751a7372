/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/details.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/system_processes.h"

#define ROOM_MIN (64u * 1024)
#define ROOM_MAX (64u * 1024 * 1024)

struct details {
	size_t n;
	char data[];
};

system_query system_double;

static system_query query(void)
{
	static system_query own;

	if (system_double)
		return system_double;
	if (!own)
		own = (system_query)(void *)GetProcAddress(
			GetModuleHandleW(L"ntdll.dll"),
			"NtQuerySystemInformation");
	return own;
}

int details_take(struct details **ret)
{
	ULONG room, needed = 0;

	if (!query())
		return -ENOSYS;
	for (room = ROOM_MIN; room <= ROOM_MAX; room *= 2) {
		struct details *d = malloc(sizeof(*d) + room);
		LONG status;

		if (!d)
			return -ENOMEM;
		status = query()(SYSTEM_PROCESSES, d->data, room, &needed);
		if (status >= 0) {
			d->n = needed > 0 && needed < room ? needed : room;
			*ret = d;
			return 0;
		}
		free(d);
		if (status != SYSTEM_MORE)
			return -EIO;
	}
	return -ENOMEM;
}

static void fill_image(const struct details *d, const struct system_process *p,
	struct process_details *ret)
{
	const char *image = (const char *)p->image;
	wchar_t name[261];
	size_t n = p->image_n / sizeof(wchar_t);

	/* it is in what we were given, or it is not believed */
	if (!image || image < d->data || image > d->data + d->n ||
		p->image_n > (size_t)(d->data + d->n - image))
		return;
	if (n > 260)
		n = 260;
	memcpy(name, image, n * sizeof(wchar_t));
	name[n] = L'\0';
	if (win_narrow(name, ret->image, sizeof(ret->image)) < 0)
		ret->image[0] = '\0';
}

static void fill(const struct details *d, const struct system_process *p,
	struct process_details *ret)
{
	memset(ret, 0, sizeof(*ret));
	fill_image(d, p, ret);
	if ((uint64_t)p->born > WIN_UNIX_EPOCH) {
		uint64_t at = (uint64_t)p->born - WIN_UNIX_EPOCH;

		ret->born.tv_sec = (time_t)(at / 10000000);
		ret->born.tv_nsec = (long)(at % 10000000 * 100);
	}
	ret->user_100ns = (uint64_t)p->user;
	ret->kernel_100ns = (uint64_t)p->kernel;
	ret->commit_bytes = p->commit;
	ret->private_bytes = (uint64_t)p->private_bytes;
	if (p->working_bytes > ret->private_bytes)
		ret->shared_bytes = p->working_bytes - ret->private_bytes;
}

int details_find(
	const struct details *d, int64_t pid, struct process_details *ret)
{
	size_t at = 0;

	for (;;) {
		struct system_process p;

		if (d->n - at < sizeof(p))
			return -ESRCH;
		memcpy(&p, d->data + at, sizeof(p));
		if ((int64_t)(intptr_t)p.pid == pid) {
			fill(d, &p, ret);
			return 0;
		}
		if (p.next == 0 || p.next > d->n - at)
			return -ESRCH;
		at += p.next;
	}
}

void details_free(struct details *d)
{
	free(d);
}
