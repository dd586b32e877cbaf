/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * promote: a source under study leaves one bit for each dark IPv4 address that it sends a packet to, by day: so
 * its destinations are exact, where a record only estimates them. Who is promoted stands in the settings.
 */
#ifndef AIRGLOW_BPF_PROMOTE_H
#define AIRGLOW_BPF_PROMOTE_H

#include "bpf/hash.h"
#include "bpf/bind.h"
#include "bpf/packet.h"

/* Its slot, from 1; 0: it is not promoted. */
AG_INLINE __u32 promoted_slot(const struct ag_settings *s, __u32 address)
{
	__u32 set = promoted_set(promoted_hash(address)), way;

	for (way = 0; way < AG_PROMOTED_WAYS; way++) {
		const struct ag_promoted_source *source = &s->promoted.source[set][way];

		if (source->slot && source->address == address)
			return source->slot;
	}
	return 0;
}

/* All slices share a bitmap: by an atomic, and only where the bit is new. */
AG_LAYER int promote_packet(const struct packet *p, const struct head *h, const struct ag_settings *s)
{
	struct ag_reached *reached;
	__u64 bit, *word;
	__u32 slot;

	if (!p || !h || !s)
		return 0;
	slot = promoted_slot(s, (__u32)p->src.lo);
	if (!slot)
		return 0;
	reached = bind_reached(h->day & 1, slot - 1, p->index / AG_PAGE_ADDRESSES);
	if (!reached)
		return 0;
	bit = 1ULL << (p->index & 63);
	word = &reached->bits[ag_bounded(p->index >> 6, AG_PAGE_ADDRESSES / 64)];
	if (!(*word & bit))
		__sync_fetch_and_or(word, bit);
	return 1;
}

AG_INLINE void promote(const struct packet *p, const struct head *h, const struct ag_settings *s)
{
	__u32 bit;

	if (!s->promoted_slots || !p->has_index)
		return;
	bit = promoted_bit(promoted_hash((__u32)p->src.lo));
	if (s->promoted.filter[ag_bounded(bit >> 6, AG_PROMOTED_FILTER / 64)] >> (bit & 63) & 1)
		promote_packet(p, h, s);
}

#endif
