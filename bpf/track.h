/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * track: the flow cache. A packet is added to the record of its (source, class, protocol, service port, scope);
 * a record that must make room goes to the slice's log. A source that made many records is a sweeper: its
 * packets go past the records, into a log of words. The tables are double, by the parity of the interval that
 * the packet read in head: what userspace reads and clears is never written here.
 */
#ifndef AIRGLOW_BPF_TRACK_H
#define AIRGLOW_BPF_TRACK_H

#include "bpf/account.h"
#include "bpf/flow.h"
#include "bpf/log.h"

AG_INLINE bool summary_is(const struct ag_summary *s, const struct flow_key *k)
{
	return s->records && !((s->key ^ k->key) & AG_KEY_SOURCE_MASK) && s->src_lo == k->src_lo &&
	       s->src_hi == k->src_hi;
}

AG_INLINE bool is_locked(const struct ag_summary *s)
{
	return s->marks & AG_MARK_SWEEPER;
}

AG_INLINE __u32 sweeper_bit(const struct flow_key *k)
{
	return (__u32)(k->source_hash >> 48) & (AG_SWEEPER_BITS - 1);
}

AG_INLINE __u32 summary_set_of(const struct flow_key *k)
{
	return (__u32)k->source_hash & (bind_rodata()->summary_sets - 1);
}

/* A part of a table is to be read when the interval is closed. */
AG_INLINE void mark_used(__u64 used[AG_USED_WORDS], __u32 set, __u32 shift)
{
	__u64 *word = &used[ag_bounded(set >> shift >> 6, AG_USED_WORDS)];
	__u64 bit = 1ULL << (set >> shift & 63);

	if (!(*word & bit))
		*word |= bit;
}

AG_INLINE void touch_host(struct ag_interval *interval, const struct packet *p)
{
	__u64 class = ag_opaque(p->class);

	if (class >= AG_CLASS_MAX)
		return;
	sketch_touch(&interval->hosts[class], p);
	interval->hosts_used[class]++;
}

/* Which of its packets a sweeper's touches may tell of: what a touch leaves out must be the same for all. A
 * touch of a scan by TCP is a SYN. */
AG_INLINE bool sweeper_takes(const struct ag_summary *s, const struct packet *p)
{
	return is_locked(s) && p->ip_len <= AG_TOUCH_LENGTH_MAX &&
	       !(p->class == AG_CLASS_SCAN && p->has_flags && !(p->tcp_flags & TCP_SYN)) &&
	       (s->key >> AG_KEY_TOOL_SHIFT & 15) == packet_tool(p);
}

AG_INLINE __u64 touch_of(const struct flow_key *k, const struct packet *p, __u32 slot)
{
	return (__u64)slot << AG_TOUCH_SLOT_SHIFT | (__u64)(k->key & 0xffff) << AG_TOUCH_PORT_SHIFT |
	       (__u64)(p->ip_len & AG_TOUCH_LENGTH_MAX) << AG_TOUCH_LENGTH_SHIFT |
	       (__u64)k->destination.bit << AG_TOUCH_BIT_SHIFT |
	       (__u64)k->destination.rank << AG_TOUCH_RANK_SHIFT |
	       (k->key >> AG_KEY_SCOPE_SHIFT & 0x7f) << AG_TOUCH_SCOPE_SHIFT |
	       (k->key >> AG_KEY_PARITY_SHIFT & 1) << AG_TOUCH_PARITY_SHIFT;
}

AG_INLINE void summary_add(struct ag_summary *s, const struct flow_key *k, const struct packet *p)
{
	s->key |= packet_flags(p);
	s->ports |= 1ULL << (hash_mix(k->key & 0xffff) >> 58);
	distinct_add(&s->destinations, &k->destination);
	s->marks |= p->anomalies & MARKS_MASK;
	if (p->ttl < s->ttl_min)
		s->ttl_min = (__u8)p->ttl;
	if (p->ttl > s->ttl_max)
		s->ttl_max = (__u8)p->ttl;
}

/* A sweeper's packet: 1 when it was told, or counted as lost; 0: it is to make a record. */
AG_INLINE int track_sweeper(struct packet *p, const struct head *h, struct ag_interval *interval,
			    const struct flow_key *k, __u32 slice)
{
	struct ag_summary_set *set;
	struct ag_summary *s;
	__u32 index, way;

	if (!p || !h || !interval || !k)
		return 0;
	index = summary_set_of(k);
	set = bind_summary_set(slice, h->epoch & 1, index);
	if (!set)
		return 0;
	way = summary_is(&set->way[0], k) ? 0 : 1;
	s = &set->way[way];
	if (!summary_is(s, k) || !sweeper_takes(s, p))
		return 0;
	summary_add(s, k, p);
	if (s->last < h->since)
		s->last = (__u16)h->since;
	log_touch(interval, touch_of(k, p, index * AG_SUMMARY_WAYS + way), slice);
	p->summary = index * AG_SUMMARY_WAYS + way + 1;
	return 1;
}

/* From here on the source's packets are told by touches. */
AG_INLINE void summary_lock(struct ag_summary *s, const struct flow_key *k, const struct packet *p,
			    struct ag_sweepers *sweepers)
{
	__u32 bit = sweeper_bit(k);
	__u64 *word = &sweepers->bits[ag_bounded(bit >> 6, AG_SWEEPER_BITS / 64)];

	s->key = (s->key & ~(15ULL << AG_KEY_TOOL_SHIFT)) | packet_tool(p) << AG_KEY_TOOL_SHIFT;
	s->marks |= AG_MARK_SWEEPER;
	*word |= 1ULL << (bit & 63);
}

/* As search_record: behind an empty way there is nothing. */
AG_INLINE __u32 search_summary(const struct ag_summary_set *set, const struct flow_key *k)
{
	return !set->way[0].records || summary_is(&set->way[0], k) ? 0 : 1;
}

/* The way that a new summary takes: an empty one, else the one of fewer records that is not locked. */
AG_INLINE __u32 choose_summary(const struct ag_summary_set *set)
{
	if (is_locked(&set->way[0]))
		return 1;
	return set->way[0].records && !is_locked(&set->way[1]) && set->way[1].records < set->way[0].records;
}

AG_INLINE void summary_begin(struct ag_summary *s, const struct flow_key *k, const struct packet *p,
			     const struct head *h)
{
	s->src_hi = k->src_hi;
	s->src_lo = k->src_lo;
	s->key = (k->key & (AG_KEY_SOURCE_MASK | 1ULL << AG_KEY_PARITY_SHIFT)) | (__u64)AG_KEY_TOOL_NONE
											 << AG_KEY_TOOL_SHIFT;
	s->ports = 0;
	s->destinations.bits = s->destinations.ranks = 0;
	s->signature = packet_signature(p, h);
	s->marks = 0;
	s->records = 1; /* the one that came before */
	s->ttl_min = s->ttl_max = (__u8)p->ttl;
	s->last = 0;
}

/* Did this source make a record before? If it did not, now it has. */
AG_INLINE bool comes_again(const struct flow_key *k, __u32 slice)
{
	struct ag_once *once = bind_once(slice);
	__u16 tag = (__u16)(k->source_hash >> 32) | 1;
	__u16 *held;

	if (!once)
		return true;
	held = &once->tag[ag_bounded(k->source_hash >> 16, AG_ONCE_TAGS)];
	if (*held == tag)
		return true;
	*held = tag;
	return false;
}

/* A record was made: its source's summary learns of it, which is made with the second. */
AG_INLINE int track_summary(struct packet *p, const struct head *h, struct ag_interval *interval,
			    const struct flow_key *k, __u32 slice)
{
	const volatile struct ag_rodata *ro = bind_rodata();
	struct ag_sweepers *sweepers;
	struct ag_summary_set *set;
	struct ag_summary *s;
	__u32 index, way;

	if (!p || !h || !interval || !k)
		return 0;
	index = summary_set_of(k);
	set = bind_summary_set(slice, h->epoch & 1, index);
	sweepers = bind_sweepers(slice, h->epoch & 1);
	if (!set || !sweepers)
		return 0;
	way = search_summary(set, k);
	s = &set->way[way];
	if (!summary_is(s, k)) {
		touch_host(interval, p);
		way = choose_summary(set);
		s = &set->way[way];
		if (is_locked(s)) {
			interval->summary_refused++;
			return 0;
		}
		summary_begin(s, k, p, h);
		mark_used(interval->summaries_used, index, ro->summary_shift);
	}
	summary_add(s, k, p);
	if (s->records < 0xffff)
		s->records++;
	if (s->records == ro->sweeper_records) {
		summary_lock(s, k, p, sweepers);
		interval->sweepers++;
	}
	p->summary = index * AG_SUMMARY_WAYS + way + 1;
	return 0;
}

/* A record leaves the table for the log. */
AG_INLINE int track_evict(struct ag_interval *interval, const struct ag_record *r, __u32 slice)
{
	if (interval && r)
		log_record(interval, r, slice);
	return 0;
}

/* The way in which a record of this key is, if there is one. Ways fill from the first on and are never emptied:
 * behind an empty one there is nothing, and its cache line need not be fetched. */
AG_INLINE __u32 search_record(const struct ag_flow_set *set, const struct flow_key *k)
{
	return !set->way[0].packets || record_is(&set->way[0], k) ? 0 : 1;
}

/* The way that a new record takes: an empty one, else the one with fewer packets. */
AG_INLINE __u32 choose_record(const struct ag_flow_set *set)
{
	return set->way[0].packets && set->way[1].packets < set->way[0].packets;
}

/* Adds the packet to its record: 0, or 1 when the record was made for it. */
AG_INLINE int track_record(struct packet *p, const struct head *h, struct ag_interval *interval,
			   const struct flow_key *k, __u32 slice)
{
	struct ag_flow_set *set;
	struct ag_record *r;
	__u32 index, way;
	bool found;

	if (!p || !h || !interval || !k)
		return 0;
	index = (__u32)k->hash & (bind_rodata()->flow_sets - 1);
	set = bind_flow_set(slice, h->epoch & 1, index);
	if (!set)
		return 0;
	way = search_record(set, k);
	found = record_is(&set->way[way & 1], k);
	if (!found)
		way = choose_record(set);
	p->record = index * AG_FLOW_WAYS + way + 1;
	r = &set->way[way & 1];
	if (found && !record_is_full(r, p)) {
		record_add(r, k, p, h, h->since);
		return 0;
	}
	if (r->packets)
		track_evict(interval, r, slice);
	mark_used(interval->flows_used, index, bind_rodata()->flow_shift);
	record_begin(r, k, p, h, h->since);
	return 1;
}

AG_INLINE void track_packet(struct packet *p, const struct head *h, struct ag_interval *interval, __u32 slice)
{
	const volatile struct ag_rodata *ro = bind_rodata();
	struct flow_key k;
	struct ag_sweepers *sweepers;
	__u32 bit;

	flow_key_of(&k, p, h->epoch & 1, ro);
	sweepers = bind_sweepers(slice, h->epoch & 1);
	bit = sweeper_bit(&k);
	if (sweepers && sweepers->bits[ag_bounded(bit >> 6, AG_SWEEPER_BITS / 64)] >> (bit & 63) & 1 &&
	    track_sweeper(p, h, interval, &k, slice))
		return;
	if (!track_record(p, h, interval, &k, slice))
		return;
	if (!comes_again(&k, slice))
		touch_host(interval, p);
	else
		track_summary(p, h, interval, &k, slice);
}

/* A CPU without a slice has no flow cache: its packets are lost to the records, its hosts are not. */
AG_INLINE void track_shared(const struct ledger *l, const struct packet *p, struct ag_interval *interval)
{
	book(l, &interval->lost[AG_LOST_CPU], 1);
	touch_host(interval, p);
}

/* L3's left side, then the record or the touch. */
AG_INLINE void track(const struct ledger *l, struct packet *p, const struct head *h)
{
	struct ag_interval *interval;

	if (p->outcome != AG_OUTCOME_DARK)
		return;
	interval = bind_interval(l->slice, h->epoch & 1);
	if (!interval)
		return;
	book(l, &interval->dark, 1);
	if (l->shared)
		track_shared(l, p, interval);
	else
		track_packet(p, h, interval, l->slice);
}

#endif
