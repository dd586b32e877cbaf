// SPDX-License-Identifier: GPL-2.0-only
/*
 * top: the ports of the last hour, most packets first, without flicker.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "collect/top.h"

static struct top_ports *top;
static __u64 counts[AG_PORTS];
static struct snapshot_port list[SNAPSHOT_TOP_PORTS];

static void begin(void)
{
	cr_assert_eq(top_new(&top), 0);
	memset(counts, 0, sizeof(counts));
}

static void end(void)
{
	top_free(&top);
	cr_assert_null(top);
}

TestSuite(top, .init = begin, .fini = end);

static bool lists(unsigned int n, uint16_t port)
{
	for (unsigned int i = 0; i < n; i++)
		if (list[i].port == port)
			return true;
	return false;
}

Test(top, empty)
{
	cr_assert_eq(top_list(top, list), 0);
	top_update(top, counts, 100);
	cr_assert_eq(top_list(top, list), 0);
}

Test(top, most_packets_first)
{
	for (unsigned int i = 0; i < 50; i++)
		counts[i * 100] = 1000 + i;
	top_update(top, counts, 100);
	cr_assert_eq(top_list(top, list), SNAPSHOT_TOP_PORTS);
	for (unsigned int i = 0; i < SNAPSHOT_TOP_PORTS; i++) {
		cr_assert_eq(list[i].port, (49 - i) * 100);
		cr_assert_eq(list[i].packets, 1049 - i);
	}
}

Test(top, fewer_ports_than_places)
{
	counts[0] = 1;
	counts[65535] = 2;
	top_update(top, counts, 5);
	cr_assert_eq(top_list(top, list), 2);
	cr_assert_eq(list[0].port, 65535);
	cr_assert_eq(list[1].port, 0);
	cr_assert_eq(list[1].packets, 1);
}

Test(top, window_is_one_hour)
{
	counts[23] = 1000;
	for (uint64_t now = 0; now <= 3600; now += 300)
		top_update(top, counts, now);
	cr_assert_eq(top_list(top, list), 1);
	cr_assert_eq(list[0].packets, 1000);
	counts[80] = 7;
	top_update(top, counts, 3900);
	top_update(top, counts, 4200);
	cr_assert_eq(top_list(top, list), 1); /* gone when it has nothing in the window */
	cr_assert_eq(list[0].port, 80);
	cr_assert_eq(list[0].packets, 7);
}

Test(top, counters_beyond_32_bits)
{
	counts[23] = (1ull << 32) - 5;
	for (uint64_t now = 0; now <= 4200; now += 300)
		top_update(top, counts, now);
	counts[23] += 20;
	top_update(top, counts, 4210);
	cr_assert_eq(top_list(top, list), 1);
	cr_assert_eq(list[0].packets, 20);
}

Test(top, a_listed_port_stays_until_it_is_clearly_beaten)
{
	for (unsigned int i = 1; i <= 20; i++)
		counts[i] = 1000;
	top_update(top, counts, 0);
	cr_assert_eq(top_list(top, list), 20);
	counts[500] = 1001; /* not a tenth more */
	top_update(top, counts, 10);
	cr_assert_eq(top_list(top, list), 20);
	cr_assert(!lists(20, 500));
	counts[500] = 1100;
	top_update(top, counts, 20);
	cr_assert_eq(top_list(top, list), 20);
	cr_assert(lists(20, 500));
	cr_assert_eq(list[0].port, 500);
	/* and the one that left does not come back for as little */
	for (unsigned int i = 1; i <= 20; i++)
		counts[i]++;
	{
		bool before[21];

		for (unsigned int i = 1; i <= 20; i++)
			before[i] = lists(20, (uint16_t)i);
		top_update(top, counts, 30);
		cr_assert_eq(top_list(top, list), 20);
		for (unsigned int i = 1; i <= 20; i++)
			cr_assert_eq(lists(20, (uint16_t)i), before[i]);
	}
}

Test(top, a_listed_port_that_falls_far_leaves)
{
	counts[7] = 10;
	top_update(top, counts, 0);
	cr_assert_eq(top_list(top, list), 1);
	for (unsigned int i = 100; i < 200; i++)
		counts[i] = 1000 + i;
	top_update(top, counts, 10);
	cr_assert_eq(top_list(top, list), SNAPSHOT_TOP_PORTS);
	cr_assert(!lists(20, 7));
	for (unsigned int i = 0; i < 20; i++)
		cr_assert_eq(list[i].port, 199 - i);
}
