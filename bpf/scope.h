/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scope: is the destination dark? IPv4 by two levels of tables (a third where a /24 is split), IPv6 by a binary
 * search over sorted ranges. Gives the scope and the index of the address in `seen`.
 */
#ifndef AIRGLOW_BPF_SCOPE_H
#define AIRGLOW_BPF_SCOPE_H

#include "bpf/bind.h"
#include "bpf/packet.h"

/* Scope of an IPv4 address, 0 when it is not dark; index: its place in `seen`. */
AG_INLINE __u32 scope_lookup4(__u32 side, __u32 address, __u32 *index)
{
	const struct ag_scope16 *level1 = bind_scope16(side);
	const struct ag_block *level2;
	const struct ag_split *level3;
	__u32 block, entry, scope;

	if (!level1)
		return 0;
	block = level1->block[ag_bounded(address >> 16, AG_SCOPE16_ENTRIES)];
	if (!block)
		return 0;
	level2 = bind_block(side, block);
	if (!level2)
		return 0;
	entry = level2->entry[ag_bounded(address >> 8, AG_BLOCK_ENTRIES)];
	if (!entry)
		return 0;
	if (!(entry & AG_ENTRY_SPLIT)) {
		*index = (entry & AG_ENTRY_PAGE_MASK) * AG_PAGE_ADDRESSES + (address & 0xff);
		return entry >> AG_ENTRY_SCOPE_SHIFT & AG_ENTRY_SCOPE_MASK;
	}
	level3 = bind_split(side, entry & ~AG_ENTRY_SPLIT);
	if (!level3)
		return 0;
	scope = level3->scope[ag_bounded(address, 256)];
	*index = level3->page * AG_PAGE_ADDRESSES + (address & 0xff);
	return scope;
}

AG_INLINE bool address_before(__u64 a_hi, __u64 a_lo, __u64 b_hi, __u64 b_lo)
{
	return a_hi < b_hi || (a_hi == b_hi && a_lo < b_lo);
}

/* Does range i exist and begin at or before the address? A layer of its own: inlined, every comparison would
 * double the paths of the search. */
AG_LAYER int range6_begins(const struct ag_settings *s, const struct address *a, __u32 i)
{
	const struct ag_range6 *r;

	if (!s || !a || i >= s->ranges6)
		return 0;
	r = &s->range6[ag_bounded(i, AG_RANGES6_MAX)];
	return !address_before(a->hi, a->lo, r->first_hi, r->first_lo);
}

/* Scope of an IPv6 address: that of the last range that begins at or before it, if it ends at or behind it. */
AG_LAYER int scope_lookup6(const struct ag_settings *s, const struct address *a)
{
	__u32 found = 0, step;
	const struct ag_range6 *r;

	if (!s || !a || !s->ranges6)
		return 0;
	/* Binary search without branches: `found` ranges begin at or before the address. */
	for (step = AG_RANGES6_MAX / 2; step; step /= 2)
		found += step & (0u - (__u32)(range6_begins(s, a, found + step - 1) != 0));
	found += (__u32)(range6_begins(s, a, found) != 0);
	if (!found)
		return 0;
	r = &s->range6[ag_bounded(found - 1, AG_RANGES6_MAX)];
	if (address_before(r->last_hi, r->last_lo, a->hi, a->lo))
		return 0;
	return (int)r->scope;
}

AG_INLINE bool is_dark4(const struct head *h, __u32 address)
{
	__u32 index;

	return scope_lookup4(h->side, address, &index) != 0;
}

/* Decides the outcome of every packet that parse left open. */
AG_INLINE void scope(struct packet *p, const struct head *h, const struct ag_settings *s)
{
	bool asks_dark;

	if (p->family && s->every_destination) {
		p->outcome = AG_OUTCOME_DARK;
		return;
	}
	if (p->family == 4) {
		p->scope = scope_lookup4(h->side, (__u32)p->dst.lo, &p->index);
		p->has_index = p->scope != 0;
	} else if (p->family == 6) {
		p->scope = (__u32)scope_lookup6(s, &p->dst);
	}
	if (p->scope) {
		p->outcome = AG_OUTCOME_DARK;
		return;
	}
	asks_dark = p->asks == 4 ? s->every_destination || is_dark4(h, (__u32)p->asked.lo)
				 : p->asks == 6 && scope_lookup6(s, &p->asked);
	if (asks_dark)
		p->outcome = AG_OUTCOME_ARP_DARK;
	else
		p->outcome = p->family ? AG_OUTCOME_NOT_DARK : AG_OUTCOME_NON_IP;
}

#endif
