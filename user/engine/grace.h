/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Waiting until every packet that is in the program now has left it.
 */
#ifndef AIRGLOW_ENGINE_GRACE_H
#define AIRGLOW_ENGINE_GRACE_H

/* Takes an RCU grace period, 4 to 40 ms. */
void grace_wait(void);

#endif
