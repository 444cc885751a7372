/* SPDX-License-Identifier: Apache-2.0 */
#include "io/policy.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "64m"; *text is behind it afterwards. */
static bool read_size(const char **text, uint64_t *ret)
{
	static const char units[] = "kmg";
	unsigned long long n;
	unsigned shift = 0;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	errno = 0;
	n = strtoull(*text, &end, 10);
	unit = *end ? strchr(units, tolower((unsigned char)*end)) : NULL;
	if (unit) {
		shift = 10 * (unsigned)(unit - units + 1);
		end++;
	}
	if (errno || n > POLICY_SPOOL_MAX >> shift)
		return false;
	*ret = n << shift;
	*text = end;
	return *ret >= POLICY_SPOOL_MIN;
}

static bool read_spool(const char *text, struct policy *ret)
{
	ret->kind = POLICY_SPOOL;
	ret->spool_size = POLICY_SPOOL_DEFAULT;
	if (*text == '=') {
		text++;
		if (!read_size(&text, &ret->spool_size))
			return false;
	}
	ret->then_drop = strcmp(text, ",then=drop") == 0;
	return !*text || ret->then_drop || strcmp(text, ",then=block") == 0;
}

int policy_parse(const char *text, struct policy *ret, struct err *e)
{
	struct policy p = {.kind = POLICY_BLOCK};
	bool good = true;

	if (!text || !*text || strcmp(text, "block") == 0)
		p.kind = POLICY_BLOCK;
	else if (strcmp(text, "drop") == 0)
		p.kind = POLICY_DROP;
	else
		good = strncmp(text, "spool", 5) == 0 &&
		       read_spool(text + 5, &p);
	if (!good)
		return err_set(e, -EINVAL,
			"annotation " POLICY_ANNOTATION "='%s': it may be "
			"block, drop, or spool[=SIZE][,then=block|drop] with a "
			"SIZE from 4k to 1024g",
			text);
	*ret = p;
	return 0;
}

const char *flow_name(enum flow_state f)
{
	static const char *const names[] = {"free", "waits", "spools", "drops"};

	return names[f];
}

void policy_text(const struct policy *p, char buf[POLICY_TEXT_MAX])
{
	if (p->kind == POLICY_SPOOL)
		snprintf(buf, POLICY_TEXT_MAX, "spool=%" PRIu64 ",then=%s",
			p->spool_size, p->then_drop ? "drop" : "block");
	else
		snprintf(buf, POLICY_TEXT_MAX, "%s",
			p->kind == POLICY_DROP ? "drop" : "block");
}
