/* SPDX-License-Identifier: Apache-2.0 */
/* config-windows.md. */
#include <stddef.h>

#include "ctl/spec/schema.h"

#define END       \
	{         \
		0 \
	}

static const struct schema_field devices[] = {
	{.name = "id", .type = SCHEMA_STRING, .required = true},
	{.name = "idType", .type = SCHEMA_STRING, .required = true}, END};

static const struct schema_field memory[] = {
	{.name = "limit", .type = SCHEMA_UINT64}, END};

static const struct schema_field affinity[] = {
	{.name = "mask", .type = SCHEMA_UINT64, .required = true},
	{.name = "group", .type = SCHEMA_UINT32, .required = true}, END};

static const struct schema_field cpu[] = {
	{.name = "count", .type = SCHEMA_UINT64},
	{.name = "shares", .type = SCHEMA_UINT16},
	{.name = "maximum", .type = SCHEMA_UINT16},
	{.name = "affinity", .type = SCHEMA_OBJECTS, .of = affinity}, END};

static const struct schema_field storage[] = {
	{.name = "iops", .type = SCHEMA_UINT64},
	{.name = "bps", .type = SCHEMA_UINT64},
	{.name = "sandboxSize", .type = SCHEMA_UINT64}, END};

static const struct schema_field resources[] = {
	{.name = "memory", .type = SCHEMA_OBJECT, .of = memory},
	{.name = "cpu", .type = SCHEMA_OBJECT, .of = cpu},
	{.name = "storage", .type = SCHEMA_OBJECT, .of = storage}, END};

static const struct schema_field network[] = {
	{.name = "endpointList", .type = SCHEMA_STRINGS},
	{.name = "allowUnqualifiedDNSQuery", .type = SCHEMA_BOOL},
	{.name = "DNSSearchList", .type = SCHEMA_STRINGS},
	{.name = "networkSharedContainerName", .type = SCHEMA_STRING},
	{.name = "networkNamespace", .type = SCHEMA_STRING}, END};

static const struct schema_field hyperv[] = {
	{.name = "utilityVMPath", .type = SCHEMA_STRING}, END};

/* credentialSpec: the schema has an object, all who read it a string. */
const struct schema_field schema_windows[] = {
	{.name = "layerFolders", .type = SCHEMA_STRINGS, .required = true},
	{.name = "devices", .type = SCHEMA_OBJECTS, .of = devices},
	{.name = "resources", .type = SCHEMA_OBJECT, .of = resources},
	{.name = "network", .type = SCHEMA_OBJECT, .of = network},
	{.name = "credentialSpec", .type = SCHEMA_ANY},
	{.name = "servicing", .type = SCHEMA_BOOL},
	{.name = "ignoreFlushesDuringBoot", .type = SCHEMA_BOOL},
	{.name = "hyperv", .type = SCHEMA_OBJECT, .of = hyperv}, END};
