/* SPDX-License-Identifier: Apache-2.0 */
/*
 * address.h - unix socket addresses of any length (Linux only).
 *
 * sockaddr_un holds 107 bytes (unix(7)). A longer path is reached as
 * /proc/self/fd/N/name, N being its folder, opened with O_PATH.
 */
#ifndef WISP_PLATFORM_LINUX_ADDRESS_H
#define WISP_PLATFORM_LINUX_ADDRESS_H

/* The file path within "unix:///path", "unix:/path" or "/path". */
const char *address_path(const char *address);

/* bind(2) and connect(2) by address. 0 or -errno; fd stays the caller's. */
int address_bind(int fd, const char *address);
int address_connect(int fd, const char *address);

#endif
