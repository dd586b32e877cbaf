/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many distinct destinations, in 16 bytes (struct ag_distinct). Both engines and the collector use the same
 * functions, so that an early sign and a settled figure are read from a sketch in the same way. Only the
 * collector joins sketches: user/collect/distinct.h.
 */
#ifndef AIRGLOW_BPF_DISTINCT_H
#define AIRGLOW_BPF_DISTINCT_H

#include "bpf/hash.h"

#define DISTINCT_BITS	  64
#define DISTINCT_FEW	  48 /* so many bits set, and the registers know better */
#define DISTINCT_RANKS	  16
#define DISTINCT_RANK_MAX 15

/* alpha_16 * 16^2 * 2^15 (Flajolet et al. 2007: alpha_16 = 0.673). */
#define DISTINCT_SCALE 5645533u

/* A key's place in a sketch: its bit; its register is bit / 4, its rank 1..15. */
struct distinct_place {
	__u32 bit, rank;
};

AG_INLINE __u32 count_bits(__u64 v)
{
	v -= v >> 1 & 0x5555555555555555ULL;
	v = (v & 0x3333333333333333ULL) + (v >> 2 & 0x3333333333333333ULL);
	v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
	return (__u32)(v * 0x0101010101010101ULL >> 56);
}

/* Leading zeros of w, which has a bit set, plus one. */
AG_INLINE __u32 hash_rank(__u64 w)
{
	__u32 rank = 1;

	if (!(w >> 32)) {
		rank += 32;
		w <<= 32;
	}
	if (!(w >> 48)) {
		rank += 16;
		w <<= 16;
	}
	if (!(w >> 56)) {
		rank += 8;
		w <<= 8;
	}
	if (!(w >> 60)) {
		rank += 4;
		w <<= 4;
	}
	if (!(w >> 62)) {
		rank += 2;
		w <<= 2;
	}
	return rank + !(w >> 63);
}

AG_INLINE struct distinct_place distinct_place_of(__u64 hi, __u64 lo)
{
	__u64 hash = hash_mix(hash_mix(lo) + hi);
	struct distinct_place place = {
		.bit = (__u32)(hash >> 58),
		.rank = hash_rank(hash << 6 | 1ULL << (64 - DISTINCT_RANK_MAX)),
	};

	return place;
}

AG_INLINE void distinct_add(struct ag_distinct *d, const struct distinct_place *place)
{
	__u32 shift = (place->bit >> 2 & 15) << 2;

	d->bits |= 1ULL << (place->bit & 63);
	if ((d->ranks >> shift & 15) < place->rank)
		d->ranks = (d->ranks & ~(15ULL << shift)) | (__u64)place->rank << shift;
}

/* Keys that leave so many of 64 bits set: -64 ln(1 - bits / 64) (Whang et al. 1990), rounded. */
AG_INLINE __u32 linear_count(__u32 bits)
{
	static const __u8 keys[DISTINCT_FEW] = {
		0,  1,	2,  3,	4,  5,	6,  7,	9,  10, 11, 12, 13, 15, 16, 17, 18, 20, 21, 23, 24, 25, 27, 28,
		30, 32, 33, 35, 37, 39, 40, 42, 44, 46, 48, 51, 53, 55, 58, 60, 63, 65, 68, 71, 74, 78, 81, 85,
	};
	__u64 index = ag_opaque(bits);

	return index < DISTINCT_FEW ? keys[index] : 0;
}

/*
 * Estimate. Standard error: of few about sqrt(64 (e^t - t - 1)) / n with t = n / 64, 9.5 % of 25 and less than
 * one key of 10; of many 1.04 / sqrt(16) = 26 %.
 */
AG_INLINE __u32 distinct_estimate(const struct ag_distinct *d)
{
	__u32 bits = count_bits(d->bits), shift, sum = 0;

	if (bits < DISTINCT_FEW)
		return linear_count(bits);
	for (shift = 0; shift < 64; shift += 4)
		sum += 1u << (DISTINCT_RANK_MAX - (__u32)(d->ranks >> shift & 15));
	return sum ? DISTINCT_SCALE / sum : 0;
}

#endif
