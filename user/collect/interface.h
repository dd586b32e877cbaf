/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An interface that is counted on, as it is shown: what the program received there, and beside it the
 * interface's own statistics (L0), which go on over restarts.
 */
#ifndef AIRGLOW_COLLECT_INTERFACE_H
#define AIRGLOW_COLLECT_INTERFACE_H

#include "collect/snapshot.h"

struct interface {
	struct snapshot_interface shown;
	unsigned int slot; /* in the books */
	/* What the driver said last, and what of it is not shown (modulo 2^64). */
	uint64_t raw_packets, base_packets;
	uint64_t raw_drops[SNAPSHOT_NIC_COUNTERS_MAX], base_drops[SNAPSHOT_NIC_COUNTERS_MAX];
};

/* shown is filled but for the statistics, which are read now and go on from what was kept. */
void interface_begin(struct interface *w, const struct ag_kept_interface *kept);
/* Into a snapshot; received: of the slot, over all books. What is shown is kept. */
void interface_read(struct interface *w, uint64_t received, struct ag_kept_interface *kept,
		    struct snapshot_interface *out);

#endif
