/* SPDX-License-Identifier: Apache-2.0 */
/* config-linux.md. */
#include <stddef.h>

#include "ctl/names.h"
#include "ctl/spec/schema.h"

#define END       \
	{         \
		0 \
	}

static const struct schema_field namespaces[] = {
	{.name = "type",
		.type = SCHEMA_STRING,
		.names = names_namespaces,
		.required = true},
	{.name = "path", .type = SCHEMA_STRING}, END};

static const struct schema_field devices[] = {
	{.name = "type", .type = SCHEMA_STRING, .required = true},
	{.name = "path", .type = SCHEMA_STRING, .required = true},
	{.name = "major", .type = SCHEMA_INT64},
	{.name = "minor", .type = SCHEMA_INT64},
	{.name = "fileMode", .type = SCHEMA_UINT32},
	{.name = "uid", .type = SCHEMA_UINT32},
	{.name = "gid", .type = SCHEMA_UINT32}, END};

static const struct schema_field net_devices[] = {
	{.name = "name", .type = SCHEMA_STRING}, END};

static const struct schema_field device_rules[] = {
	{.name = "allow", .type = SCHEMA_BOOL, .required = true},
	{.name = "type", .type = SCHEMA_STRING},
	{.name = "major", .type = SCHEMA_INT64},
	{.name = "minor", .type = SCHEMA_INT64},
	{.name = "access", .type = SCHEMA_STRING}, END};

static const struct schema_field memory[] = {
	{.name = "limit", .type = SCHEMA_INT64},
	{.name = "reservation", .type = SCHEMA_INT64},
	{.name = "swap", .type = SCHEMA_INT64},
	{.name = "kernel", .type = SCHEMA_INT64},
	{.name = "kernelTCP", .type = SCHEMA_INT64},
	{.name = "swappiness", .type = SCHEMA_UINT64},
	{.name = "disableOOMKiller", .type = SCHEMA_BOOL},
	{.name = "useHierarchy", .type = SCHEMA_BOOL},
	{.name = "checkBeforeUpdate", .type = SCHEMA_BOOL}, END};

static const struct schema_field cpu[] = {
	{.name = "shares", .type = SCHEMA_UINT64},
	{.name = "quota", .type = SCHEMA_INT64},
	{.name = "burst", .type = SCHEMA_UINT64},
	{.name = "period", .type = SCHEMA_UINT64},
	{.name = "realtimeRuntime", .type = SCHEMA_INT64},
	{.name = "realtimePeriod", .type = SCHEMA_UINT64},
	{.name = "cpus", .type = SCHEMA_STRING},
	{.name = "mems", .type = SCHEMA_STRING},
	{.name = "idle", .type = SCHEMA_INT64}, END};

static const struct schema_field pids[] = {
	{.name = "limit", .type = SCHEMA_INT64, .required = true}, END};

static const struct schema_field weight_device[] = {
	{.name = "major", .type = SCHEMA_INT64, .required = true},
	{.name = "minor", .type = SCHEMA_INT64, .required = true},
	{.name = "weight", .type = SCHEMA_UINT16},
	{.name = "leafWeight", .type = SCHEMA_UINT16}, END};

static const struct schema_field throttle[] = {
	{.name = "major", .type = SCHEMA_INT64, .required = true},
	{.name = "minor", .type = SCHEMA_INT64, .required = true},
	{.name = "rate", .type = SCHEMA_UINT64}, END};

static const struct schema_field block_io[] = {
	{.name = "weight", .type = SCHEMA_UINT16},
	{.name = "leafWeight", .type = SCHEMA_UINT16},
	{.name = "weightDevice", .type = SCHEMA_OBJECTS, .of = weight_device},
	{.name = "throttleReadBpsDevice",
		.type = SCHEMA_OBJECTS,
		.of = throttle},
	{.name = "throttleWriteBpsDevice",
		.type = SCHEMA_OBJECTS,
		.of = throttle},
	{.name = "throttleReadIOPSDevice",
		.type = SCHEMA_OBJECTS,
		.of = throttle},
	{.name = "throttleWriteIOPSDevice",
		.type = SCHEMA_OBJECTS,
		.of = throttle},
	END};

static const struct schema_field huge_pages[] = {
	{.name = "pageSize", .type = SCHEMA_STRING, .required = true},
	{.name = "limit", .type = SCHEMA_UINT64, .required = true}, END};

static const struct schema_field priorities[] = {
	{.name = "name", .type = SCHEMA_STRING, .required = true},
	{.name = "priority", .type = SCHEMA_UINT32, .required = true}, END};

static const struct schema_field network[] = {
	{.name = "classID", .type = SCHEMA_UINT32},
	{.name = "priorities", .type = SCHEMA_OBJECTS, .of = priorities}, END};

static const struct schema_field rdma[] = {
	{.name = "hcaHandles", .type = SCHEMA_UINT32},
	{.name = "hcaObjects", .type = SCHEMA_UINT32}, END};

static const struct schema_field resources[] = {
	{.name = "devices", .type = SCHEMA_OBJECTS, .of = device_rules},
	{.name = "memory", .type = SCHEMA_OBJECT, .of = memory},
	{.name = "cpu", .type = SCHEMA_OBJECT, .of = cpu},
	{.name = "pids", .type = SCHEMA_OBJECT, .of = pids},
	{.name = "blockIO", .type = SCHEMA_OBJECT, .of = block_io},
	{.name = "hugepageLimits", .type = SCHEMA_OBJECTS, .of = huge_pages},
	{.name = "network", .type = SCHEMA_OBJECT, .of = network},
	{.name = "rdma", .type = SCHEMA_OBJECT_MAP, .of = rdma},
	{.name = "unified", .type = SCHEMA_STRING_MAP}, END};

static const struct schema_field syscall_args[] = {
	{.name = "index", .type = SCHEMA_UINT32, .required = true},
	{.name = "value", .type = SCHEMA_UINT64, .required = true},
	{.name = "valueTwo", .type = SCHEMA_UINT64},
	{.name = "op",
		.type = SCHEMA_STRING,
		.names = names_seccomp_operators,
		.required = true},
	END};

static const struct schema_field syscalls[] = {
	{.name = "names", .type = SCHEMA_STRINGS, .required = true},
	{.name = "action",
		.type = SCHEMA_STRING,
		.names = names_seccomp_actions,
		.required = true},
	{.name = "errnoRet", .type = SCHEMA_UINT32},
	{.name = "args", .type = SCHEMA_OBJECTS, .of = syscall_args}, END};

static const struct schema_field seccomp[] = {
	{.name = "defaultAction",
		.type = SCHEMA_STRING,
		.names = names_seccomp_actions,
		.required = true},
	{.name = "defaultErrnoRet", .type = SCHEMA_UINT32},
	{.name = "architectures",
		.type = SCHEMA_STRINGS,
		.names = names_seccomp_archs},
	{.name = "flags", .type = SCHEMA_STRINGS, .names = names_seccomp_flags},
	{.name = "listenerPath", .type = SCHEMA_STRING},
	{.name = "listenerMetadata", .type = SCHEMA_STRING},
	{.name = "syscalls", .type = SCHEMA_OBJECTS, .of = syscalls}, END};

static const struct schema_field intel_rdt[] = {
	{.name = "closID", .type = SCHEMA_STRING},
	{.name = "schemata", .type = SCHEMA_STRINGS},
	{.name = "l3CacheSchema", .type = SCHEMA_STRING},
	{.name = "memBwSchema", .type = SCHEMA_STRING},
	{.name = "enableCMT", .type = SCHEMA_BOOL},
	{.name = "enableMBM", .type = SCHEMA_BOOL},
	{.name = "enableMonitoring", .type = SCHEMA_BOOL}, END};

static const struct schema_field memory_policy[] = {
	{.name = "mode", .type = SCHEMA_STRING, .names = names_numa_modes},
	{.name = "nodes", .type = SCHEMA_STRING},
	{.name = "flags", .type = SCHEMA_STRINGS, .names = names_numa_flags},
	END};

static const struct schema_field personality[] = {
	{.name = "domain", .type = SCHEMA_STRING, .names = names_personalities},
	{.name = "flags", .type = SCHEMA_STRINGS}, END};

static const struct schema_field time_offset[] = {
	{.name = "secs", .type = SCHEMA_INT64},
	{.name = "nanosecs", .type = SCHEMA_UINT32}, END};

static const struct schema_field time_offsets[] = {
	{.name = "boottime", .type = SCHEMA_OBJECT, .of = time_offset},
	{.name = "monotonic", .type = SCHEMA_OBJECT, .of = time_offset}, END};

const struct schema_field schema_linux[] = {
	{.name = "namespaces", .type = SCHEMA_OBJECTS, .of = namespaces},
	{.name = "uidMappings", .type = SCHEMA_OBJECTS, .of = schema_id_maps},
	{.name = "gidMappings", .type = SCHEMA_OBJECTS, .of = schema_id_maps},
	{.name = "timeOffsets", .type = SCHEMA_OBJECT, .of = time_offsets},
	{.name = "devices", .type = SCHEMA_OBJECTS, .of = devices},
	{.name = "netDevices", .type = SCHEMA_OBJECT_MAP, .of = net_devices},
	{.name = "cgroupsPath", .type = SCHEMA_STRING},
	{.name = "resources", .type = SCHEMA_OBJECT, .of = resources},
	{.name = "rootfsPropagation",
		.type = SCHEMA_STRING,
		.names = names_propagation},
	{.name = "seccomp", .type = SCHEMA_OBJECT, .of = seccomp},
	{.name = "sysctl", .type = SCHEMA_STRING_MAP},
	{.name = "maskedPaths", .type = SCHEMA_STRINGS},
	{.name = "readonlyPaths", .type = SCHEMA_STRINGS},
	{.name = "mountLabel", .type = SCHEMA_STRING},
	{.name = "intelRdt", .type = SCHEMA_OBJECT, .of = intel_rdt},
	{.name = "memoryPolicy", .type = SCHEMA_OBJECT, .of = memory_policy},
	{.name = "personality", .type = SCHEMA_OBJECT, .of = personality}, END};
