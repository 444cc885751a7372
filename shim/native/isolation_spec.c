/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/native/isolation_spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/json.h"
#include "shim/bundle.h"

#define CONFIG_MAX (16 * 1024 * 1024)
#define LIST_MAX 4096

struct reading {
	struct isolation *iso;
	bool no_memory, too_many;
	bool endpoints;      /* windows.network.endpointList */
	const char *unknown; /* what is asked for, and is not there */
	const char *wrong;
};

static void set(struct reading *rd, char **to, const char *text, size_t n)
{
	if (n == 0)
		return;
	if (memchr(text, '\0', n))
		rd->wrong = "a text has a NUL in it";
	free(*to);
	*to = strndup(text, n);
	rd->no_memory |= !*to;
}

static void add_mount(struct reading *rd)
{
	struct isolation *iso = rd->iso;
	struct isolation_mount *more;

	rd->too_many |= iso->n_mounts >= LIST_MAX;
	if (rd->too_many)
		return;
	more = realloc(iso->mounts, (iso->n_mounts + 1) * sizeof(*more));
	rd->no_memory |= !more;
	if (!more)
		return;
	iso->mounts = more;
	memset(&more[iso->n_mounts++], 0, sizeof(*more));
}

static void add_domain(struct reading *rd, const char *text, size_t n)
{
	struct isolation *iso = rd->iso;
	char **more;

	rd->too_many |= iso->n_dns_search >= LIST_MAX;
	if (n > 0 && memchr(text, '\0', n))
		rd->wrong = "a text has a NUL in it";
	if (rd->too_many)
		return;
	more = realloc(
		iso->dns_search, (iso->n_dns_search + 1) * sizeof(*more));
	if (more)
		iso->dns_search = more;
	if (!more || !(more[iso->n_dns_search] = strndup(text, n)))
		rd->no_memory = true;
	else
		iso->n_dns_search++;
}

static void on_mount(
	struct reading *rd, const char *key, const char *text, size_t n)
{
	struct isolation *iso = rd->iso;
	struct isolation_mount *m;

	if (iso->n_mounts == 0)
		return;
	m = &iso->mounts[iso->n_mounts - 1];
	if (strcmp(key, "source") == 0)
		set(rd, &m->source, text, n);
	else if (strcmp(key, "destination") == 0)
		set(rd, &m->target, text, n);
	else if (strcmp(key, "options[]") == 0)
		m->read_only |= n == 2 && strncasecmp(text, "ro", 2) == 0;
	else if (strcmp(key, "type") == 0 && n > 0)
		rd->wrong = "mounts of a type: on Windows a mount has none";
}

static void on_text(
	struct reading *rd, const char *path, const char *text, size_t n)
{
	struct isolation *iso = rd->iso;

	if (strncmp(path, "mounts[].", 9) == 0)
		on_mount(rd, path + 9, text, n);
	else if (strcmp(path, "hostname") == 0)
		set(rd, &iso->hostname, text, n);
	else if (strcmp(path, "windows.network.networkNamespace") == 0)
		set(rd, &iso->network, text, n);
	else if (strcmp(path, "windows.network.networkSharedContainerName") ==
		 0)
		set(rd, &iso->shared, text, n);
	else if (strcmp(path, "windows.network.DNSSearchList[]") == 0)
		add_domain(rd, text, n);
	else if (strcmp(path, "windows.network.endpointList[]") == 0)
		rd->endpoints = true;
	else if (strcmp(path, "windows.credentialSpec") == 0 && n > 0)
		rd->unknown = "windows.credentialSpec";
}

static void on_value(const char *path, enum json_type type, const char *text,
	size_t n, void *arg)
{
	struct reading *rd = arg;
	struct isolation *iso = rd->iso;

	if (type == JSON_STRING) {
		on_text(rd, path, text, n);
	} else if (type == JSON_OBJECT) {
		if (strcmp(path, "mounts[]") == 0)
			add_mount(rd);
		else if (strcmp(path, "windows.hyperv") == 0)
			rd->unknown = "windows.hyperv";
		else if (strcmp(path, "windows.credentialSpec") == 0)
			rd->unknown = "windows.credentialSpec";
		else if (strcmp(path, "windows.devices[]") == 0)
			rd->unknown = "windows.devices";
	} else if (type == JSON_BOOL && n == 4) {
		if (strcmp(path, "root.readonly") == 0)
			rd->wrong = "root.readonly: a Windows container's root "
				    "is always written to";
		else if (strcmp(path,
				 "windows.network.allowUnqualifiedDNSQuery") ==
			 0)
			iso->unqualified_dns = true;
		else if (strcmp(path, "windows.servicing") == 0)
			rd->unknown = "windows.servicing";
	}
}

static int check(const struct reading *rd, const char *path, struct err *e)
{
	if (rd->no_memory)
		return err_set(e, -ENOMEM, "no memory for '%s'", path);
	if (rd->too_many)
		return err_set(e, -EINVAL, "'%s': more than %d of a kind", path,
			LIST_MAX);
	if (rd->wrong)
		return err_set(e, -EINVAL, "'%s': %s", path, rd->wrong);
	if (rd->unknown)
		return err_set(e, -ENOSYS,
			"'%s' asks for %s, which is not there", path,
			rd->unknown);
	if (rd->endpoints && !rd->iso->network)
		return err_set(e, -ENOSYS,
			"'%s' has windows.network.endpointList: only a "
			"networkNamespace that has them is supported",
			path);
	return 0;
}

int isolation_read(const char *bundle, const struct mount_rootfs *rootfs,
	struct isolation *ret, struct err *e)
{
	struct reading rd = {.iso = ret};
	auto_free char *text = NULL;
	char path[BUNDLE_PATH_MAX];
	size_t n;
	int r = bundle_path(bundle, "config.json", path);

	memset(ret, 0, sizeof(*ret));
	ret->rootfs = rootfs;
	if (r < 0)
		return err_sys(e, r, "bundle '%s'", bundle);
	r = file_read(path, CONFIG_MAX, &text, &n, e);
	if (r == 0)
		r = json_scan(text, n, on_value, &rd, e);
	if (r == 0)
		r = check(&rd, path, e);
	if (r < 0)
		isolation_clear(ret);
	return r;
}

void isolation_clear(struct isolation *iso)
{
	size_t i;

	for (i = 0; i < iso->n_mounts; i++) {
		free(iso->mounts[i].source);
		free(iso->mounts[i].target);
	}
	for (i = 0; i < iso->n_dns_search; i++)
		free(iso->dns_search[i]);
	free(iso->mounts);
	free(iso->dns_search);
	free(iso->hostname);
	free(iso->network);
	free(iso->shared);
	memset(iso, 0, sizeof(*iso));
}
