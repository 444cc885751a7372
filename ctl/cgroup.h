/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup.h - the last traces of a container: its cgroups.
 *
 * An OCI runtime makes them first of all. If it is killed before it has
 * written down that there is a container (as containerd-shim-runc-v2 does when
 * the daemon goes during Create), no `delete` finds them.
 */
#ifndef WISP_CTL_CGROUP_H
#define WISP_CTL_CGROUP_H

/* Kills what is in the cgroup called path, in every hierarchy that is mounted
 * (proc(5), mounts), and removes it. Tries for a while, and tells nobody if it
 * is in vain. */
void ctl_cgroup_remove(const char *path);

#endif
