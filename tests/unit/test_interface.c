// SPDX-License-Identifier: GPL-2.0-only
/*
 * interface: its own statistics go on, over another process and over what the driver does to its counters.
 */
#include <criterion/criterion.h>

#include "collect/interface.h"
#include "collect/nic.h"

#define LO 1

static struct interface watched_of(uint32_t ifindex, const struct ag_kept_interface *kept)
{
	struct interface w = {.shown = {.name = "lo", .ifindex = ifindex, .present = true}};

	interface_begin(&w, kept);
	return w;
}

static struct snapshot_interface read_watched(struct interface *w, struct ag_kept_interface *kept,
					      uint64_t received)
{
	struct snapshot_interface out;

	interface_read(w, received, kept, &out);
	return out;
}

Test(interface, statistics_begin_and_go_on)
{
	struct snapshot_nic_counter counters[SNAPSHOT_NIC_COUNTERS_MAX];
	struct ag_kept_interface kept = {.name = "lo"};
	struct interface w = watched_of(LO, &kept);
	struct snapshot_interface shown = read_watched(&w, &kept, 0);
	uint64_t raw = 0;
	unsigned int count = 0;

	cr_assert_eq(nic_read(LO, &raw, counters, &count), 0);
	cr_assert_leq(shown.nic_packets, raw);
	cr_assert_eq(kept.ifindex, LO);
	cr_assert_eq(kept.packets, shown.nic_packets);
	/* Another process: what came while none looked is not missed. */
	kept.packets = 5000;
	kept.packets_raw = kept.packets_raw > 10 ? kept.packets_raw - 10 : 0;
	raw = kept.packets_raw;
	w = watched_of(LO, &kept);
	shown = read_watched(&w, &kept, 0);
	cr_assert_eq(shown.nic_packets, 5000 + kept.packets_raw - raw);
	/* The same index after its counters began anew. */
	kept.packets = 7000;
	kept.packets_raw = UINT64_MAX / 2;
	w = watched_of(LO, &kept);
	raw = kept.packets_raw;
	shown = read_watched(&w, &kept, 0);
	cr_assert_geq(shown.nic_packets, 7000);
	cr_assert_lt(shown.nic_packets, UINT64_C(1) << 40);
	/* Another interface than before. */
	kept.packets = 9000;
	kept.packets_raw = 0;
	kept.ifindex = 77;
	w = watched_of(LO, &kept);
	raw = w.base_packets;
	shown = read_watched(&w, &kept, 0);
	cr_assert_eq(raw + 9000 + (shown.nic_packets - 9000), kept.packets_raw,
		     "of its own counter from now on");
	cr_assert_eq(kept.ifindex, LO);
}

Test(interface, drops_go_on_by_their_names)
{
	struct ag_kept_interface kept = {.name = "lo"};
	struct interface w = watched_of(LO, &kept);
	struct snapshot_interface shown = read_watched(&w, &kept, 0);
	struct ag_kept_interface mixed;

	cr_assert_geq(shown.nic_count, 2);
	for (unsigned int i = 0; i < shown.nic_count; i++) {
		cr_assert_str_eq(kept.drops[i].name, shown.nic[i].name);
		kept.drops[i].packets = 100 * (i + 1);
	}
	/* In another order, as another version of the driver may tell them, with a rest of before at the end.
	 */
	mixed = kept;
	mixed.drops[0] = kept.drops[1];
	mixed.drops[1] = kept.drops[0];
	if (shown.nic_count < AG_NIC_MAX) {
		mixed.drops[AG_NIC_MAX - 1] = kept.drops[0];
		mixed.drops[AG_NIC_MAX - 1].packets = 1;
	}
	w = watched_of(LO, &mixed);
	shown = read_watched(&w, &mixed, 0);
	cr_assert_geq(shown.nic[0].packets, 100);
	cr_assert_lt(shown.nic[0].packets, 200);
	cr_assert_geq(shown.nic[1].packets, 200);
}

/* The driver sums up fewer queues, say: it said a thousand more before. */
static void let_go_back(struct interface *w)
{
	w->raw_packets += 1000;
	w->base_packets += 1000;
	for (unsigned int i = 0; i < SNAPSHOT_NIC_COUNTERS_MAX; i++) {
		w->raw_drops[i] += 1000;
		w->base_drops[i] += 1000;
	}
}

Test(interface, a_counter_that_goes_back)
{
	struct ag_kept_interface kept = {.name = "lo"};
	struct interface w = watched_of(LO, &kept);
	struct snapshot_interface before, shown;

	w.base_packets -= 50; /* so many came since */
	for (unsigned int i = 0; i < SNAPSHOT_NIC_COUNTERS_MAX; i++)
		w.base_drops[i] -= 7;
	for (unsigned int round = 0; round < 3; round++) {
		read_watched(&w, &kept, 0);
		let_go_back(&w);
		shown = read_watched(&w, &kept, 0);
		cr_assert_geq(shown.nic_packets, 50);
		cr_assert_lt(shown.nic_packets, UINT64_C(1) << 40, "%lu", shown.nic_packets);
		cr_assert_eq(kept.packets, shown.nic_packets);
		for (unsigned int i = 0; i < shown.nic_count; i++) {
			if (!shown.nic[i].known)
				continue;
			cr_assert_eq(shown.nic[i].packets, 7, "%s: %lu", shown.nic[i].name,
				     shown.nic[i].packets);
			cr_assert_eq(kept.drops[i].packets, 7);
		}
	}
	/* And on from there. */
	w.raw_packets -= 10;
	w.base_packets -= 10;
	before = shown;
	shown = read_watched(&w, &kept, 0);
	cr_assert_geq(shown.nic_packets, before.nic_packets + 10);
	cr_assert_lt(shown.nic_packets, UINT64_C(1) << 40);
}

/* What wrapped once was kept. */
Test(interface, wrapped_statistics_are_dropped)
{
	struct ag_kept_interface kept = {.name = "lo"};
	struct interface w = watched_of(LO, &kept);
	struct snapshot_interface shown = read_watched(&w, &kept, 0);

	kept.packets = UINT64_MAX - 994;
	for (unsigned int i = 0; i < shown.nic_count; i++)
		kept.drops[i].packets = UINT64_MAX - 994;
	w = watched_of(LO, &kept);
	shown = read_watched(&w, &kept, 0);
	cr_assert_lt(shown.nic_packets, UINT64_C(1) << 40);
	for (unsigned int i = 0; i < shown.nic_count; i++)
		cr_assert_lt(shown.nic[i].packets, UINT64_C(1) << 40);
}

Test(interface, a_slot_counts_what_its_own_interface_got)
{
	struct ag_kept_interface kept = {.name = "lo", .received_before = 300};
	struct interface w = watched_of(LO, &kept);

	cr_assert_eq(read_watched(&w, &kept, 300).received, 0);
	cr_assert_eq(read_watched(&w, &kept, 345).received, 45);
}
