// SPDX-License-Identifier: GPL-2.0-only
/*
 * Drop counters by driver: what matches, what adds up, and that no counter is not a counter of 0.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "collect/nic_table.h"

static const struct snapshot_nic_counter *find(const struct snapshot_nic_counter *counters, unsigned int count,
					       const char *name)
{
	for (unsigned int i = 0; i < count; i++)
		if (!strcmp(counters[i].name, name))
			return &counters[i];
	return NULL;
}

Test(nic, pattern_takes_whole_numbers_only)
{
	cr_assert(nic_table_match("rx_missed", "rx_missed"));
	cr_assert(nic_table_match("rx_queue_#_drops", "rx_queue_0_drops"));
	cr_assert(nic_table_match("rx_queue_#_drops", "rx_queue_117_drops"));
	cr_assert(nic_table_match("rx_xdp_drop[#]", "rx_xdp_drop[12]"));
	cr_assert(nic_table_match("pkts rx OOB", "  pkts rx OOB"));
	cr_assert_not(nic_table_match("rx_queue_#_drops", "rx_queue__drops"));
	cr_assert_not(nic_table_match("rx_queue_#_drops", "rx_queue_0_xdp_drops"));
	cr_assert_not(nic_table_match("rx#_xdp_drops", "rx0_drops"));
	cr_assert_not(nic_table_match("rx_missed", "rx_missed_errors"));
	cr_assert_not(nic_table_match("rx_missed", "rx_miss"));
	cr_assert_not(nic_table_match("rx_missed", ""));
}

Test(nic, queues_of_a_driver_add_up)
{
	struct nic_tally tally = {.driver = "veth"};
	struct snapshot_nic_counter counters[SNAPSHOT_NIC_COUNTERS_MAX];
	unsigned int count;

	nic_table_add(&tally, "peer_ifindex", 7);
	nic_table_add(&tally, "rx_queue_0_xdp_packets", 1000);
	nic_table_add(&tally, "rx_queue_0_drops", 3);
	nic_table_add(&tally, "rx_queue_0_xdp_drops", 20);
	nic_table_add(&tally, "rx_queue_1_drops", 4);
	nic_table_add(&tally, "rx_queue_1_xdp_drops", 30);
	count = nic_table_counters(&tally, counters);
	cr_assert_eq(count, 4);
	cr_assert_eq(find(counters, count, "no_buffer")->packets, 7);
	cr_assert(find(counters, count, "no_buffer")->known);
	cr_assert_eq(find(counters, count, "xdp_drop")->packets, 50);
	cr_assert_not(find(counters, count, "rx_missed")->known);
	cr_assert_not_null(find(counters, count, "rx_dropped"));
}

Test(nic, labels_belong_to_their_driver)
{
	struct nic_tally tally = {.driver = "e1000e"};
	struct snapshot_nic_counter counters[SNAPSHOT_NIC_COUNTERS_MAX];
	unsigned int count;

	nic_table_add(&tally, "rx_queue_0_drops", 9); /* igb's, veth's */
	nic_table_add(&tally, "rx_missed_errors", 5);
	count = nic_table_counters(&tally, counters);
	cr_assert_eq(find(counters, count, "rx_missed")->packets, 5);
	cr_assert_not(find(counters, count, "no_buffer")->known);
	cr_assert_not(find(counters, count, "xdp_drop")->known);
}

Test(nic, unknown_driver_has_unknown_counters)
{
	struct nic_tally tally = {.driver = "something"};
	struct snapshot_nic_counter counters[SNAPSHOT_NIC_COUNTERS_MAX];
	unsigned int count;

	nic_table_add(&tally, "rx_missed_errors", 5);
	count = nic_table_counters(&tally, counters);
	for (unsigned int i = 0; i < count; i++)
		cr_assert_not(counters[i].known, "%s", counters[i].name);
}

Test(nic, allowance_takes_the_place_of_rx_dropped)
{
	struct nic_tally tally = {.driver = "ena"};
	struct snapshot_nic_counter counters[SNAPSHOT_NIC_COUNTERS_MAX];
	unsigned int count;

	nic_table_add(&tally, "bw_in_allowance_exceeded", 2);
	nic_table_add(&tally, "bw_out_allowance_exceeded", 100);
	nic_table_add(&tally, "pps_allowance_exceeded", 3);
	nic_table_add(&tally, "rtnl.rx_dropped", 11);
	nic_table_add(&tally, "queue_3_rx_xdp_drop", 8);
	count = nic_table_counters(&tally, counters);
	cr_assert_eq(count, SNAPSHOT_NIC_COUNTERS_MAX);
	cr_assert_eq(find(counters, count, "allowance")->packets, 5);
	cr_assert_eq(find(counters, count, "rx_missed")->packets, 11);
	cr_assert_eq(find(counters, count, "xdp_drop")->packets, 8);
	cr_assert_null(find(counters, count, "rx_dropped"));
}

Test(nic, only_losses_before_xdp_are_losses)
{
	cr_assert(nic_table_lost("rx_missed"));
	cr_assert(nic_table_lost("no_buffer"));
	cr_assert(nic_table_lost("allowance"));
	cr_assert_not(nic_table_lost("xdp_drop"));
	cr_assert_not(nic_table_lost("rx_dropped"));
	cr_assert_not(nic_table_lost("nonsense"));
}

Test(nic, every_label_of_the_table_is_booked)
{
	static const struct {
		const char *driver;
		enum nic_kind kind;
		const char *label;
	} rows[] = {
#define NIC_COUNTER(driver, kind, label) {driver, NIC_##kind, label},
#include "collect/nic.def"
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct nic_tally tally = {.driver = rows[i].driver};
		char label[64];
		size_t used = 0;

		for (const char *c = rows[i].label; *c && used < sizeof(label) - 1; c++)
			label[used++] = *c == '#' ? '6' : *c;
		label[used] = '\0';
		nic_table_add(&tally, label, 42);
		for (unsigned int kind = 0; kind < NIC_KIND_MAX; kind++)
			cr_assert_eq(tally.packets[kind], kind == rows[i].kind ? 42 : 0, "%s %s",
				     rows[i].driver, rows[i].label);
	}
}
