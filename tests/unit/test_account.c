// SPDX-License-Identifier: GPL-2.0-only
/*
 * account: sizes, slots of interfaces, the shared slice, hosts.
 */
#include <pthread.h>

#include "sensor.h"

static struct frame f;

Test(account, sizes_at_every_bound)
{
	static const unsigned int bounds[] = {40,  44,	48,  52,   60,	 64,   80,
					      128, 256, 512, 1024, 1500, 9000, 65535};
	struct sensor *s = sensor_new(false);

	for (unsigned int i = 0; i < sizeof(bounds) / sizeof(bounds[0]); i++) {
		for (unsigned int length = bounds[i] - 1; length <= bounds[i] + 1 && length <= 65535;
		     length++) {
			frame_begin(&f);
			frame_ether(&f, 0x0800);
			frame_ip4(&f, SOURCE4, DARK4, 50);
			frame_set16(&f, 16, length);
			SEND_CUT(s, &f, f.n, 14 + length, want_dark(&f));
		}
	}
	sensor_free(s);
}

Test(account, shared_slice_counts_the_same)
{
	struct sensor *s = sensor_new(true);
	struct want w;

	frame_syn4(&f, 23);
	SEND(s, &f, want_tcp(&f, AG_CLASS_SCAN));
	SEND(s, &f, want_tcp(&f, AG_CLASS_SCAN));
	frame_udp4(&f, 1, 1434, "\2", 1);
	w = want_udp(&f, AG_CLASS_AMP_REQUEST);
	w.service = AG_SERVICE_MSSQL;
	SEND(s, &f, w);
	frame_syn6(&f, 0);
	w = want_tcp(&f, AG_CLASS_SCAN);
	w.anomalies = bit(AG_ANOMALY_PORT_ZERO);
	SEND(s, &f, w);
	SEND_CUT(s, &f, 20, 20, want_outcome(AG_OUTCOME_TRUNCATED_IP));
	sensor_free(s);
}

#define RUNS 20000

struct runner {
	const struct pipeline_under_test *under_test;
	struct frame frame;
};

static void *run_frames(void *arg)
{
	struct runner *r = arg;
	struct ag_replay word = {.wirelen = r->frame.n, .caplen = (__u16)r->frame.n};

	for (unsigned int i = 0; i < RUNS; i++)
		under_test_run(r->under_test, &word, r->frame.bytes);
	return NULL;
}

/* Several CPUs without a slice of their own book at the same time and lose nothing. */
Test(account, shared_slice_takes_several_writers)
{
	struct sensor *s = sensor_new(true);
	struct runner runners[4];
	pthread_t threads[4];

	if (runs_in_kernel())
		cr_skip_test("a CPU's scratch is not for several tasks at a time");
	for (unsigned int i = 0; i < 4; i++) {
		runners[i].under_test = &s->under_test;
		frame_syn4(&runners[i].frame, 23);
		cr_assert_eq(pthread_create(&threads[i], NULL, run_frames, &runners[i]), 0);
	}
	for (unsigned int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	cr_assert_eq(s->tables->counters->received, 4 * RUNS);
	cr_assert_eq(s->tables->counters->dark, 4 * RUNS);
	cr_assert_eq(s->tables->counters->outcome[AG_OUTCOME_DARK], 4 * RUNS);
	cr_assert_eq(s->tables->counters->class_packets[1][AG_CLASS_SCAN], 4 * RUNS);
	cr_assert_eq(s->tables->counters->wire_bytes, 4ull * RUNS * runners[0].frame.n);
	cr_assert_eq(s->tables->ports->tcp[23], 4 * RUNS);
	sensor_free(s);
}

Test(account, hosts_are_addresses_of_ip4_and_halves_of_ip6)
{
	struct sensor *s = sensor_new(false);

	for (uint32_t i = 0; i < 400; i++) {
		frame_syn4(&f, 23);
		frame_set32(&f, 26, 0x08000000 + i * 7919);
		SEND(s, &f, want_tcp(&f, AG_CLASS_SCAN));
		frame_syn6(&f, 23);
		frame_set32(&f, 26, i * 104729);
		frame_set32(&f, 34, i); /* the lower half says nothing */
		SEND(s, &f, want_tcp(&f, AG_CLASS_SCAN));
	}
	sensor_free(s);
}

/* The number that Mix13 turns into `hash`: its steps taken back. */
static uint64_t unmix(uint64_t hash)
{
	static const uint64_t factors[] = {0x94d049bb133111ebULL, 0xbf58476d1ce4e5b9ULL};
	static const unsigned int shifts[] = {27, 30};

	hash ^= hash >> 31 ^ hash >> 62;
	for (unsigned int i = 0; i < 2; i++) {
		uint64_t inverse = factors[i]; /* right in three bits; a step of Newton's doubles them */

		for (unsigned int step = 0; step < 5; step++)
			inverse *= 2 - factors[i] * inverse;
		hash *= inverse;
		hash ^= hash >> shifts[i] ^ hash >> 2 * shifts[i];
	}
	return hash;
}

/* A /64 of the Internet whose hash has the rank; also gives its register. */
static uint64_t host_of_rank(unsigned int rank, unsigned int *reg)
{
	for (*reg = 0; *reg < AG_HLL_REGISTERS; ++*reg) {
		uint64_t host = unmix((uint64_t)*reg << 50 | (1ull << 50) >> rank);

		if (host >> 60 == 2 && host >> 48 != 0x2001)
			return host;
	}
	cr_assert(false, "no host has rank %u", rank);
	return 0;
}

Test(account, hosts_of_every_rank)
{
	struct sensor *s = sensor_new(false);

	for (unsigned int rank = 1; rank <= 51; rank++) {
		unsigned int reg;
		uint64_t host = host_of_rank(rank, &reg);

		/* An earlier rank may have it. */
		s->tables->intervals[1].hosts[AG_CLASS_SCAN].reg[reg] = 0;
		s->second.intervals[1].hosts[AG_CLASS_SCAN].reg[reg] = 0;
		frame_syn6(&f, 23);
		frame_set32(&f, 22, (uint32_t)(host >> 32));
		frame_set32(&f, 26, (uint32_t)host);
		SEND(s, &f, want_tcp(&f, AG_CLASS_SCAN));
		cr_assert_eq(s->tables->intervals[1].hosts[AG_CLASS_SCAN].reg[reg], rank);
	}
	sensor_free(s);
}

Test(account, bytes_are_what_is_announced)
{
	struct sensor *s = sensor_new(false);
	struct want w;

	frame_syn4(&f, 23);
	frame_fill(&f, 0, 200); /* padding counts on the wire, not in the packet */
	w = want_tcp(&f, AG_CLASS_SCAN);
	cr_assert_eq(w.bytes, 60);
	SEND(s, &f, w);
	cr_assert_eq(s->tables->counters->wire_bytes, 274);
	cr_assert_eq(s->tables->counters->class_bytes[1][AG_CLASS_SCAN], 60);
	sensor_free(s);
}
