/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/cgroup_stats.h"

#include "platform/windows/isolated.h"
#include "platform/windows/job_stats.h"

/* The numbers of the fields of containerd.runhcs.stats.v1.Statistics. */
enum { WINDOWS = 1 };
enum { TIMESTAMP = 1, START_TIME, UPTIME_NS, PROCESSOR, MEMORY, STORAGE };
enum { RUNTIME_NS = 1, USER_NS, KERNEL_NS };
enum { COMMIT = 1, COMMIT_PEAK, PRIVATE_WORKING_SET };
enum { READS = 1, READ_BYTES, WRITES, WRITE_BYTES };

static void put(struct stat_sink *s, unsigned field, uint64_t v)
{
	if (v)
		s->number(s, field, v);
}

static void put_time(struct stat_sink *s, unsigned field, uint64_t filetime)
{
	uint64_t at;

	if (filetime <= WIN_UNIX_EPOCH)
		return;
	at = filetime - WIN_UNIX_EPOCH;
	s->begin(s, field);
	put(s, 1, at / 10000000);
	put(s, 2, at % 10000000 * 100);
	s->end(s);
}

static void put_processor(struct stat_sink *s, const struct job_stats *js)
{
	s->begin(s, PROCESSOR);
	put(s, RUNTIME_NS, js->user_ns + js->kernel_ns);
	put(s, USER_NS, js->user_ns);
	put(s, KERNEL_NS, js->kernel_ns);
	s->end(s);
}

static void put_memory(struct stat_sink *s, const struct job_stats *js)
{
	s->begin(s, MEMORY);
	put(s, COMMIT, js->commit);
	put(s, COMMIT_PEAK, js->commit_peak);
	put(s, PRIVATE_WORKING_SET, js->private_working_set);
	s->end(s);
}

static void put_storage(struct stat_sink *s, const struct job_stats *js)
{
	s->begin(s, STORAGE);
	put(s, READS, js->reads);
	put(s, READ_BYTES, js->read_bytes);
	put(s, WRITES, js->writes);
	put(s, WRITE_BYTES, js->write_bytes);
	s->end(s);
}

enum cgroup_version cgroup_stats(
	const struct cgroup *cg, struct stat_sink *sink)
{
	struct isolated *isolated = cgroup_isolated(cg);
	struct job_stats js;

	if (isolated) {
		isolated_stats(isolated, sink);
		return CGROUP_JOB;
	}
	job_read_stats(cg, &js);
	sink->begin(sink, WINDOWS);
	put_time(sink, TIMESTAMP, js.now);
	put_time(sink, START_TIME, js.born);
	if (js.born && js.now > js.born)
		put(sink, UPTIME_NS, (js.now - js.born) * 100);
	put_processor(sink, &js);
	put_memory(sink, &js);
	put_storage(sink, &js);
	sink->end(sink);
	return CGROUP_JOB;
}
