// SPDX-License-Identifier: GPL-2.0-only
/*
 * Logs and tables to records (interval.h), and the law L3 of each interval: what was booked on its left side
 * against what was handed on and what was counted as lost.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "collect/hll.h"
#include "collect/interval.h"
#include "collect/ledger.h"

#define BATCH	    256
#define SETS_A_STEP 1024 /* of a table, before the logs are looked at again */

struct reader {
	struct books *books;
	struct sink sink;
	bool closing;
	struct interval now[2]; /* by parity: what was handed on so far */
	struct ag_record batch[BATCH];
	size_t batch_used;

	pthread_mutex_t lock;		    /* the moment at which an interval's figures move into the sums */
	struct ag_hll merged[AG_CLASS_MAX]; /* of the interval that is being closed */
};

struct reader *reader_new(struct books *books, const struct sink *sink)
{
	struct reader *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->books = books;
	r->sink = *sink;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void reader_free(struct reader **reader)
{
	if (!*reader)
		return;
	pthread_mutex_destroy(&(*reader)->lock);
	free(*reader);
	*reader = NULL;
}

static unsigned int parity_of(const struct ag_record *r)
{
	return r->key >> AG_KEY_PARITY_SHIFT & 1;
}

static void hand_on(struct reader *r, unsigned int parity, const struct ag_record *records, size_t count)
{
	r->sink.records(r->sink.arg, &r->now[parity], records, count);
}

/* Records in a row of memory, in runs of one interval. */
static void hand_on_records(struct reader *r, const struct ag_record *records, size_t count)
{
	size_t begin = 0, i;

	for (i = 0; i < count; i++) {
		struct interval *now = &r->now[parity_of(&records[i])];

		now->record_packets += records[i].packets;
		now->records++;
		if (parity_of(&records[i]) != parity_of(&records[begin])) {
			hand_on(r, parity_of(&records[begin]), records + begin, i - begin);
			begin = i;
		}
	}
	if (count)
		hand_on(r, parity_of(&records[begin]), records + begin, count - begin);
}

/* What a touch says, as a record. */
static void record_of_touch(struct ag_record *record, uint64_t touch, const struct ag_summary *s)
{
	uint64_t key = __atomic_load_n(&s->key, __ATOMIC_RELAXED), tool = key >> AG_KEY_TOOL_SHIFT & 15;
	unsigned int bit = touch >> AG_TOUCH_BIT_SHIFT & 63, rank = touch >> AG_TOUCH_RANK_SHIFT & 15;

	memset(record, 0, sizeof(*record));
	record->src_hi = s->src_hi;
	record->src_lo = s->src_lo;
	record->key = (key & AG_KEY_SOURCE_MASK) |
		      (touch >> AG_TOUCH_PORT_SHIFT & 0xffff) << AG_KEY_PORT_SHIFT |
		      (touch >> AG_TOUCH_SCOPE_SHIFT & 0x7f) << AG_KEY_SCOPE_SHIFT |
		      (touch >> AG_TOUCH_PARITY_SHIFT & 1) << AG_KEY_PARITY_SHIFT | tool << AG_KEY_TOOL_SHIFT |
		      (uint64_t)(tool != AG_KEY_TOOL_NONE) << AG_KEY_HITS_SHIFT;
	record->bytes_last = touch >> AG_TOUCH_LENGTH_SHIFT & AG_TOUCH_LENGTH_MAX;
	record->destinations.bits = 1ULL << bit;
	record->destinations.ranks = (uint64_t)rank << (bit >> 2 << 2);
	record->packets = 1;
	record->signature = s->signature;
	record->marks = AG_MARK_SWEEPER;
	record->ttl_min = 0xff;
}

static void flush_batch(struct reader *r, unsigned int parity)
{
	if (r->batch_used)
		hand_on(r, parity, r->batch, r->batch_used);
	r->batch_used = 0;
}

static const struct ag_summary *summary_at(const struct reader *r, unsigned int slice, unsigned int parity,
					   unsigned int slot)
{
	size_t table = ((size_t)slice * 2 + parity) * r->books->summary_sets;

	return &r->books->summaries[table + slot / AG_SUMMARY_WAYS].way[slot % AG_SUMMARY_WAYS];
}

static void hand_on_touches(struct reader *r, unsigned int slice, const __u64 *touches, size_t count)
{
	unsigned int parity = 0;
	size_t i;

	for (i = 0; i < count; i++) {
		unsigned int slot = touches[i] >> AG_TOUCH_SLOT_SHIFT & (AG_TOUCH_SLOTS - 1);
		unsigned int now = (unsigned int)(touches[i] >> AG_TOUCH_PARITY_SHIFT);

		if (r->batch_used == BATCH || now != parity)
			flush_batch(r, parity);
		parity = now;
		record_of_touch(&r->batch[r->batch_used++], touches[i], summary_at(r, slice, parity, slot));
		r->now[parity].touches++;
	}
	flush_batch(r, parity);
}

/* Entries from tail to head of a ring of `size`: how many lie in a row, at most `most`. */
static size_t in_a_row(uint64_t head, uint64_t tail, size_t size, size_t most)
{
	size_t left = (size_t)(head - tail), row = size - (size_t)(tail & (size - 1));

	if (left > row)
		left = row;
	return left < most ? left : most;
}

static void drain_records(struct reader *r, unsigned int slice)
{
	const struct books *books = r->books;
	struct ag_log *log = &books->logs[slice];
	const struct ag_record *ring = &books->log_records[(size_t)slice * books->log_records_size];
	uint64_t head = __atomic_load_n(&log->records_head, __ATOMIC_ACQUIRE), tail = log->records_tail;

	while (tail != head) {
		size_t count = in_a_row(head, tail, books->log_records_size, BATCH);

		hand_on_records(r, ring + (tail & (books->log_records_size - 1)), count);
		tail += count;
		__atomic_store_n(&log->records_tail, tail, __ATOMIC_RELEASE);
	}
}

static void drain_touches(struct reader *r, unsigned int slice)
{
	const struct books *books = r->books;
	struct ag_log *log = &books->logs[slice];
	const __u64 *ring = &books->log_touches[(size_t)slice * books->log_touches_size];
	uint64_t head = __atomic_load_n(&log->touches_head, __ATOMIC_ACQUIRE), tail = log->touches_tail;

	while (tail != head) {
		size_t count = in_a_row(head, tail, books->log_touches_size, BATCH);

		hand_on_touches(r, slice, ring + (tail & (books->log_touches_size - 1)), count);
		tail += count;
		__atomic_store_n(&log->touches_tail, tail, __ATOMIC_RELEASE);
	}
}

void reader_drain(struct reader *r)
{
	unsigned int slice;

	for (slice = 0; slice < r->books->slices; slice++) {
		drain_records(r, slice);
		drain_touches(r, slice);
	}
}

static const struct ag_told *told(const struct reader *r)
{
	const struct ag_collected *c = r->books->collected;

	return &c->told[c->side & 1];
}

/* An interval that somebody else began. */
static void take_over(struct reader *r, uint32_t epoch, int64_t wall_ns)
{
	struct interval *now = &r->now[epoch & 1];

	memset(now, 0, sizeof(*now));
	now->epoch = epoch;
	now->began_ns = r->books->control->began_ns[epoch & 1];
	now->begin_ns = now->end_ns = wall_ns;
	now->incomplete = true;
}

static void clear_intervals(struct books *books, unsigned int parity)
{
	unsigned int slice;

	for (slice = 0; slice <= books->slices; slice++)
		memset(&books->intervals[(size_t)slice * 2 + parity], 0, sizeof(books->intervals[0]));
}

/* The reader before may have ended between entering the last interval in the sums and clearing it. */
static void take_over_both(struct reader *r, uint32_t epoch, int64_t wall_ns)
{
	take_over(r, epoch, wall_ns);
	if (told(r)->epoch == epoch - 1) {
		clear_intervals(r->books, (epoch - 1) & 1);
		return;
	}
	take_over(r, epoch - 1, wall_ns);
	r->closing = true;
}

void reader_begin(struct reader *r, uint64_t began_ns, int64_t wall_ns)
{
	struct ag_control *control = r->books->control;
	bool first = !r->now[control->epoch & 1].epoch;
	uint32_t epoch = first ? control->epoch : control->epoch + 1;

	if (first && control->began_ns[epoch & 1]) {
		take_over_both(r, epoch, wall_ns);
		return;
	}
	if (!first)
		r->now[control->epoch & 1].end_ns = wall_ns;
	memset(&r->now[epoch & 1], 0, sizeof(r->now[0]));
	r->now[epoch & 1].epoch = epoch;
	r->now[epoch & 1].began_ns = began_ns;
	r->now[epoch & 1].begin_ns = wall_ns;
	control->began_ns[epoch & 1] = began_ns;
	__atomic_store_n(&control->epoch, epoch, __ATOMIC_RELEASE);
	r->closing = !first;
}

bool reader_is_closing(const struct reader *r)
{
	return r->closing;
}

static void batch_add(struct reader *r, unsigned int parity, const struct ag_record *record)
{
	if (r->batch_used == BATCH)
		flush_batch(r, parity);
	r->batch[r->batch_used++] = *record;
}

static void read_flow_set(struct reader *r, unsigned int parity, struct ag_flow_set *set)
{
	unsigned int way;

	for (way = 0; way < AG_FLOW_WAYS; way++) {
		const struct ag_record *record = &set->way[way];

		if (!record->packets)
			continue;
		r->now[parity].record_packets += record->packets;
		r->now[parity].records++;
		batch_add(r, parity, record);
	}
	memset(set, 0, sizeof(*set));
}

/* Of summaries only those of sweepers tell something that records do not. */
static void read_summary_set(struct reader *r, unsigned int parity, struct ag_summary_set *set)
{
	unsigned int way;

	for (way = 0; way < AG_SUMMARY_WAYS; way++) {
		const struct ag_summary *s = &set->way[way];
		struct ag_record record = {
			.src_hi = s->src_hi,
			.src_lo = s->src_lo,
			.key = s->key & ~(0xffffULL << AG_KEY_HITS_SHIFT),
			.bytes_last = (uint64_t)s->last << AG_LAST_SHIFT,
			.destinations = s->destinations,
			.signature = s->signature,
			.marks = s->marks,
			.ttl_min = s->ttl_min,
			.ttl_max = s->ttl_max,
		};

		if (s->records && s->marks & AG_MARK_SWEEPER)
			batch_add(r, parity, &record);
	}
	memset(set, 0, sizeof(*set));
}

/* Calls `read` for each set of the parts whose bit is set, and looks at the logs now and then. */
static void walk_used(struct reader *r, unsigned int parity, const __u64 used[AG_USED_WORDS], unsigned int sets,
		      unsigned int shift, void (*read)(struct reader *r, unsigned int parity, size_t set),
		      size_t table)
{
	unsigned int bit, i, walked = 0;

	for (bit = 0; bit < AG_USED_WORDS * 64 && (size_t)bit << shift < sets; bit++) {
		if (!(used[bit / 64] >> (bit % 64) & 1))
			continue;
		for (i = 0; i < 1u << shift; i++)
			read(r, parity, table + ((size_t)bit << shift) + i);
		walked += 1u << shift;
		if (walked >= SETS_A_STEP) {
			flush_batch(r, parity);
			reader_drain(r);
			walked = 0;
		}
	}
	flush_batch(r, parity);
}

static void read_flows_at(struct reader *r, unsigned int parity, size_t set)
{
	read_flow_set(r, parity, &r->books->flows[set]);
}

static void read_summaries_at(struct reader *r, unsigned int parity, size_t set)
{
	read_summary_set(r, parity, &r->books->summaries[set]);
}

static void read_tables(struct reader *r, unsigned int slice, unsigned int parity)
{
	struct books *books = r->books;
	size_t at = (size_t)slice * 2 + parity;
	const struct ag_interval *interval = &books->intervals[at];

	walk_used(r, parity, interval->flows_used, books->flow_sets, books->flow_shift, read_flows_at,
		  at * books->flow_sets);
	walk_used(r, parity, interval->summaries_used, books->summary_sets, books->summary_shift,
		  read_summaries_at, at * books->summary_sets);
	if (interval->sweepers)
		memset(&books->sweepers[at], 0, sizeof(books->sweepers[at]));
}

/* The figures of one slice into the interval's, and of all its lost packets only those that L3 knows of. */
static void add_slice(struct reader *r, struct interval *now, const struct ag_interval *slice)
{
	unsigned int i;

	now->dark += slice->dark;
	now->evicted += slice->evicted;
	now->sweepers += slice->sweepers;
	now->summary_refused += slice->summary_refused;
	now->unsent += slice->unsent;
	for (i = 0; i < AG_LOST_MAX; i++)
		now->lost[i] += slice->lost[i];
	for (i = 0; i < AG_ALERT_MAX; i++)
		now->flagged[i] += slice->flagged[i];
	for (i = 0; i < AG_CLASS_MAX; i++)
		if (slice->hosts_used[i])
			hll_merge(&r->merged[i], &slice->hosts[i]);
}

/* L3: no side is computed from the other, but where another reader took what it knew along. */
static void check_law(struct interval *now)
{
	uint64_t right = now->record_packets + now->touches + ledger_lost(now->lost);

	if (now->incomplete && now->dark > right) {
		now->lost[AG_LOST_RESTART] += now->dark - right;
		right = now->dark;
	}
	now->imbalance = now->dark > right ? now->dark - right : right - now->dark;
}

static void add_totals(const struct reader *r, struct ag_told *t, const struct interval *now)
{
	unsigned int i;

	t->epoch = now->epoch;
	t->intervals++;
	t->dark += now->dark;
	t->records += now->records;
	t->record_packets += now->record_packets;
	t->touches += now->touches;
	t->sweepers += now->sweepers;
	t->summary_refused += now->summary_refused;
	t->unsent += now->unsent;
	t->imbalance += now->imbalance;
	t->incomplete += now->incomplete;
	for (i = 0; i < AG_LOST_MAX; i++)
		t->lost[i] += now->lost[i];
	for (i = 0; i < AG_ALERT_MAX; i++)
		t->flagged[i] += now->flagged[i];
	for (i = 0; i < AG_CLASS_MAX; i++)
		hll_merge(&t->hosts[i], &r->merged[i]);
}

/* Into the side that nobody looks at, which one store then makes the one that counts: an interval is entered
 * whole or not at all, whenever this process ends. */
static void enter_interval(struct reader *r, const struct interval *now)
{
	struct ag_collected *c = r->books->collected;
	unsigned int side = c->side & 1;

	c->told[!side] = c->told[side];
	add_totals(r, &c->told[!side], now);
	__atomic_store_n(&c->side, !side, __ATOMIC_RELEASE);
}

static void settle(struct reader *r, unsigned int parity)
{
	struct books *books = r->books;
	struct interval *now = &r->now[parity];
	unsigned int slice;

	memset(r->merged, 0, sizeof(r->merged));
	pthread_mutex_lock(&r->lock);
	for (slice = 0; slice <= books->slices; slice++) {
		struct ag_interval *interval = &books->intervals[(size_t)slice * 2 + parity];

		if (interval->dark)
			add_slice(r, now, interval);
	}
	check_law(now);
	enter_interval(r, now);
	for (slice = 0; slice <= books->slices; slice++)
		if (books->intervals[(size_t)slice * 2 + parity].dark)
			memset(&books->intervals[(size_t)slice * 2 + parity], 0, sizeof(books->intervals[0]));
	pthread_mutex_unlock(&r->lock);
	now->hosts = r->merged;
}

void reader_close(struct reader *r)
{
	unsigned int parity = (r->books->control->epoch - 1) & 1, slice;

	if (!r->closing)
		return;
	reader_drain(r); /* what was evicted before everybody had moved on */
	for (slice = 0; slice < r->books->slices; slice++)
		if (r->books->intervals[(size_t)slice * 2 + parity].dark)
			read_tables(r, slice, parity);
	settle(r, parity);
	r->closing = false;
	r->sink.closed(r->sink.arg, &r->now[parity]);
}

void reader_totals(struct reader *r, struct reader_totals *out)
{
	const struct books *books = r->books;
	const struct ag_told *t;
	unsigned int i, stage;

	pthread_mutex_lock(&r->lock);
	t = told(r);
	*out = (struct reader_totals){
		.intervals = t->intervals,
		.dark = t->dark,
		.records = t->records,
		.record_packets = t->record_packets,
		.touches = t->touches,
		.unsent = t->unsent,
		.sweepers = t->sweepers,
		.summary_refused = t->summary_refused,
		.imbalance = t->imbalance,
		.incomplete = t->incomplete,
	};
	memcpy(out->lost, t->lost, sizeof(out->lost));
	memcpy(out->flagged, t->flagged, sizeof(out->flagged));
	for (i = 0; i < (books->slices + 1) * 2; i++)
		for (stage = 0; stage < AG_LOST_MAX; stage++)
			out->lost[stage] += __atomic_load_n(&books->intervals[i].lost[stage], __ATOMIC_RELAXED);
	pthread_mutex_unlock(&r->lock);
}

void reader_hosts(struct reader *r, struct ag_hll *all, struct ag_hll *open)
{
	const struct books *books = r->books;
	unsigned int i, class;

	memset(open, 0, sizeof(r->merged));
	pthread_mutex_lock(&r->lock);
	memcpy(all, told(r)->hosts, sizeof(r->merged));
	for (i = 0; i < (books->slices + 1) * 2; i++)
		for (class = 0; class < AG_CLASS_MAX; class ++)
			if (books->intervals[i].hosts_used[class])
				hll_merge(&open[class], &books->intervals[i].hosts[class]);
	pthread_mutex_unlock(&r->lock);
	for (class = 0; class < AG_CLASS_MAX; class ++)
		hll_merge(&all[class], &open[class]);
}
