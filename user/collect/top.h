/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ports of the last hour, with hysteresis: a port enters the list when it is clearly among the first, and
 * leaves when it has clearly fallen out, so that a dashboard does not flicker.
 */
#ifndef AIRGLOW_COLLECT_TOP_H
#define AIRGLOW_COLLECT_TOP_H

#include <stdint.h>

#include "collect/snapshot.h"

struct top_ports;

int top_new(struct top_ports **out);
void top_free(struct top_ports **top);

/*
 * Takes the cumulative counts of one protocol at a monotonic time. Marks of the past are kept every five
 * minutes; the window is the last hour, or all there is.
 */
void top_update(struct top_ports *top, const __u64 counts[AG_PORTS], uint64_t now_s);

/* The list, most packets first; returns how many. */
unsigned int top_list(const struct top_ports *top, struct snapshot_port list[SNAPSHOT_TOP_PORTS]);
/* The ports that are listed or may be next, most packets first, at most `most`; returns how many. */
unsigned int top_candidates(const struct top_ports *top, uint16_t *ports, unsigned int most);

#endif
