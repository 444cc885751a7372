/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest_spec.h - what a config.json says of a Linux container in a virtual
 * machine, and what its options do.
 *
 * The machine is described by annotations, as hcsshim has them
 * (pkg/annotations): io.microsoft.virtualmachine.
 *
 *   bootfilesrootpath, lcow.kerneldirectboot, lcow.preferredrootfstype (initrd,
 *   vhd), lcow.kernelbootoptions, lcow.privileged,
 *   computetopology.processor.count, .limit, .weight,
 *   computetopology.memory.sizeinmb, .allowovercommit, .enabledeferredcommit
 *
 * Else by windows.resources (memory.limit, cpu.count). Every other annotation
 * below io.microsoft.virtualmachine. is refused: it asks for something that the
 * machine would not have.
 */
#ifndef WISP_SHIM_NATIVE_GUEST_SPEC_H
#define WISP_SHIM_NATIVE_GUEST_SPEC_H

#include "platform/guest.h"
#include "shim/native/spec.h"

/*
 * settings, or NULL, have the annotations that hold where it has none.
 * s: what native_spec_read() gave. Its files are the disks of a mount of type
 * lcow-layer, or else windows.layerFolders. -EINVAL says what is wrong;
 * -ENOSYS names what is not there: a network namespace, devices, mounts of
 * disks. ret needs guest_clear() only on success.
 */
int guest_read(const char *bundle, const struct native_spec *s,
	const struct runtime_settings *settings, struct guest *ret,
	struct err *e);

#endif
