/* SPDX-License-Identifier: Apache-2.0 */
#include "client/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void client_options_free(Google__Protobuf__Any *any)
{
	if (any)
		google__protobuf__any__free_unpacked(any, NULL);
}

int client_options_wrap(const char *type, const ProtobufCMessage *m,
	Google__Protobuf__Any **ret)
{
	Google__Protobuf__Any *any = calloc(1, sizeof(*any));

	if (!any)
		return -ENOMEM;
	google__protobuf__any__init(any);
	any->type_url = strdup(type);
	any->value.data = malloc(protobuf_c_message_get_packed_size(m) + 1);
	if (!any->type_url || !any->value.data) {
		if (!any->type_url)
			any->type_url = (char *)protobuf_c_empty_string;
		client_options_free(any);
		return -ENOMEM;
	}
	any->value.len = protobuf_c_message_pack(m, any->value.data);
	*ret = any;
	return 0;
}
