/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sources, their flows and alerts as JSON objects: the same in `replay --json`, in the summary, under
 * /api/v1/sources and /api/v1/alerts, and in the stream.
 */
#ifndef AIRGLOW_SERVE_SOURCES_JSON_H
#define AIRGLOW_SERVE_SOURCES_JSON_H

#include <jansson.h>

#include "collect/sources.h"
#include "serve/builder.h"

/* New references; what fails is told by the builder. */
json_t *sources_json_source(struct builder *b, const struct source_view *view);
json_t *sources_json_flow(struct builder *b, const struct flow_view *view);
json_t *sources_json_alert(struct builder *b, const struct alert *alert);

/* The sources with most packets that the filter (NULL: all) lets through, at most `most`. */
json_t *sources_json_list(struct builder *b, struct sources *sources, const struct sources_filter *filter,
			  size_t most);

/* What the summary tells of sources: alerts, the `top` first sources, and what the table holds and forgot. */
void sources_json_put(struct builder *b, json_t *summary, struct sources *sources, size_t top);

/* The service port of a flow or an alert under its name: "port", or "icmp" as "type/code". */
void sources_json_put_port(struct builder *b, json_t *object, unsigned int protocol, unsigned int port);

#endif
