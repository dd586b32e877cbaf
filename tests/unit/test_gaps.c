// SPDX-License-Identifier: GPL-2.0-only
/*
 * gaps: what is listed, what is summed, and that both come back from where they were kept.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "collect/gaps.h"

#define S 1000000000LL

static void expect_gap(const struct gaps *g, unsigned int i, const char *subject, int64_t from, int64_t to,
		       const char *reason)
{
	cr_assert_lt(i, g->count);
	cr_assert_str_eq(g->list[i].subject, subject);
	cr_assert_str_eq(g->list[i].reason, reason);
	cr_assert_eq(g->list[i].from_ns, from);
	cr_assert_eq(g->list[i].to_ns, to);
}

Test(gaps, opens_and_closes)
{
	struct gaps g = {};

	gaps_open(&g, "eth0", 10 * S, "gone");
	cr_assert_not_null(gaps_find_open(&g, "eth0"));
	cr_assert_null(gaps_find_open(&g, "eth1"));
	cr_assert_eq(gaps_lasted_ns(&g, "eth0", 13 * S), 3 * S);
	gaps_close(&g, "eth0", 15 * S);
	cr_assert_null(gaps_find_open(&g, "eth0"));
	expect_gap(&g, 0, "eth0", 10 * S, 15 * S, "gone");
	cr_assert_eq(g.count, 1);
	cr_assert_eq(gaps_lasted_ns(&g, "eth0", 99 * S), 5 * S);
	cr_assert_eq(gaps_lasted_ns(&g, "eth1", 99 * S), 0);
}

Test(gaps, one_open_gap_a_subject)
{
	struct gaps g = {};

	gaps_open(&g, "eth0", 10 * S, "down");
	gaps_open(&g, "eth0", 12 * S, "down"); /* goes on */
	gaps_open(&g, "eth1", 12 * S, "down"); /* another's */
	cr_assert_eq(g.count, 2);
	gaps_open(&g, "eth0", 14 * S, "gone"); /* another reason: another gap, without a moment between */
	expect_gap(&g, 0, "eth0", 10 * S, 14 * S, "down");
	expect_gap(&g, 2, "eth0", 14 * S, 0, "gone");
	cr_assert_eq(gaps_lasted_ns(&g, "eth0", 20 * S), 10 * S);
	gaps_close(&g, "eth2", 20 * S); /* never opened */
	cr_assert_eq(g.count, 3);
}

Test(gaps, gaps_of_the_whole_sensor_are_of_every_interface)
{
	struct gaps g = {};

	gaps_add(&g, GAPS_ALL, 1 * S, 61 * S, "restart");
	gaps_add(&g, "eth0", 100 * S, 107 * S, "gone");
	cr_assert_eq(gaps_lasted_ns(&g, "eth0", 200 * S), 67 * S);
	cr_assert_eq(gaps_lasted_ns(&g, "eth1", 200 * S), 60 * S);
	cr_assert_eq(gaps_lasted_ns(&g, GAPS_ALL, 200 * S), 60 * S);
}

Test(gaps, a_clock_that_goes_back_makes_no_negative_time)
{
	struct gaps g = {};

	gaps_open(&g, "eth0", 100 * S, "gone");
	cr_assert_eq(gaps_lasted_ns(&g, "eth0", 50 * S), 0);
	gaps_close(&g, "eth0", 50 * S);
	expect_gap(&g, 0, "eth0", 100 * S, 100 * S, "gone");
	gaps_add(&g, "eth0", 100 * S, 50 * S, "restart");
	cr_assert_eq(gaps_lasted_ns(&g, "eth0", 200 * S), 0);
}

Test(gaps, the_list_is_bounded_and_the_sums_are_not)
{
	struct gaps g = {};

	gaps_open(&g, "eth1", 1 * S, "gone");
	for (int64_t i = 0; i < 3 * GAPS_MAX; i++)
		gaps_add(&g, "eth0", (10 + 2 * i) * S, (11 + 2 * i) * S, "down");
	cr_assert_eq(g.count, GAPS_MAX);
	expect_gap(&g, 0, "eth1", 1 * S, 0, "gone"); /* open: it stays */
	expect_gap(&g, GAPS_MAX - 1, "eth0", (10 + 2 * (3 * GAPS_MAX - 1)) * S,
		   (11 + 2 * (3 * GAPS_MAX - 1)) * S, "down");
	cr_assert_eq(gaps_lasted_ns(&g, "eth0", 9999 * S), 3 * GAPS_MAX * S);
	gaps_close(&g, "eth1", 5 * S);
	cr_assert_eq(gaps_lasted_ns(&g, "eth1", 9999 * S), 4 * S);
}

Test(gaps, subjects_are_bounded_too)
{
	struct gaps g = {};
	char name[GAPS_TEXT_BYTES];

	for (int i = 0; i <= GAPS_SUBJECTS_MAX; i++) {
		snprintf(name, sizeof(name), "eth%d", i);
		gaps_add(&g, name, 1 * S, 2 * S, "gone");
	}
	cr_assert_eq(g.sums_count, GAPS_SUBJECTS_MAX);
	cr_assert_eq(gaps_lasted_ns(&g, "eth0", 9 * S), 0); /* the first made room */
	cr_assert_eq(gaps_lasted_ns(&g, name, 9 * S), 1 * S);
}

Test(gaps, long_words_are_cut)
{
	struct gaps g = {};
	char word[2 * GAPS_TEXT_BYTES];

	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	gaps_open(&g, "eth0", 1 * S, word);
	cr_assert_eq(strlen(g.list[0].reason), GAPS_TEXT_BYTES - 1);
}

static void keep_gap(void *arg, const struct gap *gap)
{
	gaps_load(arg, gap);
}

static void keep_sum(void *arg, const struct gap_sum *sum)
{
	gaps_load_sum(arg, sum);
}

Test(gaps, what_was_kept_comes_back)
{
	struct gaps g = {}, back = {};

	for (int64_t i = 0; i < GAPS_MAX + 5; i++)
		gaps_add(&g, "eth0", 10 * i * S, (10 * i + 1) * S, "down");
	gaps_add(&g, GAPS_ALL, 1 * S, 2 * S, "restart");
	gaps_open(&g, "eth1", 500 * S, "gone");
	gaps_each(&g, keep_gap, &back);
	gaps_each_sum(&g, keep_sum, &back);
	cr_assert_eq(back.count, g.count);
	for (unsigned int i = 0; i < g.count; i++)
		expect_gap(&back, i, g.list[i].subject, g.list[i].from_ns, g.list[i].to_ns, g.list[i].reason);
	cr_assert_eq(back.sums_count, g.sums_count);
	for (unsigned int i = 0; i < g.sums_count; i++) {
		cr_assert_str_eq(back.sums[i].subject, g.sums[i].subject);
		cr_assert_eq(back.sums[i].closed_ns, g.sums[i].closed_ns);
	}
	gaps_close(&back, "eth1", 600 * S);
	cr_assert_eq(gaps_lasted_ns(&back, "eth1", 600 * S), 101 * S);
}
