/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ctl/dump_text.h"
#include "ctl/dump_words.h"

/* ---- config.json ---- */

static void put_list(const char *name, yajl_val list, const char *key)
{
	size_t i;

	if (dump_count(list) == 0)
		return;
	dump_line(name);
	for (i = 0; i < dump_count(list); i++) {
		yajl_val v = dump_at(list, i);

		if (i > 0)
			putchar(' ');
		if (key)
			dump_put(dump_str(v, key));
		else if (YAJL_IS_STRING(v))
			dump_put(v->u.string);
	}
	putchar('\n');
}

static yajl_val at(yajl_val map, const char *a, const char *b)
{
	return dump_get(dump_get(map, a), b);
}

/* One of several things on a line; the first one begins it. */
static void item(const char *line_name, unsigned *n)
{
	if ((*n)++ == 0)
		dump_line(line_name);
	else
		fputs(", ", stdout);
}

static void put_limits(yajl_val config)
{
	yajl_val r = at(config, "linux", "resources"), cpu = dump_get(r, "cpu");
	long long memory = dump_num(dump_get(r, "memory"), "limit");
	long long swap = dump_num(dump_get(r, "memory"), "swap");
	long long quota = dump_num(cpu, "quota");
	long long period = dump_num(cpu, "period");
	long long pids = dump_num(dump_get(r, "pids"), "limit");
	unsigned n = 0;

	if (memory > 0) {
		item("limits", &n);
		fputs("memory ", stdout);
		dump_put_size(memory);
	}
	if (swap > 0) {
		item("limits", &n);
		fputs("memory and swap ", stdout);
		dump_put_size(swap);
	}
	if (quota > 0 && period > 0) {
		item("limits", &n);
		printf("%.2f CPUs", (double)quota / (double)period);
	}
	if (dump_num(cpu, "shares") > 0) {
		item("limits", &n);
		printf("CPU shares %lld", dump_num(cpu, "shares"));
	}
	if (*dump_str(cpu, "cpus")) {
		item("limits", &n);
		dump_put_if("on CPUs ", dump_str(cpu, "cpus"), "");
	}
	if (pids > 0) {
		item("limits", &n);
		printf("%lld pids", pids);
	}
	if (n > 0)
		putchar('\n');
}

static void put_security(yajl_val config)
{
	yajl_val process = dump_get(config, "process");
	unsigned n = 0;

	if (at(config, "linux", "seccomp")) {
		item("security", &n);
		fputs("seccomp", stdout);
	}
	if (dump_is(process, "noNewPrivileges")) {
		item("security", &n);
		fputs("no new privileges", stdout);
	}
	if (dump_is(dump_get(config, "root"), "readonly")) {
		item("security", &n);
		fputs("rootfs is read-only", stdout);
	}
	if (at(process, "capabilities", "bounding")) {
		item("security", &n);
		printf("%zu capabilities",
			dump_count(at(process, "capabilities", "bounding")));
	}
	if (n > 0)
		putchar('\n');
}

void ctl_dump_text_spec(yajl_val config)
{
	yajl_val process = dump_get(config, "process");
	yajl_val linux_ = dump_get(config, "linux");

	put_list("runs", dump_get(process, "args"), NULL);
	if (*dump_str(process, "cwd")) {
		dump_line("in");
		dump_put(dump_str(process, "cwd"));
		printf(", user %lld:%lld",
			dump_num(dump_get(process, "user"), "uid"),
			dump_num(dump_get(process, "user"), "gid"));
		dump_put_if(", host name ", dump_str(config, "hostname"), "");
		dump_put_if(", rootfs ",
			dump_str(dump_get(config, "root"), "path"), "");
		putchar('\n');
	}
	if (*dump_str(linux_, "cgroupsPath")) {
		dump_line("cgroup");
		dump_put(dump_str(linux_, "cgroupsPath"));
		putchar('\n');
	}
	put_limits(config);
	put_security(config);
	put_list("namespaces", dump_get(linux_, "namespaces"), "type");
	put_list("mounts", dump_get(config, "mounts"), "destination");
}
