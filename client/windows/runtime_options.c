/* SPDX-License-Identifier: Apache-2.0 */
/* What a daemon on Windows says: there is no runtime to be named. */
#include "client/options.h"
#include "runhcs_options.pb-c.h"

int client_options_new(
	const struct client_container *k, Google__Protobuf__Any **ret)
{
	Containerd__Runhcs__V1__Options o =
		CONTAINERD__RUNHCS__V1__OPTIONS__INIT;

	o.debug = k->debug;
	return client_options_wrap(
		"containerd.runhcs.v1.Options", &o.base, ret);
}
