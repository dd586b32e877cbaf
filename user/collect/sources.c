// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records into sources and flows, and what is asked about them (sources.h).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "collect/distinct.h"
#include "collect/sources_table.h"
#include "collect/stamps.h"

#define NS	    1000000000
#define BLOCK	    32	/* records whose sources are fetched ahead */
#define MAPS_MAX    256 /* port maps, 16 KiB each */
#define PROTO_TCP   6
#define PROTO_UDP   17
#define TCP_SYN	    0x02
#define TOOL_CHANCE 0.01 /* a tool is told wrongly of one source in so many days */
#define TOOL_SHARE  0.5	 /* of a source's SYNs, where the rule is a habit that others may share */
#define SURE_BITS   24

static const unsigned int chance_bits[AG_TOOL_MAX] = {
#define AG_TOOL(name, label, bits, help) [AG_TOOL_##name] = bits,
#include "airglow/tool.def"
#undef AG_TOOL
};

/*
 * How many matches it takes (definitions: README, "Tools"): one where chance is 2^-32, else at least two, and
 * so many that all packets of a day give less than 0.01 false sources. A rule without a chance is a habit: two,
 * and most of the SYNs.
 */
static uint32_t matches_needed(unsigned int bits, double day_packets)
{
	uint32_t k = 2;

	if (bits >= 32)
		return 1;
	while (bits && day_packets * exp2(-(double)bits * k) >= TOOL_CHANCE)
		k++;
	return k;
}

static uint32_t tool_of(const struct sources *s, const struct source *source)
{
	uint32_t tool;

	for (tool = 0; tool < AG_TOOL_MAX; tool++) {
		unsigned int bits = chance_bits[tool];

		if (source->hits[tool] < s->matches[tool])
			continue;
		if (bits >= SURE_BITS || source->hits[tool] >= TOOL_SHARE * source->syns)
			return tool;
	}
	return AG_TOOL_NONE;
}

struct sources *sources_new(const struct sources_options *options)
{
	struct sources *s = calloc(1, sizeof(*s));
	unsigned int tool;

	if (!s)
		return NULL;
	s->options = *options;
	pthread_mutex_init(&s->lock, NULL);
	for (tool = 0; tool < AG_TOOL_MAX; tool++)
		s->matches[tool] = matches_needed(chance_bits[tool], options->expected_day_packets);
	if (table_new(s, options->sources_max))
		sources_free(&s);
	return s;
}

void sources_use(struct sources *sources, const struct ag_thresholds *thresholds)
{
	pthread_mutex_lock(&sources->lock);
	sources->options.thresholds = *thresholds;
	pthread_mutex_unlock(&sources->lock);
}

void sources_free(struct sources **sources)
{
	if (!*sources)
		return;
	table_free(*sources);
	pthread_mutex_destroy(&(*sources)->lock);
	free(*sources);
	*sources = NULL;
}

/* --- adding --------------------------------------------------------------------------------------------------
 */

static bool has_ports(unsigned int protocol)
{
	return protocol == PROTO_TCP || protocol == PROTO_UDP;
}

static bool map_port(struct port_map *map, unsigned int protocol, unsigned int port)
{
	uint64_t *word = &map->bits[protocol == PROTO_UDP][port / 64], bit = 1ULL << (port % 64);
	bool fresh = !(*word & bit);

	*word |= bit;
	return fresh;
}

/* A source whose ports are not all told by flows: from here on a bitmap tells which are new. */
static struct port_map *port_map_of(struct sources *s, struct source *source)
{
	uint32_t number;

	if (source->map || s->maps == MAPS_MAX)
		return source->map;
	source->map = calloc(1, sizeof(*source->map));
	if (!source->map)
		return NULL;
	s->maps++;
	for (number = source->flows; number != NO_FLOW; number = s->flows[number].next_of_source)
		if (has_ports(s->flows[number].protocol))
			map_port(source->map, s->flows[number].protocol, s->flows[number].port);
	return source->map;
}

/* Before the flow of a port that no flow tells of is made. Was it counted as a new one? */
static bool count_port(struct sources *s, struct source *source, unsigned int protocol, unsigned int port)
{
	struct port_map *map = source->map;

	if (!map && (source->flows_count == SOURCES_FLOWS_MAX || table_is_full(s)))
		map = port_map_of(s, source);
	if (map)
		return map_port(map, protocol, port);
	if (source->flows_count < SOURCES_FLOWS_MAX && !source->ports_at_least && !table_is_full(s))
		return true;
	source->ports_at_least = true;
	return false;
}

/* Alerts look only at flows that could cross a threshold. */
static bool may_alert(const struct sources *s, const struct source *source, const struct flow *flow)
{
	const struct ag_thresholds *t = &s->options.thresholds;

	if (flow->class == AG_CLASS_SCAN)
		return flow->packets >= t->scan_destinations || source->flows_count >= t->scan_ports;
	return flow->class == AG_CLASS_AMP_REQUEST &&
	       (flow->day_packets >= t->amplifier_destinations || flow->day_packets >= t->reflection_requests);
}

static void list_flow(struct sources *s, struct flow *flow, uint32_t now_s)
{
	if (s->touched_count == s->flows_max)
		alerts_settle(s, now_s);
	flow->listed = true;
	s->touched[s->touched_count++] = (uint32_t)(flow - s->flows);
}

/* What counts for an alert begins anew: with a day, and when an alert is over, for it was told. */
static void begin_day(struct flow *flow, uint32_t tick)
{
	flow->day = (struct ag_distinct){};
	flow->day_packets = 0;
	flow->day_tick = tick;
}

static void end_alert(struct flow *flow, uint32_t tick)
{
	flow->alert = 0;
	memset(flow->stamps, 0, sizeof(flow->stamps));
	begin_day(flow, tick);
}

/* first_s, last_s: of the record; slices and logs tell theirs in any order. */
static void add_to_flow(struct sources *s, const struct source *source, struct flow *flow,
			const struct ag_record *r, uint32_t first_s, uint32_t last_s)
{
	if (!flow->packets) {
		flow->first_s = first_s;
		flow->day_tick = s->tick;
	} else if (flow->alert && (int64_t)first_s - flow->last_s >= IDLE_S) {
		end_alert(flow, s->tick);
	} else if (s->tick - flow->day_tick >= DAY_TICKS) {
		begin_day(flow, s->tick);
	}
	if (first_s < flow->first_s)
		flow->first_s = first_s;
	if (last_s > flow->last_s)
		flow->last_s = last_s;
	flow->packets += r->packets;
	flow->day_packets += r->packets;
	stamps_add(flow->stamps, flow->touched, s->tick, r->destinations.bits);
	flow->touched = s->tick;
	distinct_merge(&flow->day, &r->destinations);
	if (!flow->listed && may_alert(s, source, flow))
		list_flow(s, flow, last_s);
}

/* Where a request for a port comes after an hour without one, the next vertical scan is another. */
static void note_scan(const struct sources *s, struct source *source, bool fresh, uint32_t packets)
{
	if (source->alert && s->tick - source->scan_tick >= IDLE_S / TICK_S) {
		source->alert = 0;
		source->since = s->tick;
		source->asked = 0;
		source->asked_packets = 0;
	}
	source->scan_tick = s->tick;
	source->asked += fresh;
	source->asked_packets += packets;
}

/* The packets of a record of a scan are SYNs or other probes; a touch is a SYN. */
static bool is_of_syns(const struct ag_record *r)
{
	return r->marks & AG_MARK_SWEEPER || r->key >> AG_KEY_FLAGS_SHIFT & TCP_SYN;
}

/* What has no port, as a later fragment, is of port 0 too: it is class other, and unless it says so no port. */
static bool count_port_zero(struct source *source, unsigned int class, unsigned int protocol, uint32_t marks)
{
	uint8_t bit = protocol == PROTO_UDP ? 2 : 1;

	if (source->port_zero & bit || (class == AG_CLASS_OTHER && !(marks & 1u << AG_ANOMALY_PORT_ZERO)))
		return false;
	source->port_zero |= bit;
	return true;
}

/* A tool's host is one that is known to use it; a port's, one that asked for it. */
static void add_host(const struct sources *s, const struct source *source, unsigned int class,
		     unsigned int protocol, unsigned int port, unsigned int tool)
{
	uint64_t hash = hosts_hash(source->hi, source->lo, source->v6);

	if (!s->options.hosts)
		return;
	if (tool < AG_TOOL_MAX && tool_of(s, source) == tool)
		hosts_add_tool(s->options.hosts, s->tick, tool, hash);
	if (class != AG_CLASS_BACKSCATTER && class != AG_CLASS_UDP_RESPONSE)
		hosts_add_port(s->options.hosts, s->tick, protocol, port, hash);
}

static unsigned int protocol_of(const struct ag_record *r)
{
	return r->key >> AG_KEY_PROTOCOL_SHIFT & 255;
}

static unsigned int port_of(const struct ag_record *r)
{
	return r->key >> AG_KEY_PORT_SHIFT & 0xffff;
}

static void add_record(struct sources *s, struct source *source, const struct ag_record *r, int64_t begin_ns)
{
	unsigned int class = r->key >> AG_KEY_CLASS_SHIFT & 7, protocol = protocol_of(r);
	unsigned int port = port_of(r), tool = r->key >> AG_KEY_TOOL_SHIFT & 15;
	int64_t first_ns = begin_ns + ((int64_t)r->first << AG_TIME_SHIFT);
	int64_t last_ns = first_ns + ((int64_t)(r->bytes_last >> AG_LAST_SHIFT) << AG_TIME_SHIFT);
	uint32_t first_s = (uint32_t)(first_ns / NS), last_s = (uint32_t)(last_ns / NS);
	struct flow *flow;
	bool known, fresh = false;

	if (!source->first_s || first_s < source->first_s)
		source->first_s = first_s;
	if (last_s > source->last_s)
		source->last_s = last_s;
	source->flags |= (uint8_t)(r->key >> AG_KEY_FLAGS_SHIFT);
	source->anomalies |= r->marks & ((1u << AG_ANOMALY_MAX) - 1);
	distinct_merge(&source->destinations, &r->destinations);
	if (!r->packets || class >= AG_CLASS_MAX) /* a sweeper's summary: its packets were told by touches */
		return;
	source->packets[class] += r->packets;
	source->bytes += r->bytes_last & AG_BYTES_MASK;
	if (class == AG_CLASS_SCAN && protocol == PROTO_TCP && is_of_syns(r))
		source->syns += r->packets;
	if (tool < AG_TOOL_MAX)
		source->hits[tool] += (uint32_t)(r->key >> AG_KEY_HITS_SHIFT & 0xffff);
	add_host(s, source, class, protocol, port, tool);
	if (!port && has_ports(protocol))
		fresh = count_port_zero(source, class, protocol, r->marks);
	flow = table_find_flow(s, source, class, protocol, port, &known);
	if (!flow) {
		if (!known && port && has_ports(protocol))
			fresh = count_port(s, source, protocol, port);
		flow = table_make_flow(s, source, class, protocol, port);
	}
	source->ports += fresh;
	if (class == AG_CLASS_SCAN && has_ports(protocol))
		note_scan(s, source, fresh, r->packets);
	if (flow) {
		add_to_flow(s, source, flow, r, first_s, last_s);
		return;
	}
	s->totals.folded_packets += r->packets;
	alerts_go_on(s, source); /* no flow will ask for it */
}

/* A few at a time: what they will read is fetched for all before the first is added. */
static void add_block(struct sources *s, const struct ag_record *records, size_t count, int64_t begin_ns)
{
	uint64_t hash[BLOCK];
	uint32_t number[BLOCK];
	struct source *source;
	size_t i;

	for (i = 0; i < count; i++) {
		hash[i] =
			table_hash(records[i].src_hi, records[i].src_lo, records[i].key >> AG_KEY_V6_SHIFT & 1);
		table_prefetch(s, hash[i]);
	}
	for (i = 0; i < count; i++)
		number[i] = table_prefetch_source(s, hash[i]);
	for (i = 0; i < count; i++)
		table_prefetch_chain(s, number[i], protocol_of(&records[i]), port_of(&records[i]));
	for (i = 0; i < count; i++)
		table_prefetch_flow(s, number[i], protocol_of(&records[i]), port_of(&records[i]));
	for (i = 0; i < count; i++) {
		source = table_make(s, hash[i], records[i].src_hi, records[i].src_lo,
				    records[i].key >> AG_KEY_V6_SHIFT & 1);
		add_record(s, source, &records[i], begin_ns);
		table_weigh(s, source, source_packets(source));
	}
}

void sources_add(struct sources *s, int64_t begin_ns, uint32_t tick, const struct ag_record *records,
		 size_t count)
{
	size_t at;

	pthread_mutex_lock(&s->lock);
	if (tick > s->tick) {
		/* The next interval's first records may come before the last of this one. */
		alerts_settle(s, begin_ns / NS);
		s->tick = tick;
	}
	for (at = 0; at < count; at += BLOCK)
		add_block(s, records + at, count - at < BLOCK ? count - at : BLOCK, begin_ns);
	pthread_mutex_unlock(&s->lock);
}

void sources_close(struct sources *s, int64_t end_ns)
{
	pthread_mutex_lock(&s->lock);
	alerts_settle(s, end_ns / NS);
	pthread_mutex_unlock(&s->lock);
}

/* --- asking --------------------------------------------------------------------------------------------------
 */

static void view_source(const struct sources *s, const struct source *source, struct source_view *out)
{
	*out = (struct source_view){
		.src_hi = source->hi,
		.src_lo = source->lo,
		.v6 = source->v6,
		.bytes = source->bytes,
		.ports = source->ports,
		.ports_at_least = source->ports_at_least,
		.destinations = distinct_estimate(&source->destinations),
		.tool = tool_of(s, source),
		.syns = source->syns,
		.flags = source->flags,
		.anomalies = source->anomalies,
		.first_s = source->first_s,
		.last_s = source->last_s,
	};
	memcpy(out->packets, source->packets, sizeof(out->packets));
	memcpy(out->tool_hits, source->hits, sizeof(out->tool_hits));
}

struct ranked {
	uint64_t packets;
	const struct source *source;
};

/* Packets first; equals by address, so that the order is always the same. */
static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->packets != y->packets)
		return x->packets < y->packets ? 1 : -1;
	if (x->source->v6 != y->source->v6)
		return x->source->v6 ? 1 : -1;
	if (x->source->hi != y->source->hi)
		return x->source->hi < y->source->hi ? -1 : 1;
	return (x->source->lo > y->source->lo) - (x->source->lo < y->source->lo);
}

static bool passes(const struct sources *s, const struct source *source, const struct sources_filter *filter)
{
	unsigned int class = filter->class;
	bool known = false;

	if (filter->by_class && !source->packets[class])
		return false;
	if (filter->by_tool && tool_of(s, source) != filter->tool)
		return false;
	if (!filter->by_port)
		return true;
	return table_find_flow(s, source, class, filter->protocol, filter->port, &known) ||
	       (known && !filter->by_class);
}

/* The best so far, the worst of them at the root: a heap. */
struct best {
	struct ranked *heap;
	size_t used, most;
};

static void sink_root(const struct best *best, size_t at)
{
	struct ranked *heap = best->heap, moved = heap[at];
	size_t child;

	while ((child = 2 * at + 1) < best->used) {
		if (child + 1 < best->used && compare_ranked(&heap[child], &heap[child + 1]) < 0)
			child++;
		if (compare_ranked(&heap[child], &moved) <= 0)
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

static void rank(struct best *best, const struct source *source)
{
	const struct ranked ranked = {source_packets(source), source};
	size_t at;

	if (best->used < best->most) {
		best->heap[best->used++] = ranked;
		if (best->used == best->most)
			for (at = best->most / 2; at--;)
				sink_root(best, at);
	} else if (compare_ranked(&ranked, &best->heap[0]) < 0) {
		best->heap[0] = ranked;
		sink_root(best, 0);
	}
}

size_t sources_list(struct sources *s, const struct sources_filter *filter, struct source_view *out,
		    size_t most)
{
	size_t slots = ((size_t)s->buckets_mask + 1) * SLOTS, i;
	struct best best = {.most = most < slots ? most : slots};

	best.heap = best.most ? malloc(best.most * sizeof(*best.heap)) : NULL;
	if (!best.heap)
		return 0;
	pthread_mutex_lock(&s->lock);
	for (i = 0; i < slots; i++)
		if (s->buckets[i / SLOTS].tag[i % SLOTS] && (!filter || passes(s, &s->sources[i], filter)))
			rank(&best, &s->sources[i]);
	qsort(best.heap, best.used, sizeof(*best.heap), compare_ranked);
	for (i = 0; i < best.used; i++)
		view_source(s, best.heap[i].source, &out[i]);
	pthread_mutex_unlock(&s->lock);
	free(best.heap);
	return best.used;
}

static int compare_flows(const void *a, const void *b)
{
	const struct flow_view *x = a, *y = b;

	if (x->packets != y->packets)
		return x->packets < y->packets ? 1 : -1;
	if (x->protocol != y->protocol)
		return x->protocol < y->protocol ? -1 : 1;
	if (x->port != y->port)
		return x->port < y->port ? -1 : 1;
	return (x->class > y->class) - (x->class < y->class);
}

static void view_flow(const struct flow *flow, struct flow_view *out)
{
	*out = (struct flow_view){
		.class = flow->class,
		.protocol = flow->protocol,
		.port = flow->port,
		.packets = flow->packets,
		.destinations = distinct_estimate(&flow->day),
		.first_s = flow->first_s,
		.last_s = flow->last_s,
	};
}

bool sources_find(struct sources *s, uint64_t hi, uint64_t lo, bool v6, struct source_view *out,
		  struct flow_view *flows, size_t *flows_count)
{
	struct flow_view all[SOURCES_FLOWS_MAX];
	const struct source *source;
	size_t used = 0;
	uint32_t number;

	pthread_mutex_lock(&s->lock);
	source = table_find(s, table_hash(hi, lo, v6), hi, lo, v6);
	if (source) {
		view_source(s, source, out);
		for (number = source->flows; number != NO_FLOW; number = s->flows[number].next_of_source)
			view_flow(&s->flows[number], &all[used++]);
	}
	pthread_mutex_unlock(&s->lock);
	if (!source)
		return false;
	qsort(all, used, sizeof(all[0]), compare_flows);
	if (used < *flows_count)
		*flows_count = used;
	memcpy(flows, all, *flows_count * sizeof(*flows));
	return true;
}

size_t sources_alerts(struct sources *s, uint32_t after, struct alert *out, size_t most)
{
	uint32_t number, oldest;
	size_t used = 0;

	pthread_mutex_lock(&s->lock);
	oldest = s->alerts.raised > ALERTS_KEPT ? s->alerts.raised - ALERTS_KEPT : 0;
	for (number = (after > oldest ? after : oldest) + 1; number <= s->alerts.raised && used < most;
	     number++)
		out[used++] = s->alerts.kept[number % ALERTS_KEPT];
	pthread_mutex_unlock(&s->lock);
	return used;
}

void sources_alert_counts(struct sources *s, __u64 by_kind[AG_ALERT_MAX])
{
	pthread_mutex_lock(&s->lock);
	memcpy(by_kind, s->alerts.by_kind, sizeof(s->alerts.by_kind));
	pthread_mutex_unlock(&s->lock);
}

void sources_totals(struct sources *s, struct sources_totals *out)
{
	pthread_mutex_lock(&s->lock);
	*out = s->totals;
	out->bytes += s->maps * sizeof(struct port_map);
	pthread_mutex_unlock(&s->lock);
}
