/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/wire.h"

#include <errno.h>
#include <string.h>

#include "util_test.h"

/* Gives the reader the bytes of one frame, at most n at a time; what it made of
 * them. */
static int feed(struct ctl_wire_reader *r, const void *bytes, size_t len,
	size_t n, struct ctl_wire_head *head, void **data)
{
	const char *from = bytes;
	int got = ctl_wire_next(r, head, data);

	while (got == 0 && len > 0) {
		size_t room;
		void *to = ctl_wire_room(r, &room);

		ck_assert_uint_gt(room, 0);
		ck_assert_uint_le(room, sizeof(r->buf) - r->n);
		room = room < n ? room : n;
		room = room < len ? room : len;
		memcpy(to, from, room);
		ctl_wire_add(r, room);
		from += room;
		len -= room;
		got = ctl_wire_next(r, head, data);
	}
	ck_assert_uint_eq(len, 0);
	return got;
}

START_TEST(test_frames)
{
	static const size_t sizes[] = {0, 1, 7, CTL_WIRE_MAX};
	static char frame[sizeof(struct ctl_wire_head) + CTL_WIRE_MAX];
	struct ctl_wire_reader r = {0};
	struct ctl_wire_head head, got;
	size_t i, n;
	void *data;

	memset(frame, 'x', sizeof(frame));
	for (i = 0; i < LENGTH(sizes); i++)
		for (n = 1; n < 10000; n *= 3) {
			head = (struct ctl_wire_head){
				CTL_WIRE_OUT, (uint32_t)sizes[i]};
			memcpy(frame, &head, sizeof(head));
			ck_assert_int_eq(
				feed(&r, frame, sizeof(head) + sizes[i], n,
					&got, &data),
				1);
			ck_assert_uint_eq(got.type, CTL_WIRE_OUT);
			ck_assert_uint_eq(got.n, sizes[i]);
			ck_assert_mem_eq(data, frame + sizeof(head), sizes[i]);
			ctl_wire_done(&r);
		}
}
END_TEST

START_TEST(test_too_long)
{
	struct ctl_wire_reader r = {0};
	struct ctl_wire_head head = {CTL_WIRE_IN, CTL_WIRE_MAX + 1}, got;
	void *data;

	ck_assert_int_eq(
		feed(&r, &head, sizeof(head), 100, &got, &data), -EBADMSG);
	r.n = 0;
	head.n = UINT32_MAX;
	ck_assert_int_eq(
		feed(&r, &head, sizeof(head), 100, &got, &data), -EBADMSG);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_frames, test_too_long, NULL};

	return suite_run("ctl_wire", tests);
}
