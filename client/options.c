/* SPDX-License-Identifier: Apache-2.0 */
#include "client/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runc_options.pb-c.h"

#define OPTIONS_URL "containerd.runc.v1.Options"

void client_options_free(Google__Protobuf__Any *any)
{
	if (any)
		google__protobuf__any__free_unpacked(any, NULL);
}

int client_options_new(
	const struct client_container *k, Google__Protobuf__Any **ret)
{
	Containerd__Runc__V1__Options o = CONTAINERD__RUNC__V1__OPTIONS__INIT;
	Google__Protobuf__Any *any = calloc(1, sizeof(*any));

	if (!any)
		return -ENOMEM;
	google__protobuf__any__init(any);
	if (k->runtime)
		o.binary_name = (char *)k->runtime;
	if (k->runtime_root)
		o.root = (char *)k->runtime_root;
	any->type_url = strdup(OPTIONS_URL);
	any->value.data =
		malloc(containerd__runc__v1__options__get_packed_size(&o) + 1);
	if (!any->type_url || !any->value.data) {
		if (!any->type_url)
			any->type_url = (char *)protobuf_c_empty_string;
		client_options_free(any);
		return -ENOMEM;
	}
	any->value.len =
		containerd__runc__v1__options__pack(&o, any->value.data);
	*ret = any;
	return 0;
}
