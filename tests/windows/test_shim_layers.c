/* SPDX-License-Identifier: Apache-2.0 */
/* End to end: a host-process container whose files are layers. */
#include "platform/file.h"
#include "platform/process.h"
#include "tests/unit/util_test.h"
#include "tests/windows/util_shim.h"
#include "tests/windows/util_vmcompute.h"

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct shim shim;

/* Create, with a mount as a daemon's snapshotter has it. */
static bool create(enum ttrpc_code *code)
{
	Containerd__Task__V3__CreateTaskRequest rq =
		CONTAINERD__TASK__V3__CREATE_TASK_REQUEST__INIT;
	Containerd__Types__Mount m = CONTAINERD__TYPES__MOUNT__INIT, *list = &m;
	const struct mount_spec *spec = vmc_mount();
	ProtobufCMessage *rs;
	char bundle[FILE_PATH_MAX];

	ck_assert_int_eq(file_working_folder(bundle, sizeof(bundle)), 0);
	m.type = (char *)spec->type;
	m.source = (char *)spec->source;
	m.options = (char **)spec->options;
	m.n_options = spec->n_options;
	rq.id = shim.id;
	rq.bundle = bundle;
	rq.rootfs = &list;
	rq.n_rootfs = 1;
	rs = shim_call(&shim, "Create", &rq.base, code);
	if (rs)
		protobuf_c_message_free_unpacked(rs, NULL);
	return rs != NULL;
}

START_TEST(test_life)
{
	char out[512];
	size_t n = sizeof(out);

	vmc_begin();
	bundle_make(WORDS("exit", "7"), "");
	shim_begin(&shim, "layers");
	ck_assert_msg(create(NULL), "%s", shim.message);
	ck_assert_str_eq(vmc_calls(), "CAPgG");
	shim_start(&shim, "");
	ck_assert_uint_eq(shim_wait(&shim, ""), 7);
	ck_assert_str_eq(vmc_calls(), "");
	ck_assert_uint_eq(shim_delete(&shim, ""), 7);
	ck_assert_str_eq(vmc_calls(), "UD");
	ck_assert(vmc_is_clean());
	/* a daemon runs this after each deletion */
	ck_assert_uint_eq(shim_run(&shim, "delete", out, &n), 0);
	ck_assert_str_eq(vmc_calls(), "");
	shim_end(&shim);
}
END_TEST

/* A create that fails after the mount; one in which a call fails. */
START_TEST(test_create_fails)
{
	enum ttrpc_code code;

	vmc_begin();
	bundle_make(WORDS("exit", "0"), ",\"cwd\":\"C:\\\\no*ne\"");
	shim_begin(&shim, "layers-fail");
	ck_assert(!create(&code));
	ck_assert_ptr_nonnull(strstr(shim.message, "no*ne"));
	ck_assert_str_eq(vmc_calls(), "CAPgGUD");
	ck_assert(vmc_is_clean());
	vmc_fail(5, 0x80070005, 0);
	ck_assert(!create(&code));
	ck_assert_ptr_nonnull(strstr(shim.message, "PrepareLayer"));
	ck_assert_str_eq(vmc_calls(), "AP!D");
	vmc_fail_no_more();
	ck_assert(vmc_is_clean());
	bundle_make(WORDS("exit", "0"), "");
	ck_assert_msg(create(NULL), "%s", shim.message);
	shim_start(&shim, "");
	shim_wait(&shim, "");
	shim_delete(&shim, "");
	ck_assert(vmc_is_clean());
	shim_end(&shim);
}
END_TEST

/* The shim is killed; `delete` undoes what it left, once. */
START_TEST(test_killed)
{
	struct process_ref *ref;
	char out[512];
	size_t n = sizeof(out);

	vmc_begin();
	bundle_make(WORDS("sleep"), "");
	shim_begin(&shim, "layers-killed");
	ck_assert_msg(create(NULL), "%s", shim.message);
	shim_start(&shim, "");
	ck_assert_str_eq(vmc_calls(), "CAPgG");
	ck_assert_int_eq(process_ref_open(shim.pid, &ref), 0);
	ck_assert_int_eq(process_ref_signal(ref, SIGKILL), 0);
	process_ref_close(ref);
	ck_assert(wait_for(
		shim.base, process_ref_open(shim.pid, &ref) == -ESRCH ||
				   (process_ref_close(ref), false)));
	ck_assert(!vmc_is_clean());
	ck_assert_uint_eq(shim_run(&shim, "delete", out, &n), 0);
	ck_assert_str_eq(vmc_calls(), "UD");
	ck_assert(vmc_is_clean());
	ck_assert(!file_exists(here("mounts")));
	n = sizeof(out);
	ck_assert_uint_eq(shim_run(&shim, "delete", out, &n), 0);
	ck_assert_str_eq(vmc_calls(), "");
	shim_end(&shim);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		test_life, test_create_fails, test_killed, NULL};

	child_main();
	return suite_run("windows shim layers", tests);
}
