/* SPDX-License-Identifier: Apache-2.0 */
#include "shim/start.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bootstrap.pb-c.h"
#include "platform/auto.h"
#include "platform/file.h"
#include "platform/host.h"
#include "platform/listener.h"
#include "platform/process.h"
#include "platform/socket.h"
#include "shim/bundle.h"
#include "shim/ident.h"
#include "shim/options.h"
#include "shim/runtime.h"
#include "shim/serve.h"

#define STDIN_MAX (10 * 1024 * 1024)
#define STDIN_MS 10000

typedef Containerd__Runtime__Bootstrap__V1__BootstrapParams Params;
typedef Containerd__Runtime__Bootstrap__V1__BootstrapResult Result;

struct start {
	const struct args *args;
	enum start_dialect dialect;
	Params *params; /* NULL unless the daemon sent them */
	char address[SOCKET_ADDRESS_MAX];
	char dir[PATH_MAX];
	char *shim_cgroup; /* NULL: none among the options on stdin */
	bool grouped;
};

/* The environment says the same to 2.3 as to 1.7: only stdin tells them
 * apart, and an Any with options could be taken for anything. */
static Params *unpack_params(
	const struct args *args, const uint8_t *data, size_t n)
{
	Params *p =
		containerd__runtime__bootstrap__v1__bootstrap_params__unpack(
			NULL, n, data);

	if (!p)
		return NULL;
	if (*p->instance_id && strcmp(p->instance_id, args->id) == 0 &&
		strcmp(p->namespace_, args->ns) == 0)
		return p;
	containerd__runtime__bootstrap__v1__bootstrap_params__free_unpacked(
		p, NULL);
	return NULL;
}

/* A host without an OCI runtime is told so now, not at the first Create. The
 * options are checked there, once: here only the binary matters. */
static int check_runtime(
	struct start *s, const uint8_t *data, size_t n, struct err *e)
{
	struct options o = {0};
	const char *binary;
	Any *any = NULL;
	int r;

	if (s->params && s->params->n_extensions > 0)
		any = s->params->extensions[0]->value;
	else if (!s->params && n > 0)
		any = google__protobuf__any__unpack(NULL, n, data);
	if (options_unpack(any, &o, NULL) < 0)
		free(ptr_take(&o.shim_cgroup));
	r = runtime_find(&o, &binary, e);
	if (r == 0 && o.binary && !process_find(binary))
		r = err_set(e, -ENOENT,
			"OCI runtime '%s' of the option binary_name is not "
			"found in PATH",
			binary);
	s->shim_cgroup = ptr_take(&o.shim_cgroup);
	options_clear(&o);
	if (any && !s->params)
		google__protobuf__any__free_unpacked(any, NULL);
	return r;
}

static int read_params(struct start *s, struct err *e)
{
	auto_free uint8_t *data = NULL;
	size_t n;
	int r = host_read_stdin(STDIN_MAX, STDIN_MS, &data, &n, e);

	if (r < 0)
		return r;
	if (n > 0)
		s->params = unpack_params(s->args, data, n);
	if (s->params)
		s->dialect = START_BOOTSTRAP;
	else
		s->dialect =
			getenv("MAX_SHIM_VERSION") ? START_JSON : START_BARE;
	return check_runtime(s, data, n, e);
}

static int find_address(struct start *s, struct err *e)
{
	struct bundle b;
	int r;

	r = file_working_folder(s->dir, sizeof(s->dir));
	if (r < 0)
		return err_sys(e, r, "working directory");
	r = bundle_open(s->dir, &b, e);
	if (r < 0)
		return r;
	s->grouped = b.group != NULL;
	r = socket_address(s->params ? s->params->socket_dir : NULL,
		s->args->address, s->args->ns, b.group ? b.group : s->args->id,
		s->address, sizeof(s->address), e);
	bundle_clear(&b);
	return r;
}

/* On Windows every address has backslashes. */
static int answer_json(const char *address, uint8_t *buf, size_t n)
{
	static const char begin[] = "{\"version\":2,\"address\":\"";
	static const char end[] = "\",\"protocol\":\"ttrpc\"}";
	size_t len = strlen(begin), more = strlen(address);
	const char *p;

	for (p = address; *p; p++)
		more += *p == '"' || *p == '\\';
	if (len + more + sizeof(end) > n)
		return -ENAMETOOLONG;
	memcpy(buf, begin, sizeof(begin));
	for (p = address; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf[len++] = '\\';
		buf[len++] = (uint8_t)*p;
	}
	memcpy(buf + len, end, sizeof(end));
	return (int)(len + strlen(end));
}

static int answer_bootstrap(const char *address, uint8_t *buf, size_t n)
{
	Result rs = CONTAINERD__RUNTIME__BOOTSTRAP__V1__BOOTSTRAP_RESULT__INIT;

	rs.version = 3;
	rs.address = (char *)address;
	rs.protocol = (char *)"ttrpc";
	if (protobuf_c_message_get_packed_size(&rs.base) > n)
		return -ENAMETOOLONG;
	return (int)protobuf_c_message_pack(&rs.base, buf);
}

int start_answer(
	enum start_dialect dialect, const char *address, uint8_t *buf, size_t n)
{
	int len;

	if (dialect == START_BOOTSTRAP)
		return answer_bootstrap(address, buf, n);
	if (dialect == START_JSON)
		return answer_json(address, buf, n);
	len = snprintf((char *)buf, n, "%s", address);
	return (size_t)len >= n ? -ENAMETOOLONG : len;
}

static int announce(const struct start *s, struct err *e)
{
	uint8_t answer[2 * SOCKET_ADDRESS_MAX + 128];
	int r;

	r = start_answer(s->dialect, s->address, answer, sizeof(answer));
	if (r > 0)
		r = host_write_stdout(answer, (size_t)r);
	return r < 0 ? err_sys(e, r, "print the address") : 0;
}

static const char *env_or_params(
	const char *name, const struct start *s, const char *from_params)
{
	const char *text = getenv(name);

	return s->params && *from_params ? from_params : text;
}

static int run(struct start *s, struct listener *l, struct err *e)
{
	struct serve_config config = {
		.ns = s->args->ns,
		.id = s->args->id,
		.address = s->address,
		.grpc_address = s->args->address,
		.publish_binary = s->args->publish_binary,
		.shim_cgroup = s->shim_cgroup,
		.debug = s->args->debug,
	};

	config.ttrpc_address = env_or_params("TTRPC_ADDRESS", s,
		s->params ? s->params->containerd_ttrpc_address : "");
	if (s->params) {
		if (*s->params->containerd_binary)
			config.publish_binary = s->params->containerd_binary;
		config.debug |= s->params->log_level < 0;
	}
	return serve(&config, l, e);
}

static int begin(struct start *s, struct err *e)
{
	struct listener *l = NULL;
	int claimed = socket_claim(s->address, &l, e), r;

	if (claimed < 0)
		return claimed;
	if (claimed == 1 && !s->grouped)
		return err_set(e, -EEXIST,
			"a shim for container '%s' runs already at %s",
			s->args->id, s->address);
	/* 1.6 and 1.7 find their shims again by the file. Before there is a
	 * second process: a failure needs nobody to end it */
	r = bundle_write(s->dir, "address", s->address, e);
	if (r == 0 && claimed == 1)
		return announce(s, e);
	host_set_oom_score(); /* refused without CAP_SYS_RESOURCE: no matter */
	if (r == 0)
		r = host_split(e);
	if (r == 0)
		return run(s, l, e);
	if (r == 1)
		r = announce(s, e);
	else
		listener_unlink(s->address);
	listener_close(l);
	return r;
}

static int start(const struct args *args, struct err *e)
{
	struct start *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_set(e, -ENOMEM, "no memory");
	s->args = args;
	r = ident_check("namespace (-namespace)", args->ns, e);
	if (r == 0)
		r = ident_check("container id (-id)", args->id, e);
	if (r == 0)
		r = read_params(s, e);
	if (r == 0)
		r = find_address(s, e);
	if (r == 0)
		r = begin(s, e);
	if (s->params)
		containerd__runtime__bootstrap__v1__bootstrap_params__free_unpacked(
			s->params, NULL);
	free(s->shim_cgroup);
	free(s);
	return r;
}

int start_command(const struct args *args, struct err *e)
{
	int r = start(args, e);

	if (r < 0) /* to the process that was called, if this is another one */
		host_ready(e);
	return r;
}
