/* SPDX-License-Identifier: Apache-2.0 */
#include "client/answer.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "bootstrap.pb-c.h"

static int answer_set(struct client_answer *ret, long long version,
	const char *protocol, const char *address, size_t n, struct err *e)
{
	struct client_answer a;

	if (protocol && *protocol && strcmp(protocol, "ttrpc") != 0)
		return err_set(e, -EINVAL, "the shim speaks '%.32s', not ttrpc",
			protocol);
	if (version != 2 && version != 3)
		return err_set(e, -EINVAL,
			"the shim has task API version %lld, not 2 or 3",
			version);
	if (n == 0 || n >= sizeof(a.address) || memchr(address, '\0', n))
		return err_set(e, -EINVAL, "the shim gave no usable address");
	a.version = (unsigned)version;
	memcpy(a.address, address, n);
	a.address[n] = '\0';
	*ret = a;
	return 0;
}

static int parse_json(
	const char *text, struct client_answer *ret, struct err *e)
{
	static const char *version_path[] = {"version", NULL};
	static const char *address_path[] = {"address", NULL};
	static const char *protocol_path[] = {"protocol", NULL};
	yajl_val root, version, address, protocol;
	char why[256];
	int r = -EINVAL;

	root = yajl_tree_parse(text, why, sizeof(why));
	if (!root)
		return err_set(e, -EINVAL,
			"the shim's answer is broken JSON: %.*s",
			(int)strcspn(why, "\n"), why);
	version = yajl_tree_get(root, version_path, yajl_t_number);
	address = yajl_tree_get(root, address_path, yajl_t_string);
	protocol = yajl_tree_get(root, protocol_path, yajl_t_string);
	if (!version || !YAJL_IS_INTEGER(version) || !address)
		err_set(e, r, "the shim's answer lacks version or address");
	else
		r = answer_set(ret, YAJL_GET_INTEGER(version),
			protocol ? protocol->u.string : "ttrpc",
			address->u.string, strlen(address->u.string), e);
	yajl_tree_free(root);
	return r;
}

static int parse_bootstrap(
	const char *text, size_t n, struct client_answer *ret, struct err *e)
{
	Containerd__Runtime__Bootstrap__V1__BootstrapResult *b;
	int r;

	b = containerd__runtime__bootstrap__v1__bootstrap_result__unpack(
		NULL, n, (const uint8_t *)text);
	if (!b)
		return err_set(e, -EINVAL,
			"the shim's answer is neither an address, nor JSON, "
			"nor a BootstrapResult");
	r = answer_set(ret, b->version, b->protocol, b->address,
		strlen(b->address), e);
	containerd__runtime__bootstrap__v1__bootstrap_result__free_unpacked(
		b, NULL);
	return r;
}

static bool is_address(const char *text, size_t n)
{
	static const char *const starts[] = {"unix:", "/", "\\\\.\\pipe\\"};
	size_t i;

	for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++)
		if (n > strlen(starts[i]) &&
			memcmp(text, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

int client_answer_parse(
	const char *text, size_t n, struct client_answer *ret, struct err *e)
{
	char json[4096];
	size_t start = 0, end = n;

	while (start < end && isspace((unsigned char)text[start]))
		start++;
	while (end > start && isspace((unsigned char)text[end - 1]))
		end--;
	if (start == end)
		return err_set(e, -EINVAL, "the shim gave no address");
	if (is_address(text + start, end - start))
		return answer_set(ret, 2, NULL, text + start, end - start, e);
	if (text[start] != '{')
		return parse_bootstrap(text, n, ret, e);
	if (end - start >= sizeof(json))
		return err_set(e, -EINVAL, "the shim's answer is too long");
	memcpy(json, text + start, end - start);
	json[end - start] = '\0';
	return parse_json(json, ret, e);
}
