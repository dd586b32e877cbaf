// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules (alerts.h) on flows and sources that were touched. A flow has one alert at a time: it is raised
 * again when it was idle for an hour, or when a search for amplifiers turns out to be their abuse.
 */
#include <string.h>

#include "bpf/distinct.h"
#include "collect/sources_table.h"

#define IDLE_S 3600

/* Destinations of the last five minutes. */
static uint32_t recent_destinations(const struct flow *flow, uint32_t tick)
{
	struct ag_distinct recent = {};
	unsigned int i;

	for (i = 0; i < 64; i++) {
		uint32_t age = (tick % 255 + 255 - (flow->stamps[i] - 1u)) % 255;

		if (flow->stamps[i] && age < WINDOW_TICKS)
			recent.bits |= 1ULL << i;
	}
	/* More than the bitmap can tell are many: how many, the registers of the whole day say at most. */
	if (count_bits(recent.bits) >= DISTINCT_FEW)
		recent.ranks = flow->day.ranks;
	return distinct_estimate(&recent);
}

static struct alert *alert_of(struct sources *s, uint32_t number)
{
	struct alert *alert = &s->alerts.kept[number % ALERTS_KEPT];

	return number && alert->number == number ? alert : NULL;
}

static uint32_t raise(struct sources *s, const struct source *source, const struct alert *what, int64_t now_s)
{
	uint32_t number = ++s->alerts.raised;
	struct alert *alert = &s->alerts.kept[number % ALERTS_KEPT];

	*alert = *what;
	alert->number = number;
	alert->src_hi = source->hi;
	alert->src_lo = source->lo;
	alert->v6 = source->v6;
	alert->raised_s = now_s;
	s->alerts.by_kind[what->kind]++;
	return number;
}

/* What a flow shows now; kind AG_ALERT_MAX: nothing. */
static void judge_flow(const struct sources *s, const struct flow *flow, struct alert *out)
{
	const struct ag_thresholds *t = &s->options.thresholds;
	uint32_t day = distinct_estimate(&flow->day), recent;

	*out = (struct alert){
		.kind = AG_ALERT_MAX,
		.class = flow->class,
		.protocol = flow->protocol,
		.port = flow->port,
		.packets = flow->day_packets,
		.distinct = day,
		.last_s = flow->last_s,
	};
	if (flow->class == AG_CLASS_SCAN && day >= t->scan_destinations) {
		recent = recent_destinations(flow, s->tick);
		out->kind = AG_ALERT_SCAN_HORIZONTAL;
		out->slow = recent < t->scan_destinations;
	} else if (flow->class == AG_CLASS_AMP_REQUEST) {
		if (flow->day_packets >= t->reflection_requests &&
		    flow->day_packets >= (uint64_t)t->reflection_per_destination * day)
			out->kind = AG_ALERT_REFLECTION;
		else if (day >= t->amplifier_destinations &&
			 flow->day_packets <= (uint64_t)t->amplifier_per_destination * day)
			out->kind = AG_ALERT_AMPLIFIER_SCAN;
	}
}

static void settle_flow(struct sources *s, const struct source *source, struct flow *flow, int64_t now_s)
{
	struct alert *open = alert_of(s, flow->alert), now;

	judge_flow(s, flow, &now);
	if (flow->alert && (now.kind == AG_ALERT_MAX || !open || open->kind == now.kind)) {
		if (open && flow->last_s - open->last_s < IDLE_S) { /* the same goes on */
			open->packets = now.packets;
			open->distinct = now.distinct;
			open->slow = open->slow && now.slow;
			open->last_s = now.last_s;
			return;
		}
		if (!open)
			return;
	}
	if (now.kind != AG_ALERT_MAX)
		flow->alert = raise(s, source, &now, now_s);
}

/* Distinct (protocol, port) of TCP and UDP requests, of flows that are not older than `ticks`; at most
 * `enough`. */
static uint32_t count_ports(const struct sources *s, const struct source *source, uint32_t ticks,
			    uint64_t *packets)
{
	uint32_t number, ports = 0;

	*packets = 0;
	for (number = source->flows; number != NO_FLOW; number = s->flows[number].next_of_source) {
		const struct flow *flow = &s->flows[number];

		if (flow->class != AG_CLASS_SCAN || (flow->protocol != 6 && flow->protocol != 17) ||
		    s->tick - flow->touched >= ticks)
			continue;
		ports++;
		*packets += flow->packets;
	}
	return ports;
}

static void settle_source(struct sources *s, struct source *source, int64_t now_s)
{
	uint32_t needed = s->options.thresholds.scan_ports, ports;
	struct alert now = {.kind = AG_ALERT_SCAN_VERTICAL, .class = AG_CLASS_SCAN, .last_s = source->last_s};
	struct alert *open = alert_of(s, source->alert);

	if (source->flows_count < needed)
		return;
	ports = count_ports(s, source, WINDOW_TICKS, &now.packets);
	if (ports < needed) {
		now.slow = true;
		ports = count_ports(s, source, DAY_TICKS, &now.packets);
	}
	if (ports < needed || (source->alert && !open))
		return;
	/* Where there are more ports than flows, their number is known all the same. */
	now.distinct = source->flows_count == SOURCES_FLOWS_MAX ? source->ports : ports;
	if (source->flows_count == SOURCES_FLOWS_MAX)
		now.packets = source->packets[AG_CLASS_SCAN];
	if (!open || source->last_s - open->last_s >= IDLE_S) {
		source->alert = raise(s, source, &now, now_s);
		return;
	}
	open->packets = now.packets;
	open->distinct = now.distinct;
	open->slow = open->slow && now.slow;
	open->last_s = now.last_s;
}

void alerts_settle(struct sources *s, int64_t now_s)
{
	uint32_t settlement = ++s->settlements;
	unsigned int i;

	for (i = 0; i < s->touched_count; i++) {
		struct flow *flow = &s->flows[s->touched[i]];
		struct source *source;

		if (flow->source == NO_FLOW)
			continue;
		source = &s->sources[flow->source];
		settle_flow(s, source, flow, now_s);
		/* A source has up to SOURCES_FLOWS_MAX flows, and its ports are those of all: once is enough.
		 */
		if (flow->class != AG_CLASS_SCAN || source->settled == settlement)
			continue;
		source->settled = settlement;
		settle_source(s, source, now_s);
	}
}
