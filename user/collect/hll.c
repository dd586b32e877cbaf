// SPDX-License-Identifier: GPL-2.0-only
/*
 * HyperLogLog: merge and estimate (hll.h). Knows registers only.
 */
#include <math.h>

#include "collect/hll.h"

#define HLL_RANK_MAX (64 - AG_HLL_BITS + 1)

void hll_merge(struct ag_hll *into, const struct ag_hll *from)
{
	unsigned int i;

	for (i = 0; i < AG_HLL_REGISTERS; i++)
		if (from->reg[i] > into->reg[i])
			into->reg[i] = from->reg[i];
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

__u64 hll_estimate(const struct ag_hll *sources)
{
	unsigned int count[HLL_RANK_MAX + 1] = {}, i;
	const double m = AG_HLL_REGISTERS;
	double z;
	int k;

	for (i = 0; i < AG_HLL_REGISTERS; i++)
		count[sources->reg[i] < HLL_RANK_MAX ? sources->reg[i] : HLL_RANK_MAX]++;
	if (count[0] == AG_HLL_REGISTERS)
		return 0;
	z = m * tau(1 - count[HLL_RANK_MAX] / m);
	for (k = HLL_RANK_MAX - 1; k >= 1; k--)
		z = (z + count[k]) / 2;
	z += m * sigma(count[0] / m);
	return (__u64)llround(m * m / (2 * M_LN2) / z);
}
