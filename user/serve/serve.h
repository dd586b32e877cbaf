/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HTTP: metrics and JSON from snapshots and from the table of sources. Knows those and nothing behind them.
 */
#ifndef AIRGLOW_SERVE_SERVE_H
#define AIRGLOW_SERVE_SERVE_H

#include <stddef.h>

#include <jansson.h>

#include "collect/feed.h"
#include "collect/snapshot.h"
#include "collect/sources.h"

struct serve;

/*
 * Opens the listening socket: "ADDRESS:PORT", "[v6]:PORT". In the caller's network namespace, so that a sensor
 * that then enters another one is still reached. 0 and a file descriptor (the caller's), or -errno and a
 * sentence.
 */
int serve_listen(int *fd_out, const char *address, char *why, size_t why_size);

/* What is served; all of it is borrowed. */
struct serve_options {
	struct snapshot_box *box;
	struct sources *sources;
	struct feed *feed;
};

/* Serves on a listening socket (taken over) until serve_stop. */
int serve_start(struct serve **out, int listen_fd, const struct serve_options *options, char *why,
		size_t why_size);
void serve_stop(struct serve **serve);

/*
 * The object of /api/v1/summary and `replay --json`: a new reference, NULL without memory. With at most
 * top_sources sources one by one; sources may be NULL, then nothing is told of them and their alerts.
 */
json_t *serve_summary(const struct snapshot *snapshot, struct sources *sources, size_t top_sources);

#endif
