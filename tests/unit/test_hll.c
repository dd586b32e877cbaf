// SPDX-License-Identifier: GPL-2.0-only
/*
 * hll: the estimate on known numbers of hosts, seed by seed, and merging. Registers are filled by the
 * pipeline's own sketch, through frames.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "collect/hll.h"
#include "sensor.h"

/* Standard error of 2^14 registers: 1.04 / sqrt(16384). */
#define SIGMA 0.008125

static struct frame f;

/* `count` hosts that no other seed has (an odd factor is a bijection). */
static void add_hosts(const struct sensor *s, uint32_t seed, uint32_t count)
{
	struct ag_replay word;

	frame_syn4(&f, 23);
	word = (struct ag_replay){.wirelen = f.n, .caplen = (__u16)f.n};
	for (uint32_t i = 0; i < count; i++) {
		frame_set32(&f, 26, (seed * 200000 + i) * 2654435761u);
		under_test_run(&s->under_test, &word, f.bytes);
	}
}

static uint64_t count_hosts(uint32_t seed, uint32_t count)
{
	struct sensor *s = sensor_new(false);
	uint64_t estimate;

	add_hosts(s, seed, count);
	estimate = hll_estimate(&s->tables->intervals[1].hosts[AG_CLASS_SCAN]);
	sensor_free(s);
	return estimate;
}

Test(hll, nothing_is_nothing)
{
	static struct ag_hll empty;

	cr_assert_eq(hll_estimate(&empty), 0);
}

Test(hll, small_numbers_are_near_exact)
{
	for (uint32_t n = 1; n <= 100; n += 11) {
		uint64_t got = count_hosts(n, n);

		cr_assert(got + 1 >= n && got <= n + 1, "%u hosts: %llu", n, (unsigned long long)got);
	}
}

static void check_errors(uint32_t count)
{
	double sum = 0;

	for (uint32_t seed = 1; seed <= 20; seed++) {
		double error = (double)count_hosts(seed, count) / count - 1;

		cr_assert_lt(fabs(error), 3 * SIGMA, "%u hosts, seed %u: off by %.4f", count, seed, error);
		sum += error;
	}
	/* No bias: the mean of 20 is within 3 sigma of a mean of 20. */
	cr_assert_lt(fabs(sum / 20), 3 * SIGMA / sqrt(20), "%u hosts: mean error %.4f", count, sum / 20);
}

Test(hll, errors_of_20_seeds_at_1000)
{
	check_errors(1000);
}

Test(hll, errors_of_20_seeds_at_30000)
{
	check_errors(30000); /* where older estimators switch formulas */
}

Test(hll, errors_of_20_seeds_at_150000)
{
	check_errors(150000);
}

/* The sketch as in the paper, on the mixer that abi 1 fixes: as fast as 70 million need it. */
static void touch(struct ag_hll *hosts, uint32_t address)
{
	uint64_t x = 0x100000000ULL + address;
	unsigned int rank;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	x ^= x >> 31;
	rank = x << 14 ? (unsigned int)__builtin_clzll(x << 14) + 1 : 51;
	if (hosts->reg[x >> 50] < rank)
		hosts->reg[x >> 50] = (uint8_t)rank;
}

Test(hll, the_fast_sketch_is_the_pipelines)
{
	struct sensor *s = sensor_new(false);
	struct ag_hll fast = {};

	add_hosts(s, 3, 20000);
	for (uint32_t i = 0; i < 20000; i++)
		touch(&fast, (3 * 200000 + i) * 2654435761u);
	cr_assert_arr_eq(fast.reg, s->tables->intervals[1].hosts[AG_CLASS_SCAN].reg, sizeof(fast.reg));
	sensor_free(s);
}

/* As many as there are on a day of a large telescope. An odd factor is a bijection. */
Test(hll, seventy_million_hosts)
{
	static struct ag_hll hosts;
	const uint32_t count = 70000000;
	double error;

	for (uint32_t i = 0; i < count; i++)
		touch(&hosts, i * 2654435761u);
	error = (double)hll_estimate(&hosts) / count - 1;
	fprintf(stderr, "# hll, %u hosts: off by %.4f, stated %.4f\n", count, error, SIGMA);
	cr_assert_lt(fabs(error), 3 * SIGMA, "off by %.4f", error);
}

Test(hll, none_one_and_a_hundred)
{
	static const uint32_t counts[] = {0, 1, 100};

	for (unsigned int i = 0; i < 3; i++)
		for (uint32_t seed = 1; seed <= 20; seed++) {
			struct ag_hll hosts = {};

			for (uint32_t host = 0; host < counts[i]; host++)
				touch(&hosts, (seed * 1000 + host) * 2654435761u);
			cr_assert_leq(llabs((long long)hll_estimate(&hosts) - (long long)counts[i]),
				      counts[i] / 50, "%u hosts, seed %u", counts[i], seed);
		}
}

static void add_host(const struct sensor *s, uint32_t host)
{
	struct ag_replay word = {.wirelen = f.n, .caplen = (__u16)f.n};

	frame_set32(&f, 26, host * 2654435761u);
	under_test_run(&s->under_test, &word, f.bytes);
}

/* A day of intervals at four sensors, which see some hosts in common and again: the merged sketch is that of
 * the union, byte for byte. */
Test(hll, a_day_of_four_sensors)
{
	static struct ag_hll merged;
	struct sensor *all = sensor_new(false), *part = sensor_new(false);
	struct ag_hll *hosts = &part->tables->intervals[1].hosts[AG_CLASS_SCAN];

	frame_syn4(&f, 23);
	for (uint32_t interval = 0; interval < 288; interval++)
		for (uint32_t sensor = 0; sensor < 4; sensor++) {
			for (uint32_t i = 0; i < 120; i++) {
				add_host(part, interval * 40 + sensor * 20 + i);
				add_host(all, interval * 40 + sensor * 20 + i);
			}
			hll_merge(&merged, hosts);
			memset(hosts, 0, sizeof(*hosts));
		}
	cr_assert_arr_eq(merged.reg, all->tables->intervals[1].hosts[AG_CLASS_SCAN].reg, sizeof(merged.reg));
	cr_assert_lt(fabs((double)hll_estimate(&merged) / (287 * 40 + 3 * 20 + 120) - 1), 3 * SIGMA);
	sensor_free(all);
	sensor_free(part);
}

Test(hll, saturated_registers_do_not_break_it)
{
	static struct ag_hll full;

	memset(full.reg, 64, sizeof(full.reg));
	cr_assert_gt(hll_estimate(&full), 1ull << 50);
	memset(full.reg, 1, sizeof(full.reg));
	cr_assert_gt(hll_estimate(&full), 0);
}

Test(hll, merge_is_the_union)
{
	struct sensor *a = sensor_new(false), *b = sensor_new(false), *both = sensor_new(false);
	struct ag_hll merged = {{0}};

	add_hosts(a, 1, 5000);
	add_hosts(b, 2, 7000);
	add_hosts(both, 1, 5000);
	add_hosts(both, 2, 7000);
	hll_merge(&merged, &a->tables->intervals[1].hosts[AG_CLASS_SCAN]);
	hll_merge(&merged, &b->tables->intervals[1].hosts[AG_CLASS_SCAN]);
	cr_assert_arr_eq(merged.reg, both->tables->intervals[1].hosts[AG_CLASS_SCAN].reg, sizeof(merged.reg));
	hll_merge(&merged, &a->tables->intervals[1].hosts[AG_CLASS_SCAN]); /* seen again: no new host */
	cr_assert_arr_eq(merged.reg, both->tables->intervals[1].hosts[AG_CLASS_SCAN].reg, sizeof(merged.reg));
	sensor_free(a);
	sensor_free(b);
	sensor_free(both);
}
