// SPDX-License-Identifier: GPL-2.0-only
/*
 * The summary object: what `replay --json` prints and /api/v1/summary answers, from a snapshot. All figures are
 * integers; maps of labels are complete, maps of numbers hold what is not zero, in ascending order.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "serve/labels.h"
#include "serve/serve.h"

/* Sticky: a failed json_object_set_new anywhere makes the whole object fail. */
struct builder {
	bool failed;
};

static void put(struct builder *b, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value))
		b->failed = true;
}

static void put_count(struct builder *b, json_t *object, const char *key, uint64_t count)
{
	put(b, object, key, json_integer((json_int_t)count));
}

static json_t *by_label(struct builder *b, const char *const *labels, const __u64 *counts, size_t n)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < n; i++)
		put_count(b, object, labels[i], counts[i]);
	return object;
}

static json_t *by_number(struct builder *b, const __u64 *counts, size_t n)
{
	json_t *object = json_object();
	char key[24];
	size_t i;

	for (i = 0; i < n; i++) {
		if (!counts[i])
			continue;
		snprintf(key, sizeof(key), "%zu", i);
		put_count(b, object, key, counts[i]);
	}
	return object;
}

static json_t *by_flags(struct builder *b, const __u64 counts[256])
{
	static const char letters[] = "FSRPAUEC";
	json_t *object = json_object();
	unsigned int flags, bit;

	for (flags = 0; flags < 256; flags++) {
		char key[sizeof(letters)], *end = key;

		if (!counts[flags])
			continue;
		for (bit = 0; bit < 8; bit++)
			if (flags & 1u << bit)
				*end++ = letters[bit];
		if (end == key)
			*end++ = '-';
		*end = 0;
		put_count(b, object, key, counts[flags]);
	}
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
		put_count(b, object, key, counts[i]);
	}
	return object;
}

/* Labels whose count is not zero. */
static json_t *by_label_seen(struct builder *b, const char *const *labels, const __u64 *counts, size_t n)
{
	json_t *object = json_object();
	size_t i;

	for (i = 0; i < n; i++)
		if (counts[i])
			put_count(b, object, labels[i], counts[i]);
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
		put(b, object, "scope", json_string(scope->name));
		put_count(b, object, "dark_addresses", scope->dark_addresses);
		put_count(b, object, "active_addresses", scope->active_addresses);
		put(b, object, "packets", by_label(b, labels_class, packets, AG_CLASS_MAX));
		put(b, object, "bytes", by_label(b, labels_class, bytes, AG_CLASS_MAX));
		if (json_array_append_new(array, object))
			b->failed = true;
	}
	return array;
}

static json_t *ledger(struct builder *b, const struct snapshot *s)
{
	json_t *object = json_object();
	unsigned int law;

	for (law = 0; law < AG_LAW_MAX; law++)
		put_count(b, object, labels_law[law], s->imbalance[law]);
	return object;
}

static json_t *flows(struct builder *b, const struct reader_totals *t)
{
	json_t *object = json_object();

	put_count(b, object, "intervals", t->intervals);
	put_count(b, object, "records", t->records);
	put_count(b, object, "record_packets", t->record_packets);
	put_count(b, object, "touches", t->touches);
	put_count(b, object, "sweepers", t->sweepers);
	put_count(b, object, "summary_refused", t->summary_refused);
	put(b, object, "lost", by_label(b, labels_lost, t->lost, AG_LOST_MAX));
	put(b, object, "flags", by_label(b, labels_alert, t->flagged, AG_ALERT_MAX));
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
			put_count(b, sets, labels_hosts(set), figures->hosts[set][window]);
		put(b, object, labels_window[window], sets);
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

		put(b, object, "name", json_string(s->promoted[i].name));
		put_count(b, object, "sources", s->promoted[i].addresses_count);
		put_count(b, object, "reached_today", s->promoted_reached[i].today);
		put_count(b, object, "reached_yesterday", s->promoted_reached[i].yesterday);
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

		put_count(b, one, "received", shown->received);
		put_count(b, one, "packets", shown->nic_packets);
		for (j = 0; j < shown->nic_count; j++)
			put(b, dropped, shown->nic[j].name,
			    shown->nic[j].known ? json_integer((json_int_t)shown->nic[j].packets)
						: json_string("unknown"));
		put(b, one, "dropped", dropped);
		put(b, one, "mode", json_string(shown->xdp_mode));
		put(b, one, "feed", json_string(labels_feed[shown->feed]));
		put(b, one, "present", json_boolean(shown->present));
		put(b, object, shown->name, one);
	}
	return object;
}

static json_t *disabled(struct builder *b, const struct snapshot *s)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < s->disabled_rules_count; i++)
		if (json_array_append_new(array, json_string(s->disabled_rules[i])))
			b->failed = true;
	return array;
}

static void put_dark(struct builder *b, json_t *object, const struct snapshot *s)
{
	const struct ag_counters *t = &s->totals;
	__u64 classes[AG_CLASS_MAX];
	json_t *ports = json_object(), *services = json_object(), *bytes = json_object();
	uint64_t dark_bytes;

	sum_classes(s, classes, &dark_bytes);
	put(b, object, "classes", by_label(b, labels_class, classes, AG_CLASS_MAX));
	put(b, object, "protocols", by_number(b, t->protocol, 256));
	put(b, ports, "tcp", by_number(b, s->ports.tcp, AG_PORTS));
	put(b, ports, "udp", by_number(b, s->ports.udp, AG_PORTS));
	put(b, object, "ports", ports);
	put_count(b, object, "no_port", t->no_port);
	put(b, object, "tcp_flags", by_flags(b, t->tcp_flags));
	put(b, object, "icmp", by_icmp(b, s->icmp.v4));
	put(b, object, "icmpv6", by_icmp(b, s->icmp.v6));
	put(b, object, "tools", by_label(b, labels_tool, t->tool, AG_TOOL_MAX));
	put(b, services, "request", by_label_seen(b, labels_service, t->service[AG_REQUEST], AG_SERVICE_MAX));
	put(b, services, "response", by_label_seen(b, labels_service, t->service[AG_RESPONSE], AG_SERVICE_MAX));
	put(b, object, "services", services);
	put(b, object, "anomalies", by_label_seen(b, labels_anomaly, t->anomaly, AG_ANOMALY_MAX));
	put(b, object, "sizes", by_label_seen(b, labels_size, t->size, AG_SIZE_MAX));
	put_count(b, bytes, "dark", dark_bytes);
	put_count(b, bytes, "wire", t->wire_bytes);
	put(b, object, "bytes", bytes);
}

static json_t *reach(struct builder *b, const struct snapshot_reach *r)
{
	json_t *object = json_object(), *blind = json_array();
	unsigned int i;

	put_count(b, object, "addresses", r->addresses);
	put(b, object, "expected_pps", json_real(r->expected_pps));
	put(b, object, "seen_pps", json_real(r->seen_pps));
	put(b, object, "scanner_touch_seconds", json_real(r->scanner_touch_s));
	put(b, object, "smallest_flood_pps", json_real(r->smallest_flood_pps));
	for (i = 0; i < r->blind_count; i++)
		if (json_array_append_new(blind, json_string(r->blind[i])))
			b->failed = true;
	put(b, object, "blind", blind);
	return object;
}

static json_t *memory(struct builder *b, const struct snapshot *s)
{
	json_t *object = json_object();

	put_count(b, object, "map_bytes", s->map_bytes);
	put_count(b, object, "rss_anon_bytes", s->rss_anon_bytes);
	return object;
}

json_t *serve_summary(const struct snapshot *s)
{
	struct builder b = {};
	json_t *object = json_object();

	put(&b, object, "engine", json_string(s->engine));
	put_count(&b, object, "received", s->totals.received);
	put(&b, object, "outcomes", by_label(&b, labels_outcome, s->totals.outcome, AG_OUTCOME_MAX));
	put_count(&b, object, "dark", s->totals.dark);
	put_dark(&b, object, s);
	put_count(&b, object, "sources", s->sources);
	put(&b, object, "hosts", hosts(&b, &s->hosts));
	put(&b, object, "scopes", list_scopes(&b, s));
	if (s->promoted_count)
		put(&b, object, "promoted", promoted(&b, s));
	put(&b, object, "ledger", ledger(&b, s));
	put(&b, object, "flows", flows(&b, &s->flow));
	put(&b, object, "disabled_rules", disabled(&b, s));
	put(&b, object, "alerts", json_array());
	if (s->start_ns) {
		put(&b, object, "nic", nic(&b, s));
		put(&b, object, "reach", reach(&b, &s->reach));
		put(&b, object, "memory", memory(&b, s));
		put_count(&b, object, "time", (uint64_t)(s->time_ns / 1000000000));
		put_count(&b, object, "start_time", (uint64_t)(s->start_ns / 1000000000));
	}
	if (b.failed) {
		json_decref(object);
		return NULL;
	}
	return object;
}
