/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user.h - what whoever runs us may do (user_namespaces(7)).
 */
#ifndef WISP_CTL_USER_H
#define WISP_CTL_USER_H

#include <stdbool.h>
#include <stdint.h>

struct ctl_user {
	bool is_root;   /* of the host: may make cgroups */
	bool needs_own; /* an ordinary user: containers need a user
			 * namespace, in which root is this user */
	bool has_tty;   /* the group 5 means something */
	bool unified;   /* the host has nothing but cgroup v2 */
	uint32_t uid, gid;
};

void ctl_user_look(struct ctl_user *ret);

/* Whether a container that this user makes can have a process with these ids:
 * with a user namespace of its own it has only root. */
bool ctl_user_has_ids(uint32_t uid, uint32_t gid);

#endif
