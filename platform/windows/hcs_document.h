/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hcs_document.h - what the host compute service is told, as JSON.
 *
 * learn.microsoft.com, "Host Compute System Schema Reference", version 2.1.
 * Everything comes as UTF-16 in fresh memory, which is the caller's to free.
 */
#ifndef WISP_PLATFORM_WINDOWS_HCS_DOCUMENT_H
#define WISP_PLATFORM_WINDOWS_HCS_DOCUMENT_H

#include "platform/container.h"
#include "platform/isolation.h"
#include "platform/windows/win.h"

struct json_out;

/* A compute system: schema ComputeSystem, with Container. -EINVAL says what
 * is wrong in iso or limits. */
int hcs_system_document(const struct isolation *iso,
	const struct container_limits *limits, wchar_t **ret, struct err *e);

/* A process: schema ProcessParameters. A pipe is asked for where there is an
 * endpoint, or a console. */
int hcs_process_document(
	const struct container_program *p, wchar_t **ret, struct err *e);

/* A new limit: ModifySettingRequest of Container/Memory or
 * Container/Processor. */
int hcs_memory_document(
	const struct container_limits *limits, wchar_t **ret, struct err *e);
int hcs_processor_document(
	const struct container_limits *limits, wchar_t **ret, struct err *e);

/* {"Operation":"ConsoleSize",...} of ProcessModifyRequest. */
int hcs_resize_document(
	uint32_t width, uint32_t height, wchar_t **ret, struct err *e);

/* What json_out has become; frees it. -ENOMEM. */
int hcs_document_of(struct json_out *o, wchar_t **ret, struct err *e);

/* -EINVAL: more than one CPU limit, or one that is out of range. */
int hcs_check_limits(const struct container_limits *limits, struct err *e);

#endif
