// SPDX-License-Identifier: GPL-2.0-only
/*
 * feed: what the program tells, kept for readers of any pace; and the header of a sample, whatever its bytes.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "collect/feed.h"
#include "packets.h"
#include "serve/stream_text.h"

static const struct ag_settings settings;

static void take_sign(struct feed *feed, uint32_t number)
{
	const struct ag_message_alert sign = {
		.message = AG_MESSAGE_ALERT, .kind = AG_ALERT_SCAN_HORIZONTAL, .packets = number};

	feed_take(feed, &sign, sizeof(sign));
}

static struct ag_message_sample sample_of(const struct frame *f, uint32_t caplen)
{
	struct ag_message_sample sample = {
		.message = AG_MESSAGE_SAMPLE, .wirelen = f->n, .class = AG_CLASS_SCAN};

	sample.caplen = caplen < AG_SAMPLE_BYTES ? caplen : AG_SAMPLE_BYTES;
	memset(sample.bytes, 0xa5, sizeof(sample.bytes)); /* behind caplen stands what says nothing */
	memcpy(sample.bytes, f->bytes, sample.caplen);
	return sample;
}

Test(feed, a_reader_gets_what_comes_after_it_began)
{
	struct feed *feed = feed_new(&settings);
	struct feed_message messages[8];
	uint64_t cursor, lost;

	take_sign(feed, 1);
	cursor = feed_end(feed);
	cr_expect_eq(feed_read(feed, &cursor, messages, 8, &lost), 0);
	take_sign(feed, 2);
	take_sign(feed, 3);
	cr_expect_eq(feed_read(feed, &cursor, messages, 1, &lost), 1);
	cr_expect_eq(messages[0].sign.packets, 2);
	cr_expect_eq(feed_read(feed, &cursor, messages, 8, &lost), 1);
	cr_expect_eq(messages[0].sign.packets, 3);
	cr_expect(messages[0].time_ns > 0 && lost == 0);
	feed_free(&feed);
}

Test(feed, who_is_slow_loses_the_oldest_and_knows_how_many)
{
	struct feed *feed = feed_new(&settings);
	struct feed_message *messages = calloc(2 * FEED_MESSAGES, sizeof(*messages));
	uint64_t slow = 0, lost;

	for (uint32_t i = 0; i < FEED_MESSAGES; i++)
		take_sign(feed, i);
	cr_expect_eq(feed_read(feed, &slow, messages, 10, &lost), 10);
	cr_expect_eq(lost, 0);
	for (uint32_t i = 0; i < 17; i++)
		take_sign(feed, FEED_MESSAGES + i);
	cr_expect_eq(feed_read(feed, &slow, messages, 2 * FEED_MESSAGES, &lost), FEED_MESSAGES);
	cr_expect_eq(lost, 7);
	for (uint32_t i = 0; i < FEED_MESSAGES; i++)
		cr_assert_eq(messages[i].sign.packets, 17 + i);
	cr_expect_eq(slow, feed_end(feed));
	free(messages);
	feed_free(&feed);
}

Test(feed, what_is_not_for_it_is_passed_over)
{
	struct ag_message_alert sign = {.message = AG_MESSAGE_ALERT, .kind = AG_ALERT_MAX};
	const struct ag_message_log_half half = {.message = AG_MESSAGE_LOG_HALF};
	struct feed *feed = feed_new(&settings);
	struct ag_message_sample sample;
	struct frame f;

	feed_take(feed, &half, sizeof(half));
	feed_take(feed, &sign, sizeof(sign));
	sign.kind = 0;
	feed_take(feed, &sign, sizeof(sign) - 1);
	feed_take(feed, &sign, 3);
	frame_begin(&f);
	frame_ether(&f, 0x806);
	frame_fill(&f, 0, 28);
	sample = sample_of(&f, f.n);
	feed_take(feed, &sample, sizeof(sample)); /* ARP has no IP header */
	frame_syn4(&f, 23);
	sample = sample_of(&f, f.n);
	feed_take(feed, &sample, sizeof(sample) - 1);
	sample.class = AG_CLASS_MAX;
	feed_take(feed, &sample, sizeof(sample));
	sample.class = 0;
	sample.caplen = AG_SAMPLE_BYTES + 1;
	feed_take(feed, &sample, sizeof(sample));
	cr_expect_eq(feed_end(feed), 0);
	feed_free(&feed);
}

/* However much of it is there: never more than that is read, and what is told is right. */
Test(feed, header_of_any_length)
{
	struct header whole = {}, h;
	struct frame f;

	frame_syn4(&f, 2323);
	cr_assert(header_read(&whole, f.bytes, f.n, f.n, &settings));
	cr_expect(whole.src_lo == SOURCE4 && whole.dst_lo == DARK4 && whole.protocol == 6 &&
		  whole.dport == 2323 && whole.has_flags && whole.flags == 2 && !whole.v6 && !whole.has_icmp);
	for (unsigned int n = 0; n <= f.n; n++) {
		uint8_t *exact = malloc(n ? n : 1); /* so that the sanitizer sees a read behind it */
		bool read;

		memcpy(exact, f.bytes, n);
		read = header_read(&h, exact, n, f.n, &settings);
		cr_expect_eq(read, n >= 34, "%u", n);
		if (read) {
			cr_expect(h.dst_lo == DARK4 && h.has_ports == (n >= 38) && h.has_flags == (n >= 48),
				  "%u", n);
			cr_expect_eq(h.dport, n >= 38 ? 2323 : 0);
		}
		free(exact);
	}
}

static void *take_many(void *arg)
{
	for (uint32_t i = 0; i < 200000; i++)
		take_sign(arg, i);
	return NULL;
}

/* Every number is read once or counted as lost, in their order, while they come. */
Test(feed, reading_beside_the_writer)
{
	struct feed *feed = feed_new(&settings);
	struct feed_message messages[64];
	uint64_t cursor = 0, lost, all = 0;
	pthread_t writer;

	pthread_create(&writer, NULL, take_many, feed);
	while (all < 200000) {
		size_t n;

		feed_wait(feed, cursor, 1000);
		n = feed_read(feed, &cursor, messages, 64, &lost);
		all += lost;
		for (size_t i = 0; i < n; i++)
			cr_assert_eq(messages[i].sign.packets, all++);
	}
	pthread_join(writer, NULL);
	feed_free(&feed);
}

Test(feed, waiting_ends)
{
	struct feed *feed = feed_new(&settings);

	feed_wait(feed, 0, 10); /* in time */
	take_sign(feed, 1);
	feed_wait(feed, 0, 1000000); /* there is one */
	feed_close(feed);
	feed_wait(feed, 1, 1000000); /* closed */
	feed_free(&feed);
}

Test(feed, events_fit_their_room)
{
	struct feed_message sign = {.kind = FEED_SIGN, .time_ns = INT64_MAX}, sample = {.kind = FEED_SAMPLE};
	struct alert alert = {.kind = AG_ALERT_SCAN_HORIZONTAL, .class = AG_CLASS_UDP_RESPONSE, .protocol = 6};
	char text[STREAM_EVENT_BYTES];
	size_t n;

	memset(&sign.sign, 0xff, sizeof(sign.sign));
	sign.sign.kind = AG_ALERT_SCAN_HORIZONTAL;
	memset(&sample.sample.header, 0xff, sizeof(sample.sample.header));
	sample.sample.header = (struct header){.src_hi = ~0ULL,
					       .src_lo = ~0ULL,
					       .dst_hi = ~0ULL,
					       .dst_lo = ~0ULL,
					       .v6 = true,
					       .has_ports = true,
					       .has_flags = true,
					       .has_icmp = true,
					       .flags = 0xff,
					       .icmp_type = 255,
					       .icmp_code = 255,
					       .sport = 65535,
					       .dport = 65535,
					       .protocol = 255,
					       .length = UINT32_MAX};
	sample.time_ns = INT64_MAX;
	alert.number = UINT32_MAX;
	alert.src_hi = alert.src_lo = alert.packets = INT64_MAX;
	alert.v6 = true;
	alert.raised_s = alert.last_s = INT64_MAX;
	for (int i = 0; i < 4; i++) {
		n = i == 0   ? stream_message(text, &sign)
		    : i == 1 ? stream_message(text, &sample)
		    : i == 2 ? stream_alert(text, &alert)
			     : stream_lost(text, INT64_MAX, INT64_MAX);
		cr_expect(n > 40 && n < STREAM_EVENT_BYTES, "event %d: %zu bytes", i, n);
		cr_expect(!memcmp(text, "event: ", 7) && !memcmp(text + n - 2, "\n\n", 2));
	}
}
