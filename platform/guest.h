/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest.h - what a Linux container on Windows is made of: a small virtual
 * machine of its own (utility VM), files on virtual disks, shared folders, and
 * the runtime-spec that its guest agent is told.
 */
#ifndef WISP_PLATFORM_GUEST_H
#define WISP_PLATFORM_GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A folder or a file of the host's that the container sees. */
struct guest_share {
	size_t mount; /* which one of the spec's mounts it is, from 0 on */
	char *folder; /* absolute */
	char *file;   /* in it, and nothing else of it; NULL: all of it */
	bool read_only;
};

/* Texts are NULL where there is none; 0 is the usual. */
struct guest {
	const char *notes; /* as container_config's; borrowed */
	/* the folder with kernel or vmlinux, and rootfs.vhd or initrd.img;
	 * NULL: %ProgramFiles%\Linux Containers */
	char *boot_files;
	bool by_uefi; /* else the kernel is booted directly */
	bool initrd;  /* even if there is a rootfs.vhd */
	char *kernel_options;
	uint32_t processors;       /* 2 */
	uint32_t processor_limit;  /* in 1/1000 percent of each */
	uint32_t processor_weight; /* 0 to 10000 */
	uint64_t memory_mib;       /* 1024 */
	bool physical_memory;      /* all of it, from the start */
	bool deferred_commit;
	char **layers; /* folders with a layer.vhd, topmost first */
	size_t n_layers;
	char *scratch; /* the folder with sandbox.vhdx */
	struct guest_share *shares;
	size_t n_shares;
	bool read_only;  /* the spec's root.readonly */
	bool privileged; /* no seccomp */
	char *spec;      /* config.json, whole */
	size_t n_spec;
};

void guest_clear(struct guest *g);

#endif
