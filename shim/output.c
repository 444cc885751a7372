/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <time.h>

#include "io/stdio.h"
#include "shim/log.h"
#include "shim/task.h"

/* One line, for each process, in so many seconds: its output may begin and
 * cease to be dropped a thousand times in each. */
#define LINE_EVERY_S 10

static bool may_say(struct proc *p)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (p->output_said_s && now.tv_sec < p->output_said_s + LINE_EVERY_S)
		return false;
	p->output_said_s = now.tv_sec;
	return true;
}

void proc_output_told(int fd, const struct flow_stats *fs, void *arg)
{
	static const char *const what[] = {
		[FLOW_FREE] = "flows again",
		[FLOW_WAITS] = "waits, and the process will, too",
		[FLOW_SPOOLS] = "waits in a spool",
		[FLOW_DROPS] = "is being dropped",
	};
	struct proc *p = arg;
	char policy[POLICY_TEXT_MAX];

	if (!may_say(p))
		return;
	policy_text(&p->task->stdio_policy, policy);
	log_write(fs->state == FLOW_FREE ? LOG_INFO : LOG_WARN, p->task->id,
		"%s%s: %s %s%s (policy %s; %" PRIu64
		" bytes passed on, %" PRIu64 " dropped, %" PRIu64 " spooled)",
		proc_is_init(p) ? "init" : "exec ", p->id,
		fd == 1 ? "stdout" : "stderr", what[fs->state],
		fs->state == FLOW_FREE ? ""
		: fs->disk_full        ? ": the disk is full"
				       : ": its reader is behind",
		policy, fs->out, fs->lost, fs->spooled);
}
