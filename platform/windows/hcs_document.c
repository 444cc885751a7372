/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/hcs_document.h"

#include <stdlib.h>
#include <string.h>

#include "platform/json_write.h"
#include "platform/windows/command_line.h"

#define MIB (1024 * 1024)
#define PIPE_PREFIX "\\\\.\\pipe\\"
#define VOLUME_PREFIX "\\\\?\\Volume{"

int hcs_document_of(struct json_out *o, wchar_t **ret, struct err *e)
{
	int r = -ENOMEM;

	if (json_ok(o)) {
		o->data[o->n - 1] = '\0'; /* it was the line's end */
		r = win_wide(o->data, ret);
	}
	free(o->data);
	memset(o, 0, sizeof(*o));
	return r < 0 ? err_sys(e, r, "a document for the host compute service")
		     : 0;
}

int hcs_check_limits(const struct container_limits *l, struct err *e)
{
	if (!!l->cpu_count + !!l->cpu_maximum + !!l->cpu_weight > 1)
		return err_set(e, -EINVAL,
			"only one of the CPU's count, maximum and weight may "
			"be set");
	if (l->cpu_maximum > 10000 || l->cpu_weight > 10000)
		return err_set(e, -EINVAL,
			"the CPU's maximum and weight are 10000 at most");
	if (l->memory_bytes && l->memory_bytes < MIB)
		return err_set(e, -EINVAL,
			"a memory limit of less than 1 MiB is none");
	return 0;
}

static uint32_t processors(uint32_t wanted)
{
	SYSTEM_INFO info;

	GetSystemInfo(&info);
	return wanted > info.dwNumberOfProcessors &&
			       info.dwNumberOfProcessors > 0
		       ? info.dwNumberOfProcessors
		       : wanted;
}

static void put_processor(
	struct json_out *o, const char *key, const struct container_limits *l)
{
	json_open(o, key, '{');
	if (l->cpu_count)
		json_number(o, "Count", processors(l->cpu_count));
	if (l->cpu_maximum)
		json_number(o, "Maximum", l->cpu_maximum);
	if (l->cpu_weight)
		json_number(o, "Weight", l->cpu_weight);
	json_close(o);
}

static void put_storage(struct json_out *o, const struct isolation *iso)
{
	const struct mount_rootfs *m = iso->rootfs;
	size_t i;

	json_open(o, "Storage", '{');
	json_open(o, "Layers", '[');
	for (i = 0; i < m->n_layers; i++) {
		json_open(o, NULL, '{');
		json_text(o, "Id", m->layers[i].id);
		json_text(o, "Path", m->layers[i].path);
		json_close(o);
	}
	json_close(o);
	json_text(o, "Path", m->path);
	if (iso->storage_iops || iso->storage_bps) {
		json_open(o, "QoS", '{');
		if (iso->storage_iops)
			json_number(
				o, "IopsMaximum", (int64_t)iso->storage_iops);
		if (iso->storage_bps)
			json_number(o, "BandwidthMaximum",
				(int64_t)iso->storage_bps);
		json_close(o);
	}
	json_close(o);
}

/* The schema wants them as one text. */
static void put_dns_search(struct json_out *o, const struct isolation *iso)
{
	size_t i, n = 1;
	char *text;

	for (i = 0; i < iso->n_dns_search; i++)
		n += strlen(iso->dns_search[i]) + 1;
	text = calloc(1, n);
	o->no_memory |= !text;
	if (!text)
		return;
	for (i = 0; i < iso->n_dns_search; i++) {
		if (i > 0)
			strcat(text, ",");
		strcat(text, iso->dns_search[i]);
	}
	json_text(o, "DnsSearchList", text);
	free(text);
}

static void put_network(struct json_out *o, const struct isolation *iso)
{
	if (!iso->network && !iso->shared && !iso->n_dns_search &&
		!iso->unqualified_dns)
		return;
	json_open(o, "Networking", '{');
	if (iso->unqualified_dns)
		json_bool(o, "AllowUnqualifiedDnsQuery", true);
	if (iso->n_dns_search > 0)
		put_dns_search(o, iso);
	if (iso->shared)
		json_text(o, "NetworkSharedContainerName", iso->shared);
	if (iso->network)
		json_text(o, "Namespace", iso->network);
	json_close(o);
}

static bool is_pipe(const struct isolation_mount *m)
{
	return _strnicmp(m->target, PIPE_PREFIX, strlen(PIPE_PREFIX)) == 0;
}

static void put_mounts(struct json_out *o, const struct isolation *iso,
	const char *key, bool pipes)
{
	bool open = false;
	size_t i;

	for (i = 0; i < iso->n_mounts; i++) {
		const struct isolation_mount *m = &iso->mounts[i];

		if (is_pipe(m) != pipes)
			continue;
		if (!open)
			json_open(o, key, '[');
		open = true;
		json_open(o, NULL, '{');
		json_text(o, "HostPath", m->source);
		if (pipes) {
			json_text(o, "ContainerPipeName",
				m->target + strlen(PIPE_PREFIX));
		} else {
			json_text(o, "ContainerPath", m->target);
			json_bool(o, "ReadOnly", m->read_only);
		}
		json_close(o);
	}
	if (open)
		json_close(o);
}

static bool is_volume(const char *path)
{
	static const char shape[] = "XXXXXXXX-XXXX-XXXX-XXXX-XXXXXXXXXXXX}\\";
	size_t i;

	if (!path || _strnicmp(path, VOLUME_PREFIX, strlen(VOLUME_PREFIX)) != 0)
		return false;
	path += strlen(VOLUME_PREFIX);
	for (i = 0; shape[i]; i++)
		if (shape[i] == 'X'
				? !strchr("0123456789abcdefABCDEF", path[i]) ||
					  !path[i]
				: path[i] != shape[i])
			return false;
	return path[i] == '\0';
}

static int check(const struct isolation *iso, struct err *e)
{
	const struct mount_rootfs *root = iso->rootfs;
	size_t i;

	if (!is_volume(root->path))
		return err_set(e, -EINVAL,
			"root '%s' is no volume (\\\\?\\Volume{GUID}\\), which "
			"a container with process isolation has its files on",
			root->path ? root->path : "");
	if (root->n_layers == 0)
		return err_set(e, -EINVAL,
			"the container has no layers: it needs a rootfs of "
			"type windows-layer, or windows.layerFolders");
	for (i = 0; i < iso->n_mounts; i++) {
		const struct isolation_mount *m = &iso->mounts[i];

		if (!m->source || !*m->source || !m->target || !*m->target ||
			(is_pipe(m) && !m->target[strlen(PIPE_PREFIX)]))
			return err_set(e, -EINVAL,
				"mount %zu needs a source and a destination",
				i);
	}
	return 0;
}

static void put_container(struct json_out *o, const struct isolation *iso,
	const struct container_limits *l)
{
	json_open(o, "Container", '{');
	if (iso->hostname) {
		json_open(o, "GuestOs", '{');
		json_text(o, "HostName", iso->hostname);
		json_close(o);
	}
	put_storage(o, iso);
	put_mounts(o, iso, "MappedDirectories", false);
	put_mounts(o, iso, "MappedPipes", true);
	if (l->memory_bytes) {
		json_open(o, "Memory", '{');
		json_number(o, "SizeInMB", (int64_t)(l->memory_bytes / MIB));
		json_close(o);
	}
	if (l->cpu_count || l->cpu_maximum || l->cpu_weight)
		put_processor(o, "Processor", l);
	put_network(o, iso);
	json_close(o);
}

int hcs_system_document(const struct isolation *iso,
	const struct container_limits *limits, wchar_t **ret, struct err *e)
{
	struct json_out o = {0};
	int r = check(iso, e);

	if (r == 0)
		r = hcs_check_limits(limits, e);
	if (r < 0)
		return r;
	json_open(&o, NULL, '{');
	json_text(&o, "Owner", "wisp");
	json_open(&o, "SchemaVersion", '{');
	json_number(&o, "Major", 2);
	json_number(&o, "Minor", 1);
	json_close(&o);
	json_bool(&o, "ShouldTerminateOnLastHandleClosed", true);
	put_container(&o, iso, limits);
	json_close(&o);
	return hcs_document_of(&o, ret, e);
}

/* ---- processes ---- */

/* Names are compared as Windows does it, but for letters beyond ASCII. */
static bool same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return n == strcspn(b, "=") && _strnicmp(a, b, n) == 0;
}

/* Of two of one name the last one holds. */
static bool is_overruled(const char *const *at)
{
	const char *const *later;

	for (later = at + 1; *later; later++)
		if (same_name(*at, *later))
			return true;
	return false;
}

static void put_environment(struct json_out *o, const char *const *env)
{
	json_open(o, "Environment", '{');
	for (; env && *env; env++) {
		size_t n = strcspn(*env, "=");
		char *name;

		/* what has no name, or is no assignment, can't be passed */
		if (n == 0 || (*env)[n] != '=' || is_overruled(env))
			continue;
		name = strndup(*env, n);
		if (!name) {
			o->no_memory = true;
			break;
		}
		json_text(o, name, *env + n + 1);
		free(name);
	}
	json_close(o);
}

static int put_command(
	struct json_out *o, const struct container_program *p, struct err *e)
{
	wchar_t *line;
	char *text;
	size_t room;
	int r;

	if (p->command_line) {
		json_text(o, "CommandLine", p->command_line);
		return 0;
	}
	r = command_line(p->process.argv, &line);
	if (r < 0)
		return err_sys(e, r, "command line of '%s'", *p->process.argv);
	room = 3 * wcslen(line) + 1;
	text = malloc(room);
	r = text ? win_narrow(line, text, room) : -ENOMEM;
	if (r == 0)
		json_text(o, "CommandLine", text);
	free(text);
	free(line);
	return r < 0 ? err_sys(e, r, "command line") : 0;
}

int hcs_process_document(
	const struct container_program *p, wchar_t **ret, struct err *e)
{
	struct endpoint *const *ep = p->process.endpoints;
	struct json_out o = {0};
	int r;

	json_open(&o, NULL, '{');
	r = put_command(&o, p, e);
	if (r < 0) {
		free(o.data);
		return r;
	}
	if (p->user)
		json_text(&o, "User", p->user);
	json_text(&o, "WorkingDirectory",
		p->process.cwd && *p->process.cwd ? p->process.cwd : "C:\\");
	put_environment(&o, p->process.envp);
	json_bool(&o, "EmulateConsole", p->console != NULL);
	json_bool(&o, "CreateStdInPipe", p->console || ep[0]);
	json_bool(&o, "CreateStdOutPipe", p->console || ep[1]);
	json_bool(&o, "CreateStdErrPipe", !p->console && ep[2]);
	if (p->console && p->width && p->height) {
		json_open(&o, "ConsoleSize", '[');
		json_number(&o, NULL, p->height);
		json_number(&o, NULL, p->width);
		json_close(&o);
	}
	json_close(&o);
	return hcs_document_of(&o, ret, e);
}

/* ---- changes ---- */

static void begin_change(struct json_out *o, const char *path)
{
	json_open(o, NULL, '{');
	json_text(o, "ResourcePath", path);
	json_text(o, "RequestType", "Update");
}

int hcs_memory_document(
	const struct container_limits *l, wchar_t **ret, struct err *e)
{
	struct json_out o = {0};

	begin_change(&o, "Container/Memory");
	json_number(&o, "Settings", (int64_t)(l->memory_bytes / MIB));
	json_close(&o);
	return hcs_document_of(&o, ret, e);
}

int hcs_processor_document(
	const struct container_limits *l, wchar_t **ret, struct err *e)
{
	struct json_out o = {0};

	begin_change(&o, "Container/Processor");
	put_processor(&o, "Settings", l);
	json_close(&o);
	return hcs_document_of(&o, ret, e);
}

int hcs_resize_document(
	uint32_t width, uint32_t height, wchar_t **ret, struct err *e)
{
	struct json_out o = {0};

	json_open(&o, NULL, '{');
	json_text(&o, "Operation", "ConsoleSize");
	json_open(&o, "ConsoleSize", '{');
	json_number(&o, "Height", height);
	json_number(&o, "Width", width);
	json_close(&o);
	json_close(&o);
	return hcs_document_of(&o, ret, e);
}
