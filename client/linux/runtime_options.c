/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon on Linux says: which OCI runtime, and where its state is. */
#include "client/options.h"
#include "runc_options.pb-c.h"

int client_options_new(
	const struct client_container *k, Google__Protobuf__Any **ret)
{
	Containerd__Runc__V1__Options o = CONTAINERD__RUNC__V1__OPTIONS__INIT;

	if (k->runtime)
		o.binary_name = (char *)k->runtime;
	if (k->runtime_root)
		o.root = (char *)k->runtime_root;
	return client_options_wrap("containerd.runc.v1.Options", &o.base, ret);
}
