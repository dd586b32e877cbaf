/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an interface says of itself: packets and drops from rtnetlink's stats64 and the driver's own statistics
 * (ethtool), by the names of nic.def. Shown beside the ledger as L0, never part of a law.
 */
#ifndef AIRGLOW_COLLECT_NIC_H
#define AIRGLOW_COLLECT_NIC_H

#include <stdint.h>

#include "collect/snapshot.h"

/*
 * Reads the interface's received packets and up to SNAPSHOT_NIC_COUNTERS_MAX drop counters (absolute values of
 * the driver, since it was loaded). A kind that the driver does not have is known = false. 0 or -errno.
 */
int nic_read(uint32_t ifindex, uint64_t *packets, struct snapshot_nic_counter *counters, unsigned int *count);

#endif
