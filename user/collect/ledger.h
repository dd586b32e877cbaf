/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The counters of all slices, and the laws L1 and L2 on them: README, "The ledger".
 */
#ifndef AIRGLOW_COLLECT_LEDGER_H
#define AIRGLOW_COLLECT_LEDGER_H

#include <stdbool.h>

#include "collect/snapshot.h"
#include "engine/books.h"

/* Of what was lost, the packets that no record or touch will tell of: L3 (lost.def). */
uint64_t ledger_lost(const __u64 lost[AG_LOST_MAX]);

/* out += in, word by word: both are arrays of counters, and `in` may be written meanwhile. */
void ledger_add(void *out, const void *in, size_t bytes);

/*
 * Adds the slices up in totals, ports, icmp and shared_packets of a new snapshot, and how far L1 and L2 are out
 * of balance in imbalance. live: the books are written meanwhile. 0 or -ENOMEM.
 */
int ledger_read(const struct books *books, bool live, struct snapshot *snapshot);

#endif
