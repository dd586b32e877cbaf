// SPDX-License-Identifier: GPL-2.0-only
/*
 * sources and alerts: what is settled from records, over five minutes, over a day, and after a pause. Records
 * are written here; each destination is a bit of its own, so that the estimate is the number.
 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "bpf/distinct.h"
#include "collect/sources.h"

#define BEGIN_S	  1700000000
#define TICK_S	  10
#define NS	  1000000000LL
#define PROTO_TCP 6
#define PROTO_UDP 17
#define ALERTS	  64

static struct sources *sources;
static struct alert alerts[ALERTS];
static uint32_t tick;

static void begin_with(unsigned int sources_max)
{
	struct sources_options options = {.sources_max = sources_max,
					  .expected_day_packets = 1e6,
					  .thresholds = {
#define AG_THRESHOLD(name, default_, help) .name = default_,
#include "airglow/threshold.def"
#undef AG_THRESHOLD
					  }};

	sources = sources_new(&options);
	cr_assert_not_null(sources);
	tick = 1;
}

static void begin(void)
{
	begin_with(64);
}

static void end(void)
{
	sources_free(&sources);
}

TestSuite(settle, .init = begin, .fini = end);

static int64_t tick_ns(uint32_t at)
{
	return (BEGIN_S + (int64_t)at * TICK_S) * NS;
}

/* A record of `packets`, to the destinations that are bits first..first + count - 1. */
static struct ag_record record(uint64_t src, unsigned int class, unsigned int protocol, unsigned int port,
			       unsigned int first, unsigned int count, uint32_t packets)
{
	struct ag_record r = {
		.src_lo = src,
		.key = (uint64_t) class << AG_KEY_CLASS_SHIFT | (uint64_t)protocol << AG_KEY_PROTOCOL_SHIFT |
		       (uint64_t)AG_KEY_TOOL_NONE << AG_KEY_TOOL_SHIFT | port,
		.bytes_last = 40 * packets,
		.packets = packets,
	};

	for (unsigned int bit = first; bit < first + count; bit++) {
		struct distinct_place place = {.bit = bit % 64, .rank = 1};

		distinct_add(&r.destinations, &place);
	}
	return r;
}

static void add(struct ag_record r)
{
	sources_add(sources, tick_ns(tick), tick, &r, 1);
}

static void close_tick(void)
{
	sources_close(sources, tick_ns(tick + 1));
	tick++;
}

static void send_syns(uint64_t src, unsigned int port, unsigned int first, unsigned int count)
{
	add(record(src, AG_CLASS_SCAN, PROTO_TCP, port, first, count, count));
}

static size_t all_alerts(void)
{
	return sources_alerts(sources, 0, alerts, ALERTS);
}

static struct source_view source_of(uint64_t src)
{
	struct source_view view;
	struct flow_view flows[1];
	size_t count = 1;

	cr_assert(sources_find(sources, 0, src, false, &view, flows, &count));
	return view;
}

static void check_alert(const struct alert *a, enum ag_alert_kind kind, uint64_t src, unsigned int port,
			bool slow)
{
	cr_assert_eq(a->kind, kind, "kind %u, must be %u", a->kind, kind);
	cr_assert_eq(a->src_lo, src);
	cr_assert_eq(a->port, port, "port %u, must be %u", a->port, port);
	cr_assert_eq(a->slow, slow, "slow is %d", a->slow);
}

Test(settle, within_five_minutes)
{
	for (unsigned int i = 0; i < 21; i++) { /* as many bits as are estimated as 25 */
		cr_assert_eq(all_alerts(), 0);
		send_syns(1, 23, i, 1);
		send_syns(1, 23, i, 1);
		close_tick();
	}
	cr_assert_eq(all_alerts(), 1);
	check_alert(&alerts[0], AG_ALERT_SCAN_HORIZONTAL, 1, 23, false);
}

Test(settle, within_a_day)
{
	for (unsigned int i = 0; i < 20; i++) {
		cr_assert_eq(all_alerts(), 0);
		send_syns(1, 23, i, 2); /* the second is asked again */
		close_tick();
		tick += 300; /* 50 minutes */
	}
	cr_assert_eq(all_alerts(), 1);
	check_alert(&alerts[0], AG_ALERT_SCAN_HORIZONTAL, 1, 23, true);
}

Test(settle, not_within_a_day)
{
	for (unsigned int i = 0; i < 60; i++) {
		send_syns(1, 23, i, 2);
		close_tick();
		tick += 600; /* 15 in 24 hours */
	}
	cr_assert_eq(all_alerts(), 0);
}

/* Five minutes and a day slide: it is no matter where a flow's own day ends. */
Test(settle, across_the_end_of_a_day)
{
	send_syns(1, 23, 0, 1);
	close_tick();
	tick = 8640 - 2;
	send_syns(1, 23, 1, 12);
	close_tick();
	cr_assert_eq(all_alerts(), 0);
	tick = 8640 + 5;
	send_syns(1, 23, 12, 12);
	close_tick();
	cr_assert_eq(all_alerts(), 1);
	check_alert(&alerts[0], AG_ALERT_SCAN_HORIZONTAL, 1, 23, false);
}

Test(settle, slowly_across_the_end_of_a_day)
{
	send_syns(1, 23, 0, 1);
	close_tick();
	for (unsigned int i = 0; i < 22; i++) {
		tick = 8640 / 2 + 300 * (i + 1);
		send_syns(1, 23, i + 1, 2);
		close_tick();
	}
	cr_assert_eq(all_alerts(), 1);
	check_alert(&alerts[0], AG_ALERT_SCAN_HORIZONTAL, 1, 23, true);
}

/* Who is slow at first and then fast is fast; what is fast stays so. */
Test(settle, slow_turns_fast)
{
	for (unsigned int i = 0; i < 22; i++) {
		send_syns(1, 23, i, 2);
		close_tick();
		tick += 100;
	}
	cr_assert_eq(all_alerts(), 1);
	cr_assert(alerts[0].slow);
	send_syns(1, 23, 0, 30);
	close_tick();
	cr_assert_eq(all_alerts(), 1);
	cr_assert_not(alerts[0].slow);
	tick += 100;
	send_syns(1, 23, 30, 1);
	close_tick();
	cr_assert_eq(all_alerts(), 1);
	cr_assert_not(alerts[0].slow);
}

/* The figures of an alert are those of the most that was seen, also when its flow's day begins again. */
Test(settle, an_alert_goes_on_over_days)
{
	for (unsigned int i = 0; i < 100; i++) {
		send_syns(1, 23, i * 20, 20);
		close_tick();
		tick += 200;
	}
	cr_assert_eq(all_alerts(), 1);
	cr_assert_geq(alerts[0].distinct, 85);
	cr_assert_geq(alerts[0].packets, 43 * 20);
	cr_assert_eq(alerts[0].last_s, BEGIN_S + (int64_t)(tick - 201) * TICK_S);
}

Test(settle, idle_for_an_hour)
{
	send_syns(1, 23, 0, 30);
	close_tick();
	tick += 358;
	send_syns(1, 23, 0, 30);
	close_tick();
	cr_assert_eq(all_alerts(), 1, "59 minutes are no hour");
	tick += 361;
	send_syns(1, 23, 0, 1);
	close_tick();
	cr_assert_eq(all_alerts(), 1, "one packet is no scan, whatever was before");
	send_syns(1, 23, 1, 29);
	close_tick();
	cr_assert_eq(all_alerts(), 2);
	check_alert(&alerts[1], AG_ALERT_SCAN_HORIZONTAL, 1, 23, false);
	cr_assert_eq(alerts[1].packets, 30);
}

/* More alerts than are kept: who was pushed out is raised again after its pause, and not before. */
Test(settle, an_alert_that_was_pushed_out)
{
	static struct alert newest[1];
	uint32_t last;

	end();
	begin_with(8192);
	send_syns(1, 23, 0, 30);
	close_tick();
	for (unsigned int i = 0; i < ALERTS_KEPT; i++)
		send_syns(1000 + i, 23, 0, 30);
	close_tick();
	cr_assert_eq(sources_alerts(sources, ALERTS_KEPT, newest, 1), 1);
	last = newest[0].number;
	cr_assert_eq(last, ALERTS_KEPT + 1);
	send_syns(1, 23, 0, 30);
	close_tick();
	cr_assert_eq(sources_alerts(sources, last, newest, 1), 0);
	tick += 400;
	send_syns(1, 23, 0, 30);
	close_tick();
	cr_assert_eq(sources_alerts(sources, last, newest, 1), 1);
	check_alert(&newest[0], AG_ALERT_SCAN_HORIZONTAL, 1, 23, false);
}

/* A flow that is touched before its source has many ports is judged like those that are touched after. */
Test(settle, many_ports_do_not_hide_many_destinations)
{
	send_syns(1, 23, 0, 5);
	for (unsigned int i = 0; i < 20; i++)
		send_syns(1, 100 + i, 0, 1);
	send_syns(1, 23, 5, 25);
	close_tick();
	cr_assert_eq(all_alerts(), 2);
	cr_assert_eq(alerts[0].kind + alerts[1].kind, AG_ALERT_SCAN_HORIZONTAL + AG_ALERT_SCAN_VERTICAL);
}

/* The first record of the next interval comes before the last one is closed. */
Test(settle, the_next_interval_began_already)
{
	send_syns(1, 23, 0, 30);
	tick++;
	send_syns(2, 23, 0, 1);
	tick--;
	close_tick();
	cr_assert_eq(all_alerts(), 1);
	check_alert(&alerts[0], AG_ALERT_SCAN_HORIZONTAL, 1, 23, false);
}

Test(settle, records_in_any_order_of_time)
{
	struct ag_record late = record(1, AG_CLASS_SCAN, PROTO_TCP, 23, 0, 1, 1), early = late;

	late.first = 500; /* 8 s */
	early.first = 60; /* 1 s */
	add(late);
	add(early);
	close_tick();
	cr_assert_eq(source_of(1).first_s, BEGIN_S + TICK_S + 1);
	cr_assert_eq(source_of(1).last_s, BEGIN_S + TICK_S + 8);
}

Test(settle, vertical)
{
	for (unsigned int i = 0; i < 14; i++)
		send_syns(1, 100 + i, 0, 1);
	close_tick();
	cr_assert_eq(all_alerts(), 0);
	add(record(1, AG_CLASS_SCAN, PROTO_UDP, 100, 0, 1, 1)); /* another port: of another protocol */
	close_tick();
	cr_assert_eq(all_alerts(), 1);
	check_alert(&alerts[0], AG_ALERT_SCAN_VERTICAL, 1, 0, false);
	cr_assert_eq(alerts[0].distinct, 15);
	cr_assert_eq(alerts[0].packets, 15);
}

Test(settle, slow_vertical_and_its_pause)
{
	for (unsigned int i = 0; i < 15; i++) {
		send_syns(1, 100 + i, 0, 1);
		close_tick();
		tick += 300;
	}
	cr_assert_eq(all_alerts(), 1);
	check_alert(&alerts[0], AG_ALERT_SCAN_VERTICAL, 1, 0, true);
	tick += 360;
	send_syns(1, 500, 0, 1);
	close_tick();
	cr_assert_eq(all_alerts(), 1, "the ports before were told");
	for (unsigned int i = 0; i < 14; i++)
		send_syns(1, 501 + i, 0, 1);
	close_tick();
	cr_assert_eq(all_alerts(), 2);
	check_alert(&alerts[1], AG_ALERT_SCAN_VERTICAL, 1, 0, false);
}

/* Only requests of class scan: backscatter of many services, or many amplifier ports, are no scan of ports. */
Test(settle, other_classes_are_no_vertical_scan)
{
	for (unsigned int i = 0; i < 40; i++) {
		add(record(1, AG_CLASS_BACKSCATTER, PROTO_TCP, 100 + i, 0, 30, 30));
		add(record(2, AG_CLASS_AMP_REQUEST, PROTO_UDP, 100 + i, 0, 1, 1));
		add(record(3, AG_CLASS_SCAN, 1, i * 256, 0, 1, 1));
	}
	close_tick();
	cr_assert_eq(all_alerts(), 0);
}

/* A source of more ports than it has flows: its new ports count, old ones make room. */
static void check_more_ports(unsigned int sources_max)
{
	end();
	begin_with(sources_max);
	for (unsigned int i = 0; i < 400; i++) { /* slow: 10 ports in five minutes */
		send_syns(1, 1000 + i, 0, 1);
		if (i % 10 == 9) {
			close_tick();
			tick += 40;
		}
	}
	cr_assert_eq(all_alerts(), 1);
	check_alert(&alerts[0], AG_ALERT_SCAN_VERTICAL, 1, 0, true);
	cr_assert_eq(source_of(1).ports, 400);
	cr_assert_not(source_of(1).ports_at_least);
	for (unsigned int i = 0; i < 100; i++) { /* fast, on ports that nobody asked for before */
		send_syns(1, 30000 + i, 0, 1);
		send_syns(1, 1000 + i, 0, 1);
	}
	for (unsigned int i = 0; i < 100; i++) /* room is found soon, not at once */
		send_syns(1, 23, i, 1);
	close_tick();
	cr_assert_eq(all_alerts(), 2);
	cr_assert_not(alerts[0].slow);
	cr_assert_eq(alerts[0].distinct, 501);
	check_alert(&alerts[1], AG_ALERT_SCAN_HORIZONTAL, 1, 23, false);
	cr_assert_eq(source_of(1).ports, 501);
}

Test(settle, more_ports_than_flows)
{
	check_more_ports(1024);
}

Test(settle, more_ports_than_there_is_room_for)
{
	check_more_ports(64); /* 128 flows in all */
}

/* Also when none of its flows is asked for any more, its alert tells how far it came; of scanned ports alone.
 */
Test(settle, a_vertical_scan_beyond_its_flows)
{
	add(record(1, AG_CLASS_BACKSCATTER, PROTO_TCP, 50000, 0, 1, 1));
	for (unsigned int i = 0; i < 1000; i++) {
		send_syns(1, 1 + i, 0, 1);
		if (i % 100 == 99)
			close_tick();
	}
	cr_assert_eq(all_alerts(), 1);
	cr_assert_eq(alerts[0].distinct, 1000);
	cr_assert_eq(alerts[0].packets, 1000);
	cr_assert_eq(source_of(1).ports, 1001);
	cr_assert_eq(alerts[0].last_s, BEGIN_S + (int64_t)(tick - 1) * TICK_S);
}

/* It goes on all day, on other ports each time: one scan. */
Test(settle, one_vertical_scan_of_many_ports)
{
	for (unsigned int i = 0; i < 3000; i++) {
		send_syns(1, i * 7919 % 65521, 0, 1);
		close_tick();
		tick += 2;
	}
	cr_assert_eq(all_alerts(), 1);
	cr_assert_eq(source_of(1).ports, 3000);
}

/* When there are no flows left, ports are counted once all the same. */
Test(settle, ports_without_flows)
{
	struct sources_totals totals;

	end();
	begin_with(8); /* 16 flows */
	for (unsigned int round = 0; round < 3; round++)
		for (unsigned int i = 0; i < 40; i++)
			send_syns(1, 100 + i, 0, 1);
	close_tick();
	sources_totals(sources, &totals);
	cr_assert_eq(totals.flows, 16);
	cr_assert_eq(totals.folded_packets, 3 * 24);
	cr_assert_eq(source_of(1).ports, 40);
	cr_assert_eq(source_of(1).packets[AG_CLASS_SCAN], 120);
}

/* What has no port is told with port 0; a packet to port 0 is marked so. */
Test(settle, port_zero)
{
	struct ag_record r = record(1, AG_CLASS_OTHER, PROTO_UDP, 0, 0, 1, 1);

	add(r);
	cr_assert_eq(source_of(1).ports, 0);
	r.marks = 1u << AG_ANOMALY_PORT_ZERO;
	add(r);
	add(record(1, AG_CLASS_SCAN, PROTO_UDP, 0, 0, 1, 1));
	cr_assert_eq(source_of(1).ports, 1);
	add(record(1, AG_CLASS_SCAN, PROTO_TCP, 0, 0, 1, 1));
	add(record(1, AG_CLASS_SCAN, PROTO_TCP, 1, 0, 1, 1));
	cr_assert_eq(source_of(1).ports, 3);
}

/* Half of the SYNs must be the tool's: probes of other flags are none. */
Test(settle, the_share_of_a_tool)
{
	struct ag_record nmap = record(1, AG_CLASS_SCAN, PROTO_TCP, 23, 0, 1, 2), fin = nmap, syn = nmap;
	uint64_t no_tool = (uint64_t)AG_KEY_TOOL_NONE << AG_KEY_TOOL_SHIFT;

	nmap.key = (nmap.key & ~no_tool) | (uint64_t)AG_TOOL_NMAP << AG_KEY_TOOL_SHIFT |
		   2ULL << AG_KEY_HITS_SHIFT | 0x02ULL << AG_KEY_FLAGS_SHIFT;
	fin.key |= 0x01ULL << AG_KEY_FLAGS_SHIFT;
	syn.key |= 0x02ULL << AG_KEY_FLAGS_SHIFT;
	syn.packets = 1;
	fin.packets = 50;
	add(nmap);
	add(fin);
	add(syn);
	add(syn);
	cr_assert_eq(source_of(1).syns, 4);
	cr_assert_eq(source_of(1).tool, AG_TOOL_NMAP);
	add(syn);
	cr_assert_eq(source_of(1).tool, AG_TOOL_NONE);
}

Test(settle, a_reflection_and_a_search)
{
	add(record(1, AG_CLASS_AMP_REQUEST, PROTO_UDP, 123, 0, 1, 99));
	add(record(2, AG_CLASS_AMP_REQUEST, PROTO_UDP, 123, 0, 10, 199)); /* 10 bits: about 11 destinations */
	add(record(3, AG_CLASS_AMP_REQUEST, PROTO_UDP, 123, 0, 30, 100)); /* about 40 */
	add(record(4, AG_CLASS_AMP_REQUEST, PROTO_UDP, 123, 0, 30, 121)); /* more than 3 each, less than 20 */
	close_tick();
	cr_assert_eq(all_alerts(), 1);
	check_alert(&alerts[0], AG_ALERT_AMPLIFIER_SCAN, 3, 123, false);
	add(record(1, AG_CLASS_AMP_REQUEST, PROTO_UDP, 123, 0, 1, 1));
	add(record(2, AG_CLASS_AMP_REQUEST, PROTO_UDP, 123, 0, 1, 21));
	close_tick();
	cr_assert_eq(all_alerts(), 3);
	check_alert(&alerts[1], AG_ALERT_REFLECTION, 1, 123, false);
	check_alert(&alerts[2], AG_ALERT_REFLECTION, 2, 123, false);
}

/* Who was told to be abused is not told to search, when its figures begin again. */
Test(settle, a_reflection_stays_one)
{
	for (unsigned int i = 0; i < 300; i++) {
		add(record(1, AG_CLASS_AMP_REQUEST, PROTO_UDP, 123, 0, 30, i < 50 ? 3000 : 60));
		close_tick();
		tick += 100;
	}
	cr_assert_eq(all_alerts(), 1);
	check_alert(&alerts[0], AG_ALERT_REFLECTION, 1, 123, false);
}

Test(settle, a_search_turns_out_to_be_abuse)
{
	add(record(1, AG_CLASS_AMP_REQUEST, PROTO_UDP, 123, 0, 30, 40));
	close_tick();
	add(record(1, AG_CLASS_AMP_REQUEST, PROTO_UDP, 123, 0, 30, 1000));
	close_tick();
	cr_assert_eq(all_alerts(), 2);
	check_alert(&alerts[0], AG_ALERT_AMPLIFIER_SCAN, 1, 123, false);
	check_alert(&alerts[1], AG_ALERT_REFLECTION, 1, 123, false);
}
