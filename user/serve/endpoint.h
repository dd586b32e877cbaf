/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What each path answers: a table, and one renderer a path. Knows snapshots, not HTTP: serve.c speaks that.
 */
#ifndef AIRGLOW_SERVE_ENDPOINT_H
#define AIRGLOW_SERVE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "collect/snapshot.h"

#define ENDPOINT_PARAMETERS_MAX 4
#define ENDPOINT_REASON_BYTES	160

/* What a client asked for, as far as a renderer may care. */
struct request {
	bool openmetrics;     /* metrics: the client prefers OpenMetrics */
	bool plain;	      /* "/": the client does not want HTML */
	const char *protocol; /* "tcp", "udp" or NULL: both */
	bool by_port;	      /* sort=port */
	unsigned int limit;   /* 0: all */
	unsigned int given;   /* mask of the endpoint's parameters that were read */
};

struct answer {
	unsigned int status; /* HTTP */
	char *body;	     /* malloc; the caller's */
	size_t size;
	const char *type; /* static: Content-Type */
};

struct endpoint {
	const char *path;
	const char *summary;				 /* for the OpenAPI description */
	const char *parameters[ENDPOINT_PARAMETERS_MAX]; /* names that are known; all else is refused */
	bool needs_snapshot;				 /* 503 before the first one */
	/* Fills the answer from the snapshot. 0 or -ENOMEM. */
	int (*render)(struct answer *answer, const struct snapshot *snapshot, const struct request *request);
};

/* The endpoint of a path, or NULL. */
const struct endpoint *endpoint_find(const char *path);

/*
 * Reads one query parameter into the request. 0, or -EINVAL with a sentence in reason (unknown name, bad
 * value).
 */
int endpoint_parameter(const struct endpoint *endpoint, struct request *request, const char *name,
		       const char *value, char reason[ENDPOINT_REASON_BYTES]);

/* {"error": ..., "reason": ...} with a status. 0 or -ENOMEM. */
int endpoint_error(struct answer *answer, unsigned int status, const char *error, const char *reason);

#endif
