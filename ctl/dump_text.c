/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/dump_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* ---- members of a map; what is not there is "", 0, false, or empty ---- */

static yajl_val get(yajl_val map, const char *key)
{
	const char *path[] = {key, NULL};

	return map ? yajl_tree_get(map, path, yajl_t_any) : NULL;
}

static const char *str(yajl_val map, const char *key)
{
	yajl_val v = get(map, key);

	return v && YAJL_IS_STRING(v) ? v->u.string : "";
}

static long long num(yajl_val map, const char *key)
{
	yajl_val v = get(map, key);

	return v && YAJL_IS_INTEGER(v) ? YAJL_GET_INTEGER(v) : 0;
}

static bool is(yajl_val map, const char *key)
{
	yajl_val v = get(map, key);

	return v && YAJL_IS_TRUE(v);
}

static size_t count(yajl_val v)
{
	return v && YAJL_IS_ARRAY(v) ? v->u.array.len : 0;
}

static yajl_val at(yajl_val v, size_t i)
{
	return v->u.array.values[i];
}

/* ---- words ---- */

/* No control characters: neither C0 nor, in UTF-8, C1. */
static void put(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	for (; *s; s++) {
		if (*s == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0)
			s++, putchar('?');
		else
			putchar(*s < 0x20 || *s == 0x7f ? '?' : *s);
	}
}

static void put_if(const char *before, const char *text, const char *after)
{
	if (!*text)
		return;
	fputs(before, stdout);
	put(text);
	fputs(after, stdout);
}

static void put_age(long long ms)
{
	long long s = ms / 1000;

	if (s < 60)
		printf("%lld.%llds", s, ms % 1000 / 100);
	else if (s < 3600)
		printf("%lldm%02llds", s / 60, s % 60);
	else if (s < 86400)
		printf("%lldh%02lldm", s / 3600, s / 60 % 60);
	else
		printf("%lldd%02lldh", s / 86400, s / 3600 % 24);
}

static void put_size(long long n)
{
	static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
	double x = (double)n / 1024;
	unsigned i = 0;

	if (n < 1024) {
		printf("%lld B", n);
		return;
	}
	while (x >= 1024 && i < 3) {
		x /= 1024;
		i++;
	}
	printf("%.1f %s", x, units[i]);
}

static void line(const char *name)
{
	printf("%-10s ", name);
}

/* ---- processes ---- */

static void put_process(yajl_val p)
{
	const char *command = str(p, "command");

	printf("%lld", num(p, "pid"));
	if (!*str(p, "state")) {
		fputs(" (gone)", stdout);
		return;
	}
	put_if(" ", str(p, "state"), "");
	put_if(" ", *command ? command : str(p, "name"), "");
	fputs(", ", stdout);
	put_age(num(p, "processAgeMs"));
	put_if(" old, in ", str(p, "waitsIn"), "");
	if (!*str(p, "waitsIn"))
		fputs(" old", stdout);
}

void ctl_dump_text_processes(yajl_val processes)
{
	size_t i;

	if (processes && YAJL_IS_STRING(processes)) {
		line("processes");
		put_if("not known: ", processes->u.string, "\n");
	}
	for (i = 0; i < count(processes); i++) {
		yajl_val p = at(processes, i);

		line(i == 0 ? "processes" : "");
		put_process(p);
		put_if(" (exec ", str(p, "exec"), ")");
		putchar('\n');
	}
}

/* ---- the shim ---- */

static void put_commands(yajl_val all)
{
	size_t i;

	for (i = 0; i < count(all); i++) {
		yajl_val c = at(all, i);

		line(i == 0 ? "commands" : "");
		put_if("", str(c, "verb"), " of ");
		put(str(c, "container"));
		fputs(is(c, "killed") ? ", killed after " : ", ", stdout);
		put_age(num(c, "ageMs"));
		fputs(" of ", stdout);
		put_age(num(c, "limitMs"));
		fputs(": process ", stdout);
		put_process(c);
		putchar('\n');
	}
}

static void put_calls(yajl_val doc)
{
	yajl_val all = get(doc, "calls");
	size_t i;

	if (!all)
		return;
	line("calls");
	printf("%zu open, %lld connections\n", count(all),
		num(doc, "connections"));
	for (i = 0; i < count(all); i++) {
		yajl_val c = at(all, i);

		line("");
		put(str(c, "service"));
		put_if("/", str(c, "method"), ", ");
		put_age(num(c, "ageMs"));
		puts(is(c, "gone") ? ", the caller is gone" : "");
	}
}

static void put_events(yajl_val ev)
{
	if (!ev)
		return;
	line("events");
	printf("%lld waiting", num(ev, "waiting"));
	if (num(ev, "waiting") > 0) {
		fputs(" (the first for ", stdout);
		put_age(num(ev, "oldestMs"));
		put_if(": ", str(ev, "topic"), ")");
	}
	printf(", %lld lost", num(ev, "lost"));
	put_if(", to ", str(ev, "to"), "");
	if (*str(ev, "failure")) {
		put_if("; last failure ", str(ev, "failure"), ", ");
		put_age(num(ev, "failedMs"));
		fputs(" ago", stdout);
	}
	putchar('\n');
}

static void put_memory(yajl_val doc)
{
	yajl_val m = get(doc, "memory");

	if (!m)
		return;
	line("memory");
	printf("own %lld KiB, PSS %lld KiB, RSS %lld KiB; %zu descriptors\n",
		num(m, "ownKiB"), num(m, "proportionalKiB"),
		num(m, "residentKiB"), count(get(doc, "open")));
}

void ctl_dump_text_shim(yajl_val doc)
{
	yajl_val children = get(doc, "children");
	size_t i;

	line("shim");
	printf("process %lld", num(doc, "pid"));
	put_if(", wisp ", str(doc, "version"), "");
	put_if(", ", str(doc, "program"), "");
	put_if(", namespace ", str(doc, "namespace"), "");
	put_if(", id ", str(doc, "id"), "");
	fputs(", up ", stdout);
	put_age(num(doc, "uptimeMs"));
	putchar('\n');
	if (is(doc, "outside")) {
		line("");
		puts("it has no dump of its own: this is what can be seen "
		     "from outside");
	}
	if (*str(doc, "error")) {
		line("");
		put_if("it does not answer: ", str(doc, "error"), "\n");
	}
	line("address");
	put_if("", str(doc, "address"), "");
	putchar('\n');
	put_memory(doc);
	put_calls(doc);
	put_events(get(doc, "events"));
	put_commands(get(doc, "commands"));
	for (i = 0; i < count(children); i++) {
		line(i == 0 ? "children" : "");
		put_process(at(children, i));
		putchar('\n');
	}
	if (is(doc, "truncated")) {
		line("");
		puts("there is more, for which a message has no room");
	}
}

void ctl_dump_text_open(yajl_val doc)
{
	yajl_val all = get(doc, "open");
	size_t i;

	for (i = 0; i < count(all); i++) {
		yajl_val o = at(all, i);

		line(i == 0 ? "open" : "");
		printf("%3lld ", num(o, "fd"));
		put(str(o, "what"));
		if (get(o, "waiting")) {
			fputs(", with ", stdout);
			put_size(num(o, "waiting"));
		}
		putchar('\n');
	}
}

/* ---- a container ---- */

static void put_counter(yajl_val s, const char *key, const char *what)
{
	if (num(s, key) == 0)
		return;
	fputs(", ", stdout);
	put_size(num(s, key));
	printf(" %s", what);
}

static void put_stream(yajl_val s)
{
	static const char *const names[] = {"stdin", "stdout", "stderr"};
	long long fd = num(s, "fd");

	printf("%-10s   %-6s ", "", fd >= 0 && fd < 3 ? names[fd] : "?");
	put_if("", *str(s, "uri") ? str(s, "uri") : "(none)", "");
	if (get(s, "out")) {
		fputs(": ", stdout);
		put_size(num(s, "out"));
		fputs(" passed on", stdout);
	}
	put_counter(s, "unread", "unread by the reader");
	put_counter(s, "waiting", "waiting");
	put_counter(s, "spooled", "spooled");
	put_counter(s, "lost", "lost");
	if (num(s, "stalls") > 0) {
		printf(", stalled %lld time%s, for ", num(s, "stalls"),
			num(s, "stalls") == 1 ? "" : "s");
		put_age(num(s, "stalledMs"));
	}
	if (*str(s, "flow") && strcmp(str(s, "flow"), "free") != 0)
		put_if(", ", str(s, "flow"), "");
	puts(is(s, "diskFull") ? ", the disk is full" : "");
}

static void put_proc(const char *name, yajl_val p)
{
	yajl_val streams = get(p, "stdio"), loggers = get(p, "loggers");
	size_t i;

	line(name);
	put_if("", str(p, "id"), ": ");
	put(str(p, "state"));
	if (num(p, "pid"))
		printf(", process %lld", num(p, "pid"));
	if (is(p, "exited")) {
		printf(", status %lld", num(p, "status"));
		put_if(" at ", str(p, "exitedAt"), "");
		if (get(p, "told") && !is(p, "told"))
			fputs(", not told yet", stdout);
	}
	if (is(p, "terminal"))
		fputs(", terminal", stdout);
	if (num(p, "waiters") > 0)
		printf(", %lld wait for its exit", num(p, "waiters"));
	if (num(p, "deleters") > 0)
		printf(", %lld wait for its deletion", num(p, "deleters"));
	putchar('\n');
	for (i = 0; i < count(streams); i++)
		put_stream(at(streams, i));
	for (i = 0; i < count(loggers); i++) {
		yajl_val l = at(loggers, i);

		printf("%-10s   logger ", "");
		put(str(l, "path"));
		if (num(l, "pid"))
			printf(", process %lld", num(l, "pid"));
		else
			fputs(", ended", stdout);
		puts(is(l, "ready") ? "" : ", not ready");
	}
}

/* Of a container that is explained. */
static void put_seccomp(yajl_val s)
{
	if (!s)
		return;
	line("seccomp");
	printf("%lld call%s denied, %lld kind%s of them, %lld filter%s\n",
		num(s, "denied"), num(s, "denied") == 1 ? "" : "s",
		num(s, "kinds"), num(s, "kinds") == 1 ? "" : "s",
		num(s, "filters"), num(s, "filters") == 1 ? "" : "s");
}

void ctl_dump_text_container(yajl_val c)
{
	yajl_val execs = get(c, "execs");
	size_t i;

	line("container");
	put(str(c, "id"));
	put_if(", runtime ", str(c, "runtime"), "");
	put_if(", group ", str(c, "group"), "");
	put_if(", stdio policy ", str(c, "policy"), "");
	if (num(c, "oomKills") > 0)
		printf(", %lld killed for want of memory", num(c, "oomKills"));
	if (is(c, "releasing"))
		fputs(", being released", stdout);
	putchar('\n');
	line("bundle");
	put(str(c, "bundle"));
	putchar('\n');
	put_seccomp(get(c, "seccomp"));
	put_proc("init", get(c, "init"));
	for (i = 0; i < count(execs); i++)
		put_proc("exec", at(execs, i));
}

/* ---- config.json ---- */

static void put_list(const char *name, yajl_val list, const char *key)
{
	size_t i;

	if (count(list) == 0)
		return;
	line(name);
	for (i = 0; i < count(list); i++) {
		yajl_val v = at(list, i);

		if (i > 0)
			putchar(' ');
		if (key)
			put(str(v, key));
		else if (YAJL_IS_STRING(v))
			put(v->u.string);
	}
	putchar('\n');
}

void ctl_dump_text_spec(yajl_val config)
{
	yajl_val process = get(config, "process");
	yajl_val linux_ = get(config, "linux");

	put_list("runs", get(process, "args"), NULL);
	if (*str(process, "cwd")) {
		line("in");
		put(str(process, "cwd"));
		printf(", user %lld:%lld", num(get(process, "user"), "uid"),
			num(get(process, "user"), "gid"));
		put_if(", host name ", str(config, "hostname"), "");
		put_if(", rootfs ", str(get(config, "root"), "path"), "");
		putchar('\n');
	}
	if (*str(linux_, "cgroupsPath")) {
		line("cgroup");
		put(str(linux_, "cgroupsPath"));
		putchar('\n');
	}
	put_list("namespaces", get(linux_, "namespaces"), "type");
	put_list("mounts", get(config, "mounts"), "destination");
}
