/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HTTP: metrics and JSON from snapshots and from the table of sources. Knows those and nothing behind them.
 */
#ifndef AIRGLOW_SERVE_SERVE_H
#define AIRGLOW_SERVE_SERVE_H

#include <stddef.h>
#include <sys/types.h>

#include <jansson.h>

#include "base/config.h"
#include "collect/feed.h"
#include "collect/snapshot.h"
#include "collect/sources.h"

struct serve;

/*
 * Reads what the configuration says about HTTP and what it names, without opening a socket: 0, or -errno and a
 * sentence. Refused is, among others, an address that other hosts can reach and that asks for no password or
 * certificate of a client, unless listen_open.
 */
int serve_check(const struct config *config, char *why, size_t why_size);

/*
 * The same, and opens the listening sockets: in the caller's network namespace, so that a sensor that then
 * enters another one is still reached; before there are threads, and while files may be read that only root
 * can. Nothing is served yet. serve_stop ends it at any time.
 */
int serve_open(struct serve **out, const struct config *config, char *why, size_t why_size);

/* Gives unix sockets to another user and group, before privileges are dropped. 0 or -errno. */
int serve_own(const struct serve *serve, uid_t user, gid_t group);

/*
 * For who restricts what this process may open: the files of the web configuration, that are read again, and
 * the unix sockets, that are removed at the end. NULL: there is no i-th. Before serve_start.
 */
const char *serve_file(const struct serve *serve, unsigned int i);
const char *serve_socket(const struct serve *serve, unsigned int i);

/* What is served; all of it is borrowed. */
struct serve_options {
	struct snapshot_box *box;
	struct sources *sources;
	struct feed *feed;
};

/*
 * Serves until serve_stop, which is due also when it could not start. Threads begin here: two for each socket
 * of TCP, one for each unix socket, one for streams, one that checks passwords (niceness 5), one that looks
 * every second at the files of the web configuration, which are read again when they change, and at slow
 * clients. What they need later on: reading those files, and at the end removing unix sockets.
 */
int serve_start(struct serve *serve, const struct serve_options *options, char *why, size_t why_size);
void serve_stop(struct serve **serve);

/*
 * The object of /api/v1/summary and `replay --json`: a new reference, NULL without memory. With at most
 * top_sources sources one by one; sources may be NULL, then nothing is told of them and their alerts.
 */
json_t *serve_summary(const struct snapshot *snapshot, struct sources *sources, size_t top_sources);

#endif
