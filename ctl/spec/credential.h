/* SPDX-License-Identifier: Apache-2.0 */
/*
 * credential.h - a credential spec: which account of Active Directory a
 * Windows container has (gMSA). A JSON object; in config.json it is text, as
 * dockerd writes and hcsshim reads it.
 */
#ifndef WISP_CTL_CREDENTIAL_H
#define WISP_CTL_CREDENTIAL_H

#include "platform/err.h"

#define CREDENTIAL_MAX (1u << 20)

/*
 * "raw://{...}", or "file://NAME": a file below dir, and never anything else:
 * no absolute name, no "..", no link that leads out of it. dir may be NULL for
 * raw. The text is for the caller to free. -EINVAL: not of these forms, or not
 * a JSON object; -EXDEV: outside of dir; -ENOENT, ...: the file's; -ENOMEM.
 */
int credential_read(
	const char *source, const char *dir, char **ret, struct err *e);

#endif
