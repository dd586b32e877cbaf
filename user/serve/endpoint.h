/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each path answers: a table, and one renderer a path. Knows snapshots, not HTTP: serve.c speaks that.
 */
#ifndef AIRGLOW_SERVE_ENDPOINT_H
#define AIRGLOW_SERVE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "collect/snapshot.h"
#include "collect/sources.h"

#define ENDPOINT_PARAMETERS_MAX 5
#define ENDPOINT_REASON_BYTES	160

/* What a client asked for, as far as a renderer may care, and of whom. */
struct request {
	struct sources *sources;
	const char *operand;  /* what stands in the path for {...}; else NULL */
	bool openmetrics;     /* metrics: the client prefers OpenMetrics */
	bool plain;	      /* "/": the client does not want HTML */
	const char *protocol; /* "tcp", "udp" or NULL: both */
	bool by_port;	      /* sort=port */
	unsigned int limit;   /* 0: not said */
	unsigned int after;   /* number of an alert */
	unsigned int port;
	bool has_after, has_port;
	unsigned int kind, class,
		tool;	    /* number of the label plus one; 0: any. tool: AG_TOOL_MAX + 1: unknown */
	unsigned int given; /* mask of the endpoint's parameters that were read */
};

struct answer {
	unsigned int status; /* HTTP */
	char *body;	     /* malloc; the caller's */
	size_t size;
	const char *type; /* static: Content-Type */
};

struct endpoint {
	const char *path;				 /* may end in {name}: any text without a slash */
	const char *summary;				 /* for the OpenAPI description */
	const char *parameters[ENDPOINT_PARAMETERS_MAX]; /* names that are known; all else is refused */
	bool needs_snapshot;				 /* 503 before the first one */
	/* Fills the answer from the snapshot. 0 or -ENOMEM. NULL: events without end (stream.h). */
	int (*render)(struct answer *answer, const struct snapshot *snapshot, const struct request *request);
};

/* The endpoint of a path, or NULL; *operand: what stands for its {name}, borrowed from path, or NULL. */
const struct endpoint *endpoint_find(const char *path, const char **operand);

/*
 * Reads one query parameter into the request. 0, or -EINVAL with a sentence in reason (unknown name, bad
 * value).
 */
int endpoint_parameter(const struct endpoint *endpoint, struct request *request, const char *name,
		       const char *value, char reason[ENDPOINT_REASON_BYTES]);

/* A body of JSON; takes the reference to object, NULL is -ENOMEM. 0 or -ENOMEM. */
int endpoint_json(struct answer *answer, json_t *object);

/* {"error": ..., "reason": ...} with a status. 0 or -ENOMEM. */
int endpoint_error(struct answer *answer, unsigned int status, const char *error, const char *reason);

/* Renderers of who sent it and what was settled (endpoint_sources.c). */
int endpoint_render_sources(struct answer *answer, const struct snapshot *snapshot,
			    const struct request *request);
int endpoint_render_source(struct answer *answer, const struct snapshot *snapshot,
			   const struct request *request);
int endpoint_render_alerts(struct answer *answer, const struct snapshot *snapshot,
			   const struct request *request);

#endif
