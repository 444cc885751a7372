/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/guest.h"

#include <stdlib.h>
#include <string.h>

void guest_clear(struct guest *g)
{
	size_t i;

	for (i = 0; i < g->n_layers; i++)
		free(g->layers[i]);
	for (i = 0; i < g->n_shares; i++) {
		free(g->shares[i].folder);
		free(g->shares[i].file);
	}
	free(g->layers);
	free(g->shares);
	free(g->boot_files);
	free(g->kernel_options);
	free(g->scratch);
	free(g->spec);
	memset(g, 0, sizeof(*g));
}
