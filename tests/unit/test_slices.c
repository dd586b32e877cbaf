// SPDX-License-Identifier: GPL-2.0-only
/*
 * One slice and eight: the same packets, which a NIC deals out by hash or in turn, settle to the same sources
 * and the same alerts. What the slices saw apart, only the collector knows together.
 */
#include <stdlib.h>
#include <string.h>

#include "collect/interval.h"
#include "collect/sources.h"
#include "sensor.h"

#define SLICES	    8
#define PACKETS	    60000
#define PER_SECOND  2000
#define INTERVAL_NS 10000000000ULL
#define BEGIN_NS    1700000000000000000ULL
#define SOURCES	    4096
#define ALERTS	    1024

enum deal { ALL_TO_ONE, BY_HASH, IN_TURN };

/* What is left when all was settled. */
struct settled {
	struct source_view sources[SOURCES];
	size_t sources_count;
	struct alert alerts[ALERTS];
	size_t alerts_count;
	struct reader_totals totals;
};

static struct sources *sources;
static uint32_t seed;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)(seed >> 8) * below) >> 24);
}

static void take_records(void *arg, const struct interval *interval, const struct ag_record *records,
			 size_t count)
{
	(void)arg;
	sources_add(sources, interval->begin_ns, (uint32_t)((interval->began_ns - BEGIN_NS) / INTERVAL_NS) + 1,
		    records, count);
}

static void take_interval(void *arg, const struct interval *interval)
{
	(void)arg;
	sources_close(sources, interval->end_ns);
}

static void make_syn(struct frame *f, uint32_t src, uint32_t dst, unsigned int port, bool mirai)
{
	frame_syn4(f, port);
	frame_set32(f, 26, src);
	frame_set32(f, 30, dst);
	if (mirai)
		frame_set32(f, f->l4 + 4, dst);
}

static void make_monlist(struct frame *f, uint32_t src, uint32_t dst)
{
	static const uint8_t monlist[8] = {0x17, 0, 3, 0x2a};

	frame_udp4(f, 40000, 123, monlist, sizeof(monlist));
	frame_set32(f, 26, src);
	frame_set32(f, 30, dst);
}

/* A mix in which every kind of source has some packets of each second. */
static void make_packet(struct frame *f)
{
	uint32_t kind = draw(10), who = draw(20), dark = 0xc6336400 + draw(256);

	switch (kind) {
	case 0: /* of one port; the higher, the more destinations */
		make_syn(f, 0x08010000 + who, 0xc6336400 + draw(1 + 6 * who), 443, false);
		break;
	case 1: /* of more and more ports of one destination */
		make_syn(f, 0x08020000 + who, 0xc6336407, 1000 + draw(1 + 2 * who), false);
		break;
	case 2: /* sweepers */
	case 3:
		make_syn(f, 0x08030000 + draw(4), dark, 1 + draw(60000), false);
		break;
	case 4:
		make_syn(f, 0x08040000 + who, dark, 23, draw(2));
		break;
	case 5: /* victims of reflection */
		make_monlist(f, 0x08050000 + draw(4), 0xc6336400 + draw(3));
		break;
	case 6: /* who looks for amplifiers */
		make_monlist(f, 0x08060000 + draw(80), dark);
		break;
	case 7: /* backscatter */
		make_syn(f, 0x08070000 + who, dark, 1024 + draw(60000), false);
		f->bytes[f->l4 + 13] = 0x12;
		frame_set16(f, f->l4, 80 + draw(3));
		break;
	default:
		make_syn(f, 0x09000000 + draw(2500), dark, 80, false);
	}
}

static uint32_t choose_slice(enum deal deal, const struct frame *f, unsigned int i)
{
	uint32_t hash = 0;

	if (deal == ALL_TO_ONE)
		return 0;
	if (deal == IN_TURN)
		return i % SLICES;
	for (unsigned int at = 26; at < f->l4 + 4; at++) /* addresses and ports, as RSS does */
		hash = (hash ^ f->bytes[at]) * 16777619;
	return (hash >> 16) % SLICES;
}

/* The slice of a CPU is what the program was told: the next packet is this CPU's, and books in `slice`. */
static void set_slice(struct native *native, uint32_t slice)
{
	struct ag_rodata *ro = native_rodata(native);

	for (unsigned int cpu = 0; cpu < AG_CPUS_MAX; cpu++)
		ro->slice_of[cpu] = (__u16)slice;
}

static void open_sources(void)
{
	const struct sources_options options = {.sources_max = SOURCES * 4,
						.expected_day_packets = 1e6,
						.thresholds = {
#define AG_THRESHOLD(name, default_, help) .name = default_,
#include "airglow/threshold.def"
#undef AG_THRESHOLD
						}};

	sources = sources_new(&options);
	cr_assert_not_null(sources);
}

static void run_packets(struct native *native, struct reader *reader, enum deal deal)
{
	uint64_t now_ns = BEGIN_NS, began_ns = BEGIN_NS;
	struct frame f;

	seed = 7;
	reader_begin(reader, began_ns, (int64_t)began_ns);
	for (unsigned int i = 0; i < PACKETS; i++, now_ns += 1000000000 / PER_SECOND) {
		struct ag_replay word = {.time_ns = now_ns};

		if (now_ns >= began_ns + INTERVAL_NS) {
			began_ns += INTERVAL_NS;
			reader_begin(reader, began_ns, (int64_t)began_ns);
			reader_close(reader);
		}
		make_packet(&f);
		word.wirelen = f.n;
		word.caplen = (__u16)f.n;
		set_slice(native, choose_slice(deal, &f, i));
		native_run(native, &word, f.bytes);
		if (i % 200 == 0)
			reader_drain(reader);
	}
	reader_begin(reader, began_ns + INTERVAL_NS, (int64_t)(began_ns + INTERVAL_NS));
	reader_close(reader);
}

static struct settled *settle(enum deal deal)
{
	const struct sink sink = {NULL, take_records, take_interval};
	struct settled *s = calloc(1, sizeof(*s));
	struct native *native = NULL;
	struct plan *plan = NULL;
	struct table_sizes sizes;
	struct reader *reader;
	struct books books;
	char why[256] = "";

	cr_assert(s);
	cr_assert_eq(plan_new(&plan, NULL, 0, true, why, sizeof(why)), 0, "%s", why);
	sizes = tables_size(plan, SLICES, 1, false);
	cr_assert_eq(native_new(&native, &sizes), 0);
	cr_assert_eq(tables_write(native_tables(native), 0, plan), 0);
	native_tables(native)->control->epoch = 1;
	books = tables_books(native_tables(native));
	reader = reader_new(&books, &sink);
	cr_assert_not_null(reader);
	open_sources();
	run_packets(native, reader, deal);
	s->sources_count = sources_list(sources, NULL, s->sources, SOURCES);
	s->alerts_count = sources_alerts(sources, 0, s->alerts, ALERTS);
	reader_totals(reader, &s->totals);
	sources_free(&sources);
	reader_free(&reader);
	native_free(&native);
	plan_free(&plan);
	return s;
}

/* By what they are about: the order in which slices tell them is no matter. */
static int compare_alerts(const void *a, const void *b)
{
	const struct alert *x = a, *y = b;

	if (x->src_lo != y->src_lo)
		return x->src_lo < y->src_lo ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return (x->port > y->port) - (x->port < y->port);
}

static bool is_same_alert(const struct alert *a, const struct alert *b)
{
	return a->kind == b->kind && a->v6 == b->v6 && a->slow == b->slow && a->class == b->class &&
	       a->protocol == b->protocol && a->port == b->port && a->src_hi == b->src_hi &&
	       a->src_lo == b->src_lo && a->packets == b->packets && a->distinct == b->distinct &&
	       a->raised_s == b->raised_s;
}

/* A sweeper's packets have no time of their own, and what is a sweeper's, each slice knows alone. */
static void check_time(int64_t a, int64_t b)
{
	cr_assert_leq(llabs(a - b), 10);
}

static void check_alerts(struct settled *one, struct settled *eight)
{
	cr_assert_eq(eight->alerts_count, one->alerts_count, "%zu and %zu alerts", eight->alerts_count,
		     one->alerts_count);
	qsort(one->alerts, one->alerts_count, sizeof(one->alerts[0]), compare_alerts);
	qsort(eight->alerts, eight->alerts_count, sizeof(eight->alerts[0]), compare_alerts);
	for (size_t i = 0; i < one->alerts_count; i++) {
		const struct alert *a = &one->alerts[i], *b = &eight->alerts[i];

		check_time(a->last_s, b->last_s);
		cr_assert(
			is_same_alert(a, b),
			"alert %zu: kind %u of %llx: %llu packets, %u distinct; on eight %u of %llx: %llu, %u",
			i, a->kind, (unsigned long long)a->src_lo, (unsigned long long)a->packets, a->distinct,
			b->kind, (unsigned long long)b->src_lo, (unsigned long long)b->packets, b->distinct);
	}
}

static bool is_same_source(const struct source_view *a, const struct source_view *b)
{
	return a->src_hi == b->src_hi && a->src_lo == b->src_lo && a->v6 == b->v6 && a->bytes == b->bytes &&
	       !memcmp(a->packets, b->packets, sizeof(a->packets)) && a->ports == b->ports &&
	       a->ports_at_least == b->ports_at_least && a->destinations == b->destinations &&
	       a->tool == b->tool && !memcmp(a->tool_hits, b->tool_hits, sizeof(a->tool_hits)) &&
	       a->syns == b->syns && a->flags == b->flags && a->anomalies == b->anomalies;
}

static void check_same(struct settled *one, enum deal deal)
{
	struct settled *eight = settle(deal);

	cr_assert_eq(eight->totals.imbalance, 0);
	cr_assert_eq(eight->totals.lost[AG_LOST_RECORD_LOG] + eight->totals.lost[AG_LOST_TOUCH_LOG], 0);
	cr_assert_neq(eight->totals.records, one->totals.records, "the slices did see something apart");
	cr_assert_eq(eight->sources_count, one->sources_count);
	for (size_t i = 0; i < one->sources_count; i++) {
		const struct source_view *a = &one->sources[i], *b = &eight->sources[i];

		check_time(a->first_s, b->first_s);
		check_time(a->last_s, b->last_s);
		cr_assert(is_same_source(a, b), "source %zu: %llx, on eight %llx", i,
			  (unsigned long long)a->src_lo, (unsigned long long)b->src_lo);
	}
	check_alerts(one, eight);
	free(eight);
}

Test(slices, one_and_eight)
{
	struct settled *one = settle(ALL_TO_ONE);
	unsigned int kinds[AG_ALERT_MAX] = {};

	cr_assert_eq(one->totals.imbalance, 0);
	cr_assert_eq(one->totals.dark, PACKETS);
	cr_assert_gt(one->totals.touches, 0);
	for (size_t i = 0; i < one->alerts_count; i++)
		kinds[one->alerts[i].kind]++;
	for (unsigned int kind = 0; kind < AG_ALERT_MAX; kind++)
		cr_assert_gt(kinds[kind], 0, "no alert of kind %u", kind);
	check_same(one, BY_HASH);
	check_same(one, IN_TURN);
	free(one);
}
