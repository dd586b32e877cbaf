// SPDX-License-Identifier: GPL-2.0-only
/*
 * Buckets of sources and chains of flows (sources_table.h). Does not know what a packet means.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/hash.h"
#include "collect/sources_table.h"

#define BUCKETS_MIN    128
#define BUCKETS_MAX    (1u << 20)
#define FLOWS_A_SOURCE 2  /* on average: the pool */
#define LOOKED_AT      8  /* flows, for the smallest that can be given up */
#define FLOWS_SURE     16 /* a source with more gives one up for another when there are no more */
#define TAG_SHIFT      48
#define V6_KEY	       0x9e3779b97f4a7c15ULL

/* A bucket with its sources and flows. */
#define FLOWS_A_BUCKET (SLOTS * FLOWS_A_SOURCE)
#define BUCKET_BYTES                                                                                           \
	(sizeof(struct bucket) + SLOTS * sizeof(struct source) +                                               \
	 FLOWS_A_BUCKET * (sizeof(struct flow) + 2 * sizeof(uint32_t)))

unsigned int sources_fit(uint64_t bytes)
{
	unsigned int buckets = BUCKETS_MIN;

	while (buckets < BUCKETS_MAX && 2 * buckets * BUCKET_BYTES <= bytes)
		buckets *= 2;
	return buckets * SLOTS;
}

int table_new(struct sources *s, unsigned int sources_max)
{
	unsigned int buckets = 1, i;

	while (buckets * SLOTS < sources_max)
		buckets *= 2;
	s->buckets_mask = buckets - 1;
	s->flows_max = buckets * FLOWS_A_BUCKET;
	s->chains_mask = s->flows_max - 1;
	s->buckets = calloc(buckets, sizeof(*s->buckets));
	s->sources = calloc((size_t)buckets * SLOTS, sizeof(*s->sources));
	s->flows = calloc(s->flows_max, sizeof(*s->flows));
	s->chains = malloc((size_t)s->flows_max * sizeof(*s->chains));
	s->touched = calloc(s->flows_max, sizeof(*s->touched));
	if (!s->buckets || !s->sources || !s->flows || !s->chains || !s->touched)
		return -ENOMEM;
	for (i = 0; i < s->flows_max; i++)
		s->chains[i] = NO_FLOW;
	s->free_flows = NO_FLOW;
	s->totals.bytes = buckets * BUCKET_BYTES;
	return 0;
}

void table_free(struct sources *s)
{
	size_t i;

	for (i = 0; s->sources && i < ((size_t)s->buckets_mask + 1) * SLOTS; i++)
		free(s->sources[i].map);
	free(s->buckets);
	free(s->sources);
	free(s->flows);
	free(s->chains);
	free(s->touched);
}

uint64_t table_hash(uint64_t hi, uint64_t lo, bool v6)
{
	return v6 ? hash_mix(hash_mix(lo ^ V6_KEY) + hi) : hash_mix(lo);
}

static uint16_t tag_of(uint64_t hash)
{
	return (uint16_t)(hash >> TAG_SHIFT) | 1;
}

void table_prefetch(const struct sources *s, uint64_t hash)
{
	unsigned int bucket = (unsigned int)hash & s->buckets_mask;

	__builtin_prefetch(&s->buckets[bucket], 1);
}

/* A free slot, else the lightest; among equals the first from `first` on. */
static unsigned int choose_slot(const struct bucket *bucket, unsigned int first)
{
	unsigned int best = first % SLOTS, i;

	for (i = 0; i < SLOTS; i++) {
		if (!bucket->tag[i])
			return i;
		if (bucket->weight[i] < bucket->weight[best])
			best = i;
	}
	return best;
}

uint32_t table_prefetch_source(const struct sources *s, uint64_t hash)
{
	unsigned int at = (unsigned int)hash & s->buckets_mask, slot, i;
	const struct bucket *bucket = &s->buckets[at];
	uint16_t tag = tag_of(hash);
	const char *source;

	for (slot = 0; slot < SLOTS && bucket->tag[slot] != tag;)
		slot++;
	if (slot == SLOTS)
		slot = choose_slot(bucket, bucket->turn);
	source = (const char *)&s->sources[at * SLOTS + slot];
	for (i = 0; i < sizeof(struct source); i += 64)
		__builtin_prefetch(source + i, 1);
	__builtin_prefetch(source + sizeof(struct source) - 1, 1);
	return at * SLOTS + slot;
}

static bool is_source(const struct source *source, uint64_t hi, uint64_t lo, bool v6)
{
	return source->lo == lo && source->hi == hi && source->v6 == v6;
}

struct source *table_find(const struct sources *s, uint64_t hash, uint64_t hi, uint64_t lo, bool v6)
{
	unsigned int at = (unsigned int)hash & s->buckets_mask, i;
	const struct bucket *bucket = &s->buckets[at];
	uint16_t tag = tag_of(hash);

	for (i = 0; i < SLOTS; i++) {
		struct source *source = &s->sources[at * SLOTS + i];

		if (bucket->tag[i] == tag && is_source(source, hi, lo, v6))
			return source;
	}
	return NULL;
}

uint64_t source_packets(const struct source *source)
{
	uint64_t packets = 0;
	unsigned int i;

	for (i = 0; i < AG_CLASS_MAX; i++)
		packets += source->packets[i];
	return packets;
}

static uint32_t *chain_of(const struct sources *s, uint32_t source, unsigned int protocol, unsigned int port)
{
	uint64_t hash = hash_mix((uint64_t)source << 24 | protocol << 16 | port);

	return &s->chains[hash & s->chains_mask];
}

void table_prefetch_chain(const struct sources *s, uint32_t source, unsigned int protocol, unsigned int port)
{
	uint32_t newest = s->sources[source].flows;

	__builtin_prefetch(chain_of(s, source, protocol, port), 1);
	if (newest != NO_FLOW)
		__builtin_prefetch(&s->flows[newest], 1);
}

void table_prefetch_flow(const struct sources *s, uint32_t source, unsigned int protocol, unsigned int port)
{
	uint32_t first = *chain_of(s, source, protocol, port), newest = s->sources[source].flows;

	if (first != NO_FLOW) {
		__builtin_prefetch(&s->flows[first], 1);
		__builtin_prefetch(s->flows[first].stamps, 1);
	}
	/* The chain that it leaves, should its source make room. */
	if (newest != NO_FLOW && newest != first)
		__builtin_prefetch(chain_of(s, source, s->flows[newest].protocol, s->flows[newest].port), 1);
}

static void unlink_flow(struct sources *s, uint32_t number)
{
	struct flow *flow = &s->flows[number];
	uint32_t *link = chain_of(s, flow->source, flow->protocol, flow->port);

	while (*link != number)
		link = &s->flows[*link].next_in_chain;
	*link = flow->next_in_chain;
	flow->next_in_chain = s->free_flows;
	flow->source = NO_FLOW; /* whoever has its number knows that it is gone */
	s->free_flows = number;
	s->totals.flows--;
}

static void forget(struct sources *s, struct source *source)
{
	uint32_t number = source->flows;

	while (number != NO_FLOW) {
		uint32_t next = s->flows[number].next_of_source;

		unlink_flow(s, number);
		number = next;
	}
	s->totals.forgotten_sources++;
	s->totals.forgotten_packets += source_packets(source);
	s->totals.sources--;
	if (source->map)
		s->maps--;
	free(source->map);
}

struct source *table_make(struct sources *s, uint64_t hash, uint64_t hi, uint64_t lo, bool v6)
{
	struct source *source = table_find(s, hash, hi, lo, v6);
	unsigned int at = (unsigned int)hash & s->buckets_mask, slot;
	struct bucket *bucket = &s->buckets[at];

	if (source)
		return source;
	slot = choose_slot(bucket, bucket->turn++); /* among equals everybody in turn */
	source = &s->sources[at * SLOTS + slot];
	if (bucket->tag[slot])
		forget(s, source);
	memset(source, 0, sizeof(*source));
	source->hi = hi;
	source->lo = lo;
	source->v6 = v6;
	source->flows = source->hand = NO_FLOW;
	bucket->tag[slot] = tag_of(hash);
	bucket->weight[slot] = 0;
	s->totals.sources++;
	return source;
}

/* Four steps a doubling. */
void table_weigh(struct sources *s, const struct source *source, uint64_t packets)
{
	size_t number = (size_t)(source - s->sources);
	unsigned int log = packets ? 63 - (unsigned int)__builtin_clzll(packets) : 0;
	unsigned int weight =
		packets < 4 ? (unsigned int)packets : log * 4 + (unsigned int)(packets >> (log - 2) & 3);

	s->buckets[number / SLOTS].weight[number % SLOTS] = (uint8_t)weight;
}

struct flow *table_find_flow(const struct sources *s, const struct source *source, unsigned int class,
			     unsigned int protocol, unsigned int port, bool *known)
{
	uint32_t owner = (uint32_t)(source - s->sources), number = *chain_of(s, owner, protocol, port);

	*known = false;
	for (; number != NO_FLOW; number = s->flows[number].next_in_chain) {
		struct flow *flow = &s->flows[number];

		if (flow->source != owner || flow->protocol != protocol || flow->port != port)
			continue;
		*known = true;
		if (flow->class == class)
			return flow;
	}
	return NULL;
}

bool table_is_full(const struct sources *s)
{
	return s->free_flows == NO_FLOW && s->flows_used == s->flows_max;
}

/* Nobody asks for it any more: not in the window, and its alert would be raised anew. */
static bool is_quiet(const struct sources *s, const struct flow *flow)
{
	return s->tick - flow->touched >= (flow->alert ? HOUR_TICKS : WINDOW_TICKS);
}

/* One after the other, so that all have their turn; the newest is never given up. */
static void give_up_flow(struct sources *s, struct source *source)
{
	uint32_t before = NO_FLOW, at = source->hand == NO_FLOW ? source->flows : source->hand, number;
	unsigned int i;

	/* Nobody gets quiet within a tick: once around is enough, and each look is a cache line. */
	if (source->looked_tick != s->tick)
		source->looked = 0;
	source->looked_tick = s->tick;
	if (source->looked >= source->flows_count)
		return;
	for (i = 0; i < LOOKED_AT; i++) {
		number = s->flows[at].next_of_source;
		if (number == NO_FLOW) {
			at = source->flows;
			continue;
		}
		if (is_quiet(s, &s->flows[number]) &&
		    (before == NO_FLOW ||
		     s->flows[number].packets < s->flows[s->flows[before].next_of_source].packets))
			before = at;
		at = number;
	}
	source->hand = at;
	source->looked = before == NO_FLOW ? source->looked + LOOKED_AT : 0;
	if (before == NO_FLOW)
		return;
	number = s->flows[before].next_of_source;
	if (source->hand == number)
		source->hand = before;
	s->flows[before].next_of_source = s->flows[number].next_of_source;
	s->totals.folded_packets += s->flows[number].packets;
	unlink_flow(s, number);
	source->flows_count--;
}

struct flow *table_make_flow(struct sources *s, struct source *source, unsigned int class,
			     unsigned int protocol, unsigned int port)
{
	uint32_t owner = (uint32_t)(source - s->sources), number, *chain;
	struct flow *flow;

	if (source->flows_count == SOURCES_FLOWS_MAX || (source->flows_count > FLOWS_SURE && table_is_full(s)))
		give_up_flow(s, source);
	if (source->flows_count == SOURCES_FLOWS_MAX)
		return NULL;
	number = s->free_flows;
	if (number != NO_FLOW)
		s->free_flows = s->flows[number].next_in_chain;
	else if (s->flows_used < s->flows_max)
		number = s->flows_used++;
	else
		return NULL;
	flow = &s->flows[number];
	chain = chain_of(s, owner, protocol, port);
	memset(flow, 0, sizeof(*flow));
	flow->source = owner;
	flow->class = class & 7;
	flow->protocol = (uint8_t)protocol;
	flow->port = (uint16_t)port;
	flow->next_in_chain = *chain;
	*chain = number;
	flow->next_of_source = source->flows;
	source->flows = number;
	source->flows_count++;
	s->totals.flows++;
	return flow;
}
