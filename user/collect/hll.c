// SPDX-License-Identifier: GPL-2.0-only
/*
 * HyperLogLog: merge and estimate (hll.h). Knows registers only.
 */
#include <math.h>

#include "bpf/distinct.h"
#include "collect/hll.h"

#define HLL_RANK_MOST 61 /* of the smallest sketch */

void hll_merge_registers(uint8_t *into, const uint8_t *from, unsigned int bits)
{
	unsigned int i;

	for (i = 0; i < 1u << bits; i++)
		into[i] = from[i] > into[i] ? from[i] : into[i];
}

void hll_merge(struct ag_hll *into, const struct ag_hll *from)
{
	hll_merge_registers(into->reg, from->reg, AG_HLL_BITS);
}

void hll_touch(uint8_t *registers, unsigned int bits, uint64_t hash)
{
	uint8_t *reg = &registers[hash >> (64 - bits)];
	uint8_t rank = (uint8_t)hash_rank(hash << bits | 1ULL << (bits - 1));

	if (*reg < rank)
		*reg = rank;
}

/* Share of keys that empty registers stand for. */
static double sigma(double x)
{
	double y = 1, z = x, last;

	if (x >= 1)
		return INFINITY;
	do {
		x *= x;
		last = z;
		z += x * y;
		y += y;
	} while (z > last);
	return z;
}

/* The same for saturated registers. */
static double tau(double x)
{
	double y = 1, z, last;

	if (x <= 0 || x >= 1)
		return 0;
	z = 1 - x;
	do {
		x = sqrt(x);
		last = z;
		y /= 2;
		z -= (1 - x) * (1 - x) * y;
	} while (z < last);
	return z / 3;
}

uint64_t hll_estimate_registers(const uint8_t *registers, unsigned int bits)
{
	unsigned int count[HLL_RANK_MOST + 1] = {}, rank_max = 64 - bits + 1, all = 1u << bits, i, k;
	const double m = all;
	double z;

	for (i = 0; i < all; i++)
		count[registers[i] < rank_max ? registers[i] : rank_max]++;
	if (count[0] == all)
		return 0;
	z = m * tau(1 - count[rank_max] / m);
	for (k = rank_max - 1; k >= 1; k--)
		z = (z + count[k]) / 2;
	z += m * sigma(count[0] / m);
	return (uint64_t)llround(m * m / (2 * M_LN2) / z);
}

__u64 hll_estimate(const struct ag_hll *sources)
{
	return hll_estimate_registers(sources->reg, AG_HLL_BITS);
}
