/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/wire.h"

#include <errno.h>
#include <string.h>

/* A frame that is not whole is all there is, so its rest is all that is read:
 * what comes after it waits in the socket. */
void *ctl_wire_room(struct ctl_wire_reader *r, size_t *ret_n)
{
	struct ctl_wire_head head;

	if (r->n < sizeof(head)) {
		*ret_n = sizeof(head) - r->n;
	} else {
		memcpy(&head, r->buf, sizeof(head));
		*ret_n = sizeof(head) + head.n - r->n;
	}
	return r->buf + r->n;
}

void ctl_wire_add(struct ctl_wire_reader *r, size_t n)
{
	r->n += n;
}

int ctl_wire_next(
	struct ctl_wire_reader *r, struct ctl_wire_head *ret, void **ret_data)
{
	if (r->n < sizeof(*ret))
		return 0;
	memcpy(ret, r->buf, sizeof(*ret));
	if (ret->n > CTL_WIRE_MAX)
		return -EBADMSG;
	if (r->n < sizeof(*ret) + ret->n)
		return 0;
	*ret_data = r->buf + sizeof(*ret);
	return 1;
}

void ctl_wire_done(struct ctl_wire_reader *r)
{
	r->n = 0;
}
