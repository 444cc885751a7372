/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lcow_vm.h - the virtual machine of one Linux container: made, started, given
 * its disks and shares; and all of that back, in reverse.
 *
 * No Windows has run this yet: it needs the host compute service with Hyper-V,
 * and is tested against a double of computecore.dll only (lcow_document.h says
 * what the guest is expected to be).
 */
#ifndef WISP_PLATFORM_WINDOWS_LCOW_VM_H
#define WISP_PLATFORM_WINDOWS_LCOW_VM_H

#include "platform/err.h"
#include "platform/guest.h"

struct event_base;
struct lcow_vm;

/* From the loop, once; e is filled if r < 0. */
typedef void (*lcow_done)(int r, const struct err *e, void *arg);

/* All that can be checked beforehand is; nothing is asked of the service yet.
 * guest and id are not needed afterwards. */
int lcow_vm_new(struct event_base *base, const char *id,
	const struct guest *guest, struct lcow_vm **ret, struct err *e);

/* The one of that container, which another process has made, for
 * lcow_vm_down(): it may have gone, but disk is what it was let write to. */
int lcow_vm_open(struct event_base *base, const char *id, const char *disk,
	struct lcow_vm **ret, struct err *e);

/* Until the container can be made in it. A failure has undone what was done
 * before it is told, and the machine may only be freed then. */
int lcow_vm_up(struct lcow_vm *vm, lcow_done done, void *arg, struct err *e);

/* Takes everything away and ends it. What can't be taken away goes with the
 * machine. 0: done() will run. -ESRCH: there is nothing (left). Not while
 * lcow_vm_up() is under way. */
int lcow_vm_down(struct lcow_vm *vm, lcow_done done, void *arg, struct err *e);

/* Without waiting: its handle was the only one, and ends it. done() does not
 * run any more. NULL is fine. */
void lcow_vm_free(struct lcow_vm *vm);

#endif
