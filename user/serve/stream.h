/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /api/v1/stream: answers without end, each a connection of libmicrohttpd that sleeps until there is something
 * for it. No thread waits for a client; what a client is too slow for stays in the feed until it is
 * overwritten.
 */
#ifndef AIRGLOW_SERVE_STREAM_H
#define AIRGLOW_SERVE_STREAM_H

#include <stdint.h>

#include <microhttpd.h>

#include "collect/feed.h"
#include "collect/sources.h"

#define STREAMS_MAX 16 /* at once: about 9 KiB each, and what the socket holds */

struct streams;

/* Both are borrowed. 0 or -errno. */
int streams_new(struct streams **out, struct feed *feed, struct sources *sources);

/*
 * Begins a stream: an answer for the connection, the caller's. last_id: the number of the last alert that the
 * client knows (Last-Event-ID), or NULL: only what is new. NULL: there are STREAMS_MAX, or no memory is left.
 */
struct MHD_Response *streams_open(struct streams *streams, struct MHD_Connection *connection,
				  const char *last_id);

/* Ends all streams; before the daemon is stopped. Streams are freed after it. */
void streams_stop(struct streams *streams);
void streams_free(struct streams **streams);

#endif
