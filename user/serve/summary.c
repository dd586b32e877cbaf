// SPDX-License-Identifier: GPL-2.0-only
/*
 * The summary object: what `replay --json` prints and /api/v1/summary answers, from a snapshot. All figures are
 * integers; maps of labels are complete, maps of numbers hold what is not zero, in ascending order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "serve/builder.h"
#include "serve/labels.h"
#include "serve/serve.h"
#include "serve/sources_json.h"

static json_t *by_number(struct builder *b, const __u64 *counts, size_t n)
{
	json_t *object = json_object();
	char key[24];
	size_t i;

	for (i = 0; i < n; i++) {
		if (!counts[i])
			continue;
		snprintf(key, sizeof(key), "%zu", i);
		builder_count(b, object, key, counts[i]);
	}
	return object;
}

static json_t *by_flags(struct builder *b, const __u64 counts[256])
{
	json_t *object = json_object();
	char key[BUILDER_FLAGS_BYTES];
	unsigned int flags;

	for (flags = 0; flags < 256; flags++)
		if (counts[flags])
			builder_count(b, object, builder_flags(key, flags), counts[flags]);
	return object;
}

static json_t *by_icmp(struct builder *b, const __u64 counts[AG_ICMP_KINDS])
{
	json_t *object = json_object();
	unsigned int i;
	char key[16];

	for (i = 0; i < AG_ICMP_KINDS; i++) {
		if (!counts[i])
			continue;
		snprintf(key, sizeof(key), "%u/%u", i >> 8, i & 255);
		builder_count(b, object, key, counts[i]);
	}
	return object;
}

static void sum_classes(const struct snapshot *s, __u64 packets[AG_CLASS_MAX], uint64_t *bytes)
{
	unsigned int scope, class;

	memset(packets, 0, AG_CLASS_MAX * sizeof(*packets));
	*bytes = 0;
	for (scope = 0; scope <= AG_SCOPES_MAX; scope++)
		for (class = 0; class < AG_CLASS_MAX; class ++) {
			packets[class] += s->totals.class_packets[scope][class];
			*bytes += s->totals.class_bytes[scope][class];
		}
}

static json_t *list_scopes(struct builder *b, const struct snapshot *s)
{
	json_t *array = json_array();
	unsigned int i, first = s->every_destination ? 0 : 1, last = s->every_destination ? 0 : s->scopes_count;

	for (i = first; i <= last; i++) {
		const struct snapshot_scope *scope = &s->scopes[i];
		__u64 packets[AG_CLASS_MAX], bytes[AG_CLASS_MAX];
		json_t *object = json_object();
		unsigned int class;

		for (class = 0; class < AG_CLASS_MAX; class ++) {
			packets[class] = scope->packets[class];
			bytes[class] = scope->bytes[class];
		}
		builder_put(b, object, "scope", json_string(scope->name));
		builder_count(b, object, "dark_addresses", scope->dark_addresses);
		builder_count(b, object, "active_addresses", scope->active_addresses);
		builder_put(b, object, "packets", builder_labels(b, labels_class, packets, AG_CLASS_MAX));
		builder_put(b, object, "bytes", builder_labels(b, labels_class, bytes, AG_CLASS_MAX));
		builder_append(b, array, object);
	}
	return array;
}

static json_t *ledger(struct builder *b, const struct snapshot *s)
{
	json_t *object = json_object();
	unsigned int law;

	for (law = 0; law < AG_LAW_MAX; law++)
		builder_count(b, object, labels_law[law], s->imbalance[law]);
	return object;
}

static json_t *flows(struct builder *b, const struct reader_totals *t)
{
	json_t *object = json_object();

	builder_count(b, object, "intervals", t->intervals);
	builder_count(b, object, "incomplete", t->incomplete);
	builder_count(b, object, "records", t->records);
	builder_count(b, object, "record_packets", t->record_packets);
	builder_count(b, object, "touches", t->touches);
	builder_count(b, object, "sweepers", t->sweepers);
	builder_count(b, object, "summary_refused", t->summary_refused);
	builder_put(b, object, "lost", builder_labels(b, labels_lost, t->lost, AG_LOST_MAX));
	builder_put(b, object, "flags", builder_labels(b, labels_alert, t->flagged, AG_ALERT_MAX));
	return object;
}

/* Distinct hosts by window and set, estimated. */
static json_t *hosts(struct builder *b, const struct hosts_figures *figures)
{
	json_t *object = json_object();
	unsigned int window, set;

	for (window = 0; window < HOSTS_WINDOWS; window++) {
		json_t *sets = json_object();

		for (set = 0; set < HOSTS_SETS; set++)
			builder_count(b, sets, labels_hosts(set), figures->hosts[set][window]);
		builder_put(b, object, labels_window[window], sets);
	}
	return object;
}

/* Dark addresses that promoted sources reached: exact. */
static json_t *promoted(struct builder *b, const struct snapshot *s)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < s->promoted_count; i++) {
		json_t *object = json_object();

		builder_put(b, object, "name", json_string(s->promoted[i].name));
		builder_count(b, object, "sources", s->promoted[i].addresses_count);
		builder_count(b, object, "reached_today", s->promoted_reached[i].today);
		builder_count(b, object, "reached_yesterday", s->promoted_reached[i].yesterday);
		if (json_array_append_new(array, object))
			b->failed = true;
	}
	return array;
}

static json_t *nic(struct builder *b, const struct snapshot *s)
{
	json_t *object = json_object();
	unsigned int i, j;

	for (i = 0; i < s->interfaces_count; i++) {
		const struct snapshot_interface *shown = &s->interfaces[i];
		json_t *one = json_object(), *dropped = json_object();

		builder_count(b, one, "received", shown->received);
		builder_count(b, one, "packets", shown->nic_packets);
		for (j = 0; j < shown->nic_count; j++)
			builder_put(b, dropped, shown->nic[j].name,
				    shown->nic[j].known ? json_integer((json_int_t)shown->nic[j].packets)
							: json_string("unknown"));
		builder_put(b, one, "dropped", dropped);
		builder_put(b, one, "mode", json_string(shown->xdp_mode));
		builder_put(b, one, "feed", json_string(labels_feed[shown->feed]));
		builder_put(b, one, "present", json_boolean(shown->present));
		builder_put(b, object, shown->name, one);
	}
	return object;
}

/* Seconds, to the millisecond. */
static json_t *unix_time(int64_t ns)
{
	int64_t ms = ns / 1000000;

	return json_real((double)ms / 1e3);
}

/* `to` is null while it lasts, `interface` where it is the whole sensor's. */
static json_t *gaps(struct builder *b, const struct snapshot *s)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < s->gaps.count; i++) {
		const struct gap *gap = &s->gaps.list[i];
		json_t *object = json_object();

		builder_put(b, object, "interface", *gap->subject ? json_string(gap->subject) : json_null());
		builder_put(b, object, "from", unix_time(gap->from_ns));
		builder_put(b, object, "to", gap->to_ns ? unix_time(gap->to_ns) : json_null());
		builder_put(b, object, "reason", json_string(gap->reason));
		builder_append(b, array, object);
	}
	return array;
}

static json_t *disabled(struct builder *b, const struct snapshot *s)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < s->disabled_rules_count; i++)
		builder_append(b, array, json_string(s->disabled_rules[i]));
	return array;
}

static void put_dark(struct builder *b, json_t *object, const struct snapshot *s)
{
	const struct ag_counters *t = &s->totals;
	__u64 classes[AG_CLASS_MAX];
	json_t *ports = json_object(), *services = json_object(), *bytes = json_object();
	uint64_t dark_bytes;

	sum_classes(s, classes, &dark_bytes);
	builder_put(b, object, "classes", builder_labels(b, labels_class, classes, AG_CLASS_MAX));
	builder_put(b, object, "protocols", by_number(b, t->protocol, 256));
	builder_put(b, ports, "tcp", by_number(b, s->ports.tcp, AG_PORTS));
	builder_put(b, ports, "udp", by_number(b, s->ports.udp, AG_PORTS));
	builder_put(b, object, "ports", ports);
	builder_count(b, object, "no_port", t->no_port);
	builder_put(b, object, "tcp_flags", by_flags(b, t->tcp_flags));
	builder_put(b, object, "icmp", by_icmp(b, s->icmp.v4));
	builder_put(b, object, "icmpv6", by_icmp(b, s->icmp.v6));
	builder_put(b, object, "tools", builder_labels(b, labels_tool, t->tool, AG_TOOL_MAX));
	builder_put(b, services, "request",
		    builder_labels_seen(b, labels_service, t->service[AG_REQUEST], AG_SERVICE_MAX));
	builder_put(b, services, "response",
		    builder_labels_seen(b, labels_service, t->service[AG_RESPONSE], AG_SERVICE_MAX));
	builder_put(b, object, "services", services);
	builder_put(b, object, "anomalies", builder_labels_seen(b, labels_anomaly, t->anomaly, AG_ANOMALY_MAX));
	builder_put(b, object, "sizes", builder_labels_seen(b, labels_size, t->size, AG_SIZE_MAX));
	if (s->visits)
		builder_put(b, object, "visits", by_number(b, s->visits, AG_PORTS));
	builder_count(b, bytes, "dark", dark_bytes);
	builder_count(b, bytes, "wire", t->wire_bytes);
	builder_put(b, object, "bytes", bytes);
}

static json_t *reach(struct builder *b, const struct snapshot_reach *r)
{
	json_t *object = json_object(), *blind = json_array();
	unsigned int i;

	builder_count(b, object, "addresses", r->addresses);
	builder_put(b, object, "expected_pps", json_real(r->expected_pps));
	builder_put(b, object, "seen_pps", json_real(r->seen_pps));
	builder_put(b, object, "scanner_touch_seconds", json_real(r->scanner_touch_s));
	builder_put(b, object, "smallest_flood_pps", json_real(r->smallest_flood_pps));
	for (i = 0; i < r->blind_count; i++)
		builder_append(b, blind, json_string(r->blind[i]));
	builder_put(b, object, "blind", blind);
	return object;
}

static json_t *memory(struct builder *b, const struct snapshot *s)
{
	json_t *object = json_object();

	builder_count(b, object, "map_bytes", s->map_bytes);
	builder_count(b, object, "rss_anon_bytes", s->rss_anon_bytes);
	return object;
}

json_t *serve_summary(const struct snapshot *s, struct sources *sources, size_t top_sources)
{
	struct builder b = {};
	json_t *object = json_object();

	builder_put(&b, object, "engine", json_string(s->engine));
	builder_count(&b, object, "received", s->totals.received);
	builder_put(&b, object, "outcomes",
		    builder_labels(&b, labels_outcome, s->totals.outcome, AG_OUTCOME_MAX));
	builder_count(&b, object, "dark", s->totals.dark);
	put_dark(&b, object, s);
	builder_count(&b, object, "sources", s->sources);
	builder_put(&b, object, "hosts", hosts(&b, &s->hosts));
	builder_put(&b, object, "scopes", list_scopes(&b, s));
	if (s->promoted_count)
		builder_put(&b, object, "promoted", promoted(&b, s));
	builder_put(&b, object, "ledger", ledger(&b, s));
	builder_put(&b, object, "flows", flows(&b, &s->flow));
	builder_put(&b, object, "disabled_rules", disabled(&b, s));
	if (sources)
		sources_json_put(&b, object, sources, top_sources);
	if (s->start_ns) {
		builder_put(&b, object, "nic", nic(&b, s));
		builder_put(&b, object, "gaps", gaps(&b, s));
		builder_put(&b, object, "reach", reach(&b, &s->reach));
		builder_put(&b, object, "memory", memory(&b, s));
		builder_count(&b, object, "time", (uint64_t)(s->time_ns / 1000000000));
		builder_count(&b, object, "start_time", (uint64_t)(s->start_ns / 1000000000));
	}
	return builder_finish(&b, object);
}
