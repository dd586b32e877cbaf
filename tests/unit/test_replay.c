// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay: packet time moves the interval, time that runs backwards is counted and remembered, snap lengths
 * reach the pipeline.
 */
#include "capture_files.h"
#include "collect/interval.h"
#include "engine/replay.h"
#include "packets.h"

static struct plan *plan;
static struct engine *engine;
static struct reader *reader;
static struct replay replay;
static struct file file;
static char why[512];

static void take_records(void *arg, const struct interval *interval, const struct ag_record *records,
			 size_t count)
{
	(void)arg;
	(void)interval;
	(void)records;
	(void)count;
}

static void take_interval(void *arg, const struct interval *interval)
{
	(void)arg;
	cr_assert_eq(interval->imbalance, 0);
	cr_assert_eq(interval->begin_ns % 10000000000, 0);
}

static void begin_interval(void *arg, uint64_t begin_ns)
{
	(void)arg;
	reader_begin(reader, begin_ns, (int64_t)begin_ns);
	reader_close(reader);
}

static void drain(void *arg)
{
	(void)arg;
	reader_drain(reader);
}

static void begin(void)
{
	const struct sink sink = {NULL, take_records, take_interval};
	const struct replay_follower follower = {NULL, begin_interval, drain};
	struct plan_prefix p = {.prefix = {.family = 4, .length = 24, .addr = {198, 51, 100, 0}}, .scope = 1};
	struct engine_options options = {.kind = ENGINE_NATIVE, .replay = true, .memory_bytes = 16 << 20};

	cr_assert_eq(plan_new(&plan, &p, 1, false, why, sizeof(why)), 0, "%s", why);
	options.plan = plan;
	cr_assert_eq(engine_open(&engine, &options, why, sizeof(why)), 0, "%s", why);
	reader = reader_new(engine_books(engine), &sink);
	cr_assert_not_null(reader);
	replay_init(&replay, engine, 10000000000, &follower);
	pcap_begin(&file, MAGIC_US, 65535, 1);
}

static void end(void)
{
	reader_free(&reader);
	engine_free(&engine);
	plan_free(&plan);
	free(file.bytes);
	memset(&file, 0, sizeof(file));
}

TestSuite(replay, .init = begin, .fini = end);

/* A SYN to 198.51.100.7 at a second. */
static void add(uint32_t second, unsigned int caplen)
{
	struct frame f;

	frame_syn4(&f, 23);
	pcap_record(&file, TIME_S + second, 0, f.bytes, caplen < f.n ? caplen : f.n, f.n);
}

static int run(const char *name)
{
	int fd = memfd_create("capture", MFD_CLOEXEC), state;
	struct capture *capture = NULL;

	cr_assert_eq(write(fd, file.bytes, file.n), (ssize_t)file.n);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_assert_eq(capture_open_fd(&capture, fd, name, why, sizeof(why)), 0, "%s", why);
	state = replay_capture(&replay, capture, name, why, sizeof(why));
	capture_free(&capture);
	return state;
}

static uint32_t epoch(void)
{
	return engine_books(engine)->control->epoch;
}

Test(replay, packet_time_moves_the_interval)
{
	add(3, 100); /* TIME_S is a multiple of ten seconds */
	add(9, 100);
	cr_assert_eq(run("a"), 0);
	cr_assert_eq(epoch(), 1);
	cr_assert_eq(engine_books(engine)->seen[0].epoch[7], 1);
	add(10, 100);
	add(19, 100);
	add(20, 100);
	add(1000, 100);
	free(file.bytes);
	memset(&file, 0, sizeof(file));
	pcap_begin(&file, MAGIC_US, 65535, 1);
	add(10, 100);
	add(19, 100);
	add(20, 100);
	add(1000, 100); /* an empty hour is one step: intervals without packets are not made up */
	cr_assert_eq(run("b"), 0);
	cr_assert_eq(epoch(), 4);
	cr_assert_eq(replay.frames, 6);
	cr_assert_eq(replay.steps_back, 0);
	cr_assert_eq(engine_books(engine)->counters[0].dark, 6);
}

Test(replay, time_that_runs_backwards)
{
	add(100, 100);
	add(50, 100);
	add(60, 100);
	add(0, 100);
	add(109, 100);
	add(110, 100);
	cr_assert_eq(run("back"), 0);
	cr_assert_eq(replay.steps_back, 2);
	cr_assert_str_eq(replay.first_step.file, "back");
	cr_assert_eq(replay.first_step.packet, 2);
	cr_assert_eq(replay.first_step.offset, 24 + 16 + 74);
	cr_assert_eq(epoch(), 2);
	cr_assert_eq(engine_books(engine)->counters[0].dark, 6);
}

Test(replay, snap_length_is_not_the_frames_length)
{
	add(0, 34);
	add(0, 38);
	add(0, 48);
	add(0, 1000);
	cr_assert_eq(run("snap"), 0);
	cr_assert_eq(engine_books(engine)->counters[0].dark, 4);
	cr_assert_eq(engine_books(engine)->counters[0].wire_bytes, 4 * 74);
	cr_assert_eq(engine_books(engine)->ports[0].tcp[23], 3);
	cr_assert_eq(engine_books(engine)->counters[0].tcp_flags[2], 2);
	cr_assert_eq(engine_books(engine)->counters[0].anomaly[AG_ANOMALY_IP_BAD_LENGTH], 0);
}

Test(replay, a_capture_that_is_cut_off_counts_up_to_there)
{
	add(0, 100);
	add(1, 100);
	file.n -= 5;
	cr_assert_eq(run("cut"), 1);
	cr_assert_eq(replay.frames, 1);
	cr_assert_eq(engine_books(engine)->counters[0].received, 1);
}
