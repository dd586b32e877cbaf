// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics of an interface beside what was counted on it (interface.h).
 */
#include <string.h>

#include "collect/nic.h"
#include "collect/interface.h"

/* A sum of differences that ran below zero is none. */
static uint64_t kept_value(uint64_t value)
{
	return value > INT64_MAX ? 0 : value;
}

/*
 * The interface's own statistics go on from what was shown. Of the same interface since then nothing is missed;
 * another one (after a reboot, say) begins again at what its counters say now.
 */
void interface_begin(struct interface *w, const struct ag_kept_interface *kept)
{
	bool same = kept->ifindex == w->shown.ifindex;
	uint64_t packets;
	unsigned int i, j;

	if (nic_read(w->shown.ifindex, &packets, w->shown.nic, &w->shown.nic_count))
		return;
	w->raw_packets = packets;
	w->base_packets = (same && packets >= kept->packets_raw ? kept->packets_raw : packets) -
			  kept_value(kept->packets);
	for (i = 0; i < w->shown.nic_count; i++) {
		uint64_t now = w->shown.nic[i].packets, shown = 0, raw = now;

		for (j = 0; j < AG_NIC_MAX; j++) {
			if (strcmp(kept->drops[j].name, w->shown.nic[i].name))
				continue;
			shown = kept_value(kept->drops[j].packets);
			raw = same && now >= kept->drops[j].raw ? kept->drops[j].raw : now;
			break; /* the first of its name is the newest: others were not written again */
		}
		w->shown.nic[i].packets = shown;
		w->raw_drops[i] = now;
		w->base_drops[i] = raw - shown;
	}
}

/*
 * What is shown of a counter. One that went back, as that of a driver with fewer queues does, goes on from what
 * was shown.
 */
static uint64_t go_on(uint64_t now, uint64_t *raw, uint64_t *base)
{
	if (now < *raw)
		*base -= *raw - now;
	*raw = now;
	return now - *base;
}

/* Counters of the driver since the sensor started. */
void interface_read(struct interface *w, uint64_t received, struct ag_kept_interface *kept,
		    struct snapshot_interface *out)
{
	struct snapshot_nic_counter counters[SNAPSHOT_NIC_COUNTERS_MAX];
	unsigned int count = 0, i;
	uint64_t packets;

	w->shown.received = received - kept->received_before;
	if (w->shown.present && !nic_read(w->shown.ifindex, &packets, counters, &count)) {
		w->shown.nic_packets = go_on(packets, &w->raw_packets, &w->base_packets);
		kept->ifindex = w->shown.ifindex;
		kept->packets_raw = packets;
		kept->packets = w->shown.nic_packets;
		for (i = 0; i < count && i < w->shown.nic_count; i++) {
			w->shown.nic[i].known = counters[i].known;
			if (counters[i].known) /* what the driver does not tell now is not 0 */
				w->shown.nic[i].packets =
					go_on(counters[i].packets, &w->raw_drops[i], &w->base_drops[i]);
			memcpy(kept->drops[i].name, w->shown.nic[i].name, sizeof(w->shown.nic[i].name));
			kept->drops[i].raw = w->raw_drops[i];
			kept->drops[i].packets = w->shown.nic[i].packets;
		}
	}
	*out = w->shown;
}
