// SPDX-License-Identifier: GPL-2.0-only
/*
 * distinct: what the sixteen bytes say of few and of many destinations, whether they are joined or not. Errors
 * are those that distinct.h states.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "collect/distinct.h"

#define SEEDS 20

static void add(struct ag_distinct *d, uint64_t hi, uint64_t lo)
{
	struct distinct_place place = distinct_place_of(hi, lo);

	cr_assert(place.bit < 64 && place.rank >= 1 && place.rank <= DISTINCT_RANK_MAX);
	distinct_add(d, &place);
}

static uint32_t estimate(uint64_t seed, unsigned int keys)
{
	struct ag_distinct d = {};

	for (unsigned int i = 0; i < keys; i++)
		add(&d, seed, i);
	return distinct_estimate(&d);
}

Test(distinct, nothing_is_nothing)
{
	cr_assert_eq(estimate(1, 0), 0);
	cr_assert_eq(estimate(1, 1), 1);
}

Test(distinct, again_is_not_more)
{
	struct ag_distinct d = {}, before;

	for (uint64_t i = 0; i < 500; i++)
		add(&d, 7, i);
	before = d;
	for (uint64_t i = 0; i < 500; i++)
		add(&d, 7, i);
	cr_assert_eq(memcmp(&d, &before, sizeof(d)), 0);
}

/* Standard errors of linear counting with 64 bits (Whang et al. 1990), and of sixteen registers. */
static double error_of(unsigned int keys)
{
	double t = keys / 64.0;

	return keys > 80 ? 1.04 / 4 : sqrt(64 * (exp(t) - t - 1)) / keys;
}

Test(distinct, errors_of_20_seeds)
{
	static const unsigned int counts[] = {5, 10, 25, 50, 75, 150, 300, 1000, 10000, 65536};

	for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		double sum = 0, squares = 0, sigma = error_of(counts[i]);

		for (unsigned int seed = 1; seed <= SEEDS; seed++) {
			double error = (double)estimate(seed * 1000003, counts[i]) / counts[i] - 1;

			sum += error;
			squares += error * error;
		}
		fprintf(stderr,
			"# distinct, %u keys, %d seeds: mean %.3f, root mean square %.3f, stated %.3f\n",
			counts[i], SEEDS, sum / SEEDS, sqrt(squares / SEEDS), sigma);
		cr_assert_lt(fabs(sum / SEEDS), 3 * sigma / sqrt(SEEDS) + 0.05, "%u keys: bias %.3f", counts[i],
			     sum / SEEDS);
		cr_assert_lt(sqrt(squares / SEEDS), 1.6 * sigma + 0.03, "%u keys: error %.3f", counts[i],
			     sqrt(squares / SEEDS));
	}
}

Test(distinct, joined_is_the_union)
{
	for (unsigned int keys = 10; keys < 5000; keys = keys * 3 / 2) {
		struct ag_distinct part[8] = {}, all = {}, joined = {};

		for (unsigned int i = 0; i < keys; i++) {
			add(&part[i % 8], 3, i);
			add(&part[(i + 3) % 8], 3, i); /* some are seen by two */
			add(&all, 3, i);
		}
		for (unsigned int i = 0; i < 8; i++)
			distinct_merge(&joined, &part[i]);
		cr_assert_eq(joined.bits, all.bits);
		cr_assert_eq(joined.ranks, all.ranks);
		cr_assert_eq(distinct_estimate(&joined), distinct_estimate(&all));
	}
}

Test(distinct, full_is_not_infinite)
{
	struct ag_distinct d = {.bits = UINT64_MAX, .ranks = UINT64_MAX};

	cr_assert_gt(distinct_estimate(&d), 100000);
	d.ranks = 0;
	cr_assert_lt(distinct_estimate(&d), 1000);
}
