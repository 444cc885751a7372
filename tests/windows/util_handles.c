/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/windows/util_handles.h"

#include <stdlib.h>
#include <windows.h>

#include "platform/look.h"

unsigned count_handles_of(int64_t pid)
{
	int n = look_open_count(pid);

	if (n < 0)
		abort();
	return (unsigned)n;
}

unsigned count_handles(void)
{
	return count_handles_of(GetCurrentProcessId());
}
