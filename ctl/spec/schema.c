/* SPDX-License-Identifier: Apache-2.0 */
/* config.json but for the sections of one system. */
#include "ctl/spec/schema.h"

#include <stddef.h>

#include "ctl/names.h"

#define END       \
	{         \
		0 \
	}

static const struct schema_field console_size[] = {
	{.name = "height", .type = SCHEMA_UINT64, .required = true},
	{.name = "width", .type = SCHEMA_UINT64, .required = true}, END};

static const struct schema_field user[] = {
	{.name = "uid", .type = SCHEMA_UINT32},
	{.name = "gid", .type = SCHEMA_UINT32},
	{.name = "umask", .type = SCHEMA_UINT32},
	{.name = "additionalGids", .type = SCHEMA_UINT32S},
	{.name = "username", .type = SCHEMA_STRING}, END};

/* The names are check_process.c's: an unknown one is no error. */
static const struct schema_field capabilities[] = {
	{.name = "bounding", .type = SCHEMA_STRINGS},
	{.name = "permitted", .type = SCHEMA_STRINGS},
	{.name = "effective", .type = SCHEMA_STRINGS},
	{.name = "inheritable", .type = SCHEMA_STRINGS},
	{.name = "ambient", .type = SCHEMA_STRINGS}, END};

static const struct schema_field rlimits[] = {{.name = "type",
						      .type = SCHEMA_STRING,
						      .names = names_rlimits,
						      .required = true},
	{.name = "soft", .type = SCHEMA_UINT64, .required = true},
	{.name = "hard", .type = SCHEMA_UINT64, .required = true}, END};

static const struct schema_field io_priority[] = {
	{.name = "class",
		.type = SCHEMA_STRING,
		.names = names_io_classes,
		.required = true},
	{.name = "priority", .type = SCHEMA_INT32}, END};

static const struct schema_field scheduler[] = {
	{.name = "policy",
		.type = SCHEMA_STRING,
		.names = names_sched_policies,
		.required = true},
	{.name = "nice", .type = SCHEMA_INT32},
	{.name = "priority", .type = SCHEMA_INT32},
	{.name = "flags", .type = SCHEMA_STRINGS, .names = names_sched_flags},
	{.name = "runtime", .type = SCHEMA_UINT64},
	{.name = "deadline", .type = SCHEMA_UINT64},
	{.name = "period", .type = SCHEMA_UINT64}, END};

static const struct schema_field cpu_affinity[] = {
	{.name = "initial", .type = SCHEMA_STRING},
	{.name = "final", .type = SCHEMA_STRING}, END};

static const struct schema_field process[] = {
	{.name = "terminal", .type = SCHEMA_BOOL},
	{.name = "consoleSize", .type = SCHEMA_OBJECT, .of = console_size},
	{.name = "user", .type = SCHEMA_OBJECT, .of = user},
	{.name = "args", .type = SCHEMA_STRINGS},
	{.name = "commandLine", .type = SCHEMA_STRING},
	{.name = "env", .type = SCHEMA_STRINGS},
	{.name = "cwd", .type = SCHEMA_STRING, .required = true},
	{.name = "capabilities", .type = SCHEMA_OBJECT, .of = capabilities},
	{.name = "rlimits", .type = SCHEMA_OBJECTS, .of = rlimits},
	{.name = "noNewPrivileges", .type = SCHEMA_BOOL},
	{.name = "apparmorProfile", .type = SCHEMA_STRING},
	{.name = "oomScoreAdj", .type = SCHEMA_INT32},
	{.name = "selinuxLabel", .type = SCHEMA_STRING},
	{.name = "ioPriority", .type = SCHEMA_OBJECT, .of = io_priority},
	{.name = "scheduler", .type = SCHEMA_OBJECT, .of = scheduler},
	{.name = "execCPUAffinity", .type = SCHEMA_OBJECT, .of = cpu_affinity},
	END};

static const struct schema_field root[] = {
	{.name = "path", .type = SCHEMA_STRING, .required = true},
	{.name = "readonly", .type = SCHEMA_BOOL}, END};

const struct schema_field schema_id_maps[] = {
	{.name = "containerID", .type = SCHEMA_UINT32, .required = true},
	{.name = "hostID", .type = SCHEMA_UINT32, .required = true},
	{.name = "size", .type = SCHEMA_UINT32, .required = true}, END};

static const struct schema_field mounts[] = {
	{.name = "destination", .type = SCHEMA_STRING, .required = true},
	{.name = "type", .type = SCHEMA_STRING},
	{.name = "source", .type = SCHEMA_STRING},
	{.name = "options", .type = SCHEMA_STRINGS},
	{.name = "uidMappings", .type = SCHEMA_OBJECTS, .of = schema_id_maps},
	{.name = "gidMappings", .type = SCHEMA_OBJECTS, .of = schema_id_maps},
	END};

static const struct schema_field hook[] = {
	{.name = "path", .type = SCHEMA_STRING, .required = true},
	{.name = "args", .type = SCHEMA_STRINGS},
	{.name = "env", .type = SCHEMA_STRINGS},
	{.name = "timeout", .type = SCHEMA_INT64}, END};

static const struct schema_field hooks[] = {
	{.name = "prestart", .type = SCHEMA_OBJECTS, .of = hook},
	{.name = "createRuntime", .type = SCHEMA_OBJECTS, .of = hook},
	{.name = "createContainer", .type = SCHEMA_OBJECTS, .of = hook},
	{.name = "startContainer", .type = SCHEMA_OBJECTS, .of = hook},
	{.name = "poststart", .type = SCHEMA_OBJECTS, .of = hook},
	{.name = "poststop", .type = SCHEMA_OBJECTS, .of = hook}, END};

const struct schema_field schema_config[] = {
	{.name = "ociVersion", .type = SCHEMA_STRING, .required = true},
	{.name = "process", .type = SCHEMA_OBJECT, .of = process},
	{.name = "root", .type = SCHEMA_OBJECT, .of = root},
	{.name = "hostname", .type = SCHEMA_STRING},
	{.name = "domainname", .type = SCHEMA_STRING},
	{.name = "mounts", .type = SCHEMA_OBJECTS, .of = mounts},
	{.name = "hooks", .type = SCHEMA_OBJECT, .of = hooks},
	{.name = "annotations", .type = SCHEMA_STRING_MAP},
	{.name = "linux", .type = SCHEMA_OBJECT, .of = schema_linux},
	{.name = "windows", .type = SCHEMA_OBJECT, .of = schema_windows},
	{.name = "solaris", .type = SCHEMA_ANY},
	{.name = "vm", .type = SCHEMA_ANY}, {.name = "zos", .type = SCHEMA_ANY},
	{.name = "freebsd", .type = SCHEMA_ANY}, END};
