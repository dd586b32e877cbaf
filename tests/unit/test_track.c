// SPDX-License-Identifier: GPL-2.0-only
/*
 * track and the collector's reader: what comes out as records and touches, joined by key, is what the test
 * itself kept of every packet; whatever does not come out is counted as lost. The test's book knows neither
 * hashes nor tables.
 */
#include <stdlib.h>
#include <string.h>

#include "collect/hll.h"
#include "collect/interval.h"
#include "sensor.h"

#define KEYS_MAX 65536
#define BEGIN_NS 1700000000000000000ULL
#define STEP_NS	 50000000 /* between packets */

/* What the test knows of a (source, class, protocol, port, scope): of the packets, and of what came out. */
struct line {
	uint64_t src;
	unsigned int class, protocol, port, scope;
	uint64_t packets[2], bytes[2], hits[2][AG_TOOL_MAX];
	struct ag_distinct destinations[2];
	unsigned int flags[2], ttl_min[2], ttl_max[2];
	uint32_t anomalies[2];
};

enum { SENT, TOLD };

static struct line *lines;
static unsigned int lines_count, lines_at[2 * KEYS_MAX]; /* number + 1 of a line, open addressing */
static struct sensor *sensor;
static struct reader *reader;
static struct interval last;
static unsigned int closed, sweepers_told, hosts_told;
static struct ag_record summary; /* the last */
static uint32_t seed, marks;	 /* of all records */
static uint64_t now_ns;

static uint32_t draw(uint32_t below)
{
	seed = seed * 1664525 + 1013904223;
	return (uint32_t)(((uint64_t)(seed >> 8) * below) >> 24);
}

static struct line *line_of(uint64_t src, unsigned int class, unsigned int protocol, unsigned int port,
			    unsigned int scope)
{
	uint64_t mixed = (src * 31 + port) * 0x9e3779b97f4a7c15ULL;
	unsigned int at = (unsigned int)(mixed >> 47);
	struct line *l;

	for (; lines_at[at]; at = (at + 1) % (2 * KEYS_MAX)) {
		l = &lines[lines_at[at] - 1];
		if (l->src == src && l->class == class && l->protocol == protocol && l->port == port &&
		    l->scope == scope)
			return l;
	}
	cr_assert_lt(lines_count, KEYS_MAX);
	l = &lines[lines_count++];
	lines_at[at] = lines_count;
	*l = (struct line){.src = src, .class = class, .protocol = protocol, .port = port, .scope = scope};
	l->ttl_min[SENT] = l->ttl_min[TOLD] = 255;
	return l;
}

/* A destination in a sketch, by the hash that abi 2 fixes: its bit; its register is bit / 4, its rank at
 * most 15.
 */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static void join(struct ag_distinct *into, uint64_t bits, uint64_t ranks)
{
	into->bits |= bits;
	for (unsigned int at = 0; at < 64; at += 4)
		if ((ranks >> at & 15) > (into->ranks >> at & 15))
			into->ranks = (into->ranks & ~(15ULL << at)) | (ranks & 15ULL << at);
}

static void join_destination(struct ag_distinct *into, uint32_t dst4)
{
	uint64_t hash = mix(mix(dst4)), rank = 1;
	unsigned int bit = (unsigned int)(hash >> 58);

	while (rank < 15 && !(hash >> (58 - rank) & 1))
		rank++;
	join(into, 1ULL << bit, rank << bit / 4 * 4);
}

static void take_records(void *arg, const struct interval *interval, const struct ag_record *records,
			 size_t count)
{
	(void)arg;
	for (size_t i = 0; i < count; i++) {
		const struct ag_record *r = &records[i];
		unsigned int tool = r->key >> AG_KEY_TOOL_SHIFT & 15;
		struct line *l;

		cr_assert_eq(r->key >> AG_KEY_PARITY_SHIFT & 1, interval->epoch & 1);
		if (!r->packets) {
			sweepers_told++;
			summary = *r;
			continue;
		}
		l = line_of(r->src_hi ? r->src_hi : r->src_lo, r->key >> AG_KEY_CLASS_SHIFT & 7,
			    r->key >> AG_KEY_PROTOCOL_SHIFT & 255, r->key & 0xffff,
			    r->key >> AG_KEY_SCOPE_SHIFT & 127);
		marks |= r->marks;
		l->packets[TOLD] += r->packets;
		l->bytes[TOLD] += r->bytes_last & AG_BYTES_MASK;
		if (tool != AG_KEY_TOOL_NONE)
			l->hits[TOLD][tool] += r->key >> AG_KEY_HITS_SHIFT & 0xffff;
		join(&l->destinations[TOLD], r->destinations.bits, r->destinations.ranks);
		if (r->marks & AG_MARK_SWEEPER)
			continue; /* the rest is told by the summary */
		l->flags[TOLD] |= (unsigned int)(r->key >> AG_KEY_FLAGS_SHIFT);
		l->anomalies[TOLD] |= r->marks & 0xffffff;
		if (r->ttl_min < l->ttl_min[TOLD])
			l->ttl_min[TOLD] = r->ttl_min;
		if (r->ttl_max > l->ttl_max[TOLD])
			l->ttl_max[TOLD] = r->ttl_max;
	}
}

static void take_interval(void *arg, const struct interval *interval)
{
	(void)arg;
	last = *interval;
	closed++;
	hosts_told = 0;
	for (unsigned int i = 0; i < AG_HLL_REGISTERS; i++)
		hosts_told += interval->hosts[AG_CLASS_SCAN].reg[i] > 0;
}

static void begin(void)
{
	sensor = sensor_new(false);
	lines = calloc(KEYS_MAX, sizeof(*lines));
	memset(lines_at, 0, sizeof(lines_at));
	lines_count = closed = sweepers_told = marks = 0;
	seed = 1;
	now_ns = BEGIN_NS;
}

static struct books *books(void)
{
	static struct books held;

	held = tables_books(sensor->tables);
	return &held;
}

static void open_reader(void)
{
	const struct sink sink = {NULL, take_records, take_interval};

	reader_free(&reader);
	reader = reader_new(books(), &sink);
	cr_assert_not_null(reader);
	reader_begin(reader, now_ns, (int64_t)now_ns);
}

static void end(void)
{
	reader_free(&reader);
	sensor_free(sensor);
	free(lines);
}

TestSuite(track, .init = begin, .fini = end);

static void next_interval(void)
{
	reader_begin(reader, now_ns, (int64_t)now_ns);
	reader_close(reader);
}

static void note(const struct want *w, unsigned int port, unsigned int ttl)
{
	struct line *l = line_of(w->host, w->class, w->protocol, port, w->scope);

	l->packets[SENT]++;
	l->bytes[SENT] += w->bytes;
	if (w->has_tool)
		l->hits[SENT][w->tool]++;
	join_destination(&l->destinations[SENT], w->dst4);
	if (w->has_flags)
		l->flags[SENT] |= w->flags;
	l->anomalies[SENT] |= w->anomalies;
	if (ttl < l->ttl_min[SENT])
		l->ttl_min[SENT] = ttl;
	if (ttl > l->ttl_max[SENT])
		l->ttl_max[SENT] = ttl;
}

static void run(const struct frame *f)
{
	struct ag_replay word = {.time_ns = now_ns, .wirelen = f->n, .caplen = (__u16)f->n};

	under_test_run(&sensor->under_test, &word, f->bytes);
	now_ns += STEP_NS;
}

/* A SYN without a tool's marks but that it has no options; its sequence number is no function of its addresses.
 */
static void send_syn(uint32_t src, uint32_t dst, unsigned int port, unsigned int ttl, bool mirai)
{
	struct frame f;
	struct want w;

	frame_syn4(&f, port);
	frame_set32(&f, 26, src);
	frame_set32(&f, 30, dst);
	f.bytes[22] = (uint8_t)ttl;
	if (mirai)
		frame_set32(&f, f.l4 + 4, dst);
	w = want_tcp(&f, AG_CLASS_SCAN);
	if (mirai) {
		w.has_tool = true;
		w.tool = AG_TOOL_MIRAI;
	}
	note(&w, port, ttl);
	run(&f);
}

/* Each line was told as it was sent, and with `lost` packets less in all. */
static void check_lines(uint64_t lost)
{
	uint64_t missing = 0;

	for (unsigned int i = 0; i < lines_count; i++) {
		const struct line *l = &lines[i];

		cr_assert_leq(l->packets[TOLD], l->packets[SENT], "line %u", i);
		missing += l->packets[SENT] - l->packets[TOLD];
		if (lost)
			continue;
		cr_assert_eq(l->bytes[TOLD], l->bytes[SENT], "line %u", i);
		cr_assert_arr_eq(l->hits[TOLD], l->hits[SENT], sizeof(l->hits[SENT]), "line %u: tools", i);
		cr_assert_eq(l->destinations[TOLD].bits, l->destinations[SENT].bits, "line %u: destinations",
			     i);
		cr_assert_eq(l->destinations[TOLD].ranks, l->destinations[SENT].ranks, "line %u: ranks", i);
	}
	cr_assert_eq(missing, lost);
}

static void check_fields(void)
{
	for (unsigned int i = 0; i < lines_count; i++) {
		const struct line *l = &lines[i];

		cr_assert_eq(l->flags[TOLD], l->flags[SENT], "line %u", i);
		cr_assert_eq(l->anomalies[TOLD], l->anomalies[SENT], "line %u", i);
		cr_assert_eq(l->ttl_min[TOLD], l->ttl_min[SENT], "line %u", i);
		cr_assert_eq(l->ttl_max[TOLD], l->ttl_max[SENT], "line %u", i);
	}
}

static uint64_t lost_packets(const struct interval *i)
{
	return i->lost[AG_LOST_RECORD_LOG] + i->lost[AG_LOST_TOUCH_LOG];
}

Test(track, one_packet_is_one_record)
{
	open_reader();
	send_syn(0x08000001, 0xc6336407, 23, 54, false);
	next_interval();
	cr_assert_eq(last.dark, 1);
	cr_assert_eq(last.records, 1);
	cr_assert_eq(last.record_packets, 1);
	cr_assert_eq(last.touches, 0);
	cr_assert_eq(last.imbalance, 0);
	check_lines(0);
	check_fields();
}

Test(track, an_interval_without_packets_is_empty)
{
	open_reader();
	next_interval();
	next_interval();
	cr_assert_eq(closed, 2);
	cr_assert(!last.dark && !last.records);
}

Test(track, records_of_both_parities_are_read_and_cleared)
{
	open_reader();
	for (unsigned int i = 0; i < 6; i++) {
		send_syn(0x08000001, 0xc6336407 + i, 23, 54, false);
		next_interval();
		cr_assert_eq(last.epoch, i + 1);
		cr_assert_eq(last.records, 1, "interval %u: %u", i, (unsigned int)last.records);
		cr_assert_eq(last.imbalance, 0);
	}
	check_lines(0);
}

Test(track, a_record_knows_when)
{
	uint64_t first = now_ns;

	open_reader();
	now_ns += 3 << AG_TIME_SHIFT;
	send_syn(0x08000001, 0xc6336407, 23, 54, false);
	now_ns = first + (40ULL << AG_TIME_SHIFT);
	send_syn(0x08000001, 0xc6336407, 23, 54, false);
	now_ns = first; /* a step back is no time */
	send_syn(0x08000001, 0xc6336407, 23, 54, false);
	for (unsigned int set = 0; set < sensor->tables->sizes.flow_sets; set++) {
		const struct ag_record *r = sensor->tables->flows[sensor->tables->sizes.flow_sets + set].way;

		r += !r->packets;
		if (!r->packets)
			continue;
		cr_assert_eq(r->packets, 3);
		cr_assert_eq(r->first, 3);
		cr_assert_eq(r->bytes_last >> AG_LAST_SHIFT, 37);
		return;
	}
	cr_assert(false, "no record");
}

static void send_probe(unsigned int port, unsigned int flags)
{
	struct frame f;

	frame_syn4(&f, port);
	frame_set32(&f, 26, 0x08000001);
	frame_set32(&f, 30, 0xc6336407);
	f.bytes[f.l4 + 13] = (uint8_t)flags;
	run(&f);
}

/* A SYN and a FIN probe of the same port are two records, so that SYNs can be counted; a sweeper's touches are
 * SYNs. */
Test(track, syns_and_other_probes)
{
	open_reader();
	send_probe(23, 0x02);
	send_probe(23, 0xc2);
	send_probe(23, 0x01);
	send_probe(23, 0x29);
	next_interval();
	cr_assert_eq(last.records, 2);
	for (unsigned int i = 0; i < 100; i++)
		send_probe(1 + i, i % 10 ? 0x02 : 0x01);
	next_interval();
	/* One less than it takes a new source, and 8 FINs of those that follow. */
	cr_assert_eq(last.records, AG_SWEEPER_RECORDS - 1 + 8, "%u", (unsigned int)last.records);
	cr_assert_eq(last.record_packets + last.touches, 100);
	cr_assert_eq(last.imbalance, 0);
}

/* What came before on the same CPU is no matter: what is no TCP has no flags. */
Test(track, flags_of_the_packet_before)
{
	struct frame f;

	open_reader();
	for (unsigned int i = 0; i < 6; i++) {
		send_probe(23, i % 2 ? 0x02 : 0x10);
		frame_udp4(&f, 40000, 9999, "hello", 5);
		run(&f);
	}
	next_interval();
	cr_assert_eq(last.records, 3, "SYNs, ACKs, UDP");
}

/* What is odd about one of a record's packets is told of the record. */
Test(track, a_record_collects_marks)
{
	struct frame f;

	open_reader();
	send_syn(0x08000001, 0xc6336407, 23, 54, false);
	send_syn(0x08000001, 0xc6336407, 23, 54, false);
	next_interval();
	cr_assert_eq(marks & AG_MARK_MIXED, 0);
	cr_assert_eq(marks & 1u << AG_ANOMALY_TCP_BAD_DOFF, 0);
	send_syn(0x08000001, 0xc6336407, 23, 54, false);
	frame_syn4(&f, 23);
	frame_set32(&f, 26, 0x08000001);
	frame_set32(&f, 30, 0xc6336407);
	f.bytes[f.l4 + 12] = 0x10; /* a data offset of four bytes */
	frame_set16(&f, f.l4 + 14, 77);
	run(&f);
	next_interval();
	cr_assert_eq(last.records, 1);
	cr_assert_neq(marks & AG_MARK_MIXED, 0);
	cr_assert_neq(marks & 1u << AG_ANOMALY_TCP_BAD_DOFF, 0);
}

/* More keys than the small table holds: most records leave it early. */
Test(track, random_sources_and_ports)
{
	open_reader();
	for (unsigned int i = 0; i < 4000; i++) {
		if (i % 200 == 199)
			reader_drain(reader);
		if (i % 1500 == 1499)
			next_interval();
		send_syn(0x08000000 + draw(700), 0xc6336400 + draw(256), 20 + draw(3), 40 + draw(60),
			 draw(4) == 0);
	}
	next_interval();
	cr_assert_eq(closed, 3);
	cr_assert(last.evicted > 0 && last.evicted < last.records);
	check_lines(0);
	check_fields();
}

Test(track, a_log_that_nobody_reads_loses_and_says_so)
{
	open_reader();
	for (unsigned int i = 0; i < 3000; i++)
		send_syn(0x08000000 + i, 0xc6336400 + draw(256), 23, 54, false);
	next_interval();
	cr_assert_eq(last.dark, 3000);
	cr_assert_gt(last.lost[AG_LOST_RECORD_LOG], 0);
	cr_assert_eq(last.imbalance, 0);
	check_lines(lost_packets(&last));
	next_interval();
	cr_assert_eq(lost_packets(&last), 0);
}

Test(track, a_sweeper_leaves_touches)
{
	open_reader();
	for (unsigned int i = 0; i < 1000; i++)
		send_syn(0x08000001, 0xc6336400 + draw(256), 1 + i, 54, false);
	next_interval();
	cr_assert_eq(last.sweepers, 1);
	cr_assert_eq(sweepers_told, 1);
	cr_assert_eq(last.records, AG_SWEEPER_RECORDS);
	cr_assert_eq(last.touches, 1000 - AG_SWEEPER_RECORDS);
	cr_assert_eq(last.imbalance, 0);
	check_lines(0);
	cr_assert_eq(summary.src_lo, 0x08000001);
	cr_assert_eq(summary.key >> AG_KEY_FLAGS_SHIFT, 0x02);
	cr_assert_geq(__builtin_popcountll(summary.destinations.bits), 58, "of 256 addresses");
	/* The next interval knows nothing of it. */
	send_syn(0x08000001, 0xc6336400, 5000, 54, false);
	next_interval();
	cr_assert_eq(last.records, 1);
	cr_assert_eq(last.touches, 0);
}

/* What is read and cleared meanwhile is not the open interval's. */
Test(track, a_sweeper_goes_on_while_the_interval_before_is_read)
{
	open_reader();
	for (unsigned int i = 0; i < 100; i++)
		send_syn(0x08000001, 0xc6336400 + draw(256), 1 + i, 54, false);
	reader_begin(reader, now_ns, (int64_t)now_ns);
	for (unsigned int i = 0; i < 100; i++) {
		if (i == 50)
			reader_close(reader);
		send_syn(0x08000001, 0xc6336400 + draw(256), 1 + i, 54, false);
	}
	cr_assert_eq(last.records, AG_SWEEPER_RECORDS);
	cr_assert_eq(last.touches, 100 - AG_SWEEPER_RECORDS);
	next_interval();
	cr_assert_eq(last.sweepers, 1);
	cr_assert_eq(last.records, AG_SWEEPER_RECORDS - 1, "its first record has its summary at once");
	cr_assert_eq(last.touches, 100 - AG_SWEEPER_RECORDS + 1);
	check_lines(0);
}

/* What touches do not tell is told of all together: of those that made records, too. */
Test(track, a_sweepers_summary)
{
	struct ag_distinct sent = {};
	struct frame f;

	open_reader();
	for (unsigned int i = 0; i < 40; i++) {
		frame_syn4(&f, 1 + i);
		frame_set32(&f, 26, 0x08000001);
		frame_set32(&f, 30, 0xc6336400 + i % 4);
		f.bytes[22] = (uint8_t)(60 + i);
		if (i >= 30)
			f.bytes[f.l4 + 13] = 0x42; /* SYN, ECE */
		if (i == 35)
			frame_set16(&f, f.l4, 0); /* source port 0 */
		if (i)				  /* the first made no summary yet */
			join_destination(&sent, 0xc6336400 + i % 4);
		run(&f);
	}
	next_interval();
	cr_assert_eq(sweepers_told, 1);
	cr_assert_eq(summary.key >> AG_KEY_FLAGS_SHIFT, 0x42);
	cr_assert_eq(summary.destinations.bits, sent.bits);
	cr_assert_eq(summary.destinations.ranks, sent.ranks);
	cr_assert_eq(summary.ttl_min, 61);
	cr_assert_eq(summary.ttl_max, 99);
	cr_assert_neq(summary.marks & 1u << AG_ANOMALY_PORT_ZERO, 0);
	cr_assert_eq(summary.bytes_last >> AG_LAST_SHIFT, 39 * STEP_NS >> AG_TIME_SHIFT);
	for (unsigned int i = 0; i < 3;
	     i++) { /* a sweeper that comes again; its third record is of a third port */
		frame_syn4(&f, 1);
		frame_set32(&f, 26, 0x08000001);
		run(&f);
	}
	next_interval();
	cr_assert_eq(last.records, 1);
}

/* ... by the packets that made them, whatever the touches that follow say. */
Test(track, a_sweepers_summary_knows_its_records)
{
	struct ag_distinct sent = {};
	struct frame f;

	open_reader();
	for (unsigned int i = 0; i < 40; i++) {
		uint32_t dst = 0xc6336400 + (i < AG_SWEEPER_RECORDS ? i : 3);

		frame_syn4(&f, 1 + i);
		frame_set32(&f, 26, 0x08000001);
		frame_set32(&f, 30, dst);
		f.bytes[22] = i == 7 ? 200 : 54;
		if (i == 5)
			f.bytes[f.l4 + 13] = 0x42; /* SYN, ECE */
		if (i == 6)
			frame_set16(&f, f.l4, 0); /* source port 0 */
		if (i)
			join_destination(&sent, dst);
		run(&f);
	}
	next_interval();
	cr_assert_eq(last.touches, 40 - AG_SWEEPER_RECORDS);
	cr_assert_eq(sweepers_told, 1);
	cr_assert_eq(summary.key >> AG_KEY_FLAGS_SHIFT, 0x42);
	cr_assert_eq(summary.destinations.bits, sent.bits);
	cr_assert_eq(summary.destinations.ranks, sent.ranks);
	cr_assert_eq(summary.ttl_max, 200);
	cr_assert_neq(summary.marks & 1u << AG_ANOMALY_PORT_ZERO, 0);
}

static uint64_t hosts_so_far(void)
{
	static struct ag_hll hosts[AG_CLASS_MAX], open[AG_CLASS_MAX];

	reader_hosts(reader, hosts, open);
	return hll_estimate(&hosts[AG_CLASS_SCAN]);
}

/* Hosts that come again have no new record tag and still count in each interval. */
Test(track, hosts_of_each_interval)
{
	open_reader();
	for (unsigned int i = 0; i < 4; i++) {
		for (unsigned int host = 0; host < 5; host++)
			send_syn(0x08000001 + host, 0xc6336407, 23, 54, false);
		next_interval();
		cr_assert_eq(hosts_told, 5, "interval %u: %u", i, hosts_told);
		cr_assert_eq(hosts_so_far(), 5);
	}
	send_syn(0x08000006, 0xc6336407, 23, 54, false);
	cr_assert_eq(hosts_so_far(), 6, "that of the open interval, too");
	next_interval();
	cr_assert_eq(hosts_told, 1);
	next_interval();
	cr_assert_eq(hosts_told, 0);
	cr_assert_eq(hosts_so_far(), 6);
}

Test(track, another_tool_of_a_sweeper_makes_records)
{
	open_reader();
	for (unsigned int i = 0; i < 400; i++)
		send_syn(0x08000001, 0xc6336400 + draw(256), 1 + i, 54, i % 3 == 0);
	next_interval();
	cr_assert_gt(last.touches, 0);
	cr_assert_eq(last.imbalance, 0);
	check_lines(0);
}

Test(track, touches_that_nobody_reads_are_lost)
{
	open_reader();
	for (unsigned int i = 0; i < 6000; i++)
		send_syn(0x08000001, 0xc6336400 + draw(256), 1 + i, 54, false);
	next_interval();
	cr_assert_eq(last.lost[AG_LOST_TOUCH_LOG],
		     6000 - AG_SWEEPER_RECORDS - sensor->tables->sizes.log_touches);
	cr_assert_eq(last.lost[AG_LOST_RECORD_LOG], 0);
	cr_assert_eq(last.imbalance, 0);
	check_lines(lost_packets(&last));
}

/* More sweepers than the summaries hold: who finds no summary goes on making records. */
Test(track, sweepers_without_room)
{
	open_reader();
	for (unsigned int i = 0; i < 24000; i++) {
		if (i % 100 == 0)
			reader_drain(reader);
		send_syn(0x08000000 + i / 30, 0xc6336400 + draw(256), 1 + i % 30, 54, false);
	}
	next_interval();
	cr_assert_gt(last.summary_refused, 0);
	cr_assert_gt(last.sweepers, 100);
	cr_assert_leq(last.sweepers, 256);
	cr_assert_eq(last.imbalance, 0);
	check_lines(lost_packets(&last));
	cr_assert_eq(lost_packets(&last), 0);
}

Test(track, ipv6_and_ipv4_of_the_same_number_are_two)
{
	struct frame f;

	open_reader();
	send_syn(0x00000001, 0xc6336400, 23, 54, false);
	frame_syn6(&f, 23);
	memset(f.bytes + 22, 0, 16);
	f.bytes[37] = 1; /* ::1 */
	run(&f);
	next_interval();
	cr_assert_eq(last.records, 2);
	cr_assert_eq(last.imbalance, 0);
}

Test(track, totals_are_sums)
{
	struct reader_totals t;

	open_reader();
	for (unsigned int i = 0; i < 3000; i++)
		send_syn(0x08000000 + i, 0xc6336400 + draw(256), 23, 54, false);
	reader_totals(reader, &t);
	cr_assert_eq(t.intervals, 0);
	cr_assert_gt(t.lost[AG_LOST_RECORD_LOG], 0, "what an open interval lost is told at once");
	next_interval();
	send_syn(0x08000000, 0xc6336400, 23, 54, false);
	next_interval();
	reader_totals(reader, &t);
	cr_assert_eq(t.intervals, 2);
	cr_assert_eq(t.dark, 3001);
	cr_assert_eq(t.record_packets + t.lost[AG_LOST_RECORD_LOG], 3001);
	cr_assert_eq(t.imbalance, 0);
}
