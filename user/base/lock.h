/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An exclusive lock on a directory, which goes with the process that holds it and leaves no file behind.
 */
#ifndef AIRGLOW_BASE_LOCK_H
#define AIRGLOW_BASE_LOCK_H

#include <stddef.h>

/*
 * Opens and locks. A file descriptor (the caller's; closing it releases the lock), or -EBUSY with the process
 * that holds it in why, or -errno. what: "the state directory", put before its path.
 */
int lock_directory(const char *path, const char *what, char *why, size_t why_size);

#endif
