/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * "What can I see?": what a telescope of N addresses can and cannot observe, from N alone.
 */
#ifndef AIRGLOW_COLLECT_REACH_H
#define AIRGLOW_COLLECT_REACH_H

#include <stdint.h>

#include "collect/snapshot.h"

/* Packets a second and address: 701.0 G packets over 284,305 addresses' worth of a year, NICTER report 2025. */
#define REACH_PPS_PER_ADDRESS 0.0794

/* Fills everything but seen_pps. */
void reach_from_addresses(struct snapshot_reach *reach, uint64_t addresses);

#endif
