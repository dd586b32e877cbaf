/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * detect: the packet's record or its source's summary crosses a threshold: it is flagged in the map, and one
 * alert is sent. An early sign, with one slice's view and the sketch's error: the event of record is settled by
 * userspace. definitions: README, "Alerts".
 */
#ifndef AIRGLOW_BPF_DETECT_H
#define AIRGLOW_BPF_DETECT_H

#include "bpf/account.h"
#include "bpf/flow.h"

#define ALERT_NONE AG_ALERT_MAX

/* Only so many a slice and interval; how many were not sent is counted. In replay userspace settles at once. */
AG_INLINE void send_alert(struct ag_interval *interval, const struct ag_message_alert *alert)
{
	if (bind_rodata()->replay)
		return;
	if (interval->sent >= AG_ALERTS_MAX)
		interval->unsent++;
	else if (bind_emit(alert, sizeof(*alert)))
		interval->lost[AG_LOST_RING]++;
	else
		interval->sent++;
}

AG_INLINE void raise_alert(struct ag_interval *interval, __u32 kind, const struct ag_message_alert *alert)
{
	__u64 index = ag_opaque(kind);

	if (index >= AG_ALERT_MAX)
		return;
	interval->flagged[index]++;
	send_alert(interval, alert);
}

/* What a record shows, if it shows something: enum ag_alert_kind, or ALERT_NONE. */
AG_INLINE __u32 judge_record(const struct ag_record *r, __u32 class, const struct ag_thresholds *t,
			     __u32 *distinct)
{
	if (class == AG_CLASS_SCAN) {
		if (r->packets < t->scan_destinations)
			return ALERT_NONE;
		*distinct = distinct_estimate(&r->destinations);
		return *distinct >= t->scan_destinations ? AG_ALERT_SCAN_HORIZONTAL : ALERT_NONE;
	}
	if (class != AG_CLASS_AMP_REQUEST || r->packets < t->amplifier_destinations)
		return ALERT_NONE;
	*distinct = distinct_estimate(&r->destinations);
	if (t->reflection_requests && r->packets >= t->reflection_requests &&
	    r->packets >= (__u64)t->reflection_per_destination * *distinct)
		return AG_ALERT_REFLECTION;
	if (*distinct >= t->amplifier_destinations &&
	    r->packets <= (__u64)t->amplifier_per_destination * *distinct)
		return AG_ALERT_AMPLIFIER_SCAN;
	return ALERT_NONE;
}

AG_INLINE void detect_record(struct ag_interval *interval, struct ag_record *r, __u32 class,
			     const struct ag_thresholds *t)
{
	struct ag_message_alert alert = {.message = AG_MESSAGE_ALERT};

	if (r->marks & AG_MARK_ALERTED)
		return;
	alert.kind = judge_record(r, class, t, &alert.distinct);
	if (alert.kind == ALERT_NONE)
		return;
	r->marks |= AG_MARK_ALERTED;
	alert.src_hi = r->src_hi;
	alert.src_lo = r->src_lo;
	alert.key = r->key;
	alert.packets = r->packets;
	raise_alert(interval, alert.kind, &alert);
}

AG_INLINE void detect_summary(struct ag_interval *interval, struct ag_summary *s, const struct ag_thresholds *t)
{
	struct ag_message_alert alert = {.message = AG_MESSAGE_ALERT, .kind = AG_ALERT_SCAN_VERTICAL};
	struct ag_distinct ports = {.bits = s->ports};

	if (s->marks & AG_MARK_ALERTED || s->records < t->scan_ports)
		return;
	alert.distinct = distinct_estimate(&ports);
	/* Registers are not kept of ports: more than the bitmap can tell are many. */
	if (count_bits(s->ports) < DISTINCT_FEW && alert.distinct < t->scan_ports)
		return;
	s->marks |= AG_MARK_ALERTED;
	alert.src_hi = s->src_hi;
	alert.src_lo = s->src_lo;
	alert.key = s->key;
	alert.packets = s->records;
	raise_alert(interval, AG_ALERT_SCAN_VERTICAL, &alert);
}

AG_INLINE int detect_packet(const struct packet *p, const struct head *h, struct ag_interval *interval,
			    const struct ag_settings *s, __u32 slice)
{
	__u32 parity;

	if (!p || !h || !interval || !s)
		return 0;
	parity = h->epoch & 1;
	if (p->record) {
		__u32 slot = p->record - 1;
		struct ag_flow_set *set = bind_flow_set(slice, parity, slot / AG_FLOW_WAYS);

		if (set)
			detect_record(interval, &set->way[slot % AG_FLOW_WAYS], p->class, &s->thresholds);
	}
	if (p->summary && p->class == AG_CLASS_SCAN && p->has_ports) {
		__u32 slot = p->summary - 1;
		struct ag_summary_set *set = bind_summary_set(slice, parity, slot / AG_SUMMARY_WAYS);

		if (set)
			detect_summary(interval, &set->way[slot % AG_SUMMARY_WAYS], &s->thresholds);
	}
	return 0;
}

AG_INLINE void detect(const struct ledger *l, const struct packet *p, const struct head *h,
		      const struct ag_settings *s)
{
	struct ag_interval *interval;

	if ((!p->record && !p->summary) || (p->class != AG_CLASS_SCAN && p->class != AG_CLASS_AMP_REQUEST))
		return;
	interval = bind_interval(l->slice, h->epoch & 1);
	if (interval)
		detect_packet(p, h, interval, s, l->slice);
}

#endif
