/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/native/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/stream.h"
#include "runhcs_options.pb-c.h"
#include "shim/log.h"
#include "ttrpc/message.h"

/* logrus.ParseLevel(): what is below an error is never written here. */
static const struct {
	const char *name;
	enum log_level level;
} levels[] = {{"trace", LOG_DEBUG}, {"debug", LOG_DEBUG}, {"info", LOG_INFO},
	{"warn", LOG_WARN}, {"warning", LOG_WARN}, {"error", LOG_ERROR},
	{"fatal", LOG_ERROR}, {"panic", LOG_ERROR}};

#define LEVELS (sizeof(levels) / sizeof(levels[0]))

typedef Containerd__Runhcs__V1__Options Options;

static int set_level(const Options *o, struct err *e)
{
	size_t i = 0;

	if (*o->log_level) {
		while (i < LEVELS && strcmp(levels[i].name, o->log_level) != 0)
			i++;
		if (i == LEVELS)
			return err_set(e, -EINVAL,
				"option log_level is '%s': known are trace, "
				"debug, info, warn, error, fatal and panic",
				o->log_level);
		log_set_level(levels[i].level); /* over what debug says */
	} else if (o->debug) {
		log_set_level(LOG_DEBUG);
	}
	return 0;
}

static int refuse(const char *what, struct err *e)
{
	return err_set(e, -ENOSYS, "option %s", what);
}

/*
 * boot_files_root_path, vm_processor_count and vm_memory_size_in_mb are kept as
 * annotations, which the reference shim makes of them, too.
 *
 * Each field, in the order of the message. Those that are not named here mean
 * nothing to what runs here, and a configuration that lists them for all of its
 * runtimes must not fail:
 *
 *   debug_type ETW: the log goes to the pipe all the same, where the daemon
 *   reads it (FILE the reference shim dies of)
 *   registry_root, sandbox_image: the reference shim does not read them, either
 *   GPUVHDPath, scale_cpu_limits_to_sandbox, default_vm_scratch_size_in_gb,
 *   share_scratch, NCProxyAddr, no_inherit_host_timezone: of virtual machines
 *   default_container_scratch_size_in_gb: of the daemon, who makes the layers
 *   scrub_logs: no line of the log has an environment or a command line in it
 */
static int check(const Options *o, struct err *e)
{
	if (o->debug_type == CONTAINERD__RUNHCS__V1__OPTIONS__DEBUG_TYPE__FILE)
		return refuse("debug_type FILE: the log is a pipe", e);
	if (o->sandbox_isolation !=
			CONTAINERD__RUNHCS__V1__OPTIONS__SANDBOX_ISOLATION__PROCESS &&
		strncmp(o->sandbox_platform, "linux", 5) != 0)
		return refuse("sandbox_isolation: there are virtual machines "
			      "for Linux containers only (sandbox_platform)",
			e);
	if (o->io_retry_timeout_in_sec < 0)
		return err_set(e, -EINVAL,
			"option io_retry_timeout_in_sec is %d: it must not be "
			"negative",
			o->io_retry_timeout_in_sec);
	return 0;
}

static int add(struct runtime_settings *s, const char *key, const char *value)
{
	char *k = strdup(key), *v = strdup(value);

	s->annotations[s->n_annotations].key = k;
	s->annotations[s->n_annotations++].value = v;
	return k && v ? 0 : -ENOMEM;
}

#define VM "io.microsoft.virtualmachine."

static int keep(const Options *o, struct runtime_settings *s)
{
	size_t n = o->n_default_container_annotations, i;
	char text[16];
	int r = 0;

	s->annotations = calloc(n + 3, sizeof(*s->annotations));
	if (!s->annotations)
		return -ENOMEM;
	/* of two the last one holds */
	if (*o->boot_files_root_path)
		r = add(s, VM "bootfilesrootpath", o->boot_files_root_path);
	snprintf(text, sizeof(text), "%d", (int)o->vm_processor_count);
	if (r == 0 && o->vm_processor_count)
		r = add(s, VM "computetopology.processor.count", text);
	snprintf(text, sizeof(text), "%d", (int)o->vm_memory_size_in_mb);
	if (r == 0 && o->vm_memory_size_in_mb)
		r = add(s, VM "computetopology.memory.sizeinmb", text);
	for (i = 0; i < n && r == 0; i++)
		r = add(s, o->default_container_annotations[i]->key,
			o->default_container_annotations[i]->value);
	return r;
}

static int read_options(
	const Options *o, struct runtime_settings **ret, struct err *e)
{
	struct runtime_settings *s;
	int r = check(o, e);

	if (r == 0)
		r = set_level(o, e);
	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s || keep(o, s) < 0) {
		runtime_free_settings(s);
		return err_set(e, -ENOMEM, "no memory for options");
	}
	stream_dial_for((unsigned)o->io_retry_timeout_in_sec);
	*ret = s;
	return 0;
}

int runtime_read_options(
	const Any *any, struct runtime_settings **ret, struct err *e)
{
	ProtobufCMessage *m;
	int r;

	if (!any_is(any, "containerd.runhcs.v1.Options"))
		return err_set(e, -EINVAL,
			"options of unknown type '%s': known are "
			"containerd.runhcs.v1.Options and "
			"runtimeoptions.v1.Options",
			any->type_url);
	r = message_unpack(&containerd__runhcs__v1__options__descriptor,
		any->value.data, any->value.len, &m, NULL);
	if (r == -ENOMEM)
		return err_set(e, r, "no memory for options");
	if (r < 0)
		return err_set(
			e, -EINVAL, "options are no valid %s", any->type_url);
	r = read_options((Options *)m, ret, e);
	message_free(m);
	return r;
}

void runtime_free_settings(struct runtime_settings *s)
{
	size_t i;

	if (!s)
		return;
	for (i = 0; i < s->n_annotations; i++) {
		free(s->annotations[i].key);
		free(s->annotations[i].value);
	}
	free(s->annotations);
	free(s);
}
