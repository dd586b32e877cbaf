// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rules (alerts.h) on flows and sources that were touched. A flow has one alert at a time: it is raised
 * again when it was idle for an hour, or when a search for amplifiers turns out to be their abuse. An alert
 * that newer ones pushed out goes on unseen: it is not raised again before that hour.
 */
#include <string.h>

#include "bpf/distinct.h"
#include "collect/sources_table.h"
#include "collect/stamps.h"

/*
 * Distinct destinations of bits; of more than a bitmap can tell, the registers of the flow's day say how many
 * there are at most, and the bitmap that they are not few.
 */
static uint32_t estimate(uint64_t bits, const struct flow *flow)
{
	const struct ag_distinct of = {.bits = bits, .ranks = flow->day.ranks};
	uint32_t many = distinct_estimate(&of), few = linear_count(DISTINCT_FEW - 1);

	return count_bits(bits) >= DISTINCT_FEW && many < few ? few : many;
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

static void judge_scan(const struct sources *s, const struct flow *flow, struct alert *out)
{
	uint32_t needed = s->options.thresholds.scan_destinations;

	out->distinct = estimate(stamps_of_day(flow->stamps), flow);
	if (out->distinct < needed)
		return;
	out->kind = AG_ALERT_SCAN_HORIZONTAL;
	out->slow = estimate(stamps_of_window(flow->stamps, flow->touched), flow) < needed;
}

static void judge_requests(const struct sources *s, const struct flow *flow, struct alert *out)
{
	const struct ag_thresholds *t = &s->options.thresholds;

	out->distinct = distinct_estimate(&flow->day);
	if (t->reflection_requests && flow->day_packets >= t->reflection_requests &&
	    flow->day_packets >= (uint64_t)t->reflection_per_destination * out->distinct)
		out->kind = AG_ALERT_REFLECTION;
	else if (out->distinct >= t->amplifier_destinations &&
		 flow->day_packets <= (uint64_t)t->amplifier_per_destination * out->distinct)
		out->kind = AG_ALERT_AMPLIFIER_SCAN;
}

/* What a flow shows now; kind AG_ALERT_MAX: nothing. */
static void judge_flow(const struct sources *s, const struct flow *flow, struct alert *out)
{
	*out = (struct alert){
		.kind = AG_ALERT_MAX,
		.class = flow->class,
		.protocol = flow->protocol,
		.port = flow->port,
		.packets = flow->day_packets,
		.last_s = flow->last_s,
	};
	if (flow->class == AG_CLASS_SCAN)
		judge_scan(s, flow, out);
	else if (flow->class == AG_CLASS_AMP_REQUEST)
		judge_requests(s, flow, out);
}

/* The same goes on. What was judged once is not taken back: a day's figures begin again, the alert's do not. */
static void go_on(struct alert *open, const struct alert *now)
{
	if (open->packets < now->packets)
		open->packets = now->packets;
	if (open->distinct < now->distinct)
		open->distinct = now->distinct;
	open->slow = open->slow && now->slow;
}

static void settle_flow(struct sources *s, const struct source *source, struct flow *flow, int64_t now_s)
{
	struct alert *open = alert_of(s, flow->alert), now;

	judge_flow(s, flow, &now);
	if (open)
		open->last_s = flow->last_s;
	if (now.kind == AG_ALERT_MAX)
		return;
	if (open && open->kind == now.kind)
		go_on(open, &now);
	else if (!flow->alert || (open && now.kind == AG_ALERT_REFLECTION))
		flow->alert = raise(s, source, &now, now_s);
}

/* Distinct (protocol, port) of TCP and UDP requests, of flows that are not older than `ticks`. */
static uint32_t count_ports(const struct sources *s, const struct source *source, uint32_t ticks)
{
	uint32_t number, ports = 0;

	for (number = source->flows; number != NO_FLOW; number = s->flows[number].next_of_source) {
		const struct flow *flow = &s->flows[number];

		ports += flow->class == AG_CLASS_SCAN && (flow->protocol == 6 || flow->protocol == 17) &&
			 s->tick - flow->touched < ticks && flow->touched >= source->since;
	}
	return ports;
}

/* Where there are more ports than flows, most of them are counted all the same. */
static void go_on_vertical(struct alert *open, const struct source *source, const struct alert *now)
{
	go_on(open, now);
	if (open->distinct < source->asked)
		open->distinct = source->asked;
	open->packets = source->asked_packets;
	open->last_s = source->last_s;
}

void alerts_go_on(struct sources *s, const struct source *source)
{
	struct alert *open = alert_of(s, source->alert);

	if (open)
		go_on_vertical(open, source, open);
}

static void settle_source(struct sources *s, struct source *source, int64_t now_s)
{
	uint32_t needed = s->options.thresholds.scan_ports;
	struct alert now = {.kind = AG_ALERT_SCAN_VERTICAL, .class = AG_CLASS_SCAN};

	/* Its ports are those of all its flows: once is enough. */
	if (source->judged == s->settlement)
		return;
	source->judged = s->settlement;
	if (!source->alert && source->flows_count >= needed) {
		now.distinct = count_ports(s, source, WINDOW_TICKS);
		now.slow = now.distinct < needed;
		if (now.slow)
			now.distinct = count_ports(s, source, DAY_TICKS);
		if (now.distinct >= needed)
			source->alert = raise(s, source, &now, now_s);
	} else if (source->alert) {
		now.slow = count_ports(s, source, WINDOW_TICKS) < needed;
	}
	if (alert_of(s, source->alert))
		go_on_vertical(alert_of(s, source->alert), source, &now);
}

void alerts_settle(struct sources *s, int64_t now_s)
{
	unsigned int i;

	s->settlement++;
	for (i = 0; i < s->touched_count; i++) {
		struct flow *flow = &s->flows[s->touched[i]];
		struct source *source;

		flow->listed = false;
		if (flow->source == NO_FLOW)
			continue;
		source = &s->sources[flow->source];
		settle_flow(s, source, flow, now_s);
		if (flow->class == AG_CLASS_SCAN)
			settle_source(s, source, now_s);
	}
	s->touched_count = 0;
}
