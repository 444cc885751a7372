/* SPDX-License-Identifier: Apache-2.0 */
/* What a Linux container has that others have not: its machine, its documents.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/hcs_document.h"
#include "platform/windows/isolated_parts.h"
#include "platform/windows/lcow_document.h"
#include "platform/windows/lcow_vm.h"

int isolated_process_document(const struct isolated *i,
	const struct container_program *p, wchar_t **ret, struct err *e)
{
	struct endpoint *const *ep = p->process.endpoints;
	const bool pipes[3] = {
		p->console || ep[0], p->console || ep[1], !p->console && ep[2]};

	if (!i->vm)
		return hcs_process_document(p, ret, e);
	return lcow_process_document(
		pipes, p->json, p->json ? strlen(p->json) : 0, ret, e);
}

static void machine_is_up(int r, const struct err *e, void *arg)
{
	struct step *s = arg;
	struct err own = *e;

	if (r == 0)
		r = s->then(s, &own);
	if (r < 0)
		step_done(s, r, 0, &own);
}

int isolated_machine_up(struct step *s,
	int (*go_on)(struct step *s, struct err *e), struct err *e)
{
	s->then = go_on;
	return lcow_vm_up(s->i->vm, machine_is_up, s, e);
}

static void machine_is_down(int r, const struct err *e, void *arg)
{
	step_done(arg, r, 0, e);
}

int isolated_machine_down(struct step *s, struct err *e)
{
	return s->i->vm ? lcow_vm_down(s->i->vm, machine_is_down, s, e)
			: -ESRCH;
}
