// SPDX-License-Identifier: GPL-2.0-only
/*
 * The flow cache when things go wrong: nobody moves the epoch, the clock steps back, the tables are far too
 * small, somebody aims at one set. Every packet is told or counted as lost, and the next interval is as any.
 */
#include <stdio.h>
#include <stdlib.h>

#include "bpf/hash.h"
#include "collect/interval.h"
#include "sensor.h"

#define S 1000000000ULL

SENSOR_SUITE(stress);

static struct books books;
static struct reader *reader;
static struct interval last;
static unsigned int closed;
static uint64_t told, now_ns;
static uint16_t first_max, last_max;

static void take_records(void *arg, const struct interval *interval, const struct ag_record *records,
			 size_t count)
{
	(void)arg;
	(void)interval;
	for (size_t i = 0; i < count; i++) {
		told += records[i].packets;
		if (records[i].first > first_max)
			first_max = records[i].first;
		if (records[i].bytes_last >> AG_LAST_SHIFT > last_max)
			last_max = (uint16_t)(records[i].bytes_last >> AG_LAST_SHIFT);
	}
}

static void take_interval(void *arg, const struct interval *interval)
{
	(void)arg;
	last = *interval;
	closed++;
}

static void open_reader(void)
{
	books = tables_books(sensor->tables);
	reader = reader_new(&books, &(struct sink){NULL, take_records, take_interval});
	cr_assert_not_null(reader);
	now_ns = 100 * S;
	reader_begin(reader, now_ns, (int64_t)now_ns);
}

static void send_syn(uint32_t src, unsigned int port)
{
	struct ag_replay word = {.time_ns = now_ns};

	frame_syn4(&f, port);
	frame_set32(&f, 26, src);
	frame_set32(&f, 30, 0xc6336407);
	word.wirelen = f.n;
	word.caplen = (uint16_t)f.n;
	cr_assert_eq(under_test_run(&sensor->under_test, &word, f.bytes), 2);
}

static void next_interval(void)
{
	told = 0;
	reader_begin(reader, now_ns, (int64_t)now_ns);
	reader_close(reader);
	cr_assert_eq(last.imbalance, 0);
}

/* Nothing is left of what was: one packet is one record of one packet. */
static void check_afterwards(void)
{
	send_syn(0x08000001, 23);
	next_interval();
	cr_assert_eq(last.dark, 1);
	cr_assert_eq(told, 1);
	for (unsigned int stage = 0; stage < AG_LOST_MAX; stage++)
		cr_assert_eq(last.lost[stage], 0);
}

Test(stress, an_epoch_that_does_not_move_for_ten_minutes)
{
	open_reader();
	for (unsigned int i = 0; i < 600; i++, now_ns += S)
		send_syn(0x08000001 + i % 3, 23);
	next_interval();
	cr_assert_eq(closed, 1);
	cr_assert_eq(last.dark, 600);
	cr_assert_eq(told, 600);
	cr_assert_leq(llabs((long long)last_max - (long long)((597 * S) >> AG_TIME_SHIFT)), 1,
		      "the time of the last is told");
	check_afterwards();
}

/* A record's time has 16 bits, 18 minutes: more is told as that. */
Test(stress, an_epoch_that_does_not_move_for_an_hour)
{
	open_reader();
	send_syn(0x08000001, 23);
	now_ns += 3600 * S;
	send_syn(0x08000001, 23);
	send_syn(0x08000002, 23);
	next_interval();
	cr_assert_eq(told, 3);
	cr_assert_eq(last_max, AG_TIME_MAX);
	cr_assert_eq(first_max, AG_TIME_MAX);
	check_afterwards();
}

Test(stress, a_clock_that_steps_back_an_hour)
{
	open_reader();
	now_ns += 7200 * S;
	reader_begin(reader, now_ns, (int64_t)now_ns);
	reader_close(reader);
	send_syn(0x08000001, 23);
	now_ns -= 3600 * S;
	send_syn(0x08000001, 23);
	send_syn(0x08000002, 23);
	told = 0;
	next_interval(); /* begins before the one that it ends */
	cr_assert_eq(last.dark, 3);
	cr_assert_eq(told, 3);
	cr_assert_eq(last_max, 0);
	cr_assert_eq(first_max, 0);
	cr_assert_lt(last.end_ns, last.begin_ns);
	check_afterwards();
}

/* A hundred times as many sources as there is room for, and nobody reads the log. */
Test(stress, tables_far_too_small)
{
	uint64_t places = (uint64_t)sensor->tables->sizes.flow_sets * AG_FLOW_WAYS,
		 log = sensor->tables->sizes.log_records, sent = 100 * places;

	open_reader();
	for (uint32_t i = 0; i < sent; i++)
		send_syn(0x08000000 + i, 23);
	next_interval();
	cr_assert_eq(last.dark, sent);
	cr_assert_eq(last.evicted, log, "as much as the log holds");
	cr_assert_gt(last.records, log + places * 9 / 10, "and nearly all places of the table");
	cr_assert_eq(told + last.lost[AG_LOST_RECORD_LOG], sent);
	cr_assert_eq(last.record_packets, told);
	check_afterwards();
}

/* Records that had to make room, of so many sources under a seed. */
static uint64_t evictions(const uint32_t *sources, unsigned int count, const __u64 seed[2])
{
	struct ag_rodata *ro = native_rodata(sensor->under_test.native);

	ro->seed[0] = seed[0];
	ro->seed[1] = seed[1];
	for (unsigned int i = 0; i < count; i++) {
		send_syn(sources[i], 23);
		reader_drain(reader);
	}
	next_interval();
	cr_assert_eq(told + last.evicted, count);
	return last.evicted;
}

/*
 * Who knows the code, but not the seed, can choose sources that fall into one set under a seed of their own, or
 * under the one that replay uses. Under another they must be as any.
 */
Test(stress, sources_that_aim_at_one_set)
{
	enum { COUNT = 500, SEEDS = 20 };

	static uint32_t chosen[COUNT], random_ones[COUNT];
	const __u64 key = AG_CLASS_SCAN * (1ULL << AG_KEY_CLASS_SHIFT) | 6ULL << AG_KEY_PROTOCOL_SHIFT |
			  1ULL << AG_KEY_SCOPE_SHIFT | 23;
	uint64_t aimed = 0, unaimed = 0, known;
	const struct ag_rodata *ro;
	__u64 guessed[2];
	unsigned int sets = sensor->tables->sizes.flow_sets, used = 0;

	if (runs_in_kernel())
		return; /* the seed of a loaded program is not to be set; the hash is the same source */
	open_reader();
	ro = native_rodata(sensor->under_test.native);
	guessed[0] = ro->seed[0];
	guessed[1] = ro->seed[1];
	for (uint32_t src = 0x01000000; used < COUNT; src++) {
		uint64_t source = hash_source(guessed, 0, src, key);

		if (hash_record(guessed, source, key) % sets == 17)
			chosen[used++] = src;
	}
	known = evictions(chosen, COUNT, guessed);
	cr_assert_eq(known, COUNT - AG_FLOW_WAYS, "who knows the seed has all of them in one set");
	srandom(1);
	for (unsigned int i = 0; i < SEEDS; i++) {
		const __u64 seed[2] = {(uint64_t)random() << 32 ^ (uint64_t)random(),
				       (uint64_t)random() << 32 ^ (uint64_t)random()};

		for (unsigned int j = 0; j < COUNT; j++)
			random_ones[j] = (uint32_t)random() << 1;
		aimed += evictions(chosen, COUNT, seed);
		unaimed += evictions(random_ones, COUNT, seed);
	}
	fprintf(stderr,
		"# %d sources, %d places, %d seeds: %llu evicted of those that aim, %llu of random ones\n",
		COUNT, sets * AG_FLOW_WAYS, SEEDS, (unsigned long long)aimed, (unsigned long long)unaimed);
	/* Both are the same binomial sum, about 130 a seed: its deviation over all seeds is below 2 %. */
	cr_assert_lt((double)aimed, 1.08 * (double)unaimed);
	cr_assert_gt((double)aimed, 0.92 * (double)unaimed);
}
