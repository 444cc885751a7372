/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lcow_document.h - what the host compute service is told of a Linux container
 * in a virtual machine, as JSON.
 *
 * As hcsshim has it (internal/uvm, internal/layers/lcow.go,
 * internal/hcsoci/hcsdoc_lcow.go), in its simplest form: all disks are on SCSI
 * controllers, and the guest agent is reached by the service's own connection
 * (GuestConnection, as hcsshim had it before it got a bridge of its own, up to
 * 0.8), so nothing but computecore.dll is needed.
 *
 * Documents are UTF-16 in fresh memory. Paths in the machine begin with
 * /run/gcs/c/ID.
 */
#ifndef WISP_PLATFORM_WINDOWS_LCOW_DOCUMENT_H
#define WISP_PLATFORM_WINDOWS_LCOW_DOCUMENT_H

#include "platform/err.h"
#include "platform/guest.h"
#include "platform/windows/win.h"

#define LCOW_ID_MAX 160

/* The machine's id: "ID@vm". */
void lcow_vm_id(const char *id, char ret[LCOW_ID_MAX]);

/* The machine. -EINVAL: a boot file is not there, or a size is wrong. */
int lcow_vm_document(const struct guest *g, wchar_t **ret, struct err *e);

/*
 * What it is given once it runs, in this order: each read-only layer, the
 * scratch, their union, the shares. add or remove is NULL if there is nothing
 * to be done in that direction; removing goes from the last to the first.
 */
struct lcow_step {
	char what[96];         /* for messages: "attach 'C:\...\layer.vhd'" */
	wchar_t *add, *remove; /* ModifySettingRequest */
};

int lcow_steps(const struct guest *g, const char *id, struct lcow_step **ret,
	size_t *ret_n, struct err *e);
void lcow_steps_free(struct lcow_step *steps, size_t n);

/* The disk that the machine has to be let write to. */
int lcow_scratch_disk(
	const struct guest *g, char *buf, size_t n, struct err *e);

/* The container in it: schema ComputeSystem with HostedSystem. -EINVAL: the
 * spec is no JSON that can be passed on. */
int lcow_container_document(
	const struct guest *g, const char *id, wchar_t **ret, struct err *e);

/* A process: the container's own first one if process (JSON, n bytes) is NULL,
 * else one more. */
int lcow_process_document(const bool pipes[3], const char *process, size_t n,
	wchar_t **ret, struct err *e);

/* -EINVAL: there is no such signal in Linux. */
int lcow_signal_document(uint32_t signal, wchar_t **ret, struct err *e);

#endif
