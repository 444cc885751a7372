/* SPDX-License-Identifier: Apache-2.0 */
/* End to end: what is special to host-process containers. */
#include <stdlib.h>

#include "introspection.pb-c.h"
#include "platform/file.h"
#include "platform/process.h"
#include "platform/windows/pipe.h"
#include "runhcs_options.pb-c.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_shim.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct shim shim;
static char path[4096];

static const char *as_json(const char *text)
{
	char *to = path;

	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			*to++ = '\\';
		*to++ = *text;
	}
	*to = '\0';
	return path;
}

/* A config.json of which only the annotations differ, and what comes before
 * them; the process is this program. */
static void config(const char *words, const char *process, const char *more,
	const char *annotations)
{
	char json[16384];

	snprintf(json, sizeof(json),
		"{\"process\":{\"args\":[\"%s\",\"child\",%s]%s},\"root\":{"
		"\"path\":\"rootfs\"},%s\"windows\":{},\"annotations\":{%s}}",
		as_json(own_path()), words, process, more, annotations);
	put_text("config.json", json);
}

#define HOST_PROCESS "\"microsoft.com/hostprocess-container\":\"true\""

static enum ttrpc_code create(const char *out, const Any *options)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	char bundle[FILE_PATH_MAX];
	ProtobufCMessage *rs;
	enum ttrpc_code code;

	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	rq.id = shim.id;
	rq.bundle = bundle;
	rq.stdout = (char *)out;
	rq.options = (Any *)options;
	rs = shim_call(&shim, "Create", &rq.base, &code);
	if (rs)
		protobuf_c_message_free_unpacked(rs, NULL);
	return code;
}

static struct stream *serve(const char *name)
{
	wchar_t wide[PIPE_NAME_MAX];
	struct stream *s;
	HANDLE h;

	ck_assert_int_eq(pipe_name(name, wide), 0);
	ck_assert_int_eq(pipe_listen(wide, PIPE_ACCESS_DUPLEX, true, 1,
				 PIPE_FOR_ALL_OF_US, &h),
		0);
	ck_assert_int_eq(stream_from_handle(shim.base, h, &s), 0);
	return s;
}

/* What it prints, once it has ended with 0. */
static void run(const char *id, char *buf, size_t n)
{
	const char *name = "\\\\.\\pipe\\ctr-jobs-stdout";
	struct stream *out;

	shim_begin(&shim, id);
	out = serve(name);
	ck_assert_msg(create(name, NULL) == TTRPC_OK, "%s", shim.message);
	shim_start(&shim, "");
	buf[read_some(shim.base, out, buf, n - 1)] = '\0';
	ck_assert_uint_eq(shim_wait(&shim, ""), 0);
	shim_delete(&shim, "");
	stream_close(out);
	shim_end(&shim);
}

/* Wine can show neither silos nor links: root is where it is. */
START_TEST(test_root)
{
	char want[FILE_PATH_MAX], got[FILE_PATH_MAX];
	char *p;

	snprintf(want, sizeof(want), "%s", here("rootfs"));
	for (p = want; *p; p++)
		if (*p == '/')
			*p = '\\';
	config("\"env\",\"CONTAINER_SANDBOX_MOUNT_POINT\"", "", "",
		HOST_PROCESS);
	run("root-env", got, sizeof(got));
	ck_assert_str_eq(got, want);
	/* a folder that is not there is made, below root */
	config("\"cwd\"", ",\"cwd\":\"C:\\\\data\\\\x\"", "", HOST_PROCESS);
	run("root-cwd", got, sizeof(got));
	strcat(want, "\\data\\x");
	ck_assert_str_eq(got, want);
	config("\"cwd\"", ",\"cwd\":\"%CONTAINER_SANDBOX_MOUNT_POINT%/data\"",
		"", HOST_PROCESS);
	run("root-mount", got, sizeof(got));
	want[strlen(want) - 2] = '\0';
	ck_assert_str_eq(got, want);
	ck_assert(!file_exists("C:\\hpc\\root-env"));
	ck_assert(!file_exists("container-notes"));
}
END_TEST

/* A line as it is, of a program that is found in the system's folders; and one
 * of which it has to be found out where its name ends. */
START_TEST(test_line)
{
	char got[256], json[8192];

	put_text("config.json", "{\"process\":{\"commandLine\":\"cmd /c echo "
				"\\\"a  b\\\" c\"},"
				"\"annotations\":{" HOST_PROCESS "}}");
	run("line", got, sizeof(got));
	ck_assert_str_eq(got, "\"a  b\" c\r\n");
	ck_assert_int_eq(file_make_folder("rootfs"), 0);
	ck_assert_int_eq(file_make_folder("rootfs/a b"), 0);
	ck_assert(CopyFileA(own_path(), "rootfs/a b/x y.exe", FALSE));
	snprintf(json, sizeof(json),
		"{\"process\":{\"commandLine\":\"%s\\\\a b\\\\x y child env "
		"Q\","
		"\"env\":[\"Q=%%CONTAINER_SANDBOX_MOUNT_POINT%%|\"]},"
		"\"root\":{\"path\":\"rootfs\"},"
		"\"annotations\":{" HOST_PROCESS "}}",
		"%CONTAINER_SANDBOX_MOUNT_POINT%");
	put_text("config.json", json);
	run("line2", got, sizeof(got));
	ck_assert_msg(strstr(got, "rootfs|") != NULL, "%s", got);
}
END_TEST

static void refused(const char *annotations, const char *process,
	const char *more, enum ttrpc_code code, const char *what)
{
	char both[1024];

	snprintf(both, sizeof(both), HOST_PROCESS "%s%s",
		*annotations ? "," : "", annotations);
	config("\"exit\",\"0\"", process, more, both);
	ck_assert_int_eq(create("", NULL), code);
	ck_assert_msg(strstr(shim.message, what) != NULL, "%s", shim.message);
}

START_TEST(test_refused)
{
	bundle_make(WORDS("exit", "0"), "");
	shim_begin(&shim, "refused");
	refused("\"io.microsoft.container.storage.qos.iopsmaximum\":\"5\"", "",
		"", TTRPC_UNIMPLEMENTED, "storage");
	refused("\"io.microsoft.container.processor.count\":\"1\","
		"\"io.microsoft.container.processor.weight\":\"1\"",
		"", "", TTRPC_INVALID_ARGUMENT, "only one");
	refused("\"io.microsoft.container.memory.sizeinmb\":\"much\"", "", "",
		TTRPC_INVALID_ARGUMENT, "sizeinmb");
	refused("", ",\"user\":{\"username\":\"X\\\\somebody\"}", "",
		TTRPC_INVALID_ARGUMENT, "somebody");
	refused("", "",
		"\"mounts\":[{\"source\":\"C:\\\\windows\",\"destination\":"
		"\"C:\\\\x\"}],",
		TTRPC_UNIMPLEMENTED, "C:\\windows");
	/* none of that has left anything */
	ck_assert(!file_exists("container-notes"));
	ck_assert(!file_exists("rootfs"));
	/* who it is to be does not matter then */
	config("\"exit\",\"4\"", ",\"user\":{\"username\":\"somebody\"}", "",
		HOST_PROCESS
		",\"microsoft.com/hostprocess-inherit-user\":\"true\"");
	ck_assert_msg(create("", NULL) == TTRPC_OK, "%s", shim.message);
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 4);
	shim_delete(&shim, "");
	shim_end(&shim);
}
END_TEST

static void options(Any *any, const Containerd__Runhcs__V1__Options *o)
{
	static uint8_t data[512];

	google__protobuf__any__init(any);
	any->type_url = (char *)"containerd.runhcs.v1.Options";
	any->value.data = data;
	any->value.len = containerd__runhcs__v1__options__pack(o, data);
}

/* An annotation of the options is as good as one of config.json. */
START_TEST(test_default_annotations)
{
	Containerd__Runhcs__V1__Options o =
		CONTAINERD__RUNHCS__V1__OPTIONS__INIT;
	Containerd__Runhcs__V1__Options__DefaultContainerAnnotationsEntry entry,
		*list[] = {&entry};
	Any any;

	containerd__runhcs__v1__options__default_container_annotations_entry__init(
		&entry);
	entry.key = (char *)"microsoft.com/hostprocess-container";
	entry.value = (char *)"true";
	o.n_default_container_annotations = 1;
	o.default_container_annotations = list;
	options(&any, &o);
	config("\"exit\",\"6\"", "", "", "");
	shim_begin(&shim, "annotations");
	ck_assert_msg(create("", &any) == TTRPC_OK, "%s", shim.message);
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 6);
	shim_delete(&shim, "");
	shim_end(&shim);
}
END_TEST

static uint32_t exec_sleep(const char *id)
{
	Containerd__Task__V3__ExecProcessRequest rq =
		CONTAINERD__TASK__V3__EXEC_PROCESS_REQUEST__INIT;
	Any spec = GOOGLE__PROTOBUF__ANY__INIT;
	char json[8192];

	snprintf(json, sizeof(json), "{\"args\":[\"%s\",\"child\",\"sleep\"]}",
		as_json(own_path()));
	spec.type_url =
		(char *)"types.containerd.io/opencontainers/runtime-spec/1/"
			"Process";
	spec.value.data = (uint8_t *)json;
	spec.value.len = strlen(json);
	rq.id = shim.id;
	rq.exec_id = (char *)id;
	rq.spec = &spec;
	protobuf_c_message_free_unpacked(
		shim_call(&shim, "Exec", &rq.base, NULL), NULL);
	return shim_start(&shim, id);
}

/* Every process, with what the system knows of it. */
START_TEST(test_pids)
{
	Containerd__Task__V3__PidsRequest rq =
		CONTAINERD__TASK__V3__PIDS_REQUEST__INIT;
	Containerd__Task__V3__PidsResponse *rs;
	unsigned found = 0;
	uint32_t pid, exec;
	size_t i;

	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, "details");
	pid = shim_create(&shim, "");
	shim_start(&shim, "");
	exec = exec_sleep("e1");
	rq.id = shim.id;
	rs = (void *)shim_call(&shim, "Pids", &rq.base, NULL);
	for (i = 0; i < rs->n_processes; i++) {
		const Containerd__V1__Types__ProcessInfo *p = rs->processes[i];
		Containerd__Runhcs__V1__ProcessDetails *d;

		ck_assert_str_eq(p->info->type_url,
			"containerd.runhcs.v1.ProcessDetails");
		d = containerd__runhcs__v1__process_details__unpack(
			NULL, p->info->value.len, p->info->value.data);
		ck_assert_ptr_nonnull(d);
		ck_assert_uint_eq(d->process_id, p->pid);
		ck_assert_str_eq(d->exec_id, p->pid == exec ? "e1" : "");
		if (p->pid == pid || p->pid == exec) {
			found++;
			ck_assert_str_eq(
				d->image_name, strrchr(own_path(), '\\') + 1);
			ck_assert_int_ge(
				d->created_at->seconds, time(NULL) - 600);
			ck_assert_uint_gt(
				d->memory_working_set_shared_bytes, 0);
		}
		containerd__runhcs__v1__process_details__free_unpacked(d, NULL);
	}
	ck_assert_uint_eq(found, 2);
	protobuf_c_message_free_unpacked(&rs->base, NULL);
	/* init's end is the end of all, and is told last */
	ck_assert_int_eq(shim_kill(&shim, "", 9), TTRPC_OK);
	shim_wait(&shim, "");
	shim_wait(&shim, "e1");
	shim_delete(&shim, "e1");
	shim_delete(&shim, "");
	shim_end(&shim);
}
END_TEST

/* What init leaves behind is told to shut down, and ended after five seconds:
 * before that init's own exit is not told. */
START_TEST(test_stubborn)
{
	uint64_t before;

	bundle_make(WORDS("leave"), "");
	shim_begin(&shim, "stubborn");
	shim_create(&shim, "");
	before = GetTickCount64();
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 3);
	ck_assert_uint_ge(GetTickCount64() - before, 5000);
	ck_assert_uint_eq(shim_delete(&shim, ""), 3);
	shim_end(&shim);
}
END_TEST

/* One that is suspended can't shut down. */
START_TEST(test_frozen)
{
	bundle_make(WORDS("freeze"), "");
	shim_begin(&shim, "frozen");
	shim_create(&shim, "");
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 3);
	ck_assert_uint_eq(shim_delete(&shim, ""), 3);
	shim_end(&shim);
}
END_TEST

/* Each signal of the table ends what does not ask for it; others are refused,
 * with `all` too. */
START_TEST(test_signals)
{
	static const uint32_t signals[] = {0, 1, 2, 5, 6, 15, 9};
	Containerd__Task__V3__KillRequest rq =
		CONTAINERD__TASK__V3__KILL_REQUEST__INIT;
	HANDLE ready = CreateEventA(NULL, FALSE, FALSE, "wisp-test-signals");
	enum ttrpc_code code;
	size_t i;

	ck_assert_ptr_nonnull(ready);
	bundle_make(WORDS("sleep", "wisp-test-signals"), "");
	shim_begin(&shim, "signals");
	for (i = 0; i < LENGTH(signals); i++) {
		shim_create(&shim, "");
		shim_start(&shim, "");
		/* Wine does not survive an event in the middle of a start */
		ck_assert_int_eq(WaitForSingleObject(ready, TEST_WAIT_MS),
			WAIT_OBJECT_0);
		rq.id = shim.id;
		rq.all = i % 2;
		rq.signal = 10;
		ck_assert_ptr_null(shim_call(&shim, "Kill", &rq.base, &code));
		ck_assert_int_eq(code, TTRPC_FAILED_PRECONDITION);
		rq.signal = signals[i];
		protobuf_c_message_free_unpacked(
			shim_call(&shim, "Kill", &rq.base, NULL), NULL);
		shim_wait(&shim, "");
		rq.signal = 9;
		ck_assert_ptr_null(shim_call(&shim, "Kill", &rq.base, &code));
		ck_assert_int_eq(code, TTRPC_NOT_FOUND);
		shim_delete(&shim, "");
	}
	CloseHandle(ready);
	shim_end(&shim);
}
END_TEST

/* The shim is gone: what it had made is in the notes, which `delete` reads. */
START_TEST(test_delete_after_a_crash)
{
	Containerd__Task__V3__DeleteResponse *rs;
	struct process_ref *ref;
	char said[1024];
	size_t n = sizeof(said);

	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, "crash");
	shim_create(&shim, "");
	shim_start(&shim, "");
	ck_assert(file_exists("container-notes"));
	ck_assert(file_exists("C:\\hpc\\crash"));
	ck_assert_int_eq(process_ref_open(shim.pid, &ref), 0);
	ck_assert_int_eq(process_ref_signal(ref, 9), 0);
	process_ref_close(ref);
	ck_assert(wait_for(
		shim.base, process_ref_open(shim.pid, &ref) == -ESRCH ||
				   (process_ref_close(ref), false)));
	ck_assert_uint_eq(shim_run(&shim, "delete", said, &n), 0);
	rs = containerd__task__v3__delete_response__unpack(
		NULL, n, (uint8_t *)said);
	ck_assert_ptr_nonnull(rs);
	ck_assert_uint_eq(rs->exit_status, 255);
	containerd__task__v3__delete_response__free_unpacked(rs, NULL);
	ck_assert(!file_exists("container-notes"));
	ck_assert(!file_exists("C:\\hpc\\crash"));
	shim_end(&shim);
}
END_TEST

/* What it says of itself is all that is said: a daemon reads both streams. */
START_TEST(test_info)
{
	Containerd__Types__RuntimeInfo *info;
	char said[4096];
	size_t n = sizeof(said);

	bundle_make(WORDS("exit", "0"), "");
	shim_begin(&shim, "info");
	ck_assert_uint_eq(shim_run(&shim, "-info", said, &n), 0);
	info = containerd__types__runtime_info__unpack(
		NULL, n, (uint8_t *)said);
	ck_assert_msg(info != NULL, "%.*s", (int)n, said);
	ck_assert_str_eq(info->name, "io.containerd.wisp.v1");
	ck_assert_ptr_null(info->features);
	containerd__types__runtime_info__free_unpacked(info, NULL);
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_root, test_line, test_refused,
		test_default_annotations, test_pids, test_stubborn, test_frozen,
		test_signals, test_delete_after_a_crash, test_info, NULL};

	child_main();
	return suite_run("windows shim jobs", tests);
}
