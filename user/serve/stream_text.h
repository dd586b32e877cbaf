/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Server-sent events as text (WHATWG HTML, 9.2). Each returns how many bytes it wrote, 0: without memory.
 */
#ifndef AIRGLOW_SERVE_STREAM_TEXT_H
#define AIRGLOW_SERVE_STREAM_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "collect/alerts.h"
#include "collect/feed.h"

#define STREAM_EVENT_BYTES 1024 /* no event is longer */

/* A settled alert; its number is the event's id. */
size_t stream_alert(char text[STREAM_EVENT_BYTES], const struct alert *alert);
/* An early sign, or a sampled header. */
size_t stream_message(char text[STREAM_EVENT_BYTES], const struct feed_message *message);
/* What the reader was too slow for. */
size_t stream_lost(char text[STREAM_EVENT_BYTES], uint64_t messages, uint64_t alerts);

#endif
