/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HyperLogLog registers (Flajolet et al. 2007), 2^14 of one byte. The reader's side is user/collect/hll.c. A
 * host is an IPv4 address or an IPv6 /64 (definitions: README, "What is counted").
 */
#ifndef AIRGLOW_BPF_SKETCH_H
#define AIRGLOW_BPF_SKETCH_H

#include "bpf/distinct.h"
#include "bpf/packet.h"

/* Touches the register of a host. A plain store: one writer a slice; in the shared slice a race can lose a
 * touch. */
AG_INLINE void sketch_touch(struct ag_hll *hosts, const struct packet *p)
{
	__u64 hash = sketch_hash(p->src.hi, p->src.lo, p->family != 4);
	__u64 index = hash >> (64 - AG_HLL_BITS);
	__u32 rank = hash_rank(hash << AG_HLL_BITS | 1ULL << (AG_HLL_BITS - 1));
	__u8 *reg = &hosts->reg[ag_bounded(index, AG_HLL_REGISTERS)];

	if (*reg < rank)
		*reg = (__u8)rank;
}

#endif
