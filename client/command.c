/* SPDX-License-Identifier: Apache-2.0 */
#include "client/command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bootstrap.pb-c.h"
#include "client/options.h"
#include "client/shim.h"
#include "client/messages.h"

#define TIMEOUT_DEFAULT_MS 10000
#define ARGS_MAX 16
#define SETTINGS_MAX 6

struct settings {
	char text[SETTINGS_MAX][512];
	size_t n;
};

static int settings_add(struct settings *s, const char *name, const char *value)
{
	int n = snprintf(s->text[s->n], sizeof(s->text[0]), "%s=%s", name,
		value ? value : "");

	if (n < 0 || (size_t)n >= sizeof(s->text[0]))
		return -ENAMETOOLONG;
	s->n++;
	return 0;
}

/* What containerd 1.6 (the first) to 2.x put into the environment. */
static int settings_fill(struct settings *s, const struct client_container *k)
{
	int r = 0;

	if (k->dialect != CLIENT_DIALECT_ADDRESS)
		r = settings_add(s, "MAX_SHIM_VERSION", "2");
	if (r == 0)
		r = settings_add(s, "GOMAXPROCS", "2");
	if (r == 0)
		r = settings_add(s, "TTRPC_ADDRESS", k->events);
	if (r == 0)
		r = settings_add(s, "GRPC_ADDRESS", k->events);
	if (r == 0)
		r = settings_add(s, "NAMESPACE", k->ns);
	return r;
}

static bool settings_has(const struct settings *s, const char *entry)
{
	size_t i, n = strcspn(entry, "=") + 1;

	for (i = 0; i < s->n; i++)
		if (strncmp(s->text[i], entry, n) == 0)
			return true;
	return strncmp(entry, "MAX_SHIM_VERSION=", n) == 0;
}

/* Our own environment with the settings in it; borrows both. */
static const char **envp_new(const struct settings *s)
{
	const char **envp;
	size_t n = 0, i;

	while (environ[n])
		n++;
	envp = calloc(n + s->n + 1, sizeof(*envp));
	if (!envp)
		return NULL;
	n = 0;
	for (i = 0; environ[i]; i++)
		if (!settings_has(s, environ[i]))
			envp[n++] = environ[i];
	for (i = 0; i < s->n; i++)
		envp[n++] = s->text[i];
	return envp;
}

static void args_fill(const char **argv, const struct client_container *k,
	const char *command)
{
	size_t n = 0;

	argv[n++] = k->shim;
	argv[n++] = "-namespace";
	argv[n++] = k->ns;
	argv[n++] = "-address";
	argv[n++] = k->events ? k->events : "";
	if (k->publisher) {
		argv[n++] = "-publish-binary";
		argv[n++] = k->publisher;
	}
	argv[n++] = "-id";
	argv[n++] = k->id;
	if (k->debug)
		argv[n++] = "-debug";
	if (strcmp(command, "delete") == 0) {
		argv[n++] = "-bundle";
		argv[n++] = k->bundle;
	}
	argv[n++] = command;
	argv[n] = NULL;
}

static int pack(const ProtobufCMessage *m, uint8_t **ret, size_t *ret_n)
{
	uint8_t *data = malloc(protobuf_c_message_get_packed_size(m) + 1);

	if (!data)
		return -ENOMEM;
	*ret_n = protobuf_c_message_pack(m, data);
	*ret = data;
	return 0;
}

static int pack_bootstrap(const struct client_container *k,
	Google__Protobuf__Any *options, uint8_t **ret, size_t *ret_n)
{
	Containerd__Runtime__Bootstrap__V1__BootstrapParams p =
		CONTAINERD__RUNTIME__BOOTSTRAP__V1__BOOTSTRAP_PARAMS__INIT;
	Containerd__Runtime__Bootstrap__V1__Extension x =
		CONTAINERD__RUNTIME__BOOTSTRAP__V1__EXTENSION__INIT;
	Containerd__Runtime__Bootstrap__V1__Extension *xs[] = {&x};
	char *none = (char *)protobuf_c_empty_string;

	x.value = options;
	p.extensions = xs;
	p.n_extensions = 1;
	p.instance_id = (char *)k->id;
	p.namespace_ = (char *)k->ns;
	p.containerd_version = "2.3.0";
	p.containerd_ttrpc_address = k->events ? (char *)k->events : none;
	p.containerd_grpc_address = p.containerd_ttrpc_address;
	p.containerd_binary = k->publisher ? (char *)k->publisher : none;
	p.socket_dir = k->socket_dir ? (char *)k->socket_dir : none;
	if (k->debug)
		p.log_level =
			CONTAINERD__RUNTIME__BOOTSTRAP__V1__LOG_LEVEL__LOG_LEVEL_DEBUG;
	return pack(&p.base, ret, ret_n);
}

static int input_new(const struct client_container *k, const char *command,
	uint8_t **ret, size_t *ret_n)
{
	Google__Protobuf__Any *options;
	int r;

	if (strcmp(command, "start") != 0)
		return 0;
	r = client_options_new(k, &options);
	if (r < 0)
		return r;
	if (k->dialect == CLIENT_DIALECT_BOOTSTRAP)
		r = pack_bootstrap(k, options, ret, ret_n);
	else
		r = pack(&options->base, ret, ret_n);
	client_options_free(options);
	return r;
}

int client_command_run(struct client *c, const struct client_container *k,
	const char *command, client_program_cb cb, void *arg, struct err *e)
{
	const char *argv[ARGS_MAX];
	struct settings settings = {0};
	struct client_program_spec spec = {.argv = argv,
		.cwd = k->bundle,
		.timeout_ms =
			k->timeout_ms ? k->timeout_ms : TIMEOUT_DEFAULT_MS};
	uint8_t *input = NULL;
	const char **envp = NULL;
	int r;

	args_fill(argv, k, command);
	r = settings_fill(&settings, k);
	if (r == 0)
		r = input_new(k, command, &input, &spec.input_n);
	if (r == 0)
		envp = envp_new(&settings);
	if (r == 0 && !envp)
		r = -ENOMEM;
	if (r < 0) {
		err_sys(e, r, "run shim '%s'", k->shim);
	} else {
		spec.input = input;
		spec.envp = envp;
		r = client_program_run(c, &spec, cb, arg, e);
	}
	free(envp);
	free(input);
	return r;
}

int client_command_failed(const struct client_program_result *r,
	const struct client_container *k, const char *command, struct err *e)
{
	char why[512];

	if (r->err.code) {
		*e = r->err;
		return err_prefix(e, "shim '%s' %s", k->shim, command);
	}
	if (r->status == 0)
		return 0;
	client_program_last_line(r->err_out, r->err_out_n, why, sizeof(why));
	if (!*why)
		snprintf(why, sizeof(why), "exit status %u, no message",
			r->status);
	return err_set(
		e, -EREMOTEIO, "shim '%s' %s: %s", k->shim, command, why);
}

static int delete_parse(const struct client_program_result *r,
	struct client_exit *ret, struct err *e)
{
	Containerd__Task__V3__DeleteResponse *a;

	a = containerd__task__v3__delete_response__unpack(
		NULL, r->out_n, (const uint8_t *)r->out);
	if (!a)
		return err_set(e, -EREMOTEIO,
			"the shim's `delete` printed no DeleteResponse");
	ret->pid = a->pid;
	ret->status = a->exit_status;
	if (a->exited_at) {
		ret->at.tv_sec = a->exited_at->seconds;
		ret->at.tv_nsec = a->exited_at->nanos;
	}
	containerd__task__v3__delete_response__free_unpacked(a, NULL);
	return 0;
}

static void on_delete_ended(const struct client_program_result *r, void *arg)
{
	struct client_delete *d = arg;
	struct err e = {0};

	if (client_command_failed(r, d->container, "delete", &e) == 0)
		delete_parse(r, &d->exit, &e);
	d->cb(&e, d->arg);
}

int client_shim_run_delete(struct client *c, const struct client_container *k,
	struct client_delete *d, client_cb cb, void *arg, struct err *e)
{
	*d = (struct client_delete){.container = k, .cb = cb, .arg = arg};
	return client_command_run(c, k, "delete", on_delete_ended, d, e);
}
