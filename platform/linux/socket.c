/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/socket.h"

#include <errno.h>
#include <sha2.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "platform/host.h"
#include "platform/linux/lock.h"
#include "platform/listener.h"

#define LOCK_MS 5000

/* unix(7): a socket's path has 107 bytes, of which the name takes 65. */
#define OWN_DIR_MAX (107 - 65)

int socket_address(const char *dir, const char *daemon, const char *ns,
	const char *group, char *buf, size_t n, struct err *e)
{
	char hex[SHA256_DIGEST_STRING_LENGTH], own[1024];
	SHA2_CTX ctx;

	if (!dir || !*dir) {
		int r = host_own_dir("s", OWN_DIR_MAX, own, sizeof(own), e);

		if (r < 0) {
			err_prefix(e, "socket");
			return r;
		}
		dir = own;
	}
	SHA256Init(&ctx);
	SHA256Update(&ctx, (const uint8_t *)daemon, strlen(daemon));
	SHA256Update(&ctx, (const uint8_t *)"/", 1);
	SHA256Update(&ctx, (const uint8_t *)ns, strlen(ns));
	SHA256Update(&ctx, (const uint8_t *)"/", 1);
	SHA256Update(&ctx, (const uint8_t *)group, strlen(group));
	SHA256End(&ctx, hex);
	if ((size_t)snprintf(buf, n, "unix://%s/%s", dir, hex) >= n)
		return err_set(e, -ENAMETOOLONG,
			"socket directory '%s' is too long", dir);
	return 0;
}

static int claim_locked(
	const char *address, struct listener **ret, struct err *e)
{
	int r = listener_bind(address, ret, e);

	if (r != -EADDRINUSE)
		return r;
	if (listener_probe(address) == 0)
		return 1;
	r = listener_unlink(address);
	if (r < 0)
		return err_sys(e, r, "remove stale socket '%s'", address);
	return listener_bind(address, ret, e);
}

int socket_claim(const char *address, struct listener **ret, struct err *e)
{
	char dir[SOCKET_ADDRESS_MAX];
	int lock, r;

	if (snprintf(dir, sizeof(dir), "%s", address + strlen("unix://")) >=
		(int)sizeof(dir))
		return err_set(e, -ENAMETOOLONG, "socket '%s'", address);
	*strrchr(dir, '/') = '\0';
	r = host_lock_dir(dir, LOCK_MS, &lock, e);
	if (r < 0)
		return r;
	r = claim_locked(address, ret, e);
	host_unlock_dir(lock);
	return r;
}
