/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/windows/util_shim.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/auto.h"
#include "platform/file.h"
#include "platform/process.h"
#include "tests/unit/util_test.h"

#define SERVICE "containerd.task.v2.Task"

/* As JSON has it. */
static void put_quoted(FILE *f, const char *text)
{
	fputc('"', f);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', f);
		fputc(*text, f);
	}
	fputc('"', f);
}

void bundle_make(const char *const *words, const char *more)
{
	FILE *f = fopen("config.json", "wb");

	ck_assert_ptr_nonnull(f);
	fputs("{\"ociVersion\":\"1.1.0\",\"process\":{\"args\":[", f);
	put_quoted(f, own_path());
	fputs(",\"child\"", f);
	for (; *words; words++) {
		fputc(',', f);
		put_quoted(f, *words);
	}
	fprintf(f,
		"]%s},\"root\":{\"path\":\"rootfs\"},\"windows\":{},"
		"\"annotations\":{"
		"\"microsoft.com/hostprocess-container\":\"true\"}}",
		more);
	fclose(f);
}

static void on_ready(void *arg)
{
	(void)arg;
}

uint32_t shim_run(struct shim *s, const char *verb, char *out, size_t *n)
{
	const char *argv[] = {getenv("WISP_SHIM"), "-namespace", "ns", "-id",
		s->id, "-address", "\\\\.\\pipe\\nobody", verb, NULL};
	struct process_spec spec = {.argv = argv};
	struct process_exit x = {0};
	struct stream *from;
	struct endpoint *theirs;
	struct err e;
	int64_t pid;
	size_t got;

	ck_assert_msg(argv[0] != NULL, "WISP_SHIM is not set");
	ck_assert_int_eq(stream_pipe_from_child(s->base, &from, &theirs), 0);
	/* a daemon reads both as one: CombinedOutput() */
	spec.endpoints[1] = spec.endpoints[2] = theirs;
	ck_assert_msg(process_spawn(&spec, &pid, &e) == 0, "%s", e.msg);
	endpoint_close(theirs);
	got = read_some(s->base, from, out, *n - 1);
	out[got] = '\0';
	*n = got;
	stream_close(from);
	ck_assert(wait_for(s->base, exit_source_next_of(s->source, pid, &x)));
	return x.status;
}

struct answer {
	bool came;
	enum ttrpc_code code;
	ProtobufCMessage *response;
	char *message;
};

/* The response is the client's: packed and unpacked, it is a copy. */
static void on_answer(const struct ttrpc_result *r, void *arg)
{
	struct answer *a = arg;

	a->came = true;
	a->code = r->code;
	snprintf(a->message, 512, "%s", r->message);
	if (r->response) {
		size_t n = protobuf_c_message_get_packed_size(r->response);
		uint8_t *data = malloc(n + 1);

		protobuf_c_message_pack(r->response, data);
		a->response = protobuf_c_message_unpack(
			r->response->descriptor, NULL, n, data);
		free(data);
	}
}

ProtobufCMessage *shim_call(struct shim *s, const char *method,
	const ProtobufCMessage *rq, enum ttrpc_code *ret_code)
{
	struct answer a = {.message = s->message};
	const ProtobufCMethodDescriptor *m =
		protobuf_c_service_descriptor_get_method_by_name(
			&containerd__task__v3__task__descriptor, method);

	ck_assert_ptr_nonnull(m);
	if (ttrpc_client_call(
		    s->client, SERVICE, m, rq, 0, NULL, on_answer, &a) < 0) {
		a.came = true;
		a.code = TTRPC_UNAVAILABLE;
		strcpy(s->message, "the connection is closed");
	}
	ck_assert_msg(wait_for(s->base, a.came), "%s: no answer (%s)", method,
		s->note ? s->note() : "");
	if (ret_code)
		*ret_code = a.code;
	else
		ck_assert_msg(a.code == TTRPC_OK, "%s: %s", method, s->message);
	return a.response;
}

void shim_call_plain(struct shim *s, const char *method,
	const ProtobufCMessage *rq, enum ttrpc_code *ret_code)
{
	ProtobufCMessage *rs = shim_call(s, method, rq, ret_code);

	if (rs)
		protobuf_c_message_free_unpacked(rs, NULL);
}

static void dial(struct shim *s)
{
	struct stream *to;
	struct err e;

	ck_assert_msg(wait_for(s->base, stream_connect(s->base, s->address, &to,
						&e) == 0),
		"%s", e.msg);
	s->client = ttrpc_client_new(s->base, to, NULL, NULL);
	ck_assert_ptr_nonnull(s->client);
}

void shim_redial(struct shim *s)
{
	ttrpc_client_free(s->client);
	dial(s);
}

void shim_revive(struct shim *s)
{
	Containerd__Task__V3__ConnectRequest rq =
		CONTAINERD__TASK__V3__CONNECT_REQUEST__INIT;
	enum ttrpc_code code = TTRPC_UNAVAILABLE;
	int tries;

	rq.id = s->id;
	for (tries = 0; tries < 2 && code == TTRPC_UNAVAILABLE; tries++) {
		shim_call_plain(s, "Connect", &rq.base, &code);
		if (code == TTRPC_UNAVAILABLE)
			shim_redial(s);
	}
	ck_assert_msg(code == TTRPC_OK, "Connect: %s (%s)", s->message,
		s->note ? s->note() : "");
}

void shim_open(struct shim *s, const char *id)
{
	struct err e;

	memset(s, 0, sizeof(*s));
	snprintf(s->id, sizeof(s->id), "%s", id);
	s->base = event_base_new();
	ck_assert_int_eq(
		exit_source_new(s->base, on_ready, NULL, &s->source, &e), 0);
}

void shim_meet(struct shim *s)
{
	Containerd__Task__V3__ConnectRequest rq =
		CONTAINERD__TASK__V3__CONNECT_REQUEST__INIT;
	Containerd__Task__V3__ConnectResponse *rs;

	dial(s);
	rq.id = s->id;
	rs = (void *)shim_call(s, "Connect", &rq.base, NULL);
	s->pid = rs->shim_pid;
	protobuf_c_message_free_unpacked(&rs->base, NULL);
}

void shim_begin(struct shim *s, const char *id)
{
	size_t n = sizeof(s->address);
	uint32_t status;

	shim_open(s, id);
	status = shim_run(s, "start", s->address, &n);
	ck_assert_msg(status == 0, "start: %s", s->address);
	shim_meet(s);
}

void shim_leave(struct shim *s)
{
	Containerd__Task__V3__ShutdownRequest rq =
		CONTAINERD__TASK__V3__SHUTDOWN_REQUEST__INIT;
	struct process_ref *ref;
	int r = process_ref_open(s->pid, &ref);
	enum ttrpc_code code;

	if (r == 0) {
		rq.id = s->id;
		shim_call_plain(s, "Shutdown", &rq.base, &code);
		process_ref_close(ref);
		ck_assert(wait_for(
			s->base, process_ref_open(s->pid, &ref) == -ESRCH ||
					 (process_ref_close(ref), false)));
	}
	ttrpc_client_free(s->client);
}

void shim_close(struct shim *s)
{
	exit_source_free(s->source);
	event_base_free(s->base);
}

void shim_end(struct shim *s)
{
	shim_leave(s);
	if (s->after_shutdown)
		s->after_shutdown();
	shim_close(s);
}

uint32_t shim_create(struct shim *s, const char *out)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	Containerd__Task__V3__CreateTaskResponse *rs;
	char bundle[FILE_PATH_MAX];
	uint32_t pid;

	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	rq.id = s->id;
	rq.bundle = bundle;
	rq.stdout = (char *)out;
	rs = (void *)shim_call(s, "Create", &rq.base, NULL);
	pid = rs->pid;
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	return pid;
}

uint32_t shim_start(struct shim *s, const char *exec_id)
{
	Containerd__Task__V3__StartRequest rq =
		CONTAINERD__TASK__V3__START_REQUEST__INIT;
	Containerd__Task__V3__StartResponse *rs;
	uint32_t pid;

	rq.id = s->id;
	rq.exec_id = (char *)exec_id;
	rs = (void *)shim_call(s, "Start", &rq.base, NULL);
	pid = rs->pid;
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	return pid;
}

uint32_t shim_wait(struct shim *s, const char *exec_id)
{
	Containerd__Task__V3__WaitRequest rq =
		CONTAINERD__TASK__V3__WAIT_REQUEST__INIT;
	Containerd__Task__V3__WaitResponse *rs;
	uint32_t status;

	rq.id = s->id;
	rq.exec_id = (char *)exec_id;
	rs = (void *)shim_call(s, "Wait", &rq.base, NULL);
	status = rs->exit_status;
	ck_assert_ptr_nonnull(rs->exited_at);
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	return status;
}

uint32_t shim_delete(struct shim *s, const char *exec_id)
{
	Containerd__Task__V3__DeleteRequest rq =
		CONTAINERD__TASK__V3__DELETE_REQUEST__INIT;
	Containerd__Task__V3__DeleteResponse *rs;
	uint32_t status;

	rq.id = s->id;
	rq.exec_id = (char *)exec_id;
	rs = (void *)shim_call(s, "Delete", &rq.base, NULL);
	status = rs->exit_status;
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	return status;
}

enum ttrpc_code shim_kill(struct shim *s, const char *exec_id, uint32_t signal)
{
	Containerd__Task__V3__KillRequest rq =
		CONTAINERD__TASK__V3__KILL_REQUEST__INIT;
	enum ttrpc_code code;

	rq.id = s->id;
	rq.exec_id = (char *)exec_id;
	rq.signal = signal;
	shim_call_plain(s, "Kill", &rq.base, &code);
	return code;
}
