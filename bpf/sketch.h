/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HyperLogLog registers (Flajolet et al. 2007), 2^14 of one byte. The reader's side is user/collect/hll.c. A
 * host is an IPv4 address or an IPv6 /64 (definitions: README, "What is counted").
 */
#ifndef AIRGLOW_BPF_SKETCH_H
#define AIRGLOW_BPF_SKETCH_H

#include "bpf/hash.h"
#include "bpf/packet.h"

/* Set apart so that a /64 and an IPv4 address never share a key. */
#define HLL_KEY_IPV4 0x0000000100000000ULL

/* Leading zeros of w, which has a bit set, plus one. */
AG_INLINE __u32 hll_rank(__u64 w)
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

/* Touches the register of a host. A plain store: one writer a slice; in the shared slice a race can lose a
 * touch. */
AG_INLINE void sketch_touch(struct ag_sources *sources, const struct packet *p)
{
	__u64 hash = hash_mix(p->family == 4 ? HLL_KEY_IPV4 | p->src.lo : p->src.hi);
	__u64 index = hash >> (64 - AG_HLL_BITS);
	__u32 rank = hll_rank(hash << AG_HLL_BITS | 1ULL << (AG_HLL_BITS - 1));
	__u8 *reg = &sources->reg[ag_bounded(index, AG_HLL_REGISTERS)];

	if (*reg < rank)
		*reg = (__u8)rank;
}

#endif
