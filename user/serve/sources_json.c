// SPDX-License-Identifier: GPL-2.0-only
/*
 * The objects (sources_json.h).
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "serve/labels.h"
#include "serve/sources_json.h"

static void put_address(struct builder *b, json_t *object, const char *key, uint64_t hi, uint64_t lo, bool v6)
{
	char text[ADDRESS_TEXT_BYTES];

	builder_put(b, object, key, json_string(address_format(text, sizeof(text), hi, lo, v6)));
}

static json_t *anomalies(struct builder *b, uint32_t mask)
{
	json_t *array = json_array();
	unsigned int i;

	for (i = 0; i < AG_ANOMALY_MAX; i++)
		if (mask & 1u << i)
			builder_append(b, array, json_string(labels_anomaly[i]));
	return array;
}

json_t *sources_json_source(struct builder *b, const struct source_view *v)
{
	__u64 classes[AG_CLASS_MAX], hits[AG_TOOL_MAX];
	json_t *object = json_object();
	char flags[BUILDER_FLAGS_BYTES];
	uint64_t packets = 0;
	unsigned int i;

	for (i = 0; i < AG_CLASS_MAX; i++)
		packets += classes[i] = v->packets[i];
	for (i = 0; i < AG_TOOL_MAX; i++)
		hits[i] = v->tool_hits[i];
	put_address(b, object, "source", v->src_hi, v->src_lo, v->v6);
	builder_count(b, object, "packets", packets);
	builder_count(b, object, "bytes", v->bytes);
	builder_put(b, object, "classes", builder_labels(b, labels_class, classes, AG_CLASS_MAX));
	builder_count(b, object, "ports", v->ports);
	builder_put(b, object, "ports_at_least", json_boolean(v->ports_at_least));
	builder_count(b, object, "destinations", v->destinations);
	builder_put(b, object, "tool",
		    json_string(v->tool < AG_TOOL_MAX ? labels_tool[v->tool] : LABELS_TOOL_UNKNOWN));
	builder_put(b, object, "tool_hits", builder_labels_seen(b, labels_tool, hits, AG_TOOL_MAX));
	builder_put(b, object, "tcp_flags", json_string(builder_flags(flags, v->flags)));
	builder_put(b, object, "anomalies", anomalies(b, v->anomalies));
	builder_put(b, object, "first_seen", json_integer(v->first_s));
	builder_put(b, object, "last_seen", json_integer(v->last_s));
	return object;
}

void sources_json_put_port(struct builder *b, json_t *object, unsigned int protocol, unsigned int port)
{
	char text[16];

	if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) {
		snprintf(text, sizeof(text), "%u/%u", port >> 8, port & 255);
		builder_put(b, object, "icmp", json_string(text));
	} else if (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP) {
		builder_count(b, object, "port", port);
	}
}

json_t *sources_json_flow(struct builder *b, const struct flow_view *v)
{
	json_t *object = json_object();

	builder_put(b, object, "class", json_string(labels_class[v->class]));
	builder_count(b, object, "protocol", v->protocol);
	sources_json_put_port(b, object, v->protocol, v->port);
	builder_count(b, object, "packets", v->packets);
	builder_count(b, object, "destinations", v->destinations);
	builder_put(b, object, "first_seen", json_integer(v->first_s));
	builder_put(b, object, "last_seen", json_integer(v->last_s));
	return object;
}

json_t *sources_json_alert(struct builder *b, const struct alert *a)
{
	json_t *object = json_object();

	builder_count(b, object, "id", a->number);
	builder_put(b, object, "kind", json_string(labels_alert[a->kind]));
	put_address(b, object, "source", a->src_hi, a->src_lo, a->v6);
	builder_put(b, object, "class", json_string(labels_class[a->class]));
	builder_count(b, object, "protocol", a->protocol);
	builder_count(b, object, "port", 0); /* of each alert; ICMP has none, nor has who asks for many */
	sources_json_put_port(b, object, a->protocol, a->port);
	builder_count(b, object, "packets", a->packets);
	builder_count(b, object, "distinct", a->distinct);
	builder_put(b, object, "slow", json_boolean(a->slow));
	builder_put(b, object, "raised", json_integer(a->raised_s));
	builder_put(b, object, "last_seen", json_integer(a->last_s));
	return object;
}

json_t *sources_json_list(struct builder *b, struct sources *sources, const struct sources_filter *filter,
			  size_t most)
{
	json_t *array = json_array();
	struct sources_totals totals;
	struct source_view *views;
	size_t count, i;

	sources_totals(sources, &totals);
	if (most > totals.sources)
		most = totals.sources;
	views = most ? malloc(most * sizeof(*views)) : NULL;
	if (most && !views) {
		b->failed = true;
		return array;
	}
	count = most ? sources_list(sources, filter, views, most) : 0;
	for (i = 0; i < count; i++)
		builder_append(b, array, sources_json_source(b, &views[i]));
	free(views);
	return array;
}

static json_t *all_alerts(struct builder *b, struct sources *sources)
{
	struct alert *alerts = malloc(ALERTS_KEPT * sizeof(*alerts));
	json_t *array = json_array();
	size_t count, i;

	if (!alerts) {
		b->failed = true;
		return array;
	}
	count = sources_alerts(sources, 0, alerts, ALERTS_KEPT);
	for (i = 0; i < count; i++)
		builder_append(b, array, sources_json_alert(b, &alerts[i]));
	free(alerts);
	return array;
}

void sources_json_put(struct builder *b, json_t *summary, struct sources *sources, size_t top)
{
	json_t *table = json_object();
	struct sources_totals totals;

	sources_totals(sources, &totals);
	builder_put(b, summary, "alerts", all_alerts(b, sources));
	builder_put(b, summary, "top_sources", sources_json_list(b, sources, NULL, top));
	builder_count(b, summary, "sources_kept", totals.sources);
	builder_count(b, summary, "sources_forgotten", totals.forgotten_sources);
	builder_count(b, table, "flows_kept", totals.flows);
	builder_count(b, table, "forgotten_packets", totals.forgotten_packets);
	builder_count(b, table, "folded_packets", totals.folded_packets);
	builder_put(b, summary, "source_table", table);
}
