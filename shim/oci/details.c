/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>

#include "runc_options.pb-c.h"
#include "shim/runtime.h"

/* As the reference shim: of an exec's process its id, of others nothing. */
int runtime_describe(int64_t pid, const char *exec_id,
	struct runtime_details **details, Any **ret)
{
	Containerd__Runc__V1__ProcessDetails d =
		CONTAINERD__RUNC__V1__PROCESS_DETAILS__INIT;
	Any *any;

	(void)pid;
	(void)details;
	*ret = NULL;
	if (!exec_id)
		return 0;
	d.exec_id = (char *)exec_id;
	any = malloc(sizeof(*any));
	if (!any)
		return -ENOMEM;
	google__protobuf__any__init(any);
	any->type_url = (char *)"containerd.runc.v1.ProcessDetails";
	any->value.len =
		containerd__runc__v1__process_details__get_packed_size(&d);
	any->value.data = malloc(any->value.len);
	if (!any->value.data) {
		free(any);
		return -ENOMEM;
	}
	containerd__runc__v1__process_details__pack(&d, any->value.data);
	*ret = any;
	return 0;
}

void runtime_free_details(struct runtime_details *details)
{
	(void)details;
}
