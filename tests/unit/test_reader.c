// SPDX-License-Identifier: GPL-2.0-only
/*
 * interval: the reader on books that the test wrote by hand, two slices and the shared one: what is summed,
 * what is read and cleared of which parity, and when a log's tail moves. No packet program takes part.
 */
#include <criterion/criterion.h>
#include <string.h>

#include "collect/hll.h"
#include "collect/interval.h"

#define SLICES	 2
#define SHARED	 SLICES
#define SETS	 8
#define RING	 1024
#define TOLD_MAX 8192

static struct ag_control control;
static struct ag_collected collected;
static struct ag_interval intervals[(SLICES + 1) * 2];
static struct ag_flow_set flows[SLICES * 2 * SETS];
static struct ag_summary_set summaries[SLICES * 2 * SETS];
static struct ag_sweepers sweepers[SLICES * 2];
static struct ag_log logs[SLICES];
static struct ag_record log_records[SLICES * RING];
static __u64 log_touches[SLICES * RING];

static struct books books = {
	.slices = SLICES,
	.control = &control,
	.collected = &collected,
	.intervals = intervals,
	.flows = flows,
	.summaries = summaries,
	.sweepers = sweepers,
	.logs = logs,
	.log_records = log_records,
	.log_touches = log_touches,
	.flow_sets = SETS,
	.summary_sets = SETS,
	.log_records_size = RING,
	.log_touches_size = RING,
};

/* What was handed on. */
static struct told {
	uint32_t epoch;
	struct ag_record record;
} told[TOLD_MAX];
static unsigned int told_count, touches_told, closed;
static struct interval last;
static struct ag_hll last_hosts[AG_CLASS_MAX];
static struct reader *reader;

static struct ag_interval *interval_of(unsigned int slice, uint32_t epoch)
{
	return &intervals[slice * 2 + epoch % 2];
}

/* An entry is the reader's until its tail has moved past it: not before it was handed on. */
static void check_tails(const struct ag_record *records, size_t count)
{
	uint64_t touches_read = 0;

	for (unsigned int slice = 0; slice < SLICES; slice++)
		touches_read += logs[slice].touches_tail;
	cr_assert_leq(touches_read, touches_told, "a touch was released before it was handed on");
	if (records >= log_records && records < log_records + SLICES * RING) {
		size_t at = (size_t)(records - log_records);
		const struct ag_log *log = &logs[at / RING];

		cr_assert_leq((at - log->records_tail) % RING + count, log->records_head - log->records_tail,
			      "a record was released before it was handed on");
	}
}

static void take_records(void *arg, const struct interval *interval, const struct ag_record *records,
			 size_t count)
{
	(void)arg;
	check_tails(records, count);
	for (size_t i = 0; i < count; i++) {
		cr_assert_lt(told_count, TOLD_MAX);
		told[told_count++] = (struct told){interval->epoch, records[i]};
		touches_told += records[i].packets && records[i].marks & AG_MARK_SWEEPER;
	}
}

static void take_interval(void *arg, const struct interval *interval)
{
	(void)arg;
	last = *interval;
	memcpy(last_hosts, interval->hosts, sizeof(last_hosts));
	closed++;
}

static void begin(void)
{
	const struct sink sink = {NULL, take_records, take_interval};

	control.epoch = 1;
	reader = reader_new(&books, &sink);
	cr_assert_not_null(reader);
	reader_begin(reader, 1000, 2000);
}

static void end(void)
{
	reader_free(&reader);
}

TestSuite(reader, .init = begin, .fini = end);

static void next_interval(void)
{
	reader_begin(reader, 3000, 4000);
	reader_close(reader);
}

static struct ag_record record_of(uint32_t epoch, uint32_t src, unsigned int packets)
{
	return (struct ag_record){
		.src_lo = src, .key = (uint64_t)(epoch % 2) << AG_KEY_PARITY_SHIFT, .packets = packets};
}

/* The four ways to tell of packets, each with L3's left side. */
static void put_record(unsigned int slice, uint32_t epoch, unsigned int set, uint32_t src, unsigned int packets)
{
	flows[(slice * 2 + epoch % 2) * SETS + set].way[src % AG_FLOW_WAYS] = record_of(epoch, src, packets);
	interval_of(slice, epoch)->flows_used[0] |= 1ULL << set;
	interval_of(slice, epoch)->dark += packets;
}

static void log_record(unsigned int slice, uint32_t epoch, uint32_t src, unsigned int packets)
{
	log_records[slice * RING + logs[slice].records_head++ % RING] = record_of(epoch, src, packets);
	interval_of(slice, epoch)->dark += packets;
}

static void put_sweeper(unsigned int slice, uint32_t epoch, unsigned int slot, uint32_t src)
{
	struct ag_summary_set *set = &summaries[(slice * 2 + epoch % 2) * SETS + slot / AG_SUMMARY_WAYS];

	set->way[slot % AG_SUMMARY_WAYS] = (struct ag_summary){
		.src_lo = src,
		.key = (uint64_t)(epoch % 2) << AG_KEY_PARITY_SHIFT,
		.records = AG_SWEEPER_RECORDS,
		.marks = AG_MARK_SWEEPER,
	};
	interval_of(slice, epoch)->summaries_used[0] |= 1ULL << slot / AG_SUMMARY_WAYS;
	interval_of(slice, epoch)->sweepers++;
	sweepers[slice * 2 + epoch % 2].bits[src % 1024] = 1;
}

static void log_touch(unsigned int slice, uint32_t epoch, unsigned int slot, unsigned int port)
{
	log_touches[slice * RING + logs[slice].touches_head++ % RING] =
		(uint64_t)slot << AG_TOUCH_SLOT_SHIFT | (uint64_t)port << AG_TOUCH_PORT_SHIFT |
		(uint64_t)(epoch % 2) << AG_TOUCH_PARITY_SHIFT;
	interval_of(slice, epoch)->dark++;
}

/* Packets of a source that were told with an interval; -1: a source that was told with 0 packets. */
static int told_of(uint32_t epoch, uint32_t src)
{
	int packets = 0;

	for (unsigned int i = 0; i < told_count; i++)
		if (told[i].epoch == epoch && told[i].record.src_lo == src)
			packets += told[i].record.packets ? (int)told[i].record.packets : -1;
	return packets;
}

static bool all_zero(const void *memory, size_t bytes)
{
	const uint8_t *b = memory;

	while (bytes && !b[bytes - 1])
		bytes--;
	return !bytes;
}

/* --- figures
 * --------------------------------------------------------------------------------------------------*/

/* Another number in each field of each slice: factor * (1, 10, 100). Not in `dark` of the law's right side. */
static void fill(uint32_t epoch)
{
	for (unsigned int slice = 0, power = 1; slice <= SLICES; slice++, power *= 10) {
		struct ag_interval *i = interval_of(slice, epoch);

		i->dark = 1000 * power;
		i->evicted = 2 * power;
		i->sweepers = 3 * power;
		i->summary_refused = 4 * power;
		i->unsent = 5 * power;
		for (unsigned int stage = 0; stage < AG_LOST_MAX; stage++)
			i->lost[stage] = (11 + stage) * power;
		for (unsigned int kind = 0; kind < AG_ALERT_MAX; kind++)
			i->flagged[kind] = (21 + kind) * power;
		i->hosts_used[AG_CLASS_SCAN] = 1;
		i->hosts[AG_CLASS_SCAN].reg[100 + slice] = (__u8)(1 + slice);
	}
}

/* All that fill() lost but for the ring, which the law knows nothing of. */
static uint64_t lost_in_law(void)
{
	uint64_t sum = 0;

	for (unsigned int stage = 0; stage < AG_LOST_MAX; stage++)
		sum += stage == AG_LOST_RING ? 0 : (11 + stage) * 111;
	return sum;
}

Test(reader, an_interval_is_the_sum_of_its_slices)
{
	fill(1);
	next_interval();
	cr_assert_eq(closed, 1);
	cr_assert_eq(last.epoch, 1);
	cr_assert_eq(last.began_ns, 1000);
	cr_assert_eq(last.begin_ns, 2000);
	cr_assert_eq(last.end_ns, 4000);
	cr_assert_eq(last.dark, 111000);
	cr_assert_eq(last.evicted, 222);
	cr_assert_eq(last.sweepers, 333);
	cr_assert_eq(last.summary_refused, 444);
	cr_assert_eq(last.unsent, 555);
	for (unsigned int stage = 0; stage < AG_LOST_MAX; stage++)
		cr_assert_eq(last.lost[stage], (11 + stage) * 111, "lost %u", stage);
	for (unsigned int kind = 0; kind < AG_ALERT_MAX; kind++)
		cr_assert_eq(last.flagged[kind], (21 + kind) * 111, "alert %u", kind);
	cr_assert_eq(last.imbalance, 111000 - lost_in_law());
	for (unsigned int slice = 0; slice <= SLICES; slice++)
		cr_assert_eq(last_hosts[AG_CLASS_SCAN].reg[100 + slice], 1 + slice);
	cr_assert(all_zero(intervals, sizeof(intervals)), "read and cleared");
	next_interval();
	cr_assert_eq(last.epoch, 2);
	cr_assert_eq(last.began_ns, 3000);
	cr_assert_eq(last.dark, 0);
	cr_assert_eq(last_hosts[AG_CLASS_SCAN].reg[100], 0);
}

Test(reader, totals_are_the_sum_of_intervals)
{
	struct reader_totals t;

	for (uint32_t epoch = 1; epoch <= 3; epoch++) {
		fill(epoch);
		put_record(0, epoch, 5, 7, 50);
		put_sweeper(1, epoch, 2, 9);
		log_touch(1, epoch, 2, 80);
		next_interval();
	}
	reader_totals(reader, &t);
	cr_assert_eq(t.intervals, 3);
	cr_assert_eq(t.dark, 3 * 111051);
	cr_assert_eq(t.records, 3);
	cr_assert_eq(t.record_packets, 150);
	cr_assert_eq(t.touches, 3);
	cr_assert_eq(t.sweepers, 3 * 334);
	cr_assert_eq(t.summary_refused, 3 * 444);
	cr_assert_eq(t.unsent, 3 * 555);
	cr_assert_eq(t.imbalance, 3 * (111000 - lost_in_law()));
	for (unsigned int stage = 0; stage < AG_LOST_MAX; stage++)
		cr_assert_eq(t.lost[stage], 3 * (11 + stage) * 111, "lost %u", stage);
	for (unsigned int kind = 0; kind < AG_ALERT_MAX; kind++)
		cr_assert_eq(t.flagged[kind], 3 * (21 + kind) * 111, "alert %u", kind);
}

/* What is open is told of losses and hosts at once, of each slice and parity, once. */
Test(reader, open_intervals_count_in_losses_and_hosts)
{
	static struct ag_hll hosts[AG_CLASS_MAX], open[AG_CLASS_MAX];
	struct reader_totals t;

	fill(1);
	next_interval();
	for (unsigned int at = 0; at < 2 * (SLICES + 1); at++) {
		intervals[at].lost[AG_LOST_RING] = 1000000;
		intervals[at].hosts_used[AG_CLASS_OTHER] = 1;
		intervals[at].hosts[AG_CLASS_OTHER].reg[at] = 2;
	}
	reader_totals(reader, &t);
	cr_assert_eq(t.lost[AG_LOST_RING], 6000000 + (11 + AG_LOST_RING) * 111);
	reader_hosts(reader, hosts, open);
	for (unsigned int at = 0; at < 2 * (SLICES + 1); at++) {
		cr_assert_eq(hosts[AG_CLASS_OTHER].reg[at], 2, "%u", at);
		cr_assert_eq(open[AG_CLASS_OTHER].reg[at], 2, "%u", at);
	}
	cr_assert_eq(hosts[AG_CLASS_SCAN].reg[101], 2, "of the closed one");
	cr_assert_eq(open[AG_CLASS_SCAN].reg[101], 0, "which is not open any more");
}

static void check_imbalance(int64_t more, uint64_t imbalance)
{
	uint32_t epoch = control.epoch;

	put_record(0, epoch, 5, 7, 50);
	log_record(1, epoch, 8, 30);
	put_sweeper(1, epoch, 2, 9);
	log_touch(1, epoch, 2, 80);
	interval_of(0, epoch)->dark += (uint64_t)more;
	next_interval();
	cr_assert_eq(last.imbalance, imbalance, "%lld: %llu", (long long)more,
		     (unsigned long long)last.imbalance);
}

Test(reader, the_law_has_two_directions)
{
	check_imbalance(0, 0);
	check_imbalance(3, 3);
	check_imbalance(-3, 3);
	check_imbalance(0, 0);
}

/* --- tables
 * ---------------------------------------------------------------------------------------------------*/

Test(reader, tables_of_one_parity_are_read_and_cleared)
{
	for (unsigned int slice = 0; slice < SLICES; slice++)
		for (uint32_t epoch = 1; epoch <= 2; epoch++) {
			uint32_t src = 100 * slice + 10 * epoch;

			put_record(slice, epoch, 0, src, 2);
			put_record(slice, epoch, 0, src + 1, 3); /* both ways */
			put_record(slice, epoch, SETS - 1, src + 2, 4);
			put_sweeper(slice, epoch, 3, src + 3);
			log_touch(slice, epoch, 3, 80);
		}
	for (uint32_t epoch = 1; epoch <= 2; epoch++) {
		next_interval();
		cr_assert_eq(last.epoch, epoch);
		cr_assert_eq(last.records, 6);
		cr_assert_eq(last.record_packets, 18);
		cr_assert_eq(last.touches, 2);
		cr_assert_eq(last.imbalance, 0);
		/* 6 records, 2 summaries, and what is in the logs: of both intervals. */
		cr_assert_eq(told_count, epoch == 1 ? 12 : 20, "%u", told_count);
		for (unsigned int slice = 0; slice < SLICES; slice++) {
			uint32_t src = 100 * slice + 10 * epoch;
			unsigned int at = slice * 2 + epoch % 2;

			cr_assert_eq(told_of(epoch, src), 2);
			cr_assert_eq(told_of(epoch, src + 1), 3);
			cr_assert_eq(told_of(epoch, src + 2), 4);
			cr_assert_eq(told_of(epoch, src + 3), 1 - 1, "1 of a touch, and a summary");
			cr_assert(all_zero(&flows[at * SETS], SETS * sizeof(flows[0])));
			cr_assert(all_zero(&summaries[at * SETS], SETS * sizeof(summaries[0])));
			cr_assert(all_zero(&sweepers[at], sizeof(sweepers[0])));
			cr_assert(all_zero(&intervals[at], sizeof(intervals[0])));
			/* Until it is closed, the other is the program's. */
			cr_assert_eq(all_zero(&flows[(at ^ 1) * SETS], SETS * sizeof(flows[0])), epoch == 2);
			cr_assert_eq(all_zero(&summaries[(at ^ 1) * SETS], SETS * sizeof(summaries[0])),
				     epoch == 2);
			cr_assert_eq(all_zero(&sweepers[at ^ 1], sizeof(sweepers[0])), epoch == 2);
		}
	}
	next_interval();
	next_interval();
	cr_assert_eq(told_count, 20, "nothing is told twice");
}

Test(reader, a_summary_that_is_no_sweepers_is_not_told)
{
	put_record(0, 1, 4, 7, 1);
	put_sweeper(0, 1, 3, 9);
	summaries[SETS + 1].way[1].marks = 0;
	next_interval();
	cr_assert_eq(told_count, 1);
	cr_assert(all_zero(summaries, sizeof(summaries)));
}

/* --- logs
 * -----------------------------------------------------------------------------------------------------*/

/* In any order, over the end of the ring, and more than fit into a batch. */
Test(reader, entries_count_for_their_interval)
{
	logs[1].records_head = logs[1].records_tail = RING - 10;
	logs[1].touches_head = logs[1].touches_tail = RING - 7;
	touches_told = RING - 7;
	put_sweeper(1, 1, 5, 41);
	put_sweeper(1, 2, 5, 42);
	reader_begin(reader, 3000, 4000);
	for (unsigned int i = 0; i < 700; i++) {
		log_record(1, 1 + (i % 7 < 3), 31 + (i % 7 < 3), 2);
		log_touch(1, 1 + (i % 5 < 2), 5, i);
	}
	reader_close(reader);
	cr_assert_eq(last.epoch, 1);
	cr_assert_eq(told_of(1, 31), 800);
	cr_assert_eq(told_of(2, 32), 600);
	cr_assert_eq(told_of(1, 41), 420 - 1);
	cr_assert_eq(told_of(2, 42), 280);
	cr_assert_eq(last.record_packets, 800);
	cr_assert_eq(last.records, 400);
	cr_assert_eq(last.touches, 420);
	cr_assert_eq(last.imbalance, 0);
	cr_assert_eq(logs[1].records_tail, logs[1].records_head);
	cr_assert_eq(logs[1].touches_tail, logs[1].touches_head);
	next_interval();
	cr_assert_eq(last.epoch, 2);
	cr_assert_eq(last.record_packets, 600);
	cr_assert_eq(last.touches, 280);
	cr_assert_eq(last.imbalance, 0);
	cr_assert_eq(told_count, 700 + 700 + 2);
}

Test(reader, logs_are_read_when_asked)
{
	put_sweeper(0, 1, 5, 41);
	log_record(0, 1, 31, 2);
	log_record(1, 1, 32, 2);
	log_touch(0, 1, 5, 80);
	reader_drain(reader);
	cr_assert_eq(told_of(1, 31), 2);
	cr_assert_eq(told_of(1, 32), 2);
	cr_assert_eq(told_of(1, 41), 1);
	reader_drain(reader);
	cr_assert_eq(told_count, 3);
	next_interval();
	cr_assert_eq(last.imbalance, 0);
	cr_assert_eq(last.record_packets, 4);
}

/* The clock of packets is there before they can see the epoch. */
Test(reader, an_interval_begins_for_the_program)
{
	cr_assert_eq(control.epoch, 1);
	cr_assert_eq(control.began_ns[1], 1000);
	cr_assert_not(reader_is_closing(reader));
	reader_begin(reader, 3000, 4000);
	cr_assert_eq(control.epoch, 2);
	cr_assert_eq(control.began_ns[0], 3000);
	cr_assert_eq(control.began_ns[1], 1000);
	cr_assert(reader_is_closing(reader));
	reader_close(reader);
	cr_assert_not(reader_is_closing(reader));
	reader_close(reader);
	cr_assert_eq(closed, 1, "it is closed once");
}

/* --- books that another reader left
 * --------------------------------------------------------------------------------------------------*/

/* It ends, and another one begins on the same books. */
static void replace_reader(void)
{
	const struct sink sink = {NULL, take_records, take_interval};

	reader_free(&reader);
	reader = reader_new(&books, &sink);
	cr_assert_not_null(reader);
	reader_begin(reader, 9000, 9000);
}

Test(reader, another_goes_on_in_the_middle_of_a_close)
{
	struct reader_totals t;

	log_record(0, 1, 1, 30);
	put_record(0, 1, 5, 2, 50);
	reader_drain(reader); /* 30 packets were told to the one that ends */
	reader_begin(reader, 3000, 4000);
	log_record(1, 2, 3, 7); /* and 7 of the open interval */
	reader_drain(reader);
	put_record(1, 2, 1, 4, 9);
	put_sweeper(1, 1, 2, 8);
	log_touch(1, 1, 2, 80);
	replace_reader();
	cr_assert_eq(control.epoch, 2, "the open interval stays open");
	cr_assert(reader_is_closing(reader), "and the one before waits");
	reader_close(reader);
	cr_assert_eq(closed, 1);
	cr_assert_eq(last.epoch, 1);
	cr_assert(last.incomplete);
	cr_assert_eq(last.began_ns, 1000);
	cr_assert_eq(last.record_packets, 50);
	cr_assert_eq(last.touches, 1);
	cr_assert_eq(last.lost[AG_LOST_RESTART], 30);
	cr_assert_eq(last.imbalance, 0);
	next_interval();
	cr_assert_eq(last.epoch, 2);
	cr_assert(last.incomplete);
	cr_assert_eq(last.record_packets, 9);
	cr_assert_eq(last.lost[AG_LOST_RESTART], 7);
	put_record(0, 3, 5, 2, 50);
	next_interval();
	cr_assert_eq(last.epoch, 3);
	cr_assert_not(last.incomplete, "the books are right afterwards");
	cr_assert_eq(last.record_packets, 50);
	cr_assert_eq(last.imbalance, 0);
	reader_totals(reader, &t);
	cr_assert_eq(t.intervals, 3, "of both readers");
	cr_assert_eq(t.dark, 30 + 50 + 1 + 7 + 9 + 50);
	cr_assert_eq(t.record_packets, 50 + 9 + 50);
	cr_assert_eq(t.touches, 1);
	cr_assert_eq(t.incomplete, 2);
	cr_assert_eq(t.lost[AG_LOST_RESTART], 37);
	cr_assert_eq(t.imbalance, 0);
}

/* Half of the tables were read and cleared, nothing was settled. */
Test(reader, another_finds_half_of_the_tables)
{
	put_record(0, 1, 5, 2, 50);
	put_record(1, 1, 6, 3, 60);
	reader_begin(reader, 3000, 4000);
	flows[(0 * 2 + 1) * SETS + 5] = (struct ag_flow_set){};
	replace_reader();
	reader_close(reader);
	cr_assert_eq(last.record_packets, 60);
	cr_assert_eq(last.lost[AG_LOST_RESTART], 50);
	cr_assert_eq(last.imbalance, 0);
	cr_assert(all_zero(flows, sizeof(flows)));
}

/* More was told than ever came: no takeover excuses that. */
Test(reader, a_takeover_hides_no_error)
{
	put_record(0, 1, 5, 2, 50);
	interval_of(0, 1)->dark -= 10;
	reader_begin(reader, 3000, 4000);
	replace_reader();
	reader_close(reader);
	cr_assert_eq(last.imbalance, 10);
}
