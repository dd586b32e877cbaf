/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the program tells at once, for the live views: a ring of the newest messages, written by one thread,
 * read by any number, each at its own pace. Who is too slow loses the oldest and learns how many. Nothing is
 * allocated for a message, and nobody waits for a reader.
 */
#ifndef AIRGLOW_COLLECT_FEED_H
#define AIRGLOW_COLLECT_FEED_H

#include <stddef.h>
#include <stdint.h>

#include "airglow/abi.h"
#include "collect/header.h"

#define FEED_MESSAGES 1024 /* kept: about 120 bytes each; a power of two */

enum feed_kind { FEED_SIGN, FEED_SAMPLE };

struct feed_message {
	int64_t time_ns; /* Unix time when it was read */
	enum feed_kind kind;
	union {
		struct ag_message_alert sign;
		struct {
			uint32_t class;
			struct header header;
		} sample;
	};
};

struct feed;

/* NULL without memory. settings: copied; the tunnels that are opened stand there. feed_use: other ones. */
struct feed *feed_new(const struct ag_settings *settings);
void feed_use(struct feed *feed, const struct ag_settings *settings);
void feed_free(struct feed **feed);

/* The writer, an engine_message_fn: what is no alert and no readable header is passed over. arg: the feed. */
void feed_take(void *arg, const void *message, size_t bytes);

/* How many messages there ever were: a reader that begins now begins with this cursor. */
uint64_t feed_end(struct feed *feed);

/*
 * The messages from *cursor on, at most `most`; *cursor moves behind them. *lost: how many were written over
 * before. Returns how many were read.
 */
size_t feed_read(struct feed *feed, uint64_t *cursor, struct feed_message *out, size_t most, uint64_t *lost);

/* Until there are messages behind the cursor, timeout_ms are over, or the feed was closed. */
void feed_wait(struct feed *feed, uint64_t cursor, unsigned int timeout_ms);
/* Nobody waits any more. */
void feed_close(struct feed *feed);

#endif
