/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The parts of confine.c.
 */
#ifndef AIRGLOW_CONFINE_INTERNAL_H
#define AIRGLOW_CONFINE_INTERNAL_H

#include "confine/confine.h"

/*
 * Landlock in two steps, since the paths are opened with the rights that then go. *fd: a set of rules, or -1
 * where the kernel has no Landlock; *abi: what the kernel has of it.
 */
int landlock_prepare(int *fd, int *abi, const struct confine_directories *directories);
int landlock_enter(int fd);

/* System calls by syscall.def. -ENOSYS: this kernel has no filters. */
int filter_enter(void);

#endif
