/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/job_user.h"

#include <stdlib.h>
#include <string.h>

#include <lm.h>
#include <ntsecapi.h>

#include "platform/auto.h"

/* lmcons.h: LM20_UNLEN. */
#define NAME_MAX_CHARS 20
#define DOMAIN L"NT AUTHORITY"

const struct user_api *user_double;

static void *from(HMODULE dll, const char *name)
{
	return (void *)GetProcAddress(dll, name);
}

/* From the system's folder, wherever this program is. */
static bool load(struct user_api *own)
{
	HMODULE net = LoadLibraryExW(
		L"netapi32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
	HMODULE env = LoadLibraryExW(
		L"userenv.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);

	if (!net || !env)
		return false;
	own->log_on = LogonUserW;
	own->look_up = (void *)LookupAccountNameW;
	own->environment = from(env, "CreateEnvironmentBlock");
	own->environment_free = from(env, "DestroyEnvironmentBlock");
	own->group_info = from(net, "NetLocalGroupGetInfo");
	own->group_add = from(net, "NetLocalGroupAddMembers");
	own->user_add = from(net, "NetUserAdd");
	own->user_remove = from(net, "NetUserDel");
	own->buffer_free = from(net, "NetApiBufferFree");
	return own->environment && own->environment_free && own->group_info &&
	       own->group_add && own->user_add && own->user_remove &&
	       own->buffer_free;
}

static const struct user_api *api(void)
{
	static struct user_api own;
	static bool loaded;

	if (user_double)
		return user_double;
	if (!loaded)
		loaded = load(&own);
	return loaded ? &own : NULL;
}

/* ---- an account of its own ---- */

static bool is_group(const wchar_t *name)
{
	BYTE *info = NULL;
	DWORD code = api()->group_info(NULL, name, 1, &info);

	if (code != NERR_Success || !info)
		return false;
	api()->buffer_free(info);
	return true;
}

/* Long, and of all kinds of characters, for the host's rules. */
static bool make_password(wchar_t password[40])
{
	static const char set[] = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstu"
				  "vwxyz23456789-_";
	unsigned char random[32];
	size_t i;

	if (!RtlGenRandom(random, sizeof(random)))
		return false;
	wcscpy(password, L"aA1-");
	for (i = 0; i < sizeof(random); i++)
		password[4 + i] = (wchar_t)set[random[i] % (sizeof(set) - 1)];
	password[4 + i] = L'\0';
	SecureZeroMemory(random, sizeof(random));
	return true;
}

static int join_group(const wchar_t *name, const wchar_t *group, DWORD *code)
{
	BYTE sid[SECURITY_MAX_SID_SIZE];
	LOCALGROUP_MEMBERS_INFO_0 member = {.lgrmi0_sid = sid};
	DWORD n = sizeof(sid), n_domain = 256;
	wchar_t domain[256];
	SID_NAME_USE use;

	if (!api()->look_up(NULL, name, sid, &n, domain, &n_domain, &use)) {
		*code = GetLastError();
		return -1;
	}
	*code = api()->group_add(NULL, group, 0, (BYTE *)&member, 1);
	return *code == NERR_Success ? 0 : -1;
}

static int net_error(DWORD code)
{
	if (code == NERR_UserNotFound || code == NERR_GroupNotFound)
		return -ENOENT;
	return win_error(code);
}

static int log_on_new(const char *id, wchar_t *name, wchar_t *password,
	const wchar_t *group, HANDLE *ret, struct err *e)
{
	DWORD code;

	if (join_group(name, group, &code) < 0)
		return err_sys(e, net_error(code),
			"put the account of container '%s' into group '%ls'",
			id, group);
	if (!api()->log_on(name, NULL, password, LOGON32_LOGON_INTERACTIVE,
		    LOGON32_PROVIDER_DEFAULT, ret))
		return err_sys(e, win_last(),
			"log the account of container '%s' on", id);
	return 0;
}

/* Who may not be told the password is everybody: it is gone when this returns.
 */
static int make_account(const char *id, const wchar_t *group, struct undo *undo,
	HANDLE *ret, struct err *e)
{
	wchar_t password[40], name[NAME_MAX_CHARS + 1];
	char short_id[NAME_MAX_CHARS + 1];
	USER_INFO_1 info = {.usri1_name = name,
		.usri1_password = password,
		.usri1_priv = USER_PRIV_USER,
		.usri1_flags =
			UF_SCRIPT | UF_NORMAL_ACCOUNT | UF_DONT_EXPIRE_PASSWD};
	DWORD code, wrong = 0;
	size_t i;
	int r;

	/* an id is plain letters (shim/ident.h) */
	strncpy(short_id, id, NAME_MAX_CHARS);
	short_id[NAME_MAX_CHARS] = '\0';
	for (i = 0; i <= strlen(short_id); i++)
		name[i] = (unsigned char)short_id[i];
	if (!make_password(password))
		return err_set(e, -EIO, "no password for '%s'", id);
	r = undo_add(undo, UNDO_USER, short_id, e);
	if (r < 0)
		return r;
	code = api()->user_add(NULL, 1, (BYTE *)&info, &wrong);
	if (code == NERR_UserExists) {
		undo_take_back(undo);
		r = err_set(e, -EBUSY,
			"the account '%s' is there already: remove it, if no "
			"container has it",
			short_id);
	} else if (code != NERR_Success) {
		undo_take_back(undo);
		r = err_sys(e, net_error(code),
			"make the account '%s' for a member of group '%ls'",
			short_id, group);
	} else {
		r = log_on_new(id, name, password, group, ret, e);
	}
	SecureZeroMemory(password, sizeof(password));
	return r;
}

int user_remove(const char *name)
{
	auto_free wchar_t *wide = NULL;
	int r = win_wide(name, &wide);
	DWORD code;

	if (r < 0)
		return r;
	if (!api())
		return -ENOSYS;
	code = api()->user_remove(NULL, wide);
	return code == NERR_Success || code == NERR_UserNotFound
		       ? 0
		       : net_error(code);
}

/* ---- tokens ---- */

/* "NT AUTHORITY\NAME": NAME, or NULL. */
static const wchar_t *service_name(const wchar_t *name)
{
	static const wchar_t *const known[] = {L"SYSTEM", L"LOCAL SERVICE",
		L"LOCALSERVICE", L"NETWORK SERVICE", L"NETWORKSERVICE"};
	size_t n = wcslen(DOMAIN), i;

	if (_wcsnicmp(name, DOMAIN, n) != 0 || name[n] != L'\\')
		return NULL;
	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (_wcsicmp(name + n + 1, known[i]) == 0)
			return name + n + 1;
	return NULL;
}

static int log_on_service(const wchar_t *name, HANDLE *ret, struct err *e)
{
	if (api()->log_on(name, DOMAIN, NULL, LOGON32_LOGON_SERVICE,
		    LOGON32_PROVIDER_DEFAULT, ret))
		return 0;
	return err_sys(e, win_last(),
		"log "
		"NT AUTHORITY\\%ls on",
		name);
}

int user_token(const char *id, const char *name, struct undo *undo, HANDLE *ret,
	struct err *e)
{
	auto_free wchar_t *wide = NULL;
	const wchar_t *service;
	int r;

	*ret = NULL;
	if (!name || !*name)
		return 0;
	r = win_wide(name, &wide);
	if (r < 0)
		return err_sys(e, r, "user name '%s'", name);
	if (!api())
		return err_set(e, -ENOSYS,
			"user '%s': this system can't log anybody on "
			"(netapi32.dll, userenv.dll)",
			name);
	service = service_name(wide);
	if (service)
		return log_on_service(service, ret, e);
	if (!wcschr(wide, L'\\') && is_group(wide))
		return make_account(id, wide, undo, ret, e);
	return err_set(e, -EINVAL,
		"user '%s' is neither a local group nor NT AUTHORITY\\SYSTEM, "
		"\\LOCAL SERVICE or \\NETWORK SERVICE; for the user that the "
		"shim has, set the annotation "
		"microsoft.com/hostprocess-inherit-user to \"true\"",
		name);
}

/* ---- environment ---- */

void user_free_environment(char **env)
{
	size_t i;

	for (i = 0; env && env[i]; i++)
		free(env[i]);
	free(env);
}

static int copy_environment(const wchar_t *block, char ***ret)
{
	const wchar_t *p;
	size_t n = 0;
	char **env;

	for (p = block; *p; p += wcslen(p) + 1)
		n++;
	env = calloc(n + 1, sizeof(*env));
	if (!env)
		return -ENOMEM;
	for (p = block, n = 0; *p; p += wcslen(p) + 1) {
		size_t room = 4 * wcslen(p) + 1;

		env[n] = malloc(room);
		if (!env[n]) {
			user_free_environment(env);
			return -ENOMEM;
		}
		if (win_narrow(p, env[n], room) == 0) {
			n++;
		} else { /* what is no text is not passed on */
			free(env[n]);
			env[n] = NULL;
		}
	}
	*ret = env;
	return 0;
}

int user_environment(HANDLE token, char ***ret, struct err *e)
{
	auto_handle HANDLE own = NULL;
	void *block;
	int r;

	if (!api())
		return err_set(e, -ENOSYS, "userenv.dll can't be loaded");
	if (!token && !OpenProcessToken(GetCurrentProcess(),
			      TOKEN_QUERY | TOKEN_DUPLICATE, &own))
		return err_sys(e, win_last(), "this process's token");
	if (!api()->environment(&block, token ? token : own, FALSE))
		return err_sys(e, win_last(), "the user's environment");
	r = copy_environment(block, ret);
	api()->environment_free(block);
	return r < 0 ? err_sys(e, r, "the user's environment") : 0;
}
