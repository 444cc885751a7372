/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "platform/details.h"
#include "runhcs_options.pb-c.h"
#include "shim/runtime.h"

typedef Containerd__Runhcs__V1__ProcessDetails Message;

/* What is not known of a process stays out. */
static int pack(const Message *m, Any **ret)
{
	Any *any = malloc(sizeof(*any));

	if (!any)
		return -ENOMEM;
	google__protobuf__any__init(any);
	any->type_url = (char *)"containerd.runhcs.v1.ProcessDetails";
	any->value.len =
		containerd__runhcs__v1__process_details__get_packed_size(m);
	any->value.data = malloc(any->value.len);
	if (!any->value.data) {
		free(any);
		return -ENOMEM;
	}
	containerd__runhcs__v1__process_details__pack(m, any->value.data);
	*ret = any;
	return 0;
}

int runtime_describe(int64_t pid, const char *exec_id,
	struct runtime_details **details, Any **ret)
{
	struct details **all = (struct details **)details;
	Message m = CONTAINERD__RUNHCS__V1__PROCESS_DETAILS__INIT;
	Timestamp born = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
	struct process_details p;

	*ret = NULL;
	if (!*all && details_take(all) == -ENOMEM)
		return -ENOMEM;
	m.process_id = (uint32_t)pid;
	m.exec_id = (char *)(exec_id ? exec_id : "");
	if (*all && details_find(*all, pid, &p) == 0) {
		m.image_name = p.image;
		born.seconds = p.born.tv_sec;
		born.nanos = (int32_t)p.born.tv_nsec;
		m.created_at = &born;
		m.kernel_time_100_ns = p.kernel_100ns;
		m.user_time_100_ns = p.user_100ns;
		m.memory_commit_bytes = p.commit_bytes;
		m.memory_working_set_private_bytes = p.private_bytes;
		m.memory_working_set_shared_bytes = p.shared_bytes;
	}
	return pack(&m, ret);
}

void runtime_free_details(struct runtime_details *details)
{
	details_free((struct details *)details);
}
