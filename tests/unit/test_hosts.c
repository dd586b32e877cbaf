// SPDX-License-Identifier: GPL-2.0-only
/*
 * hosts: distinct hosts by window: who is counted, for how long, in which sets. Errors are those that hosts.h
 * states.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/hash.h"
#include "collect/hll.h"
#include "collect/hosts.h"

#define TCP	     6
#define UDP	     17
#define CLASS(class) (1 + (class))
#define TOOL(tool)   (1 + AG_CLASS_MAX + (tool))
#define FIVE_MINUTES 30
#define HOUR	     360
#define DAY	     8640

static struct ag_hll sketches[AG_CLASS_MAX], nobody[AG_CLASS_MAX];
static struct hosts *hosts;
static struct hosts_figures figures;

static void begin(void)
{
	hosts = hosts_new();
	cr_assert(hosts);
}

static void end(void)
{
	hosts_free(&hosts);
	cr_assert_null(hosts);
}

TestSuite(hosts, .init = begin, .fini = end);

static void touch(struct ag_hll *sketch, uint32_t address)
{
	hll_touch(sketch->reg, AG_HLL_BITS, hosts_hash(0, address, false));
}

/* An interval in which `count` addresses from `first` on sent packets of a class. */
static void interval(uint32_t tick, unsigned int class, uint32_t first, uint32_t count)
{
	memset(sketches, 0, sizeof(sketches));
	for (uint32_t i = 0; i < count; i++)
		touch(&sketches[class], first + i);
	hosts_add(hosts, tick, sketches);
}

static uint64_t ask(unsigned int set, enum hosts_window window)
{
	hosts_figures(hosts, nobody, &figures);
	return figures.hosts[set][window];
}

static void near(uint64_t estimate, double truth, double error)
{
	cr_assert_lt(fabs((double)estimate / truth - 1), error, "%llu of %.0f", (unsigned long long)estimate,
		     truth);
}

Test(hosts, nobody_at_first)
{
	for (unsigned int set = 0; set < HOSTS_SETS; set++)
		for (unsigned int window = 0; window < HOSTS_WINDOWS; window++)
			cr_assert_eq(ask(set, window), 0);
}

Test(hosts, each_window_forgets_in_its_time)
{
	interval(100, AG_CLASS_SCAN, 1000, 500);
	for (uint32_t later = 0; later <= DAY + HOUR; later += 10) {
		hosts_add(hosts, 100 + later, nobody);
		if (later <= FIVE_MINUTES)
			near(ask(CLASS(AG_CLASS_SCAN), HOSTS_5M), 500, 0.04);
		else
			cr_assert_eq(ask(CLASS(AG_CLASS_SCAN), HOSTS_5M), 0, "after %u ticks", later);
		if (later <= HOUR)
			near(ask(CLASS(AG_CLASS_SCAN), HOSTS_1H), 500, 0.04);
		else if (later > HOUR + FIVE_MINUTES)
			cr_assert_eq(ask(CLASS(AG_CLASS_SCAN), HOSTS_1H), 0, "after %u ticks", later);
		if (later <= DAY)
			near(ask(CLASS(AG_CLASS_SCAN), HOSTS_1D), 500, 0.04);
	}
	hosts_add(hosts, 100 + DAY + HOUR, nobody);
	cr_assert_eq(ask(HOSTS_ALL, HOSTS_1D), 0);
}

/* Nothing that is older than the ring comes back when the ring goes round. */
Test(hosts, a_long_silence_is_silence)
{
	interval(7, AG_CLASS_SCAN, 1, 100);
	hosts_add(hosts, 7 + 31 * 5, nobody);
	cr_assert_eq(ask(HOSTS_ALL, HOSTS_5M), 0);
	interval(7 + 31 * 5, AG_CLASS_SCAN, 5000, 10);
	near(ask(HOSTS_ALL, HOSTS_5M), 10, 0.11);
	near(ask(HOSTS_ALL, HOSTS_1H), 110, 0.05);
}

Test(hosts, all_is_the_union_of_the_classes)
{
	interval(1, AG_CLASS_SCAN, 0, 3000);
	interval(1, AG_CLASS_BACKSCATTER, 2000, 3000);
	near(ask(CLASS(AG_CLASS_SCAN), HOSTS_5M), 3000, 0.04);
	near(ask(CLASS(AG_CLASS_BACKSCATTER), HOSTS_1D), 3000, 0.04);
	near(ask(HOSTS_ALL, HOSTS_1H), 5000, 0.04);
	cr_assert_eq(ask(CLASS(AG_CLASS_OTHER), HOSTS_1H), 0);
}

Test(hosts, what_is_not_closed_counts_too)
{
	struct ag_hll open[AG_CLASS_MAX] = {};

	for (uint32_t i = 0; i < 50; i++)
		touch(&open[AG_CLASS_SCAN], i);
	hosts_figures(hosts, open, &figures);
	for (unsigned int window = 0; window < HOSTS_WINDOWS; window++) {
		near(figures.hosts[CLASS(AG_CLASS_SCAN)][window], 50, 0.05);
		near(figures.hosts[HOSTS_ALL][window], 50, 0.05);
	}
	cr_assert_eq(ask(HOSTS_ALL, HOSTS_5M), 0, "and are not kept");
}

Test(hosts, of_tools)
{
	for (uint32_t i = 0; i < 4000; i++)
		hosts_add_tool(hosts, 50, AG_TOOL_MIRAI, hosts_hash(0, i % 2000, false));
	hosts_add_tool(hosts, 50, AG_TOOL_MAX, 1);
	near(ask(TOOL(AG_TOOL_MIRAI), HOSTS_5M), 2000, 0.07);
	near(ask(TOOL(AG_TOOL_MIRAI), HOSTS_1D), 2000, 0.07);
	cr_assert_eq(ask(TOOL(AG_TOOL_ZMAP), HOSTS_1D), 0);
	cr_assert_eq(ask(HOSTS_ALL, HOSTS_1D), 0, "classes are what the kernel tells");
	hosts_add(hosts, 50 + FIVE_MINUTES + 1, nobody);
	cr_assert_eq(ask(TOOL(AG_TOOL_MIRAI), HOSTS_5M), 0);
}

Test(hosts, of_followed_ports)
{
	const uint16_t first[] = {23, 80}, then[] = {80, 8080};

	hosts_add_port(hosts, 1, TCP, 23, hosts_hash(0, 1, false));
	cr_assert_eq(hosts_of_port(hosts, TCP, 23), 0, "not followed yet");
	hosts_follow(hosts, TCP, first, 2);
	for (uint32_t i = 0; i < 300; i++) {
		hosts_add_port(hosts, 1, TCP, 23, hosts_hash(0, i, false));
		hosts_add_port(hosts, 1, TCP, 80, hosts_hash(0, i / 3, false));
		hosts_add_port(hosts, 1, UDP, 80, hosts_hash(0, i, false));
		hosts_add_port(hosts, 1, 132, 80, hosts_hash(0, i, false));
	}
	near(hosts_of_port(hosts, TCP, 23), 300, 0.14);
	near(hosts_of_port(hosts, TCP, 80), 100, 0.14);
	cr_assert_eq(hosts_of_port(hosts, UDP, 80), 0);
	hosts_follow(hosts, TCP, then, 2);
	near(hosts_of_port(hosts, TCP, 80), 100, 0.14);
	cr_assert_eq(hosts_of_port(hosts, TCP, 23), 0);
	cr_assert_eq(hosts_of_port(hosts, TCP, 8080), 0);
	hosts_follow(hosts, TCP, first, 2);
	cr_assert_eq(hosts_of_port(hosts, TCP, 23), 0, "who comes back begins anew");
	hosts_add(hosts, 1 + HOUR + FIVE_MINUTES, nobody);
	cr_assert_eq(hosts_of_port(hosts, TCP, 80), 0, "the hour is over");
}

Test(hosts, more_ports_than_can_be_followed)
{
	uint16_t ports[HOSTS_PORTS_MAX + 5];

	for (unsigned int i = 0; i < HOSTS_PORTS_MAX + 5; i++)
		ports[i] = (uint16_t)(100 + i);
	hosts_follow(hosts, UDP, ports, HOSTS_PORTS_MAX + 5);
	for (unsigned int i = 0; i < HOSTS_PORTS_MAX + 5; i++)
		hosts_add_port(hosts, 1, UDP, ports[i], 12345);
	cr_assert_eq(hosts_of_port(hosts, UDP, 100), 1);
	cr_assert_eq(hosts_of_port(hosts, UDP, 100 + HOSTS_PORTS_MAX - 1), 1);
	cr_assert_eq(hosts_of_port(hosts, UDP, 100 + HOSTS_PORTS_MAX), 0);
}

Test(hosts, an_address_is_no_prefix)
{
	cr_assert_neq(hosts_hash(0, 5, false), hosts_hash(5, 0, true));
	cr_assert_eq(hosts_hash(7, 1, true), hosts_hash(7, 2, true), "a /64 is one host");
}
