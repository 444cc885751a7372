/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/table.h"
#include "platform/standard.h"

unsigned table_width(void)
{
	uint32_t width, height;

	return terminal_size(&width, &height) ? width : 0;
}
