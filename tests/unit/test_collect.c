// SPDX-License-Identifier: GPL-2.0-only
/*
 * collect: sums, scopes, active addresses, disabled rules; and that a cooked book is found.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "collect/collect.h"
#include "packets.h"

static struct config_scope scopes[] = {{(char *)(uintptr_t) "north"}, {(char *)(uintptr_t) "south"}};
static struct config config = {.scopes = scopes, .scopes_count = 2};
static struct config bare;
static struct plan *plan;
static struct engine *engine;
static struct collector *collector;
static char why[512];

static void open_all(bool everywhere)
{
	const struct plan_prefix prefixes[] = {
		{.prefix = {.family = 4, .length = 24, .addr = {198, 51, 100, 0}}, .scope = 1},
		{.prefix = {.family = 4, .length = 23, .addr = {203, 0, 112, 0}}, .scope = 2},
		{.prefix = {.family = 4, .length = 25, .addr = {203, 0, 113, 128}}, .scope = 0},
	};
	struct engine_options eo = {.kind = ENGINE_NATIVE, .replay = true, .memory_bytes = 16 << 20};
	struct collector_options co = {.config = everywhere ? &bare : &config};

	cr_assert_eq(plan_new(&plan, prefixes, 3, everywhere, why, sizeof(why)), 0, "%s", why);
	eo.plan = plan;
	co.plan = plan;
	cr_assert_eq(engine_open(&engine, &eo, why, sizeof(why)), 0, "%s", why);
	co.engine = engine;
	cr_assert_eq(collector_new(&collector, &co, why, sizeof(why)), 0, "%s", why);
}

static void open_prefixes(void)
{
	open_all(false);
}

static void close_all(void)
{
	collector_free(&collector);
	engine_free(&engine);
	plan_free(&plan);
}

TestSuite(collect, .init = open_prefixes, .fini = close_all);

static void send_syn(uint32_t src, uint32_t dst, unsigned int port)
{
	struct frame f;
	struct ag_replay word;

	frame_syn4(&f, port);
	frame_set32(&f, 26, src);
	frame_set32(&f, 30, dst);
	word = (struct ag_replay){.wirelen = f.n, .caplen = (__u16)f.n};
	cr_assert_geq(engine_run(engine, &word, f.bytes), 0);
}

/* The books as the test can write them. */
static struct ag_counters *counters(unsigned int slice)
{
	return (struct ag_counters *)(uintptr_t)&engine_books(engine)->counters[slice];
}

static struct ag_ports *ports(unsigned int slice)
{
	return (struct ag_ports *)(uintptr_t)&engine_books(engine)->ports[slice];
}

static uint64_t imbalance(enum ag_law law)
{
	struct snapshot *s = collector_snapshot(collector);
	uint64_t got;

	cr_assert_not_null(s);
	got = s->imbalance[law];
	snapshot_unref(&s);
	cr_assert_null(s);
	return got;
}

Test(collect, an_empty_sensor)
{
	struct snapshot *s = collector_snapshot(collector);

	cr_assert_eq(s->totals.received, 0);
	cr_assert_eq(s->sources, 0);
	cr_assert_eq(s->imbalance[AG_LAW_L1], 0);
	cr_assert_eq(s->imbalance[AG_LAW_L2], 0);
	cr_assert_eq(s->scopes_count, 2);
	cr_assert_str_eq(s->scopes[1].name, "north");
	cr_assert_str_eq(s->scopes[2].name, "south");
	cr_assert_eq(s->scopes[1].dark_addresses, 256);
	cr_assert_eq(s->scopes[2].dark_addresses, 384);
	cr_assert_eq(s->reach.addresses, 640);
	cr_assert_eq(s->disabled_rules_count, 0);
	cr_assert_str_eq(s->engine, "native");
	snapshot_unref(&s);
}

Test(collect, sums_scopes_and_active_addresses)
{
	struct snapshot *s;

	for (uint32_t i = 0; i < 10; i++)
		send_syn(0x08000000 + i, 0xc6336400 + i % 5, 23);
	for (uint32_t i = 0; i < 3; i++)
		send_syn(0x08000000, 0xcb007000 + i, 80);
	send_syn(0x08000001, 0xcb0071ff, 80); /* in the hole */
	s = collector_snapshot(collector);
	cr_assert_eq(s->totals.received, 14);
	cr_assert_eq(s->totals.dark, 13);
	cr_assert_eq(s->totals.outcome[AG_OUTCOME_NOT_DARK], 1);
	cr_assert_eq(s->ports.tcp[23], 10);
	cr_assert_eq(s->ports.tcp[80], 3);
	cr_assert_eq(s->scopes[1].packets[AG_CLASS_SCAN], 10);
	cr_assert_eq(s->scopes[1].bytes[AG_CLASS_SCAN], 600);
	cr_assert_eq(s->scopes[2].packets[AG_CLASS_SCAN], 3);
	cr_assert_eq(s->scopes[1].active_addresses, 5);
	cr_assert_eq(s->scopes[2].active_addresses, 3);
	cr_assert_eq(s->sources, 10);
	cr_assert_eq(s->sequence, 1);
	cr_assert_eq(s->imbalance[AG_LAW_L1], 0);
	cr_assert_eq(s->imbalance[AG_LAW_L2], 0);
	snapshot_unref(&s);
}

Test(collect, the_shared_slice_is_part_of_the_sum)
{
	struct snapshot *s;

	send_syn(0x08000000, 0xc6336400, 23);
	*counters(1) = *counters(0);
	*ports(1) = *ports(0);
	s = collector_snapshot(collector);
	cr_assert_eq(s->totals.received, 2);
	cr_assert_eq(s->ports.tcp[23], 2);
	cr_assert_eq(s->shared_packets, 1);
	cr_assert_eq(s->imbalance[AG_LAW_L1], 0);
	cr_assert_eq(s->imbalance[AG_LAW_L2], 0);
	snapshot_unref(&s);
}

Test(collect, each_cooked_book_is_found)
{
	struct ag_counters *k = counters(0);
	const struct {
		__u64 *counter;
		enum ag_law law;
	} cooked[] = {
		{&k->received, AG_LAW_L1},
		{&k->outcome[AG_OUTCOME_DARK], AG_LAW_L1},
		{&k->outcome[AG_OUTCOME_UNSUPPORTED_ENCAP], AG_LAW_L1},
		{&k->dark, AG_LAW_L2},
		{&k->class_packets[1][AG_CLASS_SCAN], AG_LAW_L2},
		{&k->class_packets[AG_SCOPES_MAX][AG_CLASS_OTHER], AG_LAW_L2},
		{&k->protocol[0], AG_LAW_L2},
		{&k->protocol[255], AG_LAW_L2},
		{&k->no_port, AG_LAW_L2},
		{&ports(0)->tcp[0], AG_LAW_L2},
		{&ports(0)->tcp[65535], AG_LAW_L2},
		{&ports(0)->udp[0], AG_LAW_L2},
		{&ports(0)->udp[65535], AG_LAW_L2},
	};

	for (uint32_t i = 0; i < 5; i++)
		send_syn(0x08000000, 0xc6336400, 23);
	for (unsigned int i = 0; i < sizeof(cooked) / sizeof(cooked[0]); i++) {
		enum ag_law other = cooked[i].law == AG_LAW_L1 ? AG_LAW_L2 : AG_LAW_L1;

		*cooked[i].counter += 3;
		cr_assert_eq(imbalance(cooked[i].law), 3, "%u", i);
		cr_assert_eq(imbalance(other), 0, "%u", i);
		*cooked[i].counter -= 3;
		cr_assert_eq(imbalance(cooked[i].law), 0, "%u", i);
	}
	k->protocol[6] -= 2; /* too little is as wrong as too much */
	cr_assert_eq(imbalance(AG_LAW_L2), 2);
	k->protocol[17] += 2; /* wrong twice, but the sum is right: no law can see it */
	cr_assert_eq(imbalance(AG_LAW_L2), 0);
}

Test(collect, errors_of_two_slices_do_not_cancel)
{
	counters(0)->received += 4;
	counters(1)->outcome[AG_OUTCOME_NON_IP] += 4;
	cr_assert_eq(imbalance(AG_LAW_L1), 8);
}

Test(collect, interval_moves_on)
{
	struct snapshot *s;

	collector_begin_interval(collector, 10000000000);
	collector_begin_interval(collector, 20000000000);
	collector_begin_interval(collector, 30000000000);
	s = collector_snapshot(collector);
	cr_assert_eq(s->epoch, 3);
	snapshot_unref(&s);
	send_syn(0x08000000, 0xc6336400, 23);
	cr_assert_eq(engine_books(engine)->seen[0].epoch[0], 3);
}

Test(collect, a_snapshot_outlives_the_sensor)
{
	struct snapshot *s, *again;

	send_syn(0x08000000, 0xc6336400, 23);
	s = collector_snapshot(collector);
	again = snapshot_ref(s);
	send_syn(0x08000000, 0xc6336400, 23);
	snapshot_unref(&s);
	close_all();
	cr_assert_eq(again->totals.received, 1);
	snapshot_unref(&again);
	open_prefixes();
}

Test(collect, without_prefixes_rules_of_n_are_off)
{
	struct snapshot *s;

	close_all();
	open_all(true);
	send_syn(0x08000000, 0x01020304, 23);
	s = collector_snapshot(collector);
	cr_assert(s->every_destination);
	cr_assert_eq(s->scopes[0].packets[AG_CLASS_SCAN], 1);
	cr_assert_str_eq(s->scopes[0].name, "all");
	cr_assert_eq(s->disabled_rules_count, 6);
	cr_assert_eq(s->reach.addresses, 0);
	snapshot_unref(&s);
	close_all();
	bare.addresses = 4096; /* told on the command line */
	open_all(true);
	s = collector_snapshot(collector);
	cr_assert_eq(s->disabled_rules_count, 0);
	cr_assert_eq(s->reach.addresses, 4096);
	snapshot_unref(&s);
}

/* Feed self: visits by port, and what takes an address for one that never answers is off, each rule named once.
 */
Test(collect, feed_self)
{
	struct plan_prefix self = {.prefix = {.family = 4, .length = 32, .addr = {198, 51, 100, 7}},
				   .scope = 1};
	struct engine_options eo = {.kind = ENGINE_NATIVE, .replay = true, .memory_bytes = 16 << 20};
	struct collector_options co = {.config = &config};
	struct snapshot *s = collector_snapshot(collector);
	struct ag_replay word;
	struct plan *with = NULL;
	struct frame f;

	cr_assert_null(s->visits);
	snapshot_unref(&s);
	close_all();
	cr_assert_eq(plan_new(&plan, &self, 1, false, why, sizeof(why)), 0, "%s", why);
	plan->settings.interfaces[0].feed = AG_FEED_SELF;
	config.replay = config.own_flows = true;
	eo.plan = plan;
	co.plan = plan;
	cr_assert_eq(engine_open(&engine, &eo, why, sizeof(why)), 0, "%s", why);
	co.engine = engine;
	cr_assert_eq(collector_new(&collector, &co, why, sizeof(why)), 0, "%s", why);
	frame_syn4(&f, 22);
	word = (struct ag_replay){.wirelen = f.n, .caplen = (__u16)f.n, .flags = AG_REPLAY_LISTENS};
	for (unsigned int i = 0; i < 3; i++)
		cr_assert_geq(engine_run(engine, &word, f.bytes), 0);
	s = collector_snapshot(collector);
	cr_assert_eq(s->visits[22], 3);
	cr_assert_eq(s->visits[23], 0);
	cr_assert_eq(s->totals.outcome[AG_OUTCOME_SERVICE], 3);
	cr_assert_eq(s->totals.dark, 0);
	cr_assert_eq(s->disabled_rules_count, 3);
	cr_assert_eq(s->reach.addresses, 1);
	snapshot_unref(&s);
	/* The address goes. */
	cr_assert_eq(plan_new(&with, &self, 0, false, why, sizeof(why)), 0, "%s", why);
	collector_reload(collector, &config, with);
	plan_free(&plan);
	plan = with;
	s = collector_snapshot(collector);
	cr_assert_eq(s->scopes[1].dark_addresses, 0);
	cr_assert_eq(s->reach.addresses, 0);
	cr_assert_eq(s->disabled_rules_count, 8);
	snapshot_unref(&s);
	config.replay = config.own_flows = false;
}

Test(collect, the_newest_snapshot_is_handed_on)
{
	struct snapshot_box *box = NULL;
	struct snapshot *first, *second, *got;

	cr_assert_eq(snapshot_box_new(&box), 0);
	cr_assert_null(snapshot_latest(box));
	first = collector_snapshot(collector);
	snapshot_publish(box, first);
	got = snapshot_latest(box);
	cr_assert_eq(got->sequence, 1);
	second = collector_snapshot(collector);
	snapshot_publish(box, second);
	cr_assert_eq(got->sequence, 1); /* still held */
	snapshot_unref(&got);
	got = snapshot_latest(box);
	cr_assert_eq(got->sequence, 2);
	snapshot_unref(&got);
	snapshot_box_free(&box);
}

Test(collect, live_thread_publishes)
{
	struct snapshot_box *box = NULL;
	struct snapshot *s;
	struct collector_options co = {.engine = engine, .plan = plan, .config = &config, .live = true};

	cr_assert_eq(snapshot_box_new(&box), 0);
	co.box = box;
	collector_free(&collector);
	cr_assert_eq(collector_new(&collector, &co, why, sizeof(why)), 0, "%s", why);
	send_syn(0x08000000, 0xc6336400, 23);
	cr_assert_eq(collector_start(collector), 0);
	collector_stop(collector); /* publishes a last one */
	collector_stop(collector);
	s = snapshot_latest(box);
	cr_assert_not_null(s);
	cr_assert_eq(s->totals.received, 1);
	cr_assert_gt(s->start_ns, 0);
	cr_assert_geq(s->time_ns, s->start_ns);
	cr_assert_gt(s->rss_anon_bytes, 0);
	cr_assert_eq(s->process_start_ns, s->start_ns);
	cr_assert_gt(s->process_cpu_ns, 0);
	cr_assert_eq(s->top_tcp_count, 1);
	cr_assert_eq(s->top_tcp[0].port, 23);
	cr_assert_eq(s->top_udp_count, 0);
	snapshot_unref(&s);
	snapshot_box_free(&box);
}
