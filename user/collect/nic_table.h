/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The pure half of nic.c: which of a driver's statistics are lost packets, by the table nic.def. For nic.c, the
 * doctor (which kinds are losses) and the unit tests.
 */
#ifndef AIRGLOW_COLLECT_NIC_TABLE_H
#define AIRGLOW_COLLECT_NIC_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "collect/snapshot.h"

enum nic_kind {
#define NIC_KIND(kind, name, lost, help) NIC_##kind,
#include "collect/nic.def"
	NIC_KIND_MAX
};

struct nic_tally {
	const char *driver;
	bool known[NIC_KIND_MAX];
	uint64_t packets[NIC_KIND_MAX];
};

/* Does a label match a pattern of the table (`#`: one or more digits; leading blanks of the label are ignored)?
 */
bool nic_table_match(const char *pattern, const char *label);

/* Books one statistic of the tally's driver under the kinds that the table gives it. */
void nic_table_add(struct nic_tally *tally, const char *label, uint64_t value);

/*
 * The tally as counters of a snapshot: rx_missed, no_buffer, xdp_drop, and the allowance where the driver has
 * one, else rx_dropped. Returns how many.
 */
unsigned int nic_table_counters(const struct nic_tally *tally, struct snapshot_nic_counter *counters);

/* Is a counter of this name a loss before XDP? */
bool nic_table_lost(const char *counter);

#endif
