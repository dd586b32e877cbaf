// SPDX-License-Identifier: GPL-2.0-only
/*
 * detect and sample: what is flagged at a threshold and not below it, once; what is sent of it in a live
 * sensor; what is lost when nobody takes it.
 */
#include <string.h>
#include <unistd.h>

#include "sensor.h"

static struct sensor *sensor;
static struct frame f;

static const struct ag_thresholds thresholds = {
#define AG_THRESHOLD(name, default_, help) .name = default_,
#include "airglow/threshold.def"
#undef AG_THRESHOLD
};

static void begin(void)
{
	sensor = sensor_new(false);
	sensor_settings(sensor)->thresholds = thresholds;
}

static void end(void)
{
	sensor_free(sensor);
}

TestSuite(detect, .init = begin, .fini = end);

static void run(uint64_t time_ns)
{
	struct ag_replay word = {.time_ns = time_ns, .wirelen = f.n, .caplen = (__u16)f.n};

	under_test_run(&sensor->under_test, &word, f.bytes);
}

static void send_syn(uint32_t src, uint32_t dst, unsigned int port)
{
	frame_syn4(&f, port);
	frame_set32(&f, 26, src);
	frame_set32(&f, 30, dst);
	run(0);
}

/* An NTP monlist request. */
static void send_monlist(uint32_t src, uint32_t dst)
{
	static const uint8_t monlist[8] = {0x17, 0, 3, 0x2a};

	frame_udp4(&f, 40000, 123, monlist, sizeof(monlist));
	frame_set32(&f, 26, src);
	frame_set32(&f, 30, dst);
	run(0);
}

static const struct ag_interval *interval(void)
{
	return &sensor->tables->intervals[1];
}

static void check_flags(uint64_t horizontal, uint64_t vertical, uint64_t reflection, uint64_t amplifier)
{
	const __u64 *got = interval()->flagged;

	cr_assert_eq(got[AG_ALERT_SCAN_HORIZONTAL], horizontal, "horizontal: %llu",
		     got[AG_ALERT_SCAN_HORIZONTAL]);
	cr_assert_eq(got[AG_ALERT_SCAN_VERTICAL], vertical, "vertical: %llu", got[AG_ALERT_SCAN_VERTICAL]);
	cr_assert_eq(got[AG_ALERT_REFLECTION], reflection, "reflection: %llu", got[AG_ALERT_REFLECTION]);
	cr_assert_eq(got[AG_ALERT_AMPLIFIER_SCAN], amplifier, "amplifier: %llu", got[AG_ALERT_AMPLIFIER_SCAN]);
}

Test(detect, a_horizontal_scan_once)
{
	for (unsigned int i = 0; i < 18; i++)
		send_syn(0x08000001, 0xc6336400 + i, 23);
	check_flags(0, 0, 0, 0);
	for (unsigned int i = 0; i < 200; i++)
		send_syn(0x08000001, 0xc6336400 + i, 23);
	check_flags(1, 0, 0, 0);
}

Test(detect, many_packets_to_few_are_no_scan)
{
	for (unsigned int i = 0; i < 1000; i++)
		send_syn(0x08000001, 0xc6336400 + i % 10, 23);
	check_flags(0, 0, 0, 0);
}

Test(detect, a_vertical_scan_once)
{
	for (unsigned int i = 0; i < 10; i++)
		send_syn(0x08000001, 0xc6336400, 100 + i);
	check_flags(0, 0, 0, 0);
	for (unsigned int i = 0; i < 300; i++)
		send_syn(0x08000001, 0xc6336400, 100 + i);
	check_flags(0, 1, 0, 0);
}

Test(detect, many_ports_of_backscatter_are_no_scan)
{
	for (unsigned int i = 0; i < 300; i++) {
		frame_syn4(&f, 1024 + i);
		f.bytes[f.l4 + 13] = 0x12; /* SYN-ACK */
		frame_set32(&f, 30, 0xc6336400 + i % 256);
		frame_set16(&f, f.l4, 80 + i % 40);
		run(0);
	}
	check_flags(0, 0, 0, 0);
}

Test(detect, a_reflection)
{
	for (unsigned int i = 0; i < 99; i++)
		send_monlist(0x08000001, 0xc6336407);
	check_flags(0, 0, 0, 0);
	for (unsigned int i = 0; i < 100; i++)
		send_monlist(0x08000001, 0xc6336407);
	check_flags(0, 0, 1, 0);
}

/* As with the feed self: 0 is off, and nothing else changes. */
Test(detect, no_reflection_where_it_is_off)
{
	sensor_settings(sensor)->thresholds.reflection_requests = 0;
	for (unsigned int i = 0; i < 300; i++)
		send_monlist(0x08000001, 0xc6336407);
	check_flags(0, 0, 0, 0);
	for (unsigned int i = 0; i < 200; i++)
		send_monlist(0x08000002, 0xc6336400 + i);
	check_flags(0, 0, 0, 1);
}

/* As many requests, but to so many destinations that each gets few. */
Test(detect, a_search_for_amplifiers)
{
	for (unsigned int i = 0; i < 200; i++)
		send_monlist(0x08000001, 0xc6336400 + i);
	check_flags(0, 0, 0, 1);
}

Test(detect, thresholds_are_the_settings)
{
	sensor_settings(sensor)->thresholds.scan_destinations = 60;
	for (unsigned int i = 0; i < 45; i++)
		send_syn(0x08000001, 0xc6336400 + i, 23);
	check_flags(0, 0, 0, 0);
	for (unsigned int i = 0; i < 100; i++)
		send_syn(0x08000001, 0xc6336400 + i, 23);
	check_flags(1, 0, 0, 0);
}

/* --- what is sent by a sensor that does not replay
 * ------------------------------------------------------------ */

#define TICK_US 20000 /* the kernel's coarse clock has moved on */

static unsigned int alerts, samples, wakes;
static struct ag_message_alert alert;
static struct ag_message_sample sample;

static void take_message(void *arg, const void *message, size_t bytes)
{
	(void)arg;
	switch (*(const uint32_t *)message) {
	case AG_MESSAGE_ALERT:
		cr_assert_eq(bytes, sizeof(alert));
		memcpy(&alert, message, bytes);
		alerts++;
		return;
	case AG_MESSAGE_SAMPLE:
		cr_assert_eq(bytes, sizeof(sample));
		memcpy(&sample, message, bytes);
		samples++;
		return;
	default:
		cr_assert_eq(*(const uint32_t *)message, AG_MESSAGE_LOG_HALF);
		wakes++;
	}
}

static void take_messages(void)
{
	alerts = samples = wakes = 0;
	sensor_messages(sensor, take_message, NULL);
}

static void go_live(void)
{
	sensor_go_live(sensor);
	sensor_settings(sensor)->thresholds = thresholds;
}

static struct ag_interval *open_interval(void)
{
	return &sensor->tables->intervals[1];
}

Test(detect, an_alert_is_sent)
{
	go_live();
	for (unsigned int i = 0; i < 100; i++)
		send_syn(0x08000001, 0xc6336400 + i, 23);
	take_messages();
	cr_assert_eq(alerts, 1);
	cr_assert_eq(alert.kind, AG_ALERT_SCAN_HORIZONTAL);
	cr_assert_eq(alert.src_lo, 0x08000001);
	cr_assert_eq(alert.key & 0xffff, 23);
	cr_assert(alert.packets >= 18 && alert.packets <= 40, "%u", alert.packets);
	cr_assert(alert.distinct >= 25 && alert.distinct <= 28, "%u", alert.distinct);
	cr_assert_eq(interval()->sent, 1);
	for (unsigned int i = 0; i < 100; i++)
		send_syn(0x08000002, 0xc6336400, 100 + i);
	take_messages();
	cr_assert_eq(alerts, 1);
	cr_assert_eq(alert.kind, AG_ALERT_SCAN_VERTICAL);
	cr_assert_eq(alert.src_lo, 0x08000002);
}

/* The hash of a destination that abi 2 fixes. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* More destinations than the bitmap tells: alpha_16 16^2 / sum 2^-rank (Flajolet et al. 2007). */
static double estimate_by_registers(uint32_t first, unsigned int destinations)
{
	unsigned int ranks[16] = {};
	double sum = 0;

	for (unsigned int i = 0; i < destinations; i++) {
		uint64_t hash = mix(mix(first + i));
		unsigned int rank = 1;

		while (rank < 15 && !(hash >> (58 - rank) & 1))
			rank++;
		if (ranks[hash >> 60] < rank)
			ranks[hash >> 60] = rank;
	}
	for (unsigned int i = 0; i < 16; i++)
		sum += 1.0 / (1u << ranks[i]);
	return 0.673 * 16 * 16 / sum;
}

Test(detect, many_destinations_are_estimated)
{
	double estimate;

	go_live();
	sensor_settings(sensor)->thresholds.scan_destinations = 150;
	for (unsigned int i = 0; i < 512; i++)
		send_syn(0x08000001, 0x2d3c0000 + i, 23);
	take_messages();
	cr_assert_eq(alerts, 1);
	cr_assert_geq(alert.packets, 150);
	cr_assert_geq(alert.distinct, 150);
	estimate = estimate_by_registers(0x2d3c0000, alert.packets);
	cr_assert(estimate - alert.distinct < 1.01 && alert.distinct - estimate < 0.01, "%u, must be %.1f",
		  alert.distinct, estimate);
}

Test(detect, too_many_alerts_are_counted)
{
	go_live();
	sensor_settings(sensor)->thresholds.scan_destinations = 1;
	for (unsigned int i = 0; i < AG_ALERTS_MAX + 50; i++)
		send_syn(0x08000001 + i, 0xc6336400, 23);
	take_messages();
	cr_assert_eq(alerts, AG_ALERTS_MAX);
	cr_assert_eq(interval()->sent, AG_ALERTS_MAX);
	cr_assert_eq(interval()->unsent, 50);
	cr_assert_eq(interval()->flagged[AG_ALERT_SCAN_HORIZONTAL], AG_ALERTS_MAX + 50);
}

/* Of a burst only the first; the native engine's clock is the frame's word. */
Test(detect, samples_have_their_time)
{
	go_live();
	sensor_settings(sensor)->sample_ns = 1000;
	frame_syn4(&f, 23);
	for (unsigned int i = 0; i < 3; i++) {
		for (unsigned int j = 0; j < 5; j++)
			run(5000 + i * 1000 + j);
		usleep(TICK_US);
	}
	take_messages();
	cr_assert(runs_in_kernel() ? samples >= 3 && samples <= 5 : samples == 3, "%u", samples);
	cr_assert_eq(sample.caplen, f.n);
	cr_assert_eq(sample.wirelen, f.n);
	cr_assert_eq(sample.class, AG_CLASS_SCAN);
	cr_assert_arr_eq(sample.bytes, f.bytes, f.n);
}

Test(detect, nobody_samples_what_is_not_dark)
{
	go_live();
	sensor_settings(sensor)->sample_ns = 1000;
	frame_syn4(&f, 23);
	frame_set32(&f, 30, 0x08080808);
	run(5000);
	take_messages();
	cr_assert_eq(samples, 0);
}

Test(detect, messages_that_nobody_takes_are_lost)
{
	uint64_t lost;

	go_live();
	sensor_settings(sensor)->thresholds.scan_destinations = 1;
	for (unsigned int i = 0; i < 6000; i++) {
		send_syn(0x08000001 + i, 0xc6336400, 23);
		open_interval()->sent = 0; /* of the many intervals that this stands for */
	}
	lost = interval()->lost[AG_LOST_RING];
	cr_assert_gt(lost, 0);
	take_messages();
	cr_assert_eq(lost + alerts, 6000);
	for (unsigned int i = 0; i < 6000; i++) {
		send_syn(0x09000001 + i, 0xc6336400, 23);
		open_interval()->sent = 0;
	}
	lost = interval()->lost[AG_LOST_RING];
	sensor_settings(sensor)->thresholds.scan_destinations = 1000;
	sensor_settings(sensor)->sample_ns = 1;
	usleep(TICK_US);
	frame_syn4(&f, 23);
	run(1);
	cr_assert_eq(interval()->lost[AG_LOST_RING], lost + 1, "a sample, too");
}

Test(detect, a_log_wakes_its_reader_when_it_is_half_full)
{
	go_live();
	for (unsigned int i = 0;
	     i < 4000 && sensor->tables->logs->records_head <= sensor->tables->sizes.log_records / 2; i++)
		send_syn(0x09000000 + i, 0xc6336400, 23);
	take_messages();
	cr_assert_eq(wakes, 1);
	for (unsigned int i = 0;
	     i < 6000 && sensor->tables->logs->touches_head <= sensor->tables->sizes.log_touches / 2; i++)
		send_syn(0x0a000000, 0xc6336400, 1 + i);
	take_messages();
	cr_assert_eq(wakes, 1);
}
