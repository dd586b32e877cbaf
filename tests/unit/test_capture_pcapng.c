// SPDX-License-Identifier: GPL-2.0-only
/*
 * The capture reader on pcapng: time resolutions, sections and interfaces that differ, and blocks
 * that are odd or wrong. What is expected is written down here from the format's specification.
 */
#include <errno.h>

#include "capture_files.h"

Test(capture_pcapng, time_resolutions_and_offsets)
{
	static const struct {
		int resolution;
		int64_t offset_s;
		uint64_t ticks, time_ns;
	} cases[] = {
		{-1, 0, 1700000000123456, 1700000000123456000}, /* default: microseconds */
		{6, 0, 1700000000123456, 1700000000123456000},
		{9, 0, 1700000000123456789, 1700000000123456789},
		{0, 0, 1700000000, 1700000000000000000},
		{3, 0, 1700000000123, 1700000000123000000},
		{12, 0, 1700000123456789, 1700000123456},
		{28, 0, 10000000000000000000ull, 1},
		{29, 0, UINT64_MAX, 0}, /* finer than 64 bits of ticks can fill */
		{127, 0, UINT64_MAX, 0},
		{0x80, 0, 1700000000, 1700000000000000000},
		{0x80 | 10, 0, 1700000000ull << 10 | 512, 1700000000500000000},
		{0x80 | 20, 0, 1700000000ull << 20 | 1, 1700000000000000953},
		{0x80 | 30, 0, 1700000000ull << 30 | 1 << 28, 1700000000250000000},
		{0x80 | 63, 0, 1ull << 63 | 1ull << 62, 1500000000},
		{0x80 | 64, 0, 1ull << 63, 500000000},
		{0xff, 0, UINT64_MAX, 0},
		{6, 1700000000, 5, 1700000000000005000},
		{6, -10, 1700000000123456, 1699999990123456000},
		{6, -1700000001, 1700000000123456, 0}, /* before the epoch */
		{0, 0, UINT64_MAX, UINT64_MAX},	       /* beyond 64 bits of ns */
		{6, INT64_MIN, 1, 0},
		{6, INT64_MAX, 1, UINT64_MAX},
	};

	for (size_t i = 0; i < 2 * sizeof(cases) / sizeof(cases[0]); i++) {
		struct file f = {.big = i & 1};
		struct result r;

		ng_section(&f, 1, 0);
		ng_interface(&f, 1, 0, cases[i / 2].resolution, cases[i / 2].offset_s);
		ng_enhanced(&f, 0, cases[i / 2].ticks, ethernet, 34, 60, -1);
		ng_old(&f, 0, cases[i / 2].ticks, ethernet, 34, 60);
		r = read_file(&f);
		cr_assert_eq(r.n, 2, "%s", r.problem);
		for (int k = 0; k < 2; k++)
			cr_assert_eq(r.got[k].frame.time_ns, cases[i / 2].time_ns, "case %zu: %llu", i / 2,
				     (unsigned long long)r.got[k].frame.time_ns);
		cr_assert_arr_eq(r.got[1].bytes, ethernet, 34);
	}
}

Test(capture_pcapng, simple_packets_take_length_and_time_from_before)
{
	for (int big = 0; big < 2; big++) {
		struct file f = {.big = big};
		struct result r;

		ng_section(&f, 1, 0);
		ng_interface(&f, 1, 30, -1, 0);
		ng_simple(&f, ethernet, 30, 1500); /* cut to the snapshot length */
		ng_enhanced(&f, 0, 77, ethernet, 34, 34, -1);
		ng_simple(&f, ethernet, 21, 21);
		r = read_file(&f);
		cr_assert_eq(r.n, 3, "%s", r.problem);
		cr_assert_eq(r.got[0].frame.caplen, 30);
		cr_assert_eq(r.got[0].frame.wirelen, 1500);
		cr_assert_eq(r.got[0].frame.time_ns, 0);
		cr_assert_eq(r.got[2].frame.caplen, 21);
		cr_assert_eq(r.got[2].frame.wirelen, 21);
		cr_assert_eq(r.got[2].frame.time_ns, 77000);
		cr_assert_arr_eq(r.got[2].bytes, ethernet, 21);
	}
}

Test(capture_pcapng, sections_and_interfaces_that_differ)
{
	static const uint32_t caplen[] = {34, 34, 14, 14}, wirelen[] = {60, 34, 78, 78};
	struct file f = {0};
	struct result r;

	make_mixed(&f);
	r = read_file(&f);
	cr_assert_eq(r.end, 0, "%s", r.problem);
	cr_assert_eq(r.n, 4, "%s", r.note);
	for (unsigned int i = 0; i < 4; i++) {
		cr_assert_eq(r.got[i].frame.time_ns, (i + 1) * NS);
		cr_assert_eq(r.got[i].frame.caplen, caplen[i]);
		cr_assert_eq(r.got[i].frame.wirelen, wirelen[i]);
		cr_assert_eq(r.got[i].frame.index, i + 1);
		cr_assert_eq(r.got[i].frame.outgoing, i == 3, "packet %u", i);
	}
	cr_assert_eq(r.note_count + r.skipped, 0);
}

Test(capture_pcapng, unknown_link_type_costs_its_interface_only)
{
	struct file f = {0};
	struct result r;

	ng_section(&f, 1, 0);
	ng_interface(&f, 127, 0, -1, 0);
	ng_interface(&f, 1, 0, -1, 0);
	ng_interface(&f, 189, 0, -1, 0);
	for (uint32_t i = 0; i < 6; i++)
		ng_enhanced(&f, i % 3, i, ethernet, 34, 34, -1);
	r = read_file(&f);
	cr_assert_eq(r.n, 2);
	cr_assert_eq(r.got[1].frame.index, 5);
	cr_assert_eq(r.skipped, 4);
	cr_assert_eq(r.note_count, 2);
	cr_assert_eq(r.end, 0);
}

Test(capture_pcapng, version_that_is_unknown_is_noted)
{
	struct file f = {0};
	struct result r;

	ng_section(&f, 2, 1);
	ng_interface(&f, 1, 0, -1, 0);
	ng_enhanced(&f, 0, 0, ethernet, 34, 34, -1);
	r = read_file(&f);
	cr_assert_eq(r.n, 1);
	cr_assert_eq(r.note_count, 1);
	cr_assert(strstr(r.note, "2.1"), "%s", r.note);
}

/* A packet block with a header as given, and a good one behind it. */
static struct result read_odd_packet(uint32_t type, uint32_t interface, uint32_t caplen, uint32_t body)
{
	struct file f = {0};
	size_t at;

	ng_section(&f, 1, 0);
	ng_interface(&f, 1, 0, -1, 0);
	at = block_begin(&f, type);
	if (type == 3) {
		put_u32(&f, caplen);
	} else {
		put_u32(&f, interface);
		put_zeros(&f, 8);
		put_u32(&f, caplen);
		put_u32(&f, caplen);
	}
	put_zeros(&f, body);
	block_end(&f, at);
	ng_enhanced(&f, 0, 0, ethernet, 34, 34, -1);
	return read_file(&f);
}

Test(capture_pcapng, wrong_packet_block_costs_that_packet_only)
{
	static const struct {
		uint32_t type, interface, caplen, body;
	} cases[] = {
		{6, 1, 34, 36}, /* interface not described */
		{6, 0xffffffff, 34, 36},
		{2, 1, 34, 36},
		{6, 0, 37, 36}, /* beyond its block */
		{6, 0, 0xffffffff, 36},
		{2, 0, 0x80000000, 36},
		{3, 0, 37, 36},
		{6, 0, CAPTURE_FRAME_BYTES_MAX + 1, CAPTURE_FRAME_BYTES_MAX + 4},
		{3, 0, CAPTURE_FRAME_BYTES_MAX + 1, CAPTURE_FRAME_BYTES_MAX + 4},
		{6, 0, 34, 3u << 20}, /* block longer than what is kept in memory */
		{3, 0, 34, 3u << 20},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result r =
			read_odd_packet(cases[i].type, cases[i].interface, cases[i].caplen, cases[i].body);

		cr_assert_eq(r.end, 0, "case %zu: %s", i, r.problem);
		cr_assert_eq(r.n, 1, "case %zu", i);
		cr_assert_eq(r.got[0].frame.index, 2);
		cr_assert_eq(r.skipped, 1, "case %zu", i);
		cr_assert_eq(r.note_count, 1);
		cr_assert(strstr(r.note, "packet 1 at byte offset 60 left out"), "%s", r.note);
	}
}

Test(capture_pcapng, without_interface_or_with_a_short_packet_block)
{
	struct file f = {0};
	struct result r;

	ng_section(&f, 1, 0);
	ng_simple(&f, ethernet, 34, 34);
	ng_enhanced(&f, 0, 0, ethernet, 34, 34, -1);
	for (uint32_t type = 2; type < 7; type++)
		block_end(&f, block_begin(&f, type)); /* 2, 3 and 6 are packets */
	r = read_file(&f);
	cr_assert_eq(r.end, 0, "%s", r.problem);
	cr_assert_eq(r.n, 0);
	cr_assert_eq(r.skipped, 5);
	cr_assert_eq(r.note_count, 5);
}

Test(capture_pcapng, other_blocks_of_any_length_are_passed)
{
	struct file f = {0};
	struct result r;
	size_t at;

	ng_section(&f, 1, 0);
	at = block_begin(&f, 10);
	put_zeros(&f, (3u << 20) + 1);
	block_end(&f, at);
	ng_interface(&f, 1, 0, -1, 0);
	ng_enhanced(&f, 0, 0, ethernet, 34, 34, -1);
	r = read_file(&f);
	cr_assert_eq(r.end, 0, "%s", r.problem);
	cr_assert_eq(r.n, 1);
}

Test(capture_pcapng, length_without_padding_is_understood)
{
	struct file f = {0};
	struct result r;

	ng_section(&f, 1, 0);
	ng_interface(&f, 1, 0, -1, 0);
	for (uint32_t i = 0; i < 3; i++) {
		size_t at = f.n;

		ng_enhanced(&f, 0, 0, ethernet, 33, 33, -1);
		f.bytes[at + 4] -= 3;
		if (i != 1)
			f.bytes[f.n - 4] -= 3;
	}
	r = read_file(&f);
	cr_assert_eq(r.end, 0, "%s", r.problem);
	cr_assert_eq(r.n, 3);
}

Test(capture_pcapng, stops_where_the_next_block_cannot_be_found)
{
	static const struct {
		size_t at; /* from the start of the second packet's block */
		uint8_t value;
	} cases[] = {{4, 8}, {4, 0}, {4, 72}, {64, 1}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct file f = {0};
		struct result r;
		size_t second;

		ng_section(&f, 1, 0);
		ng_interface(&f, 1, 0, -1, 0);
		ng_enhanced(&f, 0, 0, ethernet, 34, 34, -1);
		second = f.n;
		ng_enhanced(&f, 0, 0, ethernet, 34, 34, -1);
		cr_assert_eq(f.n - second, 68);
		ng_enhanced(&f, 0, 0, ethernet, 34, 34, -1);
		f.bytes[second + cases[i].at] = cases[i].value;
		r = read_file(&f);
		cr_assert_eq(r.end, -EBADMSG, "case %zu", i);
		cr_assert_eq(r.n, 1, "case %zu", i);
		cr_assert(strstr(r.problem, "packet 1, byte offset 128"), "%s", r.problem);
	}
}

Test(capture_pcapng, notes_are_bounded_and_say_so)
{
	struct file f = {0};
	struct result r;

	ng_section(&f, 1, 0);
	for (int i = 0; i < 100; i++)
		ng_enhanced(&f, 5, 0, ethernet, 34, 34, -1);
	r = read_file(&f);
	cr_assert_eq(r.skipped, 100);
	cr_assert_eq(r.note_count, 17);
}
