// SPDX-License-Identifier: GPL-2.0-only
/*
 * takeover: a reader ends at any moment, and another one goes on with its books: totals are exact, nothing is
 * told twice, the law holds. The books are memory that both processes share; all of it is read-only while the
 * first one closes an interval, and it ends where it first writes to the n-th page, for each n.
 */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collect/hll.h"
#include "collect/interval.h"

#define SLICES	   2
#define SETS	   8
#define RING	   1024
#define POINTS_MAX 1000
#define PAGE_BYTES 16384			   /* at least, so that there are not too many */
#define PAGES	   __attribute__((aligned(65536))) /* no two of them share a page of any size */

/* What survives. */
struct kept_books {
	struct ag_control control PAGES;
	struct ag_collected collected PAGES;
	struct ag_interval intervals[(SLICES + 1) * 2] PAGES;
	struct ag_flow_set flows[SLICES * 2 * SETS] PAGES;
	struct ag_summary_set summaries[SLICES * 2 * SETS] PAGES;
	struct ag_sweepers sweepers[SLICES * 2] PAGES;
	struct ag_log logs[SLICES] PAGES;
	struct ag_record log_records[SLICES * RING] PAGES;
	__u64 log_touches[SLICES * RING] PAGES;
};

/* Not of the books: how far the first reader came. */
struct progress {
	unsigned int points, end_at; /* pages written to for the first time */
	bool entered_again;	     /* it came to its end */
};

static struct kept_books *kept;
static struct progress *progress;
static void *mapped;
static size_t page_size;
static struct books books;

static void *share(size_t bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	cr_assert_neq(at, MAP_FAILED);
	return at;
}

static void open_books(void)
{
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	if (page_size < PAGE_BYTES)
		page_size = PAGE_BYTES;
	mapped = share(sizeof(*kept) + _Alignof(struct kept_books));
	kept = (void *)(((uintptr_t)mapped + _Alignof(struct kept_books) - 1) & -_Alignof(struct kept_books));
	progress = share(sizeof(*progress));
	books = (struct books){
		.slices = SLICES,
		.control = &kept->control,
		.collected = &kept->collected,
		.intervals = kept->intervals,
		.flows = kept->flows,
		.summaries = kept->summaries,
		.sweepers = kept->sweepers,
		.logs = kept->logs,
		.log_records = kept->log_records,
		.log_touches = kept->log_touches,
		.flow_sets = SETS,
		.summary_sets = SETS,
		.log_records_size = RING,
		.log_touches_size = RING,
	};
}

static void close_books(void)
{
	munmap(mapped, sizeof(*kept) + _Alignof(struct kept_books));
	munmap(progress, sizeof(*progress));
}

TestSuite(takeover, .init = open_books, .fini = close_books);

/* --- what the packet program writes
 * -------------------------------------------------------------------------------------------------------*/

static struct ag_interval *interval_of(unsigned int slice, uint32_t epoch)
{
	return &kept->intervals[slice * 2 + epoch % 2];
}

static struct ag_record record_of(uint32_t epoch, uint32_t src, unsigned int packets)
{
	return (struct ag_record){
		.src_lo = src, .key = (uint64_t)(epoch % 2) << AG_KEY_PARITY_SHIFT, .packets = packets};
}

static void put_record(unsigned int slice, uint32_t epoch, unsigned int set, unsigned int packets)
{
	kept->flows[(slice * 2 + epoch % 2) * SETS + set].way[0] = record_of(epoch, 100 + set, packets);
	interval_of(slice, epoch)->flows_used[0] |= 1ULL << set;
	interval_of(slice, epoch)->dark += packets;
}

static void log_record(unsigned int slice, uint32_t epoch, unsigned int packets)
{
	struct ag_log *log = &kept->logs[slice];

	kept->log_records[slice * RING + log->records_head++ % RING] = record_of(epoch, 7, packets);
	interval_of(slice, epoch)->dark += packets;
}

static void touch(unsigned int slice, uint32_t epoch, unsigned int count)
{
	struct ag_summary_set *set = &kept->summaries[(slice * 2 + epoch % 2) * SETS + 3];
	struct ag_log *log = &kept->logs[slice];

	set->way[0] = (struct ag_summary){
		.src_lo = 9,
		.key = (uint64_t)(epoch % 2) << AG_KEY_PARITY_SHIFT,
		.records = AG_SWEEPER_RECORDS,
		.marks = AG_MARK_SWEEPER,
	};
	interval_of(slice, epoch)->summaries_used[0] |= 1ULL << 3;
	interval_of(slice, epoch)->sweepers = 1;
	kept->sweepers[slice * 2 + epoch % 2].bits[9] = 1;
	interval_of(slice, epoch)->dark += count;
	for (; count; count--)
		kept->log_touches[slice * RING + log->touches_head++ % RING] =
			(uint64_t)(3 * AG_SUMMARY_WAYS) << AG_TOUCH_SLOT_SHIFT |
			(uint64_t)(epoch % 2) << AG_TOUCH_PARITY_SHIFT;
}

/* An interval with something of each kind in each slice. */
static void fill(uint32_t epoch)
{
	for (unsigned int slice = 0; slice < SLICES; slice++) {
		struct ag_interval *i = interval_of(slice, epoch);

		put_record(slice, epoch, 1, 10 + epoch);
		put_record(slice, epoch, 6, 20 + slice);
		log_record(slice, epoch, 300);
		touch(slice, epoch, 4);
		i->lost[AG_LOST_TOUCH_LOG] += 5;
		i->lost[AG_LOST_RING] += 1000;
		i->dark += 5;
		i->flagged[0] += 2;
		i->unsent += 3;
		i->hosts_used[AG_CLASS_SCAN] = 1;
		i->hosts[AG_CLASS_SCAN].reg[epoch * 10 + slice] = 3;
	}
	interval_of(SLICES, epoch)->lost[AG_LOST_CPU] += 6; /* the shared slice has no tables */
	interval_of(SLICES, epoch)->dark += 6;
}

static uint64_t filled(uint32_t epoch)
{
	return 2 * (10 + epoch + 20 + 300 + 4 + 5) + 1 + 6;
}

/* What the tables and logs still tell of an interval, and what was counted as lost. */
static uint64_t remaining(uint32_t epoch)
{
	uint64_t sum = 0;

	for (unsigned int slice = 0; slice < SLICES; slice++) {
		const struct ag_log *log = &kept->logs[slice];
		const struct ag_flow_set *sets = &kept->flows[(slice * 2 + epoch % 2) * SETS];

		for (unsigned int set = 0; set < SETS; set++)
			sum += sets[set].way[0].packets;
		for (uint64_t at = log->records_tail; at < log->records_head; at++) {
			const struct ag_record *r = &kept->log_records[slice * RING + at % RING];

			if ((r->key >> AG_KEY_PARITY_SHIFT & 1) == epoch % 2)
				sum += r->packets;
		}
		for (uint64_t at = log->touches_tail; at < log->touches_head; at++)
			sum += (kept->log_touches[slice * RING + at % RING] >> AG_TOUCH_PARITY_SHIFT & 1) ==
			       epoch % 2;
		sum += interval_of(slice, epoch)->lost[AG_LOST_TOUCH_LOG];
	}
	return sum + interval_of(SLICES, epoch)->lost[AG_LOST_CPU];
}

/* --- the reader that ends
 * -----------------------------------------------------------------------------------------------------------*/

static void ignore_records(void *arg, const struct interval *interval, const struct ag_record *records,
			   size_t count)
{
	(void)arg, (void)interval, (void)records, (void)count;
}

static void ignore_interval(void *arg, const struct interval *interval)
{
	(void)arg, (void)interval;
}

static const struct sink deaf = {NULL, ignore_records, ignore_interval};

/* The first write to a page. */
static void on_write(int signal_number, siginfo_t *info, void *context)
{
	uintptr_t at = (uintptr_t)info->si_addr, page = at / page_size * page_size;

	(void)signal_number, (void)context;
	if (at < (uintptr_t)kept || at >= (uintptr_t)(kept + 1))
		_exit(3); /* a true fault */
	if (progress->points++ == progress->end_at)
		_exit(0);
	mprotect((void *)page, page_size, PROT_READ | PROT_WRITE);
}

static void close_one(struct reader *r)
{
	reader_begin(r, 1000 * kept->control.epoch, 1000 * kept->control.epoch);
	reader_close(r);
}

/* Closes `before` intervals whole, and ends somewhere in the next one. */
static void live_and_end(unsigned int before)
{
	struct sigaction action = {.sa_sigaction = on_write, .sa_flags = SA_SIGINFO};
	struct reader *r = reader_new(&books, &deaf);
	uint32_t epoch;

	sigaction(SIGSEGV, &action, NULL);
	sigaction(SIGBUS, &action, NULL);
	reader_begin(r, 1000, 1000);
	for (epoch = 1; epoch <= before; epoch++) {
		fill(epoch);
		close_one(r);
	}
	fill(epoch);
	reader_begin(r, 9000, 9000);
	fill(epoch + 1); /* it is open, and its log is drained with the other's */
	mprotect(kept, sizeof(*kept), PROT_READ);
	reader_close(r);
	progress->entered_again = true;
	_exit(0);
}

static bool run_until(unsigned int before, unsigned int point)
{
	int status = 0;
	pid_t pid;

	memset(kept, 0, sizeof(*kept));
	kept->control.epoch = 1;
	*progress = (struct progress){.end_at = point};
	pid = fork();
	cr_assert_geq(pid, 0);
	if (!pid)
		live_and_end(before);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "point %u: status %#x", point, status);
	return !progress->entered_again;
}

/* --- the one that goes on
 * -----------------------------------------------------------------------------------------------------------*/

static void check_totals(struct reader *r, uint32_t last, uint64_t lost, unsigned int point)
{
	struct ag_hll *hosts = calloc(2 * AG_CLASS_MAX, sizeof(*hosts));
	struct reader_totals t;
	uint64_t dark = 0, told;

	cr_assert(hosts);
	for (uint32_t epoch = 1; epoch <= last; epoch++)
		dark += filled(epoch);
	reader_totals(r, &t);
	cr_assert_eq(t.intervals, last, "point %u: %llu", point, (unsigned long long)t.intervals);
	cr_assert_eq(t.dark, dark, "point %u: %llu of %llu", point, (unsigned long long)t.dark,
		     (unsigned long long)dark);
	cr_assert_eq(t.imbalance, 0, "point %u", point);
	cr_assert_eq(t.lost[AG_LOST_RESTART], lost, "point %u: %llu of %llu", point,
		     (unsigned long long)t.lost[AG_LOST_RESTART], (unsigned long long)lost);
	told = t.record_packets + t.touches + t.lost[AG_LOST_TOUCH_LOG] + t.lost[AG_LOST_CPU] + lost;
	cr_assert_eq(told, dark, "point %u", point);
	cr_assert_eq(t.lost[AG_LOST_TOUCH_LOG], 10 * last, "point %u", point);
	cr_assert_eq(t.lost[AG_LOST_RING], 2000 * last, "point %u", point);
	cr_assert_eq(t.lost[AG_LOST_CPU], 6 * last, "point %u", point);
	cr_assert_eq(t.flagged[0], 4 * last, "point %u", point);
	cr_assert_eq(t.unsent, 6 * last, "point %u", point);
	cr_assert_eq(t.sweepers, 2 * last, "point %u", point);
	reader_hosts(r, hosts, hosts + AG_CLASS_MAX);
	for (uint32_t epoch = 1; epoch <= last; epoch++)
		for (unsigned int slice = 0; slice < SLICES; slice++)
			cr_assert_eq(hosts[AG_CLASS_SCAN].reg[epoch * 10 + slice], 3, "point %u: %u", point,
				     epoch);
	free(hosts);
}

/* Returns whether the interval was in the sums when the first reader ended. */
static bool go_on(unsigned int before, unsigned int point)
{
	uint32_t half = before + 1, open = before + 2;
	const struct ag_collected *c = &kept->collected;
	bool entered = c->told[c->side & 1].epoch == half;
	uint64_t lost = entered ? 0 : filled(half) - remaining(half);
	struct reader *r = reader_new(&books, &deaf);

	lost += filled(open) - remaining(open);
	cr_assert(r);
	reader_begin(r, 20000, 20000);
	cr_assert_eq(kept->control.epoch, open, "point %u: the open interval stays open", point);
	cr_assert_eq(reader_is_closing(r), !entered, "point %u", point);
	reader_close(r);
	close_one(r);
	check_totals(r, open, lost, point);
	fill(open + 1);
	close_one(r);
	check_totals(r, open + 1, lost, point);
	reader_free(&r);
	return entered;
}

/* Both sides of what was told take their turn. */
static void end_everywhere(unsigned int before)
{
	unsigned int point, entered = 0;

	for (point = 0; point < POINTS_MAX && run_until(before, point); point++)
		entered += go_on(before, point);
	cr_assert_lt(point, POINTS_MAX);
	cr_assert_gt(entered, 0, "it ended after the interval was entered, and before it was cleared");
	cr_assert_gt(point - entered, 10, "... and before it was entered");
	go_on(before, point); /* it was through */
}

Test(takeover, a_reader_ends_anywhere_in_a_close)
{
	end_everywhere(2);
}

Test(takeover, a_reader_ends_anywhere_in_its_first_close)
{
	end_everywhere(0);
}

/* The first store to the side comes after the last one to what it names, when both share no page. */
Test(takeover, a_reader_ends_on_the_other_side)
{
	end_everywhere(1);
}

/* Readers that end one after the other in the same interval. */
Test(takeover, readers_end_and_end)
{
	struct reader *r;

	memset(kept, 0, sizeof(*kept));
	kept->control.epoch = 1;
	r = reader_new(&books, &deaf);
	reader_begin(r, 1000, 1000);
	fill(1);
	reader_begin(r, 9000, 9000);
	for (unsigned int i = 0; i < 3; i++) {
		reader_drain(r);
		reader_free(&r);
		r = reader_new(&books, &deaf);
		reader_begin(r, 10000, 10000);
		cr_assert(reader_is_closing(r));
	}
	reader_close(r);
	reader_free(&r);
	r = reader_new(&books, &deaf);
	reader_begin(r, 10000, 10000);
	cr_assert_not(reader_is_closing(r), "it is in the sums");
	fill(2);
	close_one(r);
	check_totals(r, 2, 2 * 300 + 2 * 4, 0);
	reader_free(&r);
}
