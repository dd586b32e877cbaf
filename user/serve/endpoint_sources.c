// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who sent it and what was settled: /api/v1/sources and /api/v1/alerts (endpoint.h). These ask the table
 * itself, which is as new as the last records, not the snapshot.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "serve/endpoint.h"
#include "serve/labels.h"
#include "serve/sources_json.h"

int endpoint_render_sources(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	struct sources_filter filter = {
		.by_class = r->class,
		.class = (uint8_t)(r->class ? r->class - 1 : 0),
		.by_tool = r->tool,
		.tool = r->tool > AG_TOOL_MAX ? AG_TOOL_NONE : r->tool - 1,
		.by_port = r->has_port,
		.protocol = r->protocol && !strcmp(r->protocol, "udp") ? IPPROTO_UDP : IPPROTO_TCP,
		.port = (uint16_t)r->port,
	};
	struct builder b = {};
	struct sources_totals totals;
	json_t *object = json_object();

	(void)s;
	if (r->has_port != (r->protocol != NULL)) {
		json_decref(object);
		return endpoint_error(answer, 400, "bad parameter", "protocol and port go together");
	}
	sources_totals(r->sources, &totals);
	builder_count(&b, object, "sources_kept", totals.sources);
	builder_count(&b, object, "sources_forgotten", totals.forgotten_sources);
	builder_put(&b, object, "sources",
		    sources_json_list(&b, r->sources, &filter, r->limit ? r->limit : SOURCES_TOP));
	return endpoint_json(answer, builder_finish(&b, object));
}

int endpoint_render_source(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	struct flow_view flows[SOURCES_FLOWS_MAX];
	size_t count = SOURCES_FLOWS_MAX, i;
	char reason[ENDPOINT_REASON_BYTES];
	struct source_view view;
	struct builder b = {};
	uint64_t hi, lo;
	json_t *object, *array;
	bool v6;

	(void)s;
	if (address_parse(&hi, &lo, &v6, r->operand, reason, sizeof(reason)))
		return endpoint_error(answer, 400, "no address",
				      "what follows /api/v1/sources/ must be an IPv4 or IPv6 address");
	if (!sources_find(r->sources, hi, lo, v6, &view, flows, &count))
		return endpoint_error(answer, 404, "unknown source",
				      "no packet of that address is in the table of sources");
	object = sources_json_source(&b, &view);
	array = json_array();
	for (i = 0; i < count; i++)
		builder_append(&b, array, sources_json_flow(&b, &flows[i]));
	builder_put(&b, object, "flows", array);
	return endpoint_json(answer, builder_finish(&b, object));
}

/* Moves those of the kind to the front; returns how many. */
static size_t keep_kind(struct alert *alerts, size_t count, unsigned int kind)
{
	size_t used = 0, i;

	for (i = 0; i < count; i++)
		if (alerts[i].kind == kind)
			alerts[used++] = alerts[i];
	return used;
}

static json_t *counts_by_kind(struct builder *b, struct sources *sources)
{
	__u64 kinds[AG_ALERT_MAX];

	sources_alert_counts(sources, kinds);
	return builder_labels(b, labels_alert, kinds, AG_ALERT_MAX);
}

/* With `after` the first behind it, so that a reader can go on; else the newest. */
int endpoint_render_alerts(struct answer *answer, const struct snapshot *s, const struct request *r)
{
	struct alert *alerts = malloc(ALERTS_KEPT * sizeof(*alerts));
	size_t count, limit = r->limit ? r->limit : ALERTS_KEPT, first = 0, i;
	struct builder b = {};
	json_t *object, *array;

	(void)s;
	if (!alerts)
		return -ENOMEM;
	count = sources_alerts(r->sources, r->after, alerts, ALERTS_KEPT);
	if (r->kind)
		count = keep_kind(alerts, count, r->kind - 1);
	if (count > limit && !r->has_after)
		first = count - limit;
	array = json_array();
	for (i = first; i < count && i - first < limit; i++)
		builder_append(&b, array, sources_json_alert(&b, &alerts[i]));
	free(alerts);
	object = json_object();
	builder_put(&b, object, "counts", counts_by_kind(&b, r->sources));
	builder_put(&b, object, "alerts", array);
	return endpoint_json(answer, builder_finish(&b, object));
}
