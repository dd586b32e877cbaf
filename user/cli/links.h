/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells when something changed about interfaces. What, the reader asks the kernel: a message may be lost when
 * many come at once.
 */
#ifndef AIRGLOW_CLI_LINKS_H
#define AIRGLOW_CLI_LINKS_H

/* A rtnetlink socket of the caller's network namespace, not blocking; its descriptor, or -errno. */
int links_watch(void);
/* Reads what has come, so that the descriptor is quiet until the next change. */
void links_drain(int fd);

#endif
