/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In front of a shim for the tests: what it imports of the system goes through
 * a stub each, which fails when the test says so (util_fail.h).
 *
 * On x86-64 all arguments of these functions are words, and the caller takes
 * them off the stack: one form of stub, with more of them than any function
 * has, does for all.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <windows.h>

#include "tests/windows/util_fail.h"

#define NONE ((uintptr_t)-1) /* INVALID_HANDLE_VALUE and the like */
#define SHORT_OF ERROR_NO_SYSTEM_RESOURCES
#define NO_MEMORY ERROR_NOT_ENOUGH_MEMORY
#define NO_BUFFERS WSAENOBUFS
#ifndef WSASYSNOTREADY
#define WSASYSNOTREADY 10091
#endif

/* What can fail for want of something: what it returns, and its error. */
#define FUNCTIONS(F)                                                          \
	F(malloc, 0, NO_MEMORY)                                               \
	F(calloc, 0, NO_MEMORY)                                               \
	F(realloc, 0, NO_MEMORY)                                              \
	F(_strdup, 0, NO_MEMORY)                                              \
	F(_wcsdup, 0, NO_MEMORY)                                              \
	F(AssignProcessToJobObject, 0, SHORT_OF)                              \
	F(ConnectNamedPipe, 0, SHORT_OF)                                      \
	F(ConvertStringSecurityDescriptorToSecurityDescriptorW, 0, NO_MEMORY) \
	F(CreateDirectoryW, 0, SHORT_OF)                                      \
	F(CreateEventW, 0, SHORT_OF)                                          \
	F(CreateFileMappingW, 0, SHORT_OF)                                    \
	F(CreateFileW, NONE, SHORT_OF)                                        \
	F(CreateIoCompletionPort, 0, SHORT_OF)                                \
	F(CreateJobObjectW, 0, SHORT_OF)                                      \
	F(CreateNamedPipeW, NONE, SHORT_OF)                                   \
	F(CreatePipe, 0, SHORT_OF)                                            \
	F(CreateProcessAsUserW, 0, SHORT_OF)                                  \
	F(CreateProcessW, 0, SHORT_OF)                                        \
	F(CreatePseudoConsole, 0x8007000e, NO_MEMORY)                         \
	F(CreateRemoteThread, 0, SHORT_OF)                                    \
	F(CreateSymbolicLinkW, 0, SHORT_OF)                                   \
	F(CreateThread, 0, SHORT_OF)                                          \
	F(CreateToolhelp32Snapshot, NONE, SHORT_OF)                           \
	F(DeleteFileW, 0, SHORT_OF)                                           \
	F(DeviceIoControl, 0, SHORT_OF)                                       \
	F(DuplicateHandle, 0, SHORT_OF)                                       \
	F(DuplicateTokenEx, 0, SHORT_OF)                                      \
	F(FindFirstFileW, NONE, SHORT_OF)                                     \
	F(FlushFileBuffers, 0, SHORT_OF)                                      \
	F(GetCurrentDirectoryW, 0, SHORT_OF)                                  \
	F(GetEnvironmentStringsW, 0, NO_MEMORY)                               \
	F(GetFileAttributesW, NONE, SHORT_OF)                                 \
	F(GetFileInformationByHandleEx, 0, SHORT_OF)                          \
	F(GetFileSizeEx, 0, SHORT_OF)                                         \
	F(GetFinalPathNameByHandleW, 0, SHORT_OF)                             \
	F(GetModuleFileNameW, 0, SHORT_OF)                                    \
	F(GetNamedPipeServerProcessId, 0, SHORT_OF)                           \
	F(GetTokenInformation, 0, SHORT_OF)                                   \
	F(InitializeProcThreadAttributeList, 0, SHORT_OF)                     \
	F(K32GetProcessMemoryInfo, 0, SHORT_OF)                               \
	F(LoadLibraryExW, 0, SHORT_OF)                                        \
	F(LoadLibraryW, 0, SHORT_OF)                                          \
	F(LogonUserW, 0, SHORT_OF)                                            \
	F(MoveFileExW, 0, SHORT_OF)                                           \
	F(OpenProcess, 0, SHORT_OF)                                           \
	F(OpenProcessToken, 0, SHORT_OF)                                      \
	F(PeekNamedPipe, 0, SHORT_OF)                                         \
	F(PostQueuedCompletionStatus, 0, SHORT_OF)                            \
	F(QueryFullProcessImageNameW, 0, SHORT_OF)                            \
	F(QueryInformationJobObject, 0, SHORT_OF)                             \
	F(ReadFile, 0, SHORT_OF)                                              \
	F(RegisterWaitForSingleObject, 0, SHORT_OF)                           \
	F(RemoveDirectoryW, 0, SHORT_OF)                                      \
	F(ResizePseudoConsole, 0x8007000e, NO_MEMORY)                         \
	F(ResumeThread, NONE, SHORT_OF)                                       \
	F(SearchPathW, 0, SHORT_OF)                                           \
	F(SetConsoleCtrlHandler, 0, SHORT_OF)                                 \
	F(SetCurrentDirectoryW, 0, SHORT_OF)                                  \
	F(SetEnvironmentVariableW, 0, SHORT_OF)                               \
	F(SetFileCompletionNotificationModes, 0, SHORT_OF)                    \
	F(SetFileInformationByHandle, 0, SHORT_OF)                            \
	F(SetFilePointerEx, 0, SHORT_OF)                                      \
	F(SetHandleInformation, 0, SHORT_OF)                                  \
	F(SetInformationJobObject, 0, SHORT_OF)                               \
	F(SetNamedPipeHandleState, 0, SHORT_OF)                               \
	F(SetProcessWorkingSetSize, 0, SHORT_OF)                              \
	F(UpdateProcThreadAttribute, 0, SHORT_OF)                             \
	F(VirtualAllocEx, 0, SHORT_OF)                                        \
	F(WaitNamedPipeW, 0, SHORT_OF)                                        \
	F(WriteFile, 0, SHORT_OF)                                             \
	F(WriteProcessMemory, 0, SHORT_OF)                                    \
	F(WSAStartup, WSASYSNOTREADY, WSASYSNOTREADY)                         \
	F(accept, NONE, NO_BUFFERS)                                           \
	F(bind, NONE, NO_BUFFERS)                                             \
	F(connect, NONE, NO_BUFFERS)                                          \
	F(getsockname, NONE, NO_BUFFERS)                                      \
	F(listen, NONE, NO_BUFFERS)                                           \
	F(recv, NONE, NO_BUFFERS)                                             \
	F(send, NONE, NO_BUFFERS)                                             \
	F(socket, NONE, NO_BUFFERS)

/* Only if it is asked for by name: the loop cannot survive it. */
#define FATAL(F) F(select, NONE, NO_BUFFERS)

#define WORDS(T) T a, T b, T c, T d, T e, T f, T g, T h, T i, T j, T k, T l

typedef uintptr_t (*word_fn)(WORDS(uintptr_t));

#define NUMBER(name, value, error) OF_##name,
enum function { FUNCTIONS(NUMBER) N_USUAL, N_ = N_USUAL - 1, FATAL(NUMBER) N };

#define NAME(name, value, error) [OF_##name] = #name,
static const char *const names[N] = {FUNCTIONS(NAME) FATAL(NAME)};

static word_fn real[N];
static FARPROC(WINAPI *real_look_up)(HMODULE module, LPCSTR name);
static struct fail_control *control;
static long process;

static bool is_meant(const char *only, enum function which)
{
	if (strcmp(only, FAIL_MEMORY) == 0)
		return which <= OF__wcsdup;
	if (strcmp(only, FAIL_CALLS) == 0)
		return which > OF__wcsdup && which < N_USUAL;
	return strcmp(only, names[which]) == 0;
}

static bool fails(enum function which, const char *caller)
{
	struct fail_control *c = control;
	long n;

	if (!c || c->nth == 0 || c->process != process)
		return false;
	if (!is_meant(c->only, which))
		return false;
	n = InterlockedIncrement(&c->count);
	if (n < c->nth || n >= c->nth + c->times)
		return false;
	strcpy(c->what, names[which]);
	c->where = caller - (const char *)GetModuleHandleA(NULL) + 0x140000000;
	InterlockedIncrement(&c->failed);
	return true;
}

#define STUB(name, value, error)                                            \
	static uintptr_t stub_##name(WORDS(uintptr_t))                      \
	{                                                                   \
		if (fails(OF_##name, __builtin_return_address(0))) {        \
			SetLastError(error);                                \
			return value;                                       \
		}                                                           \
		return real[OF_##name](a, b, c, d, e, f, g, h, i, j, k, l); \
	}
FUNCTIONS(STUB)
FATAL(STUB)

#define ENTRY(name, value, error) [OF_##name] = stub_##name,
static const word_fn stubs[N] = {FUNCTIONS(ENTRY) FATAL(ENTRY)};

static int find(const char *name)
{
	int i;

	for (i = 0; i < N; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

/* What a program looks up itself. */
static FARPROC WINAPI look_up(HMODULE module, LPCSTR name)
{
	FARPROC found = real_look_up(module, name);
	int i = found && (uintptr_t)name > 0xffff ? find(name) : -1;

	if (i < 0)
		return found;
	real[i] = (word_fn)(void *)found;
	return (FARPROC)(void *)stubs[i];
}

static void replace(word_fn *slot, word_fn by)
{
	DWORD was;

	VirtualProtect(slot, sizeof(*slot), PAGE_READWRITE, &was);
	*slot = by;
	VirtualProtect(slot, sizeof(*slot), was, &was);
}

/* One library's: the names, and the addresses that the loader has put in. */
static void patch(char *base, const IMAGE_IMPORT_DESCRIPTOR *library)
{
	IMAGE_THUNK_DATA *name = (void *)(base + library->OriginalFirstThunk);
	word_fn *slot = (void *)(base + library->FirstThunk);

	for (; name->u1.AddressOfData; name++, slot++) {
		IMAGE_IMPORT_BY_NAME *by =
			(void *)(base + name->u1.AddressOfData);
		int i;

		if (IMAGE_SNAP_BY_ORDINAL(name->u1.Ordinal))
			continue;
		i = find((const char *)by->Name);
		if (i >= 0) {
			real[i] = *slot;
			replace(slot, stubs[i]);
		} else if (strcmp((const char *)by->Name, "GetProcAddress") ==
			   0) {
			real_look_up = (void *)*slot;
			replace(slot, (word_fn)(void *)look_up);
		}
	}
}

static bool open_control(void)
{
	char name[64];
	HANDLE h;

	if (!GetEnvironmentVariableA("WISP_FAIL", name, sizeof(name)))
		return false;
	h = OpenFileMappingA(FILE_MAP_WRITE, FALSE, name);
	control = h ? MapViewOfFile(h, FILE_MAP_WRITE, 0, 0, sizeof(*control))
		    : NULL;
	process = GetEnvironmentVariableA("WISP_SPLIT", NULL, 0) ? FAIL_SERVER
								 : FAIL_FIRST;
	return control != NULL;
}

/* Before the shim's own. */
__attribute__((constructor(101))) static void begin(void)
{
	char *base = (char *)GetModuleHandleA(NULL);
	IMAGE_NT_HEADERS *nt =
		(void *)(base + ((IMAGE_DOS_HEADER *)(void *)base)->e_lfanew);
	IMAGE_IMPORT_DESCRIPTOR *library =
		(void *)(base +
			 nt->OptionalHeader
				 .DataDirectory[IMAGE_DIRECTORY_ENTRY_IMPORT]
				 .VirtualAddress);

	if (!open_control())
		return;
	for (; library->Name; library++)
		patch(base, library);
}
