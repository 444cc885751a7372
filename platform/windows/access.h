/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.h - who may use what this process makes, and whose something is.
 */
#ifndef WISP_PLATFORM_WINDOWS_ACCESS_H
#define WISP_PLATFORM_WINDOWS_ACCESS_H

#include "platform/windows/win.h"

#include <accctrl.h>

/* All in SDDL ("Security Descriptor Definition Language"). They are protected,
 * so that nothing is inherited: the system (SY), administrators (BA), and for
 * what is our own, who owns it (OW). */
#define ACCESS_US L"D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;OW)"
#define ACCESS_ADMINISTRATORS L"D:P(A;;GA;;;SY)(A;;GA;;;BA)"
/* A folder and all that will be in it. */
#define ACCESS_FOLDER L"D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)"

/* Nothing that is made with it is inheritable. access_close() needs no success.
 */
int access_open(const wchar_t *sddl, SECURITY_ATTRIBUTES *ret);
void access_close(SECURITY_ATTRIBUTES *sa);

/* Whether it belongs to the system, to administrators, or to this process's
 * user, or to whom what this process makes belongs. Names of objects can be
 * taken beforehand, by anybody. h: with READ_CONTROL. */
bool access_is_ours(HANDLE h, SE_OBJECT_TYPE type);

#endif
