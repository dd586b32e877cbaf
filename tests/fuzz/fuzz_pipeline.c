// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native pipeline on arbitrary frames, each whole and cut off behind every one of its bytes. Each runs on
 * two sensors with the same settings: on one the head ends with the captured bytes, so that the sanitizer sees
 * a read behind them; on the other it is whole, as the kernel's, and poison lies there, so that a read which
 * the verifier's mask bends back into the head makes the two sets of books differ. Every frame must be received
 * once and have one outcome, and L2 must hold. Corpus: tests/fuzz/corpus/pipeline, begun by
 * tests/fuzz/frames.c.
 *
 * Input: eight bytes of settings (below), then frames, each with a header of four bytes: captured length in 16
 * bits, length on the wire in 16 bits, both big-endian; a frame ends early where the input does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/packet.h"
#include "engine/backend.h"

#define SETTINGS_BYTES 8
#define FRAME_HEADER   4

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct twin {
	struct native *native;
	struct tables *tables;
	unsigned int own; /* AG_REPLAY_* of every frame */
};

/* What lies behind the captured bytes of a whole head. */
static const uint8_t poisons[] = {0x00, 0xff};
#define POISONS (sizeof(poisons) / sizeof(poisons[0]))

static struct twin twins[2];
static struct plan *plans[2]; /* prefixes; every destination */

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "pipeline: %s\n", what);
	abort();
}

static struct plan *make_plan(bool every_destination)
{
	static const struct plan_prefix prefixes[] = {
		{.prefix = {.family = 4, .length = 24, .addr = {198, 51, 100, 0}}, .scope = 1},
		{.prefix = {.family = 4, .length = 25, .addr = {203, 0, 113, 0}}, .scope = 2},
		{.prefix = {.family = 4, .length = 28, .addr = {203, 0, 113, 64}}, .scope = 0},
		{.prefix = {.family = 6, .length = 48, .addr = {0x20, 1, 0xd, 0xb8, 0, 1}}, .scope = 3},
		{.prefix = {.family = 6, .length = 64, .addr = {0x20, 1, 0xd, 0xb8, 0, 1, 0x80, 0}},
		 .scope = 0},
		{.prefix = {.family = 4, .length = 15, .addr = {45, 60}}, .scope = 64},
	};
	struct plan *plan = NULL;
	char why[256] = "";

	if (plan_new(&plan, prefixes, sizeof(prefixes) / sizeof(prefixes[0]), every_destination, why,
		     sizeof(why))) {
		fprintf(stderr, "plan: %s\n", why);
		abort();
	}
	return plan;
}

/* Once: building a plan and its tables takes longer than a thousand frames. */
static void open_twins(void)
{
	struct table_sizes sizes;
	unsigned int i;

	if (twins[0].native)
		return;
	plans[0] = make_plan(false);
	plans[1] = make_plan(true);
	plans[0]->settings.interfaces[0].feed = AG_FEED_SELF; /* visits have room */
	sizes = tables_size(plans[0], 1, 1, false);
	for (i = 0; i < 2; i++) {
		require(!native_new(&twins[i].native, &sizes), "memory");
		twins[i].tables = native_tables(twins[i].native);
		twins[i].tables->control->epoch = 1;
		require(!tables_write(twins[i].tables, 0, plans[0]), "plan 0 fits");
		require(!tables_write(twins[i].tables, 1, plans[1]), "plan 1 fits");
	}
}

/*
 * Byte 0: bit 0 every destination, bits 1-2 feed, bit 3 own MAC known, bits 4-6 tunnels (0..7), bit 7 their
 * keys count. Byte 1: prefix length of the tunnels' outer source; bytes 2-5: it; byte 6: key; byte 7: bit 0
 * outer family, bit 1 feed self, bits 2-4 what the replayer knows, bit 5 live ports, bits 6-7 configured
 * signatures.
 */
static void set_up(struct twin *t, const uint8_t *in)
{
	unsigned int side = in[0] & 1, i;
	struct ag_settings *s = &t->tables->settings[side];

	t->tables->control->side = side;
	s->interfaces[0].feed = in[7] & 2 ? AG_FEED_SELF : in[0] >> 1 & 3;
	t->own = in[7] >> 2 & 7;
	memset(&s->live_ports, in[7] & 0x20 ? 0x55 : 0, sizeof(s->live_ports));
	s->signatures = in[7] >> 6;
	for (i = 0; i < s->signatures; i++)
		s->signature[i] = (struct ag_signature){.mask = i ? 0xff00ff : 0,
							.port = (__u16)(53 + i),
							.offset = in[6],
							.service = AG_SERVICE_DNS,
							.direction = (__u8)(i & 1)};
	s->interfaces[0].mac_known = in[0] >> 3 & 1;
	memcpy(s->interfaces[0].mac, (const uint8_t[6]){2, 0, 0, 0, 0, 2}, 6);
	s->decaps = in[0] >> 4 & 7;
	memset(s->decap, 0, sizeof(s->decap));
	for (i = 0; i < s->decaps; i++) {
		struct ag_decap *d = &s->decap[i];

		d->type = (__u8)(i % AG_DECAP_TYPE_MAX);
		d->family = in[7] & 1 && i >= 4 ? 6 : 4;
		d->from_len = in[1] % (d->family == 4 ? 33 : 129);
		d->to_any = 1;
		d->key_any = !(in[0] & 0x80);
		d->key = in[6];
		memcpy(d->from, in + 2, 4);
	}
}

/* size: of the head; what lies behind the captured bytes is poison. */
static int run_frame(struct twin *t, size_t size, uint8_t poison, const uint8_t *bytes, uint32_t caplen,
		     uint32_t wirelen)
{
	struct head *head = malloc(size);
	int verdict;

	require(head != NULL, "memory");
	memset(head, poison, size);
	head->caplen = caplen;
	head->wirelen = wirelen;
	head->own = t->own;
	if (caplen)
		memcpy(head->bytes, bytes, caplen);
	verdict = native_pipeline(t->native, head);
	free(head);
	return verdict;
}

static void run_twins(const uint8_t *bytes, uint32_t caplen, uint32_t wirelen, uint8_t poison)
{
	size_t exact = offsetof(struct head, bytes) + caplen;
	int verdict = run_frame(&twins[0], exact, poison, bytes, caplen, wirelen);

	require(verdict == 1 || verdict == 2, "a verdict is PASS or DROP");
	require(run_frame(&twins[1], sizeof(struct head), poison, bytes, caplen, wirelen) == verdict,
		"the verdict does not depend on what lies behind");
}

/* A frame as it is and cut off by the capture behind each of its bytes; returns how many frames that were. */
static unsigned int run_cuts(const uint8_t *bytes, uint32_t held, uint32_t wirelen)
{
	for (uint32_t n = 0; n <= held; n++)
		for (size_t i = 0; i < POISONS; i++)
			run_twins(bytes, n, wirelen, poisons[i]);
	return (unsigned int)(POISONS * (held + 1));
}

static uint64_t sum(const __u64 *words, size_t bytes)
{
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < bytes / sizeof(*words); i++)
		total += words[i];
	return total;
}

#define SUM(field) sum((const __u64 *)&(field), sizeof(field))

/* The laws, on the cheap counters after every frame. */
static void check_laws(const struct ag_counters *k, uint64_t frames)
{
	require(k->received == frames, "a frame is received once");
	require(SUM(k->outcome) == frames, "a frame has one outcome");
	require(k->interface[0] == frames, "a frame comes in by one interface");
	require(k->dark == k->outcome[AG_OUTCOME_DARK], "dark is dark");
	require(SUM(k->class_packets) == k->dark, "a dark packet has one class");
	require(SUM(k->protocol) == k->dark, "a dark packet has one protocol");
	require(SUM(k->size) == k->dark, "a dark packet has one size");
	require(SUM(k->tool) <= k->dark, "a dark packet has at most one tool");
	require(k->no_port <= k->dark, "not more without a port than there are");
}

/* Both sets of books, after the last frame. */
static void check_twins(void)
{
	const struct tables *a = twins[0].tables, *b = twins[1].tables;

	require(!memcmp(a->counters, b->counters, sizeof(*a->counters)),
		"counters do not depend on what lies behind");
	require(!memcmp(a->ports, b->ports, sizeof(*a->ports)), "ports do not depend on what lies behind");
	require(!memcmp(a->visits, b->visits, a->sizes.visits * sizeof(*a->visits)),
		"visits do not depend on what lies behind");
	require(!memcmp(a->icmp, b->icmp, sizeof(*a->icmp)), "ICMP kinds do not depend on what lies behind");
	require(!memcmp(a->intervals, b->intervals, 2 * sizeof(*a->intervals)),
		"intervals do not depend on what lies behind");
	require(!memcmp(a->flows, b->flows, 2 * a->sizes.flow_sets * sizeof(*a->flows)),
		"records do not depend on what lies behind");
	require(!memcmp(a->summaries, b->summaries, 2 * a->sizes.summary_sets * sizeof(*a->summaries)),
		"summaries do not depend on what lies behind");
	require(!memcmp(a->log_touches, b->log_touches, a->sizes.log_touches * sizeof(*a->log_touches)),
		"touches do not depend on what lies behind");
	require(!memcmp(a->seen, b->seen, a->sizes.pages * sizeof(*a->seen)),
		"seen does not depend on what lies behind");
	require(SUM(*a->ports) + a->counters->no_port == a->counters->dark,
		"a dark packet has one port or none");
}

static void close_books(const struct tables *t)
{
	memset(t->counters, 0, sizeof(*t->counters));
	memset(t->ports, 0, sizeof(*t->ports));
	memset(t->visits, 0, t->sizes.visits * sizeof(*t->visits));
	memset(t->icmp, 0, sizeof(*t->icmp));
	memset(t->seen, 0, t->sizes.pages * sizeof(*t->seen));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t frames = 0;

	if (size < SETTINGS_BYTES)
		return 0;
	open_twins();
	set_up(&twins[0], data);
	set_up(&twins[1], data);
	data += SETTINGS_BYTES;
	size -= SETTINGS_BYTES;
	while (size >= FRAME_HEADER) {
		uint32_t caplen = (uint32_t)data[0] << 8 | data[1], wirelen = (uint32_t)data[2] << 8 | data[3],
			 held;
		int verdict;

		data += FRAME_HEADER;
		size -= FRAME_HEADER;
		if (caplen > size)
			caplen = (uint32_t)size;
		if (wirelen < caplen)
			wirelen = caplen;
		frames += run_cuts(data, caplen < AG_HEAD_BYTES ? caplen : AG_HEAD_BYTES, wirelen);
		check_laws(twins[0].tables->counters, frames);
		data += caplen;
		size -= caplen;
	}
	check_twins();
	close_books(twins[0].tables);
	close_books(twins[1].tables);
	return 0;
}
