/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule of `wispctl spec check`: a document with one fault, and where and
 * how it is told. What runc and crun say of them: test_ctl_spec.py. */
#include "ctl/spec/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/names.h"
#include "util_test.h"

/* A sound document; %s: the process' members, the top's, linux' members. */
static const char linux_base[] =
	"{\"ociVersion\":\"1.0.2\",\n"
	"\"process\":{\"args\":[\"/bin/sh\"],\"cwd\":\"/\"%s},\n"
	"\"root\":{\"path\":\"rootfs\"}%s,\n"
	"\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"uts\"},"
	"{\"type\":\"network\"}]%s}}\n";

static const char windows_base[] =
	"{\"ociVersion\":\"1.0.2\",\n"
	"\"process\":{\"commandLine\":\"cmd\",\"cwd\":\"C:\\\\\"%s}%s,\n"
	"\"windows\":{\"layerFolders\":[\"C:\\\\l\",\"C:\\\\s\"]%s}}\n";

static char text[1 << 16];

static void check_or_die(struct check *c, const char *json)
{
	ck_assert_int_eq(check_text(c, json, strlen(json)), 0);
}

/* The findings as "<E or W> <message>|..." */
static void list(const struct check *c, char *buf, size_t n)
{
	size_t i, at = 0;

	buf[0] = '\0';
	for (i = 0; i < c->n && at < n; i++)
		at += (size_t)snprintf(buf + at, n - at, "%s%c %s",
			i ? "|" : "",
			c->findings[i].level == CHECK_ERROR ? 'E' : 'W',
			c->findings[i].message);
}

static void expect_text(const char *json, const char *want)
{
	struct check c = {0};
	char got[4096];

	check_or_die(&c, json);
	list(&c, got, sizeof(got));
	ck_assert_msg(*want ? strstr(got, want) != NULL : !*got,
		"\n%s\nwant: %s\ngot:  %s", json, want, got);
	check_clear(&c);
}

struct fault {
	const char *process, *top, *section;
	const char *want; /* part of the list; "": none */
};

static void run_faults(const char *base, const struct fault *f, size_t n)
{
	for (; n > 0; n--, f++) {
		snprintf(text, sizeof(text), base, f->process ? f->process : "",
			f->top ? f->top : "", f->section ? f->section : "");
		expect_text(text, f->want);
	}
}

static const struct fault process_faults[] = {
	{.want = ""},
	{.process = ",\"terminal\":\"yes\"",
		.want = "E process.terminal must be true or false, not a "
			"string"},
	{.process = ",\"user\":{\"uid\":-1}",
		.want = "E process.user.uid -1 must be from 0 to 4294967295"},
	{.process = ",\"user\":{\"uid\":1.5}",
		.want = "E process.user.uid 1.5 must be a whole number"},
	{.process = ",\"user\":{\"gid\":4294967296}",
		.want = "E process.user.gid 4294967296 must be from 0"},
	{.process = ",\"user\":{\"umask\":1023}",
		.want = "W process.user.umask 1023 is no mask"},
	{.process = ",\"user\":{\"username\":\"a\"}",
		.want = "W process.user.username means something on Windows"},
	{.process = ",\"env\":[\"PATH=/\",\"X\"]",
		.want = "E process.env[1] 'X' must be NAME=VALUE"},
	{.process = ",\"env\":[\"=x\"]",
		.want = "E process.env[0] '=x' has no"},
	{.process = ",\"env\":[\"A=1\",\"A=2\"]",
		.want = "W process.env[1] sets 'A' again"},
	{.process = ",\"envv\":[]", .want = "W process.envv is not known"},
	{.process = ",\"Env\":[]",
		.want = "W process.Env is not spelled 'env'"},
	{.process = ",\"cwd\":\"/\"",
		.want = "W process.cwd stands here a second time"},
	{.top = ",\"mounts\":[{\"destination\":null}]",
		.want = "E mounts[0].destination is null, but must be there"},
	{.process = ",\"rlimits\":null", .want = "W process.rlimits is null"},
	{.process = ",\"capabilities\":{\"bounding\":[\"KILL\"]}",
		.want = "W process.capabilities.bounding[0] 'KILL' is no"},
	{.process = ",\"capabilities\":{\"effective\":[\"CAP_KILL\"]}",
		.want = "E process.capabilities.effective[0] 'CAP_KILL' is "
			"effective, but not permitted"},
	{.process = ",\"capabilities\":{\"inheritable\":[\"CAP_KILL\"]}",
		.want = "is inheritable, but not bounding"},
	{.process = ",\"rlimits\":[{\"type\":\"RLIMIT_NOFILES\",\"soft\":1,"
		    "\"hard\":1}]",
		.want = "E process.rlimits[0].type 'RLIMIT_NOFILES' is not "
			"known"},
	{.process = ",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":2,"
		    "\"hard\":1}]",
		.want = "E process.rlimits[0].soft 2 is above the hard limit"},
	{.process = ",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1,"
		    "\"hard\":1},{\"type\":\"RLIMIT_CPU\",\"soft\":1,"
		    "\"hard\":1}]",
		.want = "E process.rlimits[1].type 'RLIMIT_CPU' is set a"},
	{.process = ",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"soft\":1}]",
		.want = "E process.rlimits[0].hard is missing"},
	{.process = ",\"oomScoreAdj\":1001", .want = "E process.oomScoreAdj"},
	{.process = ",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_BE\","
		    "\"priority\":8}",
		.want = "E process.ioPriority.priority 8 is no"},
	{.process = ",\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"priority\":"
		    "1}",
		.want = "is for SCHED_FIFO and SCHED_RR only"},
	{.process = ",\"consoleSize\":{\"height\":1,\"width\":1}",
		.want = "W process.consoleSize is ignored"},
	{.process = ",\"terminal\":true,\"consoleSize\":{\"height\":0,"
		    "\"width\":1}",
		.want = "W process.consoleSize.height 0 is no size"},
	{.process = ",\"commandLine\":\"x\"",
		.want = "W process.commandLine means something on Windows"},
	{.process = ",\"apparmorProfile\":\"a\\u0000b\"",
		.want = "E process.apparmorProfile has a NUL"},
};

START_TEST(test_process)
{
	run_faults(linux_base, process_faults, LENGTH(process_faults));
}
END_TEST

static const struct fault top_faults[] = {
	{.top = ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\","
		"\"options\":[\"nosuid\",\"size=1k\"]}]",
		.want = ""},
	{.top = ",\"mounts\":[{\"destination\":\"a\",\"type\":\"tmpfs\"}]",
		.want = "W mounts[0].destination 'a' should be an absolute"},
	{.top = ",\"mounts\":[{\"type\":\"tmpfs\"}]",
		.want = "E mounts[0].destination is missing"},
	{.top = ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\","
		"\"options\":[\"nosiud\"]}]",
		.want = "E mounts[0].options[0] 'nosiud' is no option of "
			"tmpfs"},
	{.top = ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"ext4\","
		"\"options\":[\"nosiud\"]}]",
		.want = "W mounts[0].options[0] 'nosiud' is left to the file"},
	{.top = ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"ext4\","
		"\"options\":[\"data=journal\"]}]",
		.want = ""},
	{.top = ",\"mounts\":[{\"destination\":\"/a\",\"source\":\"/x\","
		"\"options\":[\"bind\",\"size=1\"]}]",
		.want = "W mounts[0].options[1] 'size=1' is no option of a "
			"bind"},
	{.top = ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"bind\","
		"\"source\":\"/x\"}]",
		.want = "E mounts[0].type is 'bind', but"},
	{.top = ",\"mounts\":[{\"destination\":\"/a\"}]",
		.want = "E mounts[0].type is missing"},
	{.top = ",\"mounts\":[{\"destination\":\"/a\",\"options\":[\"bind\"]}]",
		.want = "E mounts[0].source is missing"},
	{.top = ",\"mounts\":[{\"destination\":\"/a/b\",\"type\":\"tmpfs\"},"
		"{\"destination\":\"/a\",\"type\":\"tmpfs\"}]",
		.want = "W mounts[1].destination '/a' hides mounts[0]"},
	{.top = ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\"},"
		"{\"destination\":\"/a\",\"type\":\"tmpfs\"}]",
		.want = "W mounts[1].destination '/a' is mounted over "
			"mounts[0]"},
	{.top = ",\"mounts\":[{\"destination\":\"/proc/1\",\"type\":\"ext4\"}]",
		.want = "E mounts[0].destination '/proc/1' is in /proc"},
	{.top = ",\"mounts\":[{\"destination\":\"/a\",\"type\":\"tmpfs\","
		"\"options\":[\"ro\",\"rw\"]}]",
		.want = "has both 'ro' and 'rw'"},
	{.top = ",\"hostname\":1", .want = "E hostname must be a string"},
	{.top = ",\"annotations\":{\"a\":1}",
		.want = "E annotations.a must be a string, not a number"},
	{.top = ",\"hooks\":{\"prestart\":[{\"path\":\"x\"}]}",
		.want = "E hooks.prestart[0].path 'x' must be an absolute"},
	{.top = ",\"hooks\":{\"prestart\":[{\"path\":\"/x\",\"timeout\":0}]}",
		.want = "E hooks.prestart[0].timeout 0 must be"},
	{.top = ",\"solaris\":{\"anything\":1}", .want = ""},
};

START_TEST(test_top)
{
	run_faults(linux_base, top_faults, LENGTH(top_faults));
}
END_TEST

#define MAPS(...) ",\"uidMappings\":[" __VA_ARGS__ "]"
#define MAP(c, h, n) \
	"{\"containerID\":" #c ",\"hostID\":" #h ",\"size\":" #n "}"
#define MEMORY(...) ",\"resources\":{\"memory\":{" __VA_ARGS__ "}}"
#define CPU(...) ",\"resources\":{\"cpu\":{" __VA_ARGS__ "}}"
#define SECCOMP(action, ...)                                                  \
	",\"seccomp\":{\"defaultAction\":\"SCMP_ACT_" action "\"" __VA_ARGS__ \
	"}"

static const struct fault linux_faults[] = {
	{.section = MAPS(MAP(0, 0, 1)),
		.want = "E linux.uidMappings maps ids, but there is no user"},
	{.section = MAPS(MAP(0, 0, 10) "," MAP(9, 100, 1)),
		.want = "E linux.uidMappings[1] maps ids of the container"},
	{.section = MAPS(MAP(0, 0, 10) "," MAP(10, 9, 1)),
		.want = "E linux.uidMappings[1] maps ids of the host"},
	{.section = MAPS(MAP(0, 0, 0)),
		.want = "E linux.uidMappings[0].size is 0"},
	{.section = MAPS(MAP(1, 0, 4294967295)), .want = "beyond the last id"},
	{.section = ",\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}", .want = ""},
	{.section = ",\"sysctl\":{\"kernel.sem\":\"1\"}",
		.want = "E linux.sysctl[\"kernel.sem\"] would change the host"},
	{.section = ",\"sysctl\":{\"kernel/sem\":\"1\"}",
		.want = "would change the host"},
	{.section = ",\"sysctl\":{\"vm.swappiness\":\"1\"}",
		.want = "is the whole host's"},
	{.section = ",\"sysctl\":{\"kernel.hostname\":\"a\"}",
		.want = "is what hostname is for"},
	{.section = ",\"timeOffsets\":{}", .want = "no time namespace"},
	{.section = ",\"maskedPaths\":[\"proc\"]",
		.want = "E linux.maskedPaths[0] 'proc' must be an absolute"},
	{.section = ",\"cgroupsPath\":\"/a/b\"", .want = ""},
	{.section = ",\"cgroupsPath\":\"system.slice:a:b\"", .want = ""},
	{.section = ",\"cgroupsPath\":\"system:a:b\"",
		.want = "W linux.cgroupsPath begins with 'system'"},
	{.section = ",\"cgroupsPath\":\"a:b\"",
		.want = "is neither a path nor"},
	{.section = ",\"rootfsPropagation\":\"salve\"",
		.want = "E linux.rootfsPropagation 'salve' is not known"},
	{.section = ",\"devices\":[{\"path\":\"/dev/a\",\"type\":\"x\"}]",
		.want = "E linux.devices[0].type 'x' is no kind"},
	{.section = ",\"devices\":[{\"path\":\"/dev/a\",\"type\":\"c\","
		    "\"major\":1}]",
		.want = "E linux.devices[0].minor is missing"},
	{.section = ",\"devices\":[{\"path\":\"/dev/a\",\"type\":\"p\"}]",
		.want = ""},
	{.section = MEMORY("\"limit\":67108864,\"swap\":67108863"),
		.want = "E linux.resources.memory.swap 67108863 is below"},
	{.section = MEMORY("\"limit\":67108864,\"swap\":-1"), .want = ""},
	{.section = MEMORY("\"swap\":67108863"),
		.want = "swap is set, but memory.limit is not"},
	{.section = MEMORY("\"limit\":-2"), .want = "must not be below -1"},
	{.section = MEMORY("\"limit\":64"), .want = "W linux.resources.memory"},
	{.section = MEMORY("\"swappiness\":101"), .want = "from 0 to 100"},
	{.section = MEMORY("\"swappiness\":18446744073709551615"),
		.want = "from 0 to 100"},
	{.section = CPU("\"period\":999"), .want = "1000 to 1000000"},
	{.section = CPU("\"quota\":999"), .want = "at least 1000 micro"},
	{.section = CPU("\"quota\":1000,\"burst\":1001"),
		.want = "burst 1001 is above"},
	{.section = CPU("\"shares\":1"), .want = "from 2 to 262144"},
	{.section = CPU("\"cpus\":\"0-1,3\""), .want = ""},
	{.section = CPU("\"cpus\":\"1-0\""), .want = "is no list of numbers"},
	{.section = CPU("\"cpus\":\"0,\""), .want = "is no list of numbers"},
	{.section = CPU("\"cpus\":\"-1\""), .want = "is no list of numbers"},
	{.section = ",\"resources\":{\"pids\":{}}",
		.want = "E linux.resources.pids.limit is missing"},
	{.section = ",\"resources\":{\"blockIO\":{\"weight\":9}}",
		.want = "from 10 to 1000"},
	{.section = ",\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2M\","
		    "\"limit\":0}]}",
		.want = "'2M' is no size of a page"},
	{.section = ",\"resources\":{\"devices\":[{\"allow\":true,\"access\":"
		    "\"rx\"}]}",
		.want = "has letters other than"},
	{.section = ",\"resources\":{\"unified\":{\"a/b\":\"1\"}}",
		.want = "must be the name of a file"},
	{.section = SECCOMP("ALLOW"), .want = ""},
	{.section = SECCOMP("DENY"), .want = "'SCMP_ACT_DENY' is not known"},
	{.section = SECCOMP("NOTIFY"), .want = "cannot be the default"},
	{.section = SECCOMP("ALLOW", ",\"defaultErrnoRet\":1"),
		.want = "is for SCMP_ACT_ERRNO and SCMP_ACT_TRACE"},
	{.section = SECCOMP("ERRNO", ",\"defaultErrnoRet\":4096"),
		.want = "must be at most 4095"},
	{.section = SECCOMP(
		 "ALLOW", ",\"architectures\":[\"SCMP_ARCH_X8664\"]"),
		.want = "E linux.seccomp.architectures[0] 'SCMP_ARCH_X8664'"},
	{.section = SECCOMP("ALLOW", ",\"syscalls\":[{\"names\":[],\"action\":"
				     "\"SCMP_ACT_LOG\"}]"),
		.want = "E linux.seccomp.syscalls[0].names is empty"},
	{.section = SECCOMP("ALLOW",
		 ",\"syscalls\":[{\"names\":[\"a\"],\"action\":"
		 "\"SCMP_ACT_ALLOW\"}]"),
		.want = "is the default action"},
	{.section = SECCOMP("ALLOW",
		 ",\"syscalls\":[{\"names\":[\"a\"],\"action\":"
		 "\"SCMP_ACT_NOTIFY\"}]"),
		.want = "listenerPath is not set"},
	{.section = SECCOMP("ALLOW",
		 ",\"syscalls\":[{\"names\":[\"a\"],\"action\":"
		 "\"SCMP_ACT_LOG\",\"args\":[{\"index\":6,\"value\":0,"
		 "\"op\":\"SCMP_CMP_EQ\"}]}]"),
		.want = "index 6 must be from 0 to 5"},
	{.section = SECCOMP("ALLOW",
		 ",\"syscalls\":[{\"names\":[\"mkdri\"],\"action\":"
		 "\"SCMP_ACT_LOG\"}]"),
		.want = "W linux.seccomp.syscalls[0].names[0] 'mkdri' is no"},
	{.section = SECCOMP("ALLOW",
		 ",\"syscalls\":[{\"names\":[\"mkdir\",\"fchmodat2\","
		 "\"arm_fadvise64_64\",\"quite_new_call\"],\"action\":"
		 "\"SCMP_ACT_LOG\"}]"),
		.want = ""},
	{.section = ",\"intelRdt\":{\"closID\":\"a/b\"}",
		.want = "is no name of a folder"},
};

START_TEST(test_linux)
{
	run_faults(linux_base, linux_faults, LENGTH(linux_faults));
}
END_TEST

#define WCPU(...) ",\"resources\":{\"cpu\":{" __VA_ARGS__ "}}"
#define WNET(...) ",\"network\":{" __VA_ARGS__ "}"
#define GUID "12345678-1234-1234-1234-123456789abc"

static const struct fault windows_faults[] = {
	{.want = ""},
	{.process = ",\"args\":[\"a\"]",
		.want = "E process.commandLine and process.args are both"},
	{.process = ",\"rlimits\":[]",
		.want = "W process.rlimits means "
			"nothing on Windows"},
	{.section = WCPU("\"count\":1,\"maximum\":0"), .want = ""},
	{.section = WCPU("\"count\":1,\"maximum\":1"),
		.want = "maximum is set, and so is count"},
	{.section = WCPU("\"shares\":10001"), .want = "at most 10000"},
	{.section = WCPU("\"shares\":65536"), .want = "from 0 to 65535"},
	{.top = ",\"annotations\":{\"io.microsoft.container.processor.count\":"
		"\"2\"}",
		.section = WCPU("\"maximum\":1"),
		.want = "maximum is set, and so is count"},
	{.section = ",\"credentialSpec\":\"{\\\"a\\\":1}\"", .want = ""},
	{.section = ",\"credentialSpec\":\"x\"",
		.want = "E windows.credentialSpec does not hold a JSON object"},
	{.section = ",\"credentialSpec\":\"[1]\"",
		.want = "E windows.credentialSpec does not hold a JSON object"},
	{.section = ",\"credentialSpec\":1",
		.want = "E windows.credentialSpec must be a string"},
	{.section = ",\"credentialSpec\":{}",
		.want = "W windows.credentialSpec is an object"},
	{.section = WNET(
		 "\"networkNamespace\":\"x\",\"endpointList\":[\"" GUID "\"]"),
		.want = "E windows.network.endpointList is set, and so is"},
	{.section = WNET("\"networkNamespace\":\"x\",\"endpointList\":[]"),
		.want = ""},
	{.section = WNET("\"endpointList\":[\"x\"]"),
		.want = "W windows.network.endpointList[0] 'x' is no GUID"},
	{.section = ",\"devices\":[{\"idType\":\"class\",\"id\":\"" GUID "\"}]",
		.want = ""},
	{.section = ",\"devices\":[{\"idType\":\"class\",\"id\":\"x\"}]",
		.want = "E windows.devices[0].id 'x' is no GUID"},
	{.section = ",\"devices\":[{\"idType\":\"clas\",\"id\":\"x\"}]",
		.want = "W windows.devices[0].idType 'clas' is not known"},
	{.top = ",\"root\":{\"path\":\"C:\\\\x\"}",
		.want = "E root.path 'C:\\x' is no volume"},
	{.top = ",\"root\":{\"path\":\"\\\\\\\\?\\\\Volume{" GUID "}\\\\\"}",
		.want = ""},
	{.top = ",\"root\":{\"path\":\"\\\\\\\\?\\\\Volume{" GUID "}\\\\\"}",
		.section = ",\"hyperv\":{}",
		.want = "E root.path is set: with Hyper-V"},
	{.top = ",\"root\":{\"path\":\"\",\"readonly\":true}",
		.want = "E root.readonly is true"},
	{.top = ",\"annotations\":{\"microsoft.com/hostprocess-container\":"
		"\"true\"}",
		.section = ",\"hyperv\":{}",
		.want = "E windows.hyperv is set: a host process"},
	{.top = ",\"mounts\":[{\"destination\":\"C:\\\\a\",\"source\":"
		"\"D:\\\\b\",\"options\":[\"ro\"]}]",
		.want = ""},
	{.top = ",\"mounts\":[{\"destination\":\"C:\\\\a\",\"source\":"
		"\"\\\\\\\\host\\\\b\"}]",
		.want = "must be a folder on a drive"},
	{.top = ",\"mounts\":[{\"destination\":\"/a\",\"source\":\"D:\\\\b\"}]",
		.want = "E mounts[0].destination '/a' must be an absolute"},
	{.top = ",\"mounts\":[{\"destination\":\"C:\\\\a\",\"source\":"
		"\"D:\\\\b\"},{\"destination\":\"c:\\\\A\\\\c\",\"source\":"
		"\"D:\\\\b\"}]",
		.want = "are in each other"},
	{.section = ",\"layerFolders\":1",
		.want = "E windows.layerFolders must be an array"},
};

START_TEST(test_windows)
{
	run_faults(windows_base, windows_faults, LENGTH(windows_faults));
}
END_TEST

START_TEST(test_missing_parts)
{
	expect_text("{}", "E ociVersion is missing");
	expect_text("{}", "E process is missing");
	expect_text("{}", "E root is missing");
	expect_text("{}", "E linux is missing");
	expect_text("{\"windows\":{}}", "E windows.layerFolders is missing");
	expect_text("{\"windows\":{},\"process\":{}}",
		"E process.commandLine is missing, and so are args");
	expect_text("{\"windows\":{},\"linux\":{}}",
		"W windows is there, and so is linux");
	expect_text("{\"process\":{\"cwd\":\"tmp\"}}",
		"E process.cwd 'tmp' must be an absolute path");
	expect_text("{\"process\":{\"args\":[]}}", "E process.args is empty");
	expect_text("{\"ociVersion\":\"1.0\"}", "E ociVersion '1.0' is no");
	expect_text("{\"ociVersion\":\"2.0.0\"}", "another major version");
	expect_text("{\"ociVersion\":\"1.2.0-rc.1\"}", "W ociVersion '1.2.0");
	expect_text("[]", "E a configuration is a JSON object");
	expect_text("nope", "E this is not JSON");
	expect_text("{\"linux\":{\"namespaces\":[{\"type\":\"user\"}]}}",
		"E linux.namespaces[0] makes a user namespace, but nothing");
	expect_text("{\"hostname\":\"a\",\"linux\":{}}",
		"E hostname is set, but there is no uts namespace");
	expect_text("{\"linux\":{\"namespaces\":[{\"type\":\"pid\"},"
		    "{\"type\":\"pid\"}]}}",
		"E linux.namespaces[1] asks for a 'pid' namespace again");
	expect_text("{\"linux\":{\"namespaces\":[{\"type\":\"network\","
		    "\"path\":\"x\"}]}}",
		"E linux.namespaces[0].path 'x' must be an absolute path");
}
END_TEST

START_TEST(test_sorted_with_hints)
{
	struct check c = {0};

	check_or_die(&c, "{\"linux\":{},\"procces\":{},\"ociVersion\":1}");
	ck_assert_uint_ge(c.n, 3);
	for (size_t i = 1; i < c.n; i++)
		ck_assert_uint_le(c.findings[i - 1].at, c.findings[i].at);
	for (size_t i = 0; i < c.n; i++)
		if (strstr(c.findings[i].message, "procces"))
			ck_assert_str_eq(
				c.findings[i].hint, "did you mean 'process'?");
	check_clear(&c);
}
END_TEST

/* Findings have an end, errors are counted beyond it. */
START_TEST(test_many_findings)
{
	struct check c = {0};
	char *json = malloc(1 << 20), *p = json;

	p += sprintf(p, "{\"process\":{\"env\":[\"A\"");
	for (int i = 0; i < 3 * CHECK_FINDINGS_MAX; i++)
		p += sprintf(p, ",\"A\"");
	strcpy(p, "]}}");
	check_or_die(&c, json);
	ck_assert_uint_eq(c.n, CHECK_FINDINGS_MAX);
	ck_assert_uint_gt(c.n_errors, 3 * CHECK_FINDINGS_MAX);
	ck_assert_uint_gt(c.n_left_out, 2 * CHECK_FINDINGS_MAX);
	check_clear(&c);
	free(json);
}
END_TEST

/* No escape of a terminal, no half of a character. */
START_TEST(test_text_is_defused)
{
	struct check c = {0};
	const char *m;
	size_t i;

	check_or_die(&c, "{\"process\":{\"cwd\":\"\\u001b[31m\\u009b"
			 "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
			 "\"},\"linux\":{\"a\\u001b\":1}}");
	for (i = 0; i < c.n; i++) {
		m = c.findings[i].message;
		ck_assert_ptr_null(strchr(m, '\x1b'));
		ck_assert_ptr_null(strstr(m, "\xc2\x9b"));
		ck_assert_ptr_null(strchr(c.findings[i].path, '\x1b'));
	}
	check_clear(&c);
}
END_TEST

START_TEST(test_names)
{
	ck_assert_uint_eq(names_distance("abc", "abc", 3), 0);
	ck_assert_uint_eq(names_distance("abc", "ABC", 3), 0);
	ck_assert_uint_eq(names_distance("abc", "acb", 3), 1);
	ck_assert_uint_eq(names_distance("abc", "abcd", 3), 1);
	ck_assert_uint_eq(names_distance("abc", "bc", 3), 1);
	ck_assert_uint_eq(names_distance("", "abc", 3), 3);
	ck_assert_uint_eq(names_distance("abc", "xyz", 1), 2);
	ck_assert_str_eq(names_nearest(names_namespaces, "netwrok"), "network");
	ck_assert_ptr_null(names_nearest(names_namespaces, "chroot"));
	ck_assert_ptr_null(names_nearest(names_namespaces, ""));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {test_process, test_top, test_linux,
		test_windows, test_missing_parts, test_sorted_with_hints,
		test_many_findings, test_text_is_defused, test_names, NULL};

	return suite_run("ctl check", tests);
}
