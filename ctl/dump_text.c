/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/dump_text.h"

#include <stdio.h>
#include <string.h>

#include "ctl/dump_words.h"

/* ---- processes ---- */

static void put_process(yajl_val p)
{
	const char *command = dump_str(p, "command");

	printf("%lld", dump_num(p, "pid"));
	if (!*dump_str(p, "state")) {
		fputs(" (gone)", stdout);
		return;
	}
	dump_put_if(" ", dump_str(p, "state"), "");
	dump_put_if(" ", *command ? command : dump_str(p, "name"), "");
	fputs(", ", stdout);
	dump_put_age(dump_num(p, "processAgeMs"));
	dump_put_if(" old, in ", dump_str(p, "waitsIn"), "");
	if (!*dump_str(p, "waitsIn"))
		fputs(" old", stdout);
}

void ctl_dump_text_processes(yajl_val processes)
{
	size_t i;

	if (processes && YAJL_IS_STRING(processes)) {
		dump_line("processes");
		dump_put_if("not known: ", processes->u.string, "\n");
	}
	for (i = 0; i < dump_count(processes); i++) {
		yajl_val p = dump_at(processes, i);

		dump_line(i == 0 ? "processes" : "");
		put_process(p);
		dump_put_if(" (exec ", dump_str(p, "exec"), ")");
		putchar('\n');
	}
}

/* ---- the shim ---- */

static void put_below(yajl_val all)
{
	size_t i;

	for (i = 0; i < dump_count(all); i++) {
		dump_line("");
		fputs("  below it ", stdout);
		put_process(dump_at(all, i));
		putchar('\n');
	}
}

static void put_commands(yajl_val all)
{
	size_t i;

	for (i = 0; i < dump_count(all); i++) {
		yajl_val c = dump_at(all, i);

		dump_line(i == 0 ? "commands" : "");
		dump_put(dump_str(c, "verb"));
		dump_put_if(" of ", dump_str(c, "container"), "");
		fputs(dump_is(c, "killed") ? ", killed after " : ", ", stdout);
		dump_put_age(dump_num(c, "ageMs"));
		if (dump_get(c, "limitMs")) {
			fputs(" of ", stdout);
			dump_put_age(dump_num(c, "limitMs"));
		}
		fputs(": process ", stdout);
		put_process(c);
		putchar('\n');
		put_below(dump_get(c, "below"));
	}
}

static void put_calls(yajl_val doc)
{
	yajl_val all = dump_get(doc, "calls");
	size_t i;

	if (!all)
		return;
	dump_line("calls");
	printf("%zu open, %lld connections\n", dump_count(all),
		dump_num(doc, "connections"));
	for (i = 0; i < dump_count(all); i++) {
		yajl_val c = dump_at(all, i);

		dump_line("");
		dump_put(dump_str(c, "service"));
		dump_put_if("/", dump_str(c, "method"), ", ");
		dump_put_age(dump_num(c, "ageMs"));
		puts(dump_is(c, "gone") ? ", the caller is gone" : "");
	}
}

static void put_events(yajl_val ev)
{
	if (!ev)
		return;
	dump_line("events");
	printf("%lld waiting", dump_num(ev, "waiting"));
	if (dump_num(ev, "waiting") > 0) {
		fputs(" (the first for ", stdout);
		dump_put_age(dump_num(ev, "oldestMs"));
		dump_put_if(": ", dump_str(ev, "topic"), ")");
	}
	printf(", %lld lost", dump_num(ev, "lost"));
	dump_put_if(", to ", dump_str(ev, "to"), "");
	if (*dump_str(ev, "failure")) {
		dump_put_if("; last failure ", dump_str(ev, "failure"), ", ");
		dump_put_age(dump_num(ev, "failedMs"));
		fputs(" ago", stdout);
	}
	putchar('\n');
}

static void put_memory(yajl_val doc)
{
	yajl_val m = dump_get(doc, "memory");

	if (!m)
		return;
	dump_line("memory");
	printf("own %lld KiB, PSS %lld KiB, RSS %lld KiB; %zu descriptors\n",
		dump_num(m, "ownKiB"), dump_num(m, "proportionalKiB"),
		dump_num(m, "residentKiB"), dump_count(dump_get(doc, "open")));
}

void ctl_dump_text_shim(yajl_val doc)
{
	yajl_val children = dump_get(doc, "children");
	size_t i;

	dump_line("shim");
	printf("process %lld", dump_num(doc, "pid"));
	dump_put_if(", wisp ", dump_str(doc, "version"), "");
	dump_put_if(", ", dump_str(doc, "program"), "");
	dump_put_if(", namespace ", dump_str(doc, "namespace"), "");
	dump_put_if(", id ", dump_str(doc, "id"), "");
	fputs(", up ", stdout);
	dump_put_age(dump_num(doc, "uptimeMs"));
	putchar('\n');
	if (dump_is(doc, "outside")) {
		dump_line("");
		puts("it has no dump of its own: this is what can be seen "
		     "from outside");
	}
	if (*dump_str(doc, "error")) {
		dump_line("");
		dump_put_if(
			"it does not answer: ", dump_str(doc, "error"), "\n");
	}
	dump_line("address");
	dump_put_if("", dump_str(doc, "address"), "");
	putchar('\n');
	put_memory(doc);
	put_calls(doc);
	put_events(dump_get(doc, "events"));
	put_commands(dump_get(doc, "commands"));
	for (i = 0; i < dump_count(children); i++) {
		dump_line(i == 0 ? "children" : "");
		put_process(dump_at(children, i));
		putchar('\n');
	}
	if (dump_is(doc, "truncated")) {
		dump_line("");
		puts("there is more, for which a message has no room");
	}
}

/* ---- a container ---- */

static void put_counter(yajl_val s, const char *key, const char *what)
{
	if (dump_num(s, key) == 0)
		return;
	fputs(", ", stdout);
	dump_put_size(dump_num(s, key));
	printf(" %s", what);
}

/* How much a FIFO of the shim's has room for, or 0. */
static long long room_of(yajl_val open, const char *uri)
{
	static const char scheme[] = "fifo://";
	long long room = 0;
	size_t i;

	if (strncmp(uri, scheme, sizeof(scheme) - 1) == 0)
		uri += sizeof(scheme) - 1;
	for (i = 0; i < dump_count(open) && room == 0; i++)
		if (strcmp(dump_str(dump_at(open, i), "what"), uri) == 0)
			room = dump_num(dump_at(open, i), "room");
	return room;
}

static void put_unread(yajl_val s, yajl_val open)
{
	long long room = room_of(open, dump_str(s, "uri"));

	if (dump_num(s, "unread") == 0)
		return;
	fputs(", ", stdout);
	dump_put_size(dump_num(s, "unread"));
	if (room > 0) {
		fputs(" of ", stdout);
		dump_put_size(room);
	}
	fputs(" unread by the reader", stdout);
}

static void put_stream(yajl_val s, yajl_val open)
{
	static const char *const names[] = {"stdin", "stdout", "stderr"};
	long long fd = dump_num(s, "fd");

	printf("%-10s   %-6s ", "", fd >= 0 && fd < 3 ? names[fd] : "?");
	dump_put_if(
		"", *dump_str(s, "uri") ? dump_str(s, "uri") : "(none)", "");
	if (dump_get(s, "out")) {
		fputs(": ", stdout);
		dump_put_size(dump_num(s, "out"));
		fputs(" passed on", stdout);
	}
	put_unread(s, open);
	put_counter(s, "waiting", "waiting");
	put_counter(s, "spooled", "spooled");
	put_counter(s, "lost", "lost");
	if (dump_num(s, "stalls") > 0) {
		printf(", stalled %lld time%s, for ", dump_num(s, "stalls"),
			dump_num(s, "stalls") == 1 ? "" : "s");
		dump_put_age(dump_num(s, "stalledMs"));
	}
	if (*dump_str(s, "flow") && strcmp(dump_str(s, "flow"), "free") != 0)
		dump_put_if(", ", dump_str(s, "flow"), "");
	puts(dump_is(s, "diskFull") ? ", the disk is full" : "");
}

static void put_proc(const char *name, yajl_val p, yajl_val open)
{
	yajl_val streams = dump_get(p, "stdio"),
		 loggers = dump_get(p, "loggers");
	size_t i;

	dump_line(name);
	dump_put_if("", dump_str(p, "id"), ": ");
	dump_put(dump_str(p, "state"));
	if (dump_num(p, "pid"))
		printf(", process %lld", dump_num(p, "pid"));
	if (dump_is(p, "exited")) {
		printf(", status %lld", dump_num(p, "status"));
		dump_put_if(" at ", dump_str(p, "exitedAt"), "");
		if (dump_get(p, "told") && !dump_is(p, "told"))
			fputs(", not told yet", stdout);
	}
	if (dump_is(p, "terminal"))
		fputs(", terminal", stdout);
	if (dump_num(p, "waiters") > 0)
		printf(", %lld wait for its exit", dump_num(p, "waiters"));
	if (dump_num(p, "deleters") > 0)
		printf(", %lld wait for its deletion", dump_num(p, "deleters"));
	putchar('\n');
	for (i = 0; i < dump_count(streams); i++)
		put_stream(dump_at(streams, i), open);
	for (i = 0; i < dump_count(loggers); i++) {
		yajl_val l = dump_at(loggers, i);

		printf("%-10s   logger ", "");
		dump_put(dump_str(l, "path"));
		if (dump_num(l, "pid"))
			printf(", process %lld", dump_num(l, "pid"));
		else
			fputs(", ended", stdout);
		puts(dump_is(l, "ready") ? "" : ", not ready");
	}
}

/* Of a container that is explained. */
static void put_seccomp(yajl_val s)
{
	if (!s)
		return;
	dump_line("seccomp");
	printf("%lld call%s denied, %lld kind%s of them, %lld filter%s\n",
		dump_num(s, "denied"), dump_num(s, "denied") == 1 ? "" : "s",
		dump_num(s, "kinds"), dump_num(s, "kinds") == 1 ? "" : "s",
		dump_num(s, "filters"), dump_num(s, "filters") == 1 ? "" : "s");
}

void ctl_dump_text_container(yajl_val c, yajl_val open)
{
	yajl_val execs = dump_get(c, "execs");
	size_t i;

	dump_line("container");
	dump_put(dump_str(c, "id"));
	dump_put_if(", runtime ", dump_str(c, "runtime"), "");
	dump_put_if(", group ", dump_str(c, "group"), "");
	dump_put_if(", stdio policy ", dump_str(c, "policy"), "");
	if (dump_num(c, "oomKills") > 0)
		printf(", %lld killed for want of memory",
			dump_num(c, "oomKills"));
	if (dump_is(c, "releasing"))
		fputs(", being released", stdout);
	putchar('\n');
	dump_line("bundle");
	dump_put(dump_str(c, "bundle"));
	putchar('\n');
	put_seccomp(dump_get(c, "seccomp"));
	put_proc("init", dump_get(c, "init"), open);
	for (i = 0; i < dump_count(execs); i++)
		put_proc("exec", dump_at(execs, i), open);
}
