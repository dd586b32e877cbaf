// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events (stream_text.h).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "serve/builder.h"
#include "serve/labels.h"
#include "serve/sources_json.h"
#include "serve/stream_text.h"

#define MS 1000000

/* Takes the reference to data. */
static size_t write_event(char text[STREAM_EVENT_BYTES], const char *event, const char *id,
			  const struct builder *b, json_t *data)
{
	json_t *object = builder_finish(b, data);
	char *line = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int written = 0;

	if (line)
		written = snprintf(text, STREAM_EVENT_BYTES, "event: %s\n%s%s%sdata: %s\n\n", event,
				   id ? "id: " : "", id ? id : "", id ? "\n" : "", line);
	free(line);
	json_decref(object);
	return written > 0 && written < STREAM_EVENT_BYTES ? (size_t)written : 0;
}

size_t stream_alert(char text[STREAM_EVENT_BYTES], const struct alert *alert)
{
	struct builder b = {};
	json_t *data = sources_json_alert(&b, alert);
	char id[16];

	snprintf(id, sizeof(id), "%" PRIu32, alert->number);
	return write_event(text, "alert", id, &b, data);
}

static void put_address(struct builder *b, json_t *data, const char *key, uint64_t hi, uint64_t lo, bool v6)
{
	char text[ADDRESS_TEXT_BYTES];

	builder_put(b, data, key, json_string(address_format(text, sizeof(text), hi, lo, v6)));
}

/* By the names of a settled alert. */
static size_t write_sign(char text[STREAM_EVENT_BYTES], const struct feed_message *message)
{
	const struct ag_message_alert *sign = &message->sign;
	unsigned int class = sign->key >> AG_KEY_CLASS_SHIFT & 7, protocol;
	json_t *data = json_object();
	struct builder b = {};

	protocol = sign->key >> AG_KEY_PROTOCOL_SHIFT & 255;
	builder_put(&b, data, "early", json_true());
	builder_put(&b, data, "time_ms", json_integer(message->time_ns / MS));
	builder_put(&b, data, "kind", json_string(labels_alert[sign->kind]));
	put_address(&b, data, "source", sign->src_hi, sign->src_lo, sign->key >> AG_KEY_V6_SHIFT & 1);
	builder_put(&b, data, "class", json_string(class < AG_CLASS_MAX ? labels_class[class] : "other"));
	builder_count(&b, data, "protocol", protocol);
	builder_count(&b, data, "port", 0);
	if (sign->kind != AG_ALERT_SCAN_VERTICAL)
		sources_json_put_port(&b, data, protocol, sign->key & 0xffff);
	builder_count(&b, data, "packets", sign->packets);
	builder_count(&b, data, "distinct", sign->distinct);
	return write_event(text, "sign", NULL, &b, data);
}

static size_t write_sample(char text[STREAM_EVENT_BYTES], const struct feed_message *message)
{
	const struct header *h = &message->sample.header;
	char flags[BUILDER_FLAGS_BYTES], icmp[16];
	json_t *data = json_object();
	struct builder b = {};

	builder_put(&b, data, "time_ms", json_integer(message->time_ns / MS));
	builder_put(&b, data, "class", json_string(labels_class[message->sample.class]));
	put_address(&b, data, "source", h->src_hi, h->src_lo, h->v6);
	put_address(&b, data, "destination", h->dst_hi, h->dst_lo, h->v6);
	builder_count(&b, data, "protocol", h->protocol);
	if (h->has_ports) {
		builder_count(&b, data, "source_port", h->sport);
		builder_count(&b, data, "destination_port", h->dport);
	}
	if (h->has_flags)
		builder_put(&b, data, "tcp_flags", json_string(builder_flags(flags, h->flags)));
	if (h->has_icmp) {
		snprintf(icmp, sizeof(icmp), "%u/%u", h->icmp_type, h->icmp_code);
		builder_put(&b, data, "icmp", json_string(icmp));
	}
	builder_count(&b, data, "length", h->length);
	return write_event(text, "sample", NULL, &b, data);
}

size_t stream_message(char text[STREAM_EVENT_BYTES], const struct feed_message *message)
{
	return message->kind == FEED_SIGN ? write_sign(text, message) : write_sample(text, message);
}

size_t stream_lost(char text[STREAM_EVENT_BYTES], uint64_t messages, uint64_t alerts)
{
	json_t *data = json_object();
	struct builder b = {};

	builder_count(&b, data, "messages", messages);
	builder_count(&b, data, "alerts", alerts);
	return write_event(text, "lost", NULL, &b, data);
}
