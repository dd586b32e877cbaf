/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sensor under test: the pipeline of an engine, and beside it a second set of books that the test keeps by
 * itself from what it says a frame must count as. After every frame the two must be equal in every byte, so a
 * case shows what moved and that nothing else did.
 */
#ifndef AIRGLOW_TESTS_SENSOR_H
#define AIRGLOW_TESTS_SENSOR_H

#include <criterion/criterion.h>
#include <stdbool.h>

#include "airglow/abi.h"
#include "engine/backend.h"
#include "packets.h"

/* What a frame must count as. From want_*; a case then changes what it is about. */
struct want {
	enum ag_outcome outcome;
	/* the rest holds for dark frames; port also for service */
	enum ag_class class;
	unsigned int protocol, scope, bytes; /* bytes: the announced length of the packet */
	bool has_port;
	unsigned int port;
	bool has_flags;
	unsigned int flags;
	bool has_icmp;
	unsigned int icmp; /* type * 256 + code */
	bool has_tool;
	enum ag_tool tool;
	enum ag_service service; /* AG_SERVICE_NONE: none */
	unsigned int direction;
	uint32_t anomalies; /* mask */
	unsigned int family;
	uint64_t host; /* the address of IPv4, the upper half of IPv6 */
	uint32_t dst4; /* IPv4 destination, for `seen` */
};

/* The engine under test: the native one, or the kernel's with AIRGLOW_UNIT_ENGINE=kernel (see test-kernel). */
struct pipeline_under_test {
	struct native *native;
	struct kernel *kernel;
};

bool runs_in_kernel(void);
void under_test_new(struct pipeline_under_test *u, const struct table_sizes *sizes);
void under_test_free(struct pipeline_under_test *u);
struct tables *under_test_tables(const struct pipeline_under_test *u);
/* The verdict, as XDP names it. */
int under_test_run(const struct pipeline_under_test *u, const struct ag_replay *word, const uint8_t *bytes);

struct sensor {
	struct pipeline_under_test under_test;
	struct tables *tables;
	struct plan *plan;
	unsigned int slice;   /* 0: the only slice is a CPU's or the shared one */
	unsigned int flags;   /* AG_REPLAY_* of the frames that are sent */
	struct tables second; /* counters, ports, intervals, icmp, visits, seen are the test's own */
};

/*
 * The default telescope:
 *	scope 1  198.51.100.0/24
 *	scope 2  203.0.113.0/25 without 203.0.113.64/28
 *	scope 3  2001:db8:1::/48 without 2001:db8:1:8000::/64
 *	scope 4  45.60.0.0/23
 * and two bitmaps for promoted sources, of which there are none.
 * shared: books by atomics, as a CPU without a slice does.
 */
struct sensor *sensor_new(bool shared);
/* One host: 198.51.100.7 and 127.0.0.1 in scope 1, 2001:db8:1::35 and ::1 in scope 3, feed self. */
struct sensor *sensor_new_self(void);
/* Every destination is dark. */
struct sensor *sensor_new_everywhere(void);
void sensor_free(struct sensor *s);

/*
 * Before the first frame: the program is told that it does not replay, so that it sends messages, by its own
 * clock in the kernel. The tables are new. sensor_messages hands on what it sent since; returns how many there
 * were.
 */
void sensor_go_live(struct sensor *s);
int sensor_messages(struct sensor *s, engine_message_fn *handler, void *arg);

/* Settings in force; `set_decap` needs a plan's settings to be changed in place. */
struct ag_settings *sensor_settings(struct sensor *s);

/* A frame that is not dark. */
struct want want_outcome(enum ag_outcome outcome);
/* A dark frame with the addresses, protocol and length that stand in the last IP header of the frame, class
 * other. */
struct want want_dark(const struct frame *f);
/* ... whose TCP or UDP destination port and TCP flags are counted. */
struct want want_tcp(const struct frame *f, enum ag_class class);
struct want want_udp(const struct frame *f, enum ag_class class);
struct want want_icmp(const struct frame *f, enum ag_class class);

static inline uint32_t bit(enum ag_anomaly anomaly)
{
	return 1u << anomaly;
}

/* Runs `caplen` bytes of a frame that was `wirelen` long; both sets of books must then be the same. */
void sensor_check(struct sensor *s, const struct frame *f, unsigned int caplen, unsigned int wirelen,
		  struct want want, const char *file, int line);

#define SEND_CUT(s, f, caplen, wirelen, want) sensor_check(s, f, caplen, wirelen, want, __FILE__, __LINE__)
#define SEND(s, f, want)		      sensor_check(s, f, (f)->n, (f)->n, want, __FILE__, __LINE__)

/* A file's suite: `sensor`, the default telescope anew for each case, and a frame `f` to build. */
#define SENSOR_SUITE(name)                                                                                     \
	static struct sensor *sensor;                                                                          \
	static struct frame f;                                                                                 \
	static void open_sensor(void)                                                                          \
	{                                                                                                      \
		sensor = sensor_new(false);                                                                    \
	}                                                                                                      \
	static void close_sensor(void)                                                                         \
	{                                                                                                      \
		sensor_free(sensor);                                                                           \
	}                                                                                                      \
	TestSuite(name, .init = open_sensor, .fini = close_sensor)

#endif
