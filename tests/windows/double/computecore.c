/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A double of computecore.dll: what platform/windows/hcs.h calls.
 *
 * It works in the folder that WISP_HCS names; without that everything fails
 * with E_NOTIMPL. log there has each call and event as a line of JSON: call (or
 * event), op, system, process (numbers), document, hr; what is opened and
 * closed has lines of its own. Processes are real ones, with pipes; operations
 * complete, and events come, in a thread of this library's. A file plan has
 * lines "FUNCTION N HOW HRESULT": the Nth call of it
 *
 *   fail   fails at once,
 *   late   is begun, and completes with that,
 *   text   likewise, with a result that is no JSON,
 *   never  never completes,
 *   zero   completes, but tells nothing of the process (HcsCreateProcess).
 *
 * counted from when the plan was written, whatever came before. A Linux
 * container makes two systems: of a create that follows a new plan, the machine
 * is "HcsCreateComputeSystem 1", and the container 2. A file properties is the
 * answer of HcsGetComputeSystemProperties; a file event, the document of each
 * process's exit.
 */
#include <computecore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define EXPORT __declspec(dllexport)
#define MAX_THINGS 4096
#define OPENED_FROM 32768

enum kind { NONE, OPERATION, SYSTEM, PROCESS };

struct thing {
	enum kind kind;
	unsigned number;
	BOOL closed; /* for those outside */
	/* of an operation */
	HCS_OPERATION_COMPLETION done;
	void *context;
	HRESULT result;
	char *json;
	HCS_PROCESS_INFORMATION info;
	BOOL has_info, begun;
	/* of a system, or a process */
	HCS_EVENT_CALLBACK event;
	void *event_context;
	BOOL started, exited;
	HANDLE job;     /* of a system */
	char *line;     /* of one with Linux: what its first process runs */
	HANDLE process; /* of a process */
	DWORD pid, status;
	struct thing *system; /* of a process */
};

/* What the thread has to do. */
struct work {
	struct work *next;
	struct thing *to;
	BOOL is_event;
	HCS_EVENT_TYPE type;
	char json[256];
};

static CRITICAL_SECTION lock;
static struct thing *things[MAX_THINGS];
static unsigned n_things, n_pipes;
static struct work *queue, **tail = &queue;
static HANDLE wake, log_mutex;

BOOL WINAPI DllMain(HINSTANCE dll, DWORD why, void *unused)
{
	(void)dll;
	(void)unused;
	if (why == DLL_PROCESS_ATTACH) {
		InitializeCriticalSection(&lock);
		wake = CreateEventW(NULL, FALSE, FALSE, NULL);
		log_mutex = CreateMutexW(NULL, FALSE, L"wisp-hcs-log");
	}
	return TRUE;
}

/* ---- files ---- */

static const char *in_folder(const char *name)
{
	static __thread char path[2 * MAX_PATH];
	char folder[MAX_PATH];
	DWORD n = GetEnvironmentVariableA("WISP_HCS", folder, MAX_PATH);

	if (n == 0 || n >= MAX_PATH)
		return NULL;
	snprintf(path, sizeof(path), "%s\\%s", folder, name);
	return path;
}

/* Another process may have the same log, and Wine does not append in one piece.
 */
static void put_line(const char *line)
{
	FILE *f;

	EnterCriticalSection(&lock);
	WaitForSingleObject(log_mutex, INFINITE);
	f = in_folder("log") ? fopen(in_folder("log"), "ab") : NULL;
	if (f) {
		fprintf(f, "%s\n", line);
		fclose(f);
	}
	ReleaseMutex(log_mutex);
	LeaveCriticalSection(&lock);
}

static char *read_file(const char *name)
{
	char *text = calloc(1, 65536);
	FILE *f = in_folder(name) ? fopen(in_folder(name), "rb") : NULL;

	if (!f) {
		free(text);
		return NULL;
	}
	fread(text, 1, 65535, f);
	fclose(f);
	return text;
}

static char *narrow(PCWSTR text)
{
	int n = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
	char *ret = malloc((size_t)n + 1);

	WideCharToMultiByte(CP_UTF8, 0, text, -1, ret, n, NULL, NULL);
	return ret;
}

static wchar_t *widen(const char *text)
{
	int n = MultiByteToWideChar(CP_UTF8, 0, text, -1, NULL, 0);
	wchar_t *ret = malloc((size_t)n * sizeof(*ret));

	MultiByteToWideChar(CP_UTF8, 0, text, -1, ret, n);
	return ret;
}

/* ---- the plan ---- */

struct plan {
	char how[8];
	HRESULT hr;
};

static struct plan planned(const char *function)
{
	static struct {
		const char *name;
		unsigned n;
	} counts[64];
	struct plan ret = {"", S_OK};
	char *text = read_file("plan"), *line, *next;
	unsigned i, n, nth;

	static char *last;

	EnterCriticalSection(&lock);
	if ((last == NULL) != (text == NULL) ||
		(text && strcmp(last, text) != 0)) {
		memset(counts, 0, sizeof(counts)); /* a new plan */
		free(last);
		last = text ? strdup(text) : NULL;
	}
	for (i = 0; counts[i].name && strcmp(counts[i].name, function); i++)
		;
	counts[i].name = function;
	n = ++counts[i].n;
	LeaveCriticalSection(&lock);
	for (line = text; line && *line; line = next) {
		char name[64], how[8];
		unsigned long hr = 0;

		next = strchr(line, '\n');
		next = next ? next + 1 : line + strlen(line);
		if (sscanf(line, "%63s %u %7s %lx", name, &nth, how, &hr) < 3 ||
			strcmp(name, function) != 0 || nth != n)
			continue;
		strcpy(ret.how, how);
		ret.hr = (HRESULT)hr;
	}
	free(text);
	return ret;
}

/* ---- things ---- */

static const char *const kinds[] = {"none", "operation", "system", "process"};

static struct thing *thing_new(enum kind kind)
{
	struct thing *t = calloc(1, sizeof(*t));
	char line[128];

	EnterCriticalSection(&lock);
	t->kind = kind;
	t->number = ++n_things;
	things[n_things % MAX_THINGS] = t;
	LeaveCriticalSection(&lock);
	snprintf(line, sizeof(line), "{\"opened\":\"%s\",\"number\":%u}",
		kinds[kind], t->number);
	put_line(line);
	return t;
}

/* Handles are numbers, so that a wrong one is noticed. They are never reused,
 * and what they mean stays until the end. */
static struct thing *thing_of(const void *handle, enum kind kind)
{
	unsigned number = (unsigned)(uintptr_t)handle / 4;
	struct thing *t = things[number % MAX_THINGS];
	char line[128];

	if (t && t->number == number && t->kind == kind && !t->closed)
		return t;
	snprintf(line, sizeof(line), "{\"bad\":\"%s\",\"number\":%u}",
		kinds[kind], number);
	put_line(line);
	return NULL;
}

static void *handle_of(const struct thing *t)
{
	return (void *)(uintptr_t)(t->number * 4);
}

static void thing_close(struct thing *t)
{
	char line[128];

	if (!t)
		return;
	EnterCriticalSection(&lock);
	t->closed = TRUE;
	t->event = NULL;
	LeaveCriticalSection(&lock);
	snprintf(line, sizeof(line), "{\"closed\":\"%s\",\"number\":%u}",
		kinds[t->kind], t->number);
	put_line(line);
}

/* ---- the thread ---- */

static DWORD WINAPI worker(void *unused)
{
	(void)unused;
	for (;;) {
		struct work *w;
		HCS_EVENT_CALLBACK event = NULL;
		HCS_OPERATION_COMPLETION done = NULL;
		void *context = NULL;

		EnterCriticalSection(&lock);
		w = queue;
		if (w) {
			queue = w->next;
			if (!queue)
				tail = &queue;
			event = w->is_event ? w->to->event : NULL;
			done = w->is_event || w->to->closed ? NULL
							    : w->to->done;
			context = w->is_event ? w->to->event_context
					      : w->to->context;
		}
		LeaveCriticalSection(&lock);
		if (!w) {
			WaitForSingleObject(wake, INFINITE);
			continue;
		}
		if (event) {
			wchar_t *text = widen(w->json);
			HCS_EVENT ev = {.Type = w->type, .EventData = text};
			char line[512];

			snprintf(line, sizeof(line),
				"{\"event\":\"0x%lx\",\"number\":%u}",
				(unsigned long)w->type, w->to->number);
			put_line(line);
			event(&ev, context);
			free(text);
		}
		if (done)
			done(handle_of(w->to), context);
		free(w);
	}
	return 0;
}

static void post(
	struct thing *to, BOOL is_event, HCS_EVENT_TYPE type, const char *json)
{
	static BOOL running;
	struct work *w = calloc(1, sizeof(*w));

	w->to = to;
	w->is_event = is_event;
	w->type = type;
	snprintf(w->json, sizeof(w->json), "%s", json ? json : "");
	EnterCriticalSection(&lock);
	*tail = w;
	tail = &w->next;
	if (!running)
		CloseHandle(CreateThread(NULL, 65536, worker, NULL, 0, NULL));
	running = TRUE;
	LeaveCriticalSection(&lock);
	SetEvent(wake);
}

static void log_call(const char *function, const struct thing *op,
	const struct thing *other, PCWSTR text, HRESULT hr)
{
	char *document = text ? narrow(text) : NULL;
	size_t room = (document ? strlen(document) : 0) + 256;
	char *line = malloc(room);

	snprintf(line, room,
		"{\"call\":\"%s\",\"op\":%u,\"on\":%u,\"hr\":\"0x%08lx\","
		"\"document\":%s}",
		function, op ? op->number : 0, other ? other->number : 0,
		(unsigned long)hr, document ? document : "null");
	put_line(line);
	free(line);
	free(document);
}

/* Logs the call, and completes it in time, as the plan says. True: its work is
 * to be done. */
static BOOL begin(const char *function, HCS_OPERATION operation,
	struct thing *other, PCWSTR document, struct thing **ret_op,
	HRESULT *ret)
{
	struct plan p = planned(function);
	struct thing *op = thing_of(operation, OPERATION);

	*ret_op = op;
	*ret = in_folder("log") ? S_OK : E_NOTIMPL;
	if (*ret == S_OK && (!op || op->begun || !other))
		*ret = E_INVALIDARG;
	if (*ret == S_OK && strcmp(p.how, "fail") == 0)
		*ret = p.hr;
	log_call(function, op, other, document, *ret);
	if (*ret != S_OK)
		return FALSE;
	op->begun = TRUE;
	if (strcmp(p.how, "never") == 0)
		return FALSE;
	if (strcmp(p.how, "late") == 0 || strcmp(p.how, "text") == 0) {
		op->result = p.hr;
		op->json = strdup(p.how[0] == 't'
					  ? "{\"Error\":"
					  : "{\"Error\":-1,\"ErrorMessage\":"
					    "\"as it was planned.\"}");
		if (p.how[0] != 't' || p.hr < 0) {
			post(op, FALSE, 0, NULL);
			return FALSE;
		}
	}
	if (strcmp(p.how, "zero") == 0)
		op->json = strdup("zero");
	return TRUE;
}

/* ---- operations ---- */

EXPORT HCS_OPERATION WINAPI HcsCreateOperation(
	const void *context, HCS_OPERATION_COMPLETION done)
{
	struct plan p = planned("HcsCreateOperation");
	struct thing *t;

	if (p.how[0])
		return NULL;
	t = thing_new(OPERATION);
	t->context = (void *)context;
	t->done = done;
	return handle_of(t);
}

EXPORT void WINAPI HcsCloseOperation(HCS_OPERATION operation)
{
	struct thing *t = thing_of(operation, OPERATION);

	thing_close(t);
	if (t && t->has_info) { /* nobody has fetched them */
		CloseHandle(t->info.StdInput);
		CloseHandle(t->info.StdOutput);
		CloseHandle(t->info.StdError);
		t->has_info = FALSE;
	}
}

static HRESULT result_of(struct thing *t, PWSTR *ret)
{
	wchar_t *text;

	if (!t)
		return E_INVALIDARG;
	if (t->json && ret) {
		text = widen(t->json);
		*ret = LocalAlloc(0, (wcslen(text) + 1) * sizeof(*text));
		wcscpy(*ret, text);
		free(text);
	}
	return t->result;
}

EXPORT HRESULT WINAPI HcsGetOperationResult(HCS_OPERATION operation, PWSTR *ret)
{
	return result_of(thing_of(operation, OPERATION), ret);
}

EXPORT HRESULT WINAPI HcsGetOperationResultAndProcessInfo(
	HCS_OPERATION operation, HCS_PROCESS_INFORMATION *info, PWSTR *ret)
{
	struct thing *t = thing_of(operation, OPERATION);

	if (t && t->has_info && info) {
		*info = t->info;
		t->has_info = FALSE;
	}
	return result_of(t, ret);
}

/* ---- documents ---- */

/* The text behind "key": of a document that json_write.h made, unescaped. */
static char *text_at(const char *at, const char **end)
{
	char *ret = malloc(strlen(at) + 1), *to = ret;

	while (*at && *at != '"') {
		if (*at == '\\' && at[1] == 'u') {
			*to++ = (char)strtoul(
				(char[]){at[4], at[5], '\0'}, NULL, 16);
			at += 6;
			continue;
		}
		if (*at == '\\')
			at++;
		*to++ = *at++;
	}
	*to = '\0';
	if (end)
		*end = *at ? at + 1 : at;
	return ret;
}

/* The args of an OCI process as a command line; none of them has a quote. */
static char *line_of(const char *document)
{
	const char *at = strstr(document, "\"args\":[");
	char *line = calloc(1, strlen(document) + 64), *word;

	at = at ? at + strlen("\"args\":[") : "";
	while (*at == '"' || (*at == ',' && *++at == '"')) {
		word = text_at(at + 1, &at);
		sprintf(line + strlen(line), "%s\"%s\"", *line ? " " : "",
			word);
		free(word);
	}
	return line;
}

/* ---- systems ---- */

static void name_of_job(PCWSTR id, wchar_t name[300])
{
	swprintf(name, 300, L"wisp-hcs-%ls", id);
}

/* By its name another process's HcsOpenComputeSystem() finds it. What cannot
 * have the name, as one that never was closed has it, is not found. */
static HANDLE system_job(PCWSTR id)
{
	wchar_t name[300];
	unsigned tries;

	if (!id)
		return CreateJobObjectW(NULL, NULL);
	name_of_job(id, name);
	/* one whose processes are about to go has it for a moment */
	for (tries = 0; tries < 50; tries++) {
		HANDLE h = CreateJobObjectW(NULL, name);

		if (!h || GetLastError() != ERROR_ALREADY_EXISTS)
			return h;
		CloseHandle(h);
		Sleep(10);
	}
	return CreateJobObjectW(NULL, NULL);
}

static void log_id(PCWSTR id)
{
	char *name = narrow(id), line[256];

	snprintf(line, sizeof(line), "{\"id\":\"%s\"}", name);
	put_line(line);
	free(name);
}

EXPORT HRESULT WINAPI HcsCreateComputeSystem(PCWSTR id, PCWSTR document,
	HCS_OPERATION operation, const SECURITY_DESCRIPTOR *sd, HCS_SYSTEM *ret)
{
	JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
		.BasicLimitInformation.LimitFlags =
			JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE};
	struct thing none = {0}, *op, *t;
	HRESULT hr;
	BOOL go_on;

	(void)sd;
	go_on = begin(
		"HcsCreateComputeSystem", operation, &none, document, &op, &hr);
	if (hr != S_OK)
		return hr;
	if (id)
		log_id(id);
	t = thing_new(SYSTEM);
	t->job = system_job(id);
	SetInformationJobObject(t->job, JobObjectExtendedLimitInformation,
		&limits, sizeof(limits));
	if (document) {
		char *text = narrow(document);

		t->line =
			strstr(text, "OciSpecification") ? line_of(text) : NULL;
		free(text);
	}
	*ret = handle_of(t);
	if (go_on)
		post(op, FALSE, 0, NULL);
	return S_OK;
}

EXPORT HRESULT WINAPI HcsOpenComputeSystem(
	PCWSTR id, DWORD access, HCS_SYSTEM *ret)
{
	struct plan p = planned("HcsOpenComputeSystem");
	HRESULT hr = !in_folder("log")            ? E_NOTIMPL
		     : strcmp(p.how, "fail") == 0 ? p.hr
						  : S_OK;
	wchar_t name[300];
	HANDLE job = NULL;
	struct thing *t;

	(void)access;
	name_of_job(id, name);
	if (hr == S_OK) {
		job = OpenJobObjectW(JOB_OBJECT_ALL_ACCESS, FALSE, name);
		hr = job ? S_OK : (HRESULT)0xC037010E;
	}
	log_call("HcsOpenComputeSystem", NULL, NULL, NULL, hr);
	if (hr != S_OK)
		return hr;
	/* the numbers of the process that made it are in the same log */
	if (n_things < OPENED_FROM)
		n_things = OPENED_FROM;
	log_id(id);
	t = thing_new(SYSTEM);
	t->job = job;
	t->started = TRUE;
	*ret = handle_of(t);
	return S_OK;
}

static BOOL system_begin(const char *function, HCS_SYSTEM system,
	HCS_OPERATION operation, PCWSTR document, struct thing **ret_system,
	struct thing **ret_op, HRESULT *hr)
{
	*ret_system = thing_of(system, SYSTEM);
	return begin(function, operation, *ret_system, document, ret_op, hr);
}

static void finish(struct thing *op, HRESULT result)
{
	op->result = result;
	post(op, FALSE, 0, NULL);
}

EXPORT HRESULT WINAPI HcsStartComputeSystem(
	HCS_SYSTEM system, HCS_OPERATION operation, PCWSTR options)
{
	struct thing *t, *op;
	HRESULT hr;

	if (!system_begin("HcsStartComputeSystem", system, operation, options,
		    &t, &op, &hr))
		return hr;
	t->started = TRUE;
	finish(op, t->exited ? (HRESULT)0xC0370110 : S_OK);
	return hr;
}

/* Those that another process has put into it, too. */
static BOOL has_processes(HANDLE job)
{
	JOBOBJECT_BASIC_ACCOUNTING_INFORMATION now;

	return job &&
	       QueryInformationJobObject(job,
		       JobObjectBasicAccountingInformation, &now, sizeof(now),
		       NULL) &&
	       now.ActiveProcesses > 0;
}

/* Its processes end, and say so, before it does. */
static void end_system(struct thing *t)
{
	BOOL before;
	unsigned i;

	EnterCriticalSection(&lock);
	before = t->exited;
	t->exited = TRUE;
	LeaveCriticalSection(&lock);
	if (before)
		return;
	TerminateJobObject(t->job, 0xC000013A);
	for (i = 0; i < 5000 && has_processes(t->job); i++)
		Sleep(1);
	for (i = 0; i < MAX_THINGS; i++) {
		struct thing *p = things[i];
		unsigned waited = 0;

		if (!p || p->kind != PROCESS || p->system != t)
			continue;
		while (!p->exited && waited++ < 5000)
			Sleep(1);
	}
	post(t, TRUE, HcsEventSystemExited,
		"{\"Status\":0,\"ExitType\":\"GracefulExit\"}");
}

static DWORD WINAPI end_thread(void *arg)
{
	end_system(arg);
	return 0;
}

static HRESULT end(const char *function, HCS_SYSTEM system,
	HCS_OPERATION operation, PCWSTR options)
{
	struct thing *t, *op;
	HRESULT hr;

	if (!system_begin(function, system, operation, options, &t, &op, &hr))
		return hr;
	finish(op, t->exited ? (HRESULT)0xC0370110 : S_OK);
	if (!t->exited)
		CloseHandle(CreateThread(NULL, 0, end_thread, t, 0, NULL));
	return hr;
}

EXPORT HRESULT WINAPI HcsShutDownComputeSystem(
	HCS_SYSTEM system, HCS_OPERATION operation, PCWSTR options)
{
	return end("HcsShutDownComputeSystem", system, operation, options);
}

EXPORT HRESULT WINAPI HcsTerminateComputeSystem(
	HCS_SYSTEM system, HCS_OPERATION operation, PCWSTR options)
{
	return end("HcsTerminateComputeSystem", system, operation, options);
}

static HRESULT plain(const char *function, HCS_SYSTEM system,
	HCS_OPERATION operation, PCWSTR document)
{
	struct thing *t, *op;
	HRESULT hr;

	if (system_begin(function, system, operation, document, &t, &op, &hr))
		finish(op, t->exited ? (HRESULT)0xC0370110 : S_OK);
	return hr;
}

EXPORT HRESULT WINAPI HcsPauseComputeSystem(
	HCS_SYSTEM system, HCS_OPERATION operation, PCWSTR options)
{
	return plain("HcsPauseComputeSystem", system, operation, options);
}

EXPORT HRESULT WINAPI HcsResumeComputeSystem(
	HCS_SYSTEM system, HCS_OPERATION operation, PCWSTR options)
{
	return plain("HcsResumeComputeSystem", system, operation, options);
}

EXPORT HRESULT WINAPI HcsModifyComputeSystem(HCS_SYSTEM system,
	HCS_OPERATION operation, PCWSTR document, HANDLE identity)
{
	(void)identity;
	return plain("HcsModifyComputeSystem", system, operation, document);
}

static char *list_processes(const struct thing *t)
{
	char *text = calloc(1, 16384), *at = text;
	unsigned i;

	at += sprintf(at, "{\"ProcessList\":[");
	for (i = 1; i <= n_things; i++) {
		struct thing *p = things[i % MAX_THINGS];

		if (p && p->kind == PROCESS && p->system == t && !p->exited)
			at += sprintf(at, "%s{\"ProcessId\":%lu}",
				at[-1] == '}' ? "," : "", p->pid);
	}
	sprintf(at, "],\"Statistics\":{\"Uptime100ns\":10,\"Memory\":{"
		    "\"MemoryUsageCommitBytes\":77}}}");
	return text;
}

EXPORT HRESULT WINAPI HcsGetComputeSystemProperties(
	HCS_SYSTEM system, HCS_OPERATION operation, PCWSTR query)
{
	struct thing *t, *op;
	HRESULT hr;

	if (!system_begin("HcsGetComputeSystemProperties", system, operation,
		    query, &t, &op, &hr))
		return hr;
	if (!op->json)
		op->json = read_file("properties");
	if (!op->json)
		op->json = list_processes(t);
	finish(op, S_OK);
	return hr;
}

static HRESULT set_callback(const char *function, struct thing *t,
	const void *context, HCS_EVENT_CALLBACK callback)
{
	struct plan p = planned(function);
	HRESULT hr = !in_folder("log")            ? E_NOTIMPL
		     : !t                         ? E_INVALIDARG
		     : strcmp(p.how, "fail") == 0 ? p.hr
						  : S_OK;

	log_call(function, NULL, t, NULL, hr);
	if (hr != S_OK)
		return hr;
	EnterCriticalSection(&lock);
	t->event = callback;
	t->event_context = (void *)context;
	LeaveCriticalSection(&lock);
	return S_OK;
}

EXPORT HRESULT WINAPI HcsSetComputeSystemCallback(HCS_SYSTEM system,
	HCS_EVENT_OPTIONS options, const void *context,
	HCS_EVENT_CALLBACK callback)
{
	(void)options;
	return set_callback("HcsSetComputeSystemCallback",
		thing_of(system, SYSTEM), context, callback);
}

EXPORT void WINAPI HcsCloseComputeSystem(HCS_SYSTEM system)
{
	struct thing *t = thing_of(system, SYSTEM);

	thing_close(t);
	if (t && t->job)
		CloseHandle(t->job);
	if (t)
		t->job = NULL;
}

/* ---- processes ---- */

static char *value_of(const char *document, const char *key)
{
	char pattern[64];
	const char *at;

	snprintf(pattern, sizeof(pattern), "\"%s\":\"", key);
	at = strstr(document, pattern);
	return at ? text_at(at + strlen(pattern), NULL) : NULL;
}

static BOOL wants(const char *document, const char *key)
{
	char pattern[64];

	snprintf(pattern, sizeof(pattern), "\"%s\":true", key);
	return strstr(document, pattern) != NULL;
}

/* What the document says comes on top of this process's own. */
static wchar_t *environment_of(const char *document)
{
	wchar_t *block = calloc(131072, sizeof(*block)), *to = block;
	wchar_t *own = GetEnvironmentStringsW(), *p;
	const char *at = strstr(document, "\"Environment\":{");

	at = at ? at + strlen("\"Environment\":{") : "";
	while (*at == '"' || (*at == ',' && *++at == '"')) {
		char *name = text_at(at + 1, &at), *value;
		wchar_t *wide_name, *wide_value;

		value = text_at(at + 2, &at);
		wide_name = widen(name);
		wide_value = widen(value);
		to += swprintf(to, 30000, L"%ls=%ls", wide_name, wide_value) +
		      1;
		free(wide_name);
		free(wide_value);
		free(name);
		free(value);
	}
	for (p = own; *p; p += wcslen(p) + 1)
		to += swprintf(to, 30000, L"%ls", p) + 1;
	FreeEnvironmentStringsW(own);
	return block;
}

/* One pipe: ours for overlapped I/O, theirs for a child. */
static void make_pipe(BOOL to_child, HANDLE *ours, HANDLE *theirs)
{
	SECURITY_ATTRIBUTES inherit = {
		.nLength = sizeof(inherit), .bInheritHandle = TRUE};
	wchar_t name[64];

	swprintf(name, 64, L"\\\\.\\pipe\\wisp-hcs-%lu-%u",
		GetCurrentProcessId(), ++n_pipes);
	*ours = CreateNamedPipeW(name,
		(to_child ? PIPE_ACCESS_OUTBOUND : PIPE_ACCESS_INBOUND) |
			FILE_FLAG_OVERLAPPED,
		PIPE_TYPE_BYTE, 1, 65536, 65536, 0, NULL);
	*theirs = CreateFileW(name,
		to_child ? GENERIC_READ | FILE_WRITE_ATTRIBUTES
			 : GENERIC_WRITE | FILE_READ_ATTRIBUTES,
		0, &inherit, OPEN_EXISTING, 0, NULL);
}

static void tell_exit(struct thing *t)
{
	char json[256], *given = read_file("event");

	snprintf(json, sizeof(json),
		"{\"ProcessId\":%lu,\"ExitCode\":%lu,\"LastWaitResult\":0}",
		t->pid, t->status);
	post(t, TRUE, HcsEventProcessExited, given ? given : json);
	free(given);
}

static DWORD WINAPI wait_thread(void *arg)
{
	struct thing *t = arg;
	BOOL tell;

	WaitForSingleObject(t->process, INFINITE);
	EnterCriticalSection(&lock);
	GetExitCodeProcess(t->process, &t->status);
	CloseHandle(t->process);
	t->process = NULL;
	tell = t->event != NULL;
	t->exited = TRUE;
	if (tell)
		tell_exit(t);
	LeaveCriticalSection(&lock);
	return 0;
}

static HRESULT run(struct thing *t, struct thing *op, const char *document)
{
	STARTUPINFOW si = {.cb = sizeof(si), .dwFlags = STARTF_USESTDHANDLES};
	PROCESS_INFORMATION pi;
	char *line = value_of(document, "CommandLine");
	char *cwd = value_of(document, "WorkingDirectory");
	wchar_t *wide_line;
	wchar_t *wide_cwd = widen(cwd ? cwd : "C:\\");
	wchar_t *env = environment_of(document);
	HANDLE theirs[3] = {NULL, NULL, NULL};
	HCS_PROCESS_INFORMATION *info = &op->info;
	BOOL made;
	int i;

	if (!line && strstr(document, "OciProcess"))
		line = line_of(document);
	else if (!line && t->system->line)
		line = strdup(t->system->line);
	wide_line = widen(line ? line : "");
	if (wants(document, "CreateStdInPipe"))
		make_pipe(TRUE, &info->StdInput, &theirs[0]);
	if (wants(document, "CreateStdOutPipe"))
		make_pipe(FALSE, &info->StdOutput, &theirs[1]);
	if (wants(document, "CreateStdErrPipe"))
		make_pipe(FALSE, &info->StdError, &theirs[2]);
	si.hStdInput = theirs[0];
	si.hStdOutput = theirs[1];
	si.hStdError = theirs[2];
	made = CreateProcessW(NULL, wide_line, NULL, NULL, TRUE,
		CREATE_SUSPENDED | DETACHED_PROCESS |
			CREATE_UNICODE_ENVIRONMENT,
		env, wide_cwd, &si, &pi);
	for (i = 0; i < 3; i++)
		if (theirs[i])
			CloseHandle(theirs[i]);
	free(line);
	free(cwd);
	free(wide_line);
	free(wide_cwd);
	free(env);
	op->has_info = TRUE;
	if (!made)
		return HRESULT_FROM_WIN32(GetLastError());
	AssignProcessToJobObject(t->system->job, pi.hProcess);
	ResumeThread(pi.hThread);
	CloseHandle(pi.hThread);
	t->process = pi.hProcess;
	t->pid = info->ProcessId = pi.dwProcessId;
	CloseHandle(CreateThread(NULL, 65536, wait_thread, t, 0, NULL));
	return S_OK;
}

EXPORT HRESULT WINAPI HcsCreateProcess(HCS_SYSTEM system, PCWSTR document,
	HCS_OPERATION operation, const SECURITY_DESCRIPTOR *sd,
	HCS_PROCESS *ret)
{
	struct thing *t, *op, *p;
	HRESULT hr;
	BOOL go_on;
	char *text;

	(void)sd;
	go_on = system_begin(
		"HcsCreateProcess", system, operation, document, &t, &op, &hr);
	if (hr != S_OK)
		return hr;
	p = thing_new(PROCESS);
	p->system = t;
	*ret = handle_of(p);
	if (!go_on) {
		p->exited = TRUE;
		return S_OK;
	}
	text = narrow(document);
	if (op->json && strcmp(op->json, "zero") == 0) {
		op->json = NULL;
		p->exited = TRUE;
		finish(op, S_OK);
	} else if (!t->started || t->exited) {
		p->exited = TRUE;
		finish(op, (HRESULT)0xC0370105);
	} else {
		hr = run(p, op, text);
		p->exited = hr != S_OK;
		finish(op, hr);
	}
	free(text);
	return S_OK;
}

static BOOL process_begin(const char *function, HCS_PROCESS process,
	HCS_OPERATION operation, PCWSTR document, struct thing **ret_process,
	struct thing **ret_op, HRESULT *hr)
{
	*ret_process = thing_of(process, PROCESS);
	return begin(function, operation, *ret_process, document, ret_op, hr);
}

EXPORT HRESULT WINAPI HcsGetProcessInfo(
	HCS_PROCESS process, HCS_OPERATION operation)
{
	struct thing *t, *op;
	HRESULT hr;

	if (process_begin("HcsGetProcessInfo", process, operation, NULL, &t,
		    &op, &hr)) {
		op->info.ProcessId = t->pid;
		op->has_info = TRUE;
		finish(op, S_OK);
	}
	return hr;
}

EXPORT HRESULT WINAPI HcsModifyProcess(
	HCS_PROCESS process, HCS_OPERATION operation, PCWSTR document)
{
	struct thing *t, *op;
	HRESULT hr;

	if (process_begin("HcsModifyProcess", process, operation, document, &t,
		    &op, &hr))
		finish(op, S_OK);
	return hr;
}

static HRESULT hit(const char *function, HCS_PROCESS process,
	HCS_OPERATION operation, PCWSTR options, UINT status)
{
	struct thing *t, *op;
	HRESULT hr;

	if (!process_begin(function, process, operation, options, &t, &op, &hr))
		return hr;
	EnterCriticalSection(&lock);
	finish(op, t->exited ? (HRESULT)0x8037011F : S_OK);
	if (!t->exited)
		TerminateProcess(t->process, status);
	LeaveCriticalSection(&lock);
	return hr;
}

EXPORT HRESULT WINAPI HcsSignalProcess(
	HCS_PROCESS process, HCS_OPERATION operation, PCWSTR options)
{
	struct thing *t = thing_of(process, PROCESS);
	char *die = read_file("die"), *text = narrow(options);
	UINT status = 0xC000013A, number;
	HRESULT hr;

	if (t && die) {
		EnterCriticalSection(&lock);
		t->event = NULL;
		LeaveCriticalSection(&lock);
	}
	if (sscanf(text, "{\"Signal\":%u", &number) == 1)
		status = 128 + number; /* Linux' own */
	free(text);
	hr = hit("HcsSignalProcess", process, operation, options, status);
	if (t && die)
		CloseHandle(CreateThread(
			NULL, 65536, end_thread, t->system, 0, NULL));
	free(die);
	return hr;
}

EXPORT HRESULT WINAPI HcsTerminateProcess(
	HCS_PROCESS process, HCS_OPERATION operation, PCWSTR options)
{
	return hit("HcsTerminateProcess", process, operation, options, 1);
}

EXPORT HRESULT WINAPI HcsSetProcessCallback(HCS_PROCESS process,
	HCS_EVENT_OPTIONS options, void *context, HCS_EVENT_CALLBACK callback)
{
	struct thing *t = thing_of(process, PROCESS);
	HRESULT hr =
		set_callback("HcsSetProcessCallback", t, context, callback);

	(void)options;
	EnterCriticalSection(&lock);
	if (hr == S_OK && t->exited) /* it came before */
		tell_exit(t);
	LeaveCriticalSection(&lock);
	return hr;
}

EXPORT void WINAPI HcsCloseProcess(HCS_PROCESS process)
{
	thing_close(thing_of(process, PROCESS));
}

EXPORT HRESULT WINAPI HcsGrantVmAccess(PCWSTR id, PCWSTR path)
{
	struct plan p = planned("HcsGrantVmAccess");
	HRESULT hr = strcmp(p.how, "fail") == 0 ? p.hr : S_OK;

	(void)id;
	log_call("HcsGrantVmAccess", NULL, NULL, NULL, hr);
	return path ? hr : E_INVALIDARG;
}

EXPORT HRESULT WINAPI HcsRevokeVmAccess(PCWSTR id, PCWSTR path)
{
	(void)id;
	log_call("HcsRevokeVmAccess", NULL, NULL, NULL, S_OK);
	return path ? S_OK : E_INVALIDARG;
}
