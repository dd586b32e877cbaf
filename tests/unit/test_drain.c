// SPDX-License-Identifier: GPL-2.0-only
/*
 * drain: no interval is read before everybody has left it, and none stays open. The grace period is the test's
 * own: in it come the packets that were in the program when the epoch moved on. The reader has a control of its
 * own, so that the program learns of the new epoch when these are through.
 */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "collect/drain.h"
#include "packets.h"

#define INTERVAL_NS   5000000
#define PAUSE_US      20000 /* for whoever does not wait, to read too early */
#define PACKETS	      40    /* at a time: of one source to as many ports, so that touches are in the log */
#define INTERVALS_MAX 1024
#define WAIT_MS	      20000

static struct plan *plan;
static struct engine *engine;
static struct reader *reader;
static struct drain *drain;
static struct books held;
static struct ag_control ahead; /* what the reader writes; the program's is the engine's */

static uint64_t sent[INTERVALS_MAX]; /* by epoch */
static bool waited[INTERVALS_MAX];   /* after that epoch began */
static struct interval told[INTERVALS_MAX];
static bool too_early[INTERVALS_MAX];
static atomic_uint closed, graces;
static atomic_bool stopping, hold, is_held;

/* One thread at a time: before the drain starts, or who waits for a grace period. */
static void send_packets(void)
{
	struct ag_control *program = engine_books(engine)->control;

	for (unsigned int i = 0; i < PACKETS; i++) {
		struct ag_replay word;
		struct frame f;

		frame_syn4(&f, 1 + i);
		word = (struct ag_replay){.wirelen = f.n, .caplen = (__u16)f.n};
		engine_run(engine, &word, f.bytes);
		sent[program->epoch % INTERVALS_MAX]++;
	}
}

static void pass_grace(void)
{
	uint32_t epoch = ahead.epoch;

	atomic_fetch_add(&graces, 1);
	usleep(PAUSE_US);
	send_packets(); /* who was in it */
	*engine_books(engine)->control = ahead;
	waited[epoch % INTERVALS_MAX] = true;
	if (!atomic_load(&stopping))
		send_packets(); /* who came since */
}

static void take_records(void *arg, const struct interval *interval, const struct ag_record *records,
			 size_t count)
{
	(void)arg, (void)interval, (void)records, (void)count;
	if (!atomic_load(&hold) || atomic_exchange(&is_held, true))
		return;
	while (!atomic_load(&stopping))
		usleep(100);
	usleep(PAUSE_US); /* drain_stop has been called, and another interval is over */
}

static void take_interval(void *arg, const struct interval *interval)
{
	unsigned int at = interval->epoch % INTERVALS_MAX;

	(void)arg;
	told[at] = *interval;
	too_early[at] = !waited[(at + 1) % INTERVALS_MAX];
	atomic_fetch_add(&closed, 1);
}

static void begin(void)
{
	const struct sink sink = {NULL, take_records, take_interval};
	struct engine_options eo = {.kind = ENGINE_NATIVE, .replay = true, .memory_bytes = 1};
	struct drain_options options = {.interval_ns = INTERVAL_NS, .grace = pass_grace};
	char why[512] = "";

	cr_assert_eq(plan_new(&plan, NULL, 0, true, why, sizeof(why)), 0, "%s", why);
	eo.plan = plan;
	eo.memory_bytes = 16 << 20;
	cr_assert_eq(engine_open(&engine, &eo, why, sizeof(why)), 0, "%s", why);
	held = *engine_books(engine);
	ahead = *held.control;
	held.control = &ahead;
	reader = reader_new(&held, &sink);
	reader_begin(reader, 0, 0);
	*engine_books(engine)->control = ahead;
	send_packets();
	options.engine = engine;
	options.reader = reader;
	cr_assert_eq(drain_start(&drain, &options), 0);
}

static void end(void)
{
	reader_free(&reader);
	engine_free(&engine);
	plan_free(&plan);
}

TestSuite(drain, .init = begin, .fini = end);

static void wait_for(const atomic_uint *count, unsigned int wanted)
{
	for (unsigned int i = 0; i < WAIT_MS && atomic_load(count) < wanted; i++)
		usleep(1000);
	cr_assert_geq(atomic_load(count), wanted);
}

/* Every packet was told with its interval, and not before its grace period. */
static void stop_and_check(void)
{
	struct reader_totals totals;
	uint64_t all = 0;
	uint32_t epoch;

	atomic_store(&stopping, true);
	drain_stop(&drain);
	cr_assert_null(drain);
	cr_assert_eq(atomic_load(&closed) + 1, ahead.epoch, "all but the one that has just begun");
	cr_assert_lt(ahead.epoch, INTERVALS_MAX);
	for (epoch = 1; epoch < ahead.epoch; epoch++) {
		cr_assert_not(too_early[epoch], "interval %u was read before its grace period", epoch);
		cr_assert_eq(told[epoch].epoch, epoch);
		cr_assert_eq(told[epoch].imbalance, 0, "interval %u", epoch);
		cr_assert_eq(told[epoch].dark, sent[epoch], "interval %u: %llu of %llu", epoch,
			     (unsigned long long)told[epoch].dark, (unsigned long long)sent[epoch]);
		all += sent[epoch];
	}
	cr_assert_eq(sent[epoch], 0);
	reader_totals(reader, &totals);
	cr_assert_eq(totals.intervals, ahead.epoch - 1);
	cr_assert_eq(totals.dark, all);
	cr_assert_eq(totals.imbalance, 0);
	cr_assert_gt(totals.touches, 0);
}

Test(drain, packets_that_were_in_it_are_waited_for)
{
	wait_for(&closed, 8);
	stop_and_check();
}

Test(drain, the_last_interval_is_closed)
{
	stop_and_check();
	cr_assert_geq(atomic_load(&closed), 1);
}

Test(drain, it_stops_in_a_grace_period)
{
	wait_for(&graces, 3);
	stop_and_check();
}

/* The epoch has moved on while nobody asks for a grace period any more. */
Test(drain, it_stops_when_an_interval_has_just_ended)
{
	wait_for(&closed, 2);
	atomic_store(&hold, true);
	for (unsigned int i = 0; i < WAIT_MS && !atomic_load(&is_held); i++)
		usleep(1000);
	cr_assert(atomic_load(&is_held));
	stop_and_check();
}

Test(drain, nothing_is_stopped_twice)
{
	stop_and_check();
	drain_stop(&drain);
}
