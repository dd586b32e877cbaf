// SPDX-License-Identifier: GPL-2.0-only
/*
 * Metrics from a snapshot (metrics.h). Cardinality is bounded by tables and by the watch list, never by
 * traffic.
 */
#include <stdio.h>
#include <string.h>

#include "base/openmetrics.h"
#include "serve/labels.h"
#include "serve/metrics.h"
#include "version.h"

#define NS 1e9

/* IP protocols that have a label; all others are "other". */
static const struct {
	unsigned int number;
	const char *label;
} protocols[] = {{6, "tcp"}, {17, "udp"}, {1, "icmp"}, {58, "icmpv6"}, {47, "gre"}, {132, "sctp"}};

#define PROTOCOLS (sizeof(protocols) / sizeof(protocols[0]))

static void one(struct metrics *m, const char *label, const char *value, uint64_t count)
{
	metrics_begin(m);
	if (label && value)
		metrics_label(m, label, value);
	metrics_integer(m, count);
}

static void by_label(struct metrics *m, enum metric family, const char *label, const char *const *names,
		     const __u64 *counts, size_t n)
{
	size_t i;

	metrics_family(m, family);
	for (i = 0; i < n; i++)
		one(m, label, names[i], counts[i]);
}

static void add_scope(struct snapshot_scope *to, const struct snapshot_scope *scope)
{
	unsigned int class;

	to->dark_addresses += scope->dark_addresses;
	to->active_addresses += scope->active_addresses;
	for (class = 0; class < AG_CLASS_MAX; class ++) {
		to->packets[class] += scope->packets[class];
		to->bytes[class] += scope->bytes[class];
	}
}

/* What a scope had before it was shown stays with the others. */
static void leave_past(struct snapshot_scope *shown, struct snapshot_scope *other,
		       const struct ag_kept_scope *place)
{
	unsigned int class;

	for (class = 0; class < AG_CLASS_MAX; class ++) {
		shown->packets[class] -= place->packets[class];
		shown->bytes[class] -= place->bytes[class];
		other->packets[class] += place->packets[class];
		other->bytes[class] += place->bytes[class];
	}
}

/* The scopes that have places (kept_show_scopes), `other` last when there are more; returns how many. */
static unsigned int shown_scopes(const struct snapshot *s, struct snapshot_scope shown[AG_SCOPES_SHOWN + 1])
{
	struct snapshot_scope other = {.name = "other"};
	bool has_place[AG_SCOPES_MAX + 1] = {};
	unsigned int i, n = 0;

	if (s->every_destination) {
		shown[0] = s->scopes[0];
		return 1;
	}
	for (i = 0; i < AG_SCOPES_SHOWN; i++) {
		const struct ag_kept_scope *place = &s->shown[i];

		if (!place->scope)
			continue;
		has_place[place->scope] = true;
		shown[n] = s->scopes[place->scope];
		leave_past(&shown[n++], &other, place);
	}
	for (i = 1; i <= s->scopes_count; i++)
		if (!has_place[i])
			add_scope(&other, &s->scopes[i]);
	if (n < s->scopes_count)
		shown[n++] = other;
	return n;
}

static void write_scopes(struct metrics *m, const struct snapshot *s)
{
	struct snapshot_scope shown[AG_SCOPES_SHOWN + 1];
	unsigned int n = shown_scopes(s, shown), i, class, bytes;

	for (bytes = 0; bytes < 2; bytes++) {
		metrics_family(m, bytes ? METRIC_BYTES : METRIC_PACKETS);
		for (i = 0; i < n; i++)
			for (class = 0; class < AG_CLASS_MAX; class ++) {
				metrics_begin(m);
				metrics_label(m, "scope", shown[i].name);
				metrics_label(m, "class", labels_class[class]);
				metrics_integer(m, bytes ? shown[i].bytes[class] : shown[i].packets[class]);
			}
	}
	metrics_family(m, METRIC_DARK_ADDRESSES);
	for (i = 0; i < n; i++)
		one(m, "scope", shown[i].name, shown[i].dark_addresses);
	metrics_family(m, METRIC_ACTIVE_ADDRESSES);
	for (i = 0; i < n; i++)
		one(m, "scope", shown[i].name, shown[i].active_addresses);
}

static void write_protocols(struct metrics *m, const struct snapshot *s)
{
	uint64_t other = 0;
	unsigned int i;
	size_t j;

	metrics_family(m, METRIC_PROTOCOL);
	for (j = 0; j < PROTOCOLS; j++)
		one(m, "protocol", protocols[j].label, s->totals.protocol[protocols[j].number]);
	for (i = 0; i < 256; i++) {
		for (j = 0; j < PROTOCOLS && protocols[j].number != i; j++)
			;
		other += j == PROTOCOLS ? s->totals.protocol[i] : 0;
	}
	one(m, "protocol", "other", other);
}

static void port_sample(struct metrics *m, const char *protocol, unsigned int port, uint64_t count,
			const char *window)
{
	char text[8];

	snprintf(text, sizeof(text), "%u", port);
	metrics_begin(m);
	metrics_label(m, "protocol", protocol);
	metrics_label(m, "port", text);
	if (window)
		metrics_label(m, "window", window);
	metrics_integer(m, count);
}

/* The watch list of one protocol, and all other ports of it together: a port that is watched since a reload has
 * its past in "other" for ever, so that no series ever goes back. */
static void write_watched(struct metrics *m, const struct snapshot *s, uint8_t number, const char *label)
{
	const __u64 *counts = number == 6 ? s->ports.tcp : s->ports.udp;
	uint64_t other = 0;
	size_t i;

	for (i = 0; i < AG_PORTS; i++)
		other += counts[i];
	for (i = 0; i < s->watch_count; i++) {
		if (s->watch[i].protocol != number)
			continue;
		port_sample(m, label, s->watch[i].port, counts[s->watch[i].port] - s->watch_before[i], NULL);
		other -= counts[s->watch[i].port] - s->watch_before[i];
	}
	metrics_begin(m);
	metrics_label(m, "protocol", label);
	metrics_label(m, "port", "other");
	metrics_integer(m, other);
}

/* The ports with most packets in the last hour, and who asked for them. */
static void write_top_ports(struct metrics *m, const struct snapshot *s)
{
	unsigned int i;

	metrics_family(m, METRIC_TOP_PORT);
	for (i = 0; i < s->top_tcp_count; i++)
		port_sample(m, "tcp", s->top_tcp[i].port, s->top_tcp[i].packets, "1h");
	for (i = 0; i < s->top_udp_count; i++)
		port_sample(m, "udp", s->top_udp[i].port, s->top_udp[i].packets, "1h");
	metrics_family(m, METRIC_TOP_PORT_SOURCES);
	for (i = 0; i < s->top_tcp_count; i++)
		port_sample(m, "tcp", s->top_tcp[i].port, s->top_tcp[i].hosts, "1h");
	for (i = 0; i < s->top_udp_count; i++)
		port_sample(m, "udp", s->top_udp[i].port, s->top_udp[i].hosts, "1h");
}

static void write_ports(struct metrics *m, const struct snapshot *s)
{

	metrics_family(m, METRIC_PORT);
	write_watched(m, s, 6, "tcp");
	write_watched(m, s, 17, "udp");
	metrics_family(m, METRIC_NO_PORT);
	one(m, NULL, NULL, s->totals.no_port);
	write_top_ports(m, s);
}

static void write_services(struct metrics *m, const struct snapshot *s)
{
	unsigned int service;

	/* Requests by service; responses are one sum, or two services more would double the series. */
	metrics_family(m, METRIC_SERVICE);
	for (service = 1; service < AG_SERVICE_MAX; service++) {
		metrics_begin(m);
		metrics_label(m, "service", labels_service[service]);
		metrics_label(m, "direction", "request");
		metrics_integer(m, s->totals.service[AG_REQUEST][service]);
	}
}

static void write_sources(struct metrics *m, const struct snapshot *s)
{
	unsigned int set, window;

	/* Of tools the day is told, of the rest all windows: /api/v1/summary has everything. */
	metrics_family(m, METRIC_SOURCES);
	for (set = 0; set < HOSTS_SETS; set++)
		for (window = set <= AG_CLASS_MAX ? 0 : HOSTS_1D; window < HOSTS_WINDOWS; window++) {
			metrics_begin(m);
			metrics_label(m, "set", labels_hosts(set));
			metrics_label(m, "window", labels_window[window]);
			metrics_integer(m, s->hosts.hosts[set][window]);
		}
	metrics_family(m, METRIC_SOURCES_KEPT);
	one(m, NULL, NULL, s->kept.sources);
	metrics_family(m, METRIC_SOURCES_FORGOTTEN);
	one(m, NULL, NULL, s->kept.forgotten_sources);
	by_label(m, METRIC_ALERTS, "kind", labels_alert, s->alerts, AG_ALERT_MAX);
}

static void write_interfaces(struct metrics *m, const struct snapshot *s)
{
	unsigned int i, j;

	metrics_family(m, METRIC_RECEIVED);
	for (i = 0; i < s->interfaces_count; i++)
		one(m, "interface", s->interfaces[i].name, s->interfaces[i].received);
	metrics_family(m, METRIC_INTERFACE_UP);
	for (i = 0; i < s->interfaces_count; i++)
		one(m, "interface", s->interfaces[i].name, s->interfaces[i].present);
	metrics_family(m, METRIC_GAP_SECONDS);
	for (i = 0; i < s->interfaces_count; i++) {
		metrics_begin(m);
		metrics_label(m, "interface", s->interfaces[i].name);
		metrics_real(m, (double)gaps_lasted_ns(&s->gaps, s->interfaces[i].name, s->time_ns) / NS);
	}
	metrics_family(m, METRIC_NIC_PACKETS);
	for (i = 0; i < s->interfaces_count; i++)
		one(m, "interface", s->interfaces[i].name, s->interfaces[i].nic_packets);
	metrics_family(m, METRIC_NIC_DROPPED);
	for (i = 0; i < s->interfaces_count; i++)
		for (j = 0; j < s->interfaces[i].nic_count; j++) {
			if (!s->interfaces[i].nic[j].known)
				continue;
			metrics_begin(m);
			metrics_label(m, "interface", s->interfaces[i].name);
			metrics_label(m, "counter", s->interfaces[i].nic[j].name);
			metrics_integer(m, s->interfaces[i].nic[j].packets);
		}
	metrics_family(m, METRIC_XDP);
	for (i = 0; i < s->interfaces_count; i++) {
		metrics_begin(m);
		metrics_label(m, "interface", s->interfaces[i].name);
		metrics_label(m, "mode", s->interfaces[i].xdp_mode);
		metrics_label(m, "feed", labels_feed[s->interfaces[i].feed]);
		metrics_integer(m, 1);
	}
}

static void write_doctor(struct metrics *m, const struct snapshot *s)
{
	unsigned int i, j;

	metrics_family(m, METRIC_DOCTOR);
	for (i = 0; i < s->checks_count; i++) {
		int worst = -1;

		for (j = 0; j < i && strcmp(s->checks[j].name, s->checks[i].name); j++)
			;
		if (j < i)
			continue; /* told with its first subject */
		for (j = i; j < s->checks_count; j++)
			if (!strcmp(s->checks[j].name, s->checks[i].name) &&
			    s->checks[j].state != SNAPSHOT_UNKNOWN && (int)s->checks[j].state > worst)
				worst = (int)s->checks[j].state;
		if (worst >= 0)
			one(m, "check", s->checks[i].name, (uint64_t)worst);
	}
}

static void write_flows(struct metrics *m, const struct reader_totals *t)
{
	metrics_family(m, METRIC_INTERVALS);
	one(m, NULL, NULL, t->intervals);
	metrics_family(m, METRIC_FLOW_RECORDS);
	one(m, NULL, NULL, t->records);
	metrics_family(m, METRIC_FLOW_TOUCHES);
	one(m, NULL, NULL, t->touches);
	by_label(m, METRIC_LOST, "stage", labels_lost, t->lost, AG_LOST_MAX);
	by_label(m, METRIC_FLAGS, "kind", labels_alert, t->flagged, AG_ALERT_MAX);
}

static void write_health(struct metrics *m, const struct snapshot *s)
{
	write_flows(m, &s->flow);
	by_label(m, METRIC_IMBALANCE, "law", labels_law, s->imbalance, AG_LAW_MAX);
	metrics_family(m, METRIC_SHARED);
	one(m, NULL, NULL, s->shared_packets);
	write_doctor(m, s);
	metrics_family(m, METRIC_EXPECTED);
	metrics_begin(m);
	metrics_real(m, s->reach.expected_pps);
	metrics_family(m, METRIC_MAP_BYTES);
	one(m, NULL, NULL, s->map_bytes);
	metrics_family(m, METRIC_RSS_BYTES);
	one(m, NULL, NULL, s->rss_anon_bytes);
	metrics_family(m, METRIC_PROCESS_START);
	metrics_begin(m);
	metrics_real(m, (double)s->process_start_ns / NS);
	metrics_family(m, METRIC_PROCESS_CPU);
	metrics_begin(m);
	metrics_real(m, (double)s->process_cpu_ns / NS);
	metrics_family(m, METRIC_START_TIME);
	metrics_begin(m);
	metrics_real(m, (double)s->start_ns / NS);
	metrics_family(m, METRIC_SNAPSHOT_TIME);
	metrics_begin(m);
	metrics_real(m, (double)s->time_ns / NS);
	metrics_family(m, METRIC_BUILD);
	metrics_begin(m);
	metrics_label(m, "version", AIRGLOW_VERSION);
	metrics_label(m, "revision", AIRGLOW_COMMIT);
	metrics_integer(m, 1);
}

unsigned int serve_metrics(FILE *out, const struct snapshot *s, bool openmetrics)
{
	struct metrics m;

	metrics_init(&m, out, openmetrics);
	by_label(&m, METRIC_OUTCOME, "outcome", labels_outcome, s->totals.outcome, AG_OUTCOME_MAX);
	write_scopes(&m, s);
	write_protocols(&m, s);
	write_ports(&m, s);
	by_label(&m, METRIC_TOOL, "tool", labels_tool, s->totals.tool, AG_TOOL_MAX);
	write_services(&m, s);
	by_label(&m, METRIC_ANOMALY, "anomaly", labels_anomaly, s->totals.anomaly, AG_ANOMALY_MAX);
	write_sources(&m, s);
	write_interfaces(&m, s);
	write_health(&m, s);
	metrics_end(&m);
	return m.series;
}

unsigned int serve_port_metrics(FILE *out, const struct snapshot *s, bool openmetrics)
{
	struct metrics m;
	unsigned int port;

	metrics_init(&m, out, openmetrics);
	metrics_family(&m, METRIC_PORT);
	for (port = 0; port < AG_PORTS; port++)
		if (s->ports.tcp[port])
			port_sample(&m, "tcp", port, s->ports.tcp[port], NULL);
	for (port = 0; port < AG_PORTS; port++)
		if (s->ports.udp[port])
			port_sample(&m, "udp", port, s->ports.udp[port], NULL);
	if (s->visits) {
		metrics_family(&m, METRIC_VISITS);
		for (port = 0; port < AG_PORTS; port++)
			if (s->visits[port])
				port_sample(&m, "tcp", port, s->visits[port], NULL);
	}
	metrics_end(&m);
	return m.series;
}
