// SPDX-License-Identifier: GPL-2.0-only
/*
 * The capture reader on files made byte by byte: pcap in both byte orders, link types in both
 * formats, gzip, and every way of being cut off or of being no capture. What is expected is written down here
 * from the formats' specifications.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "capture_files.h"

Test(capture, pcap_in_both_orders_with_every_magic)
{
	static const struct {
		uint32_t magic, extra, unit;
	} cases[] = {{MAGIC_US, 0, 1000}, {MAGIC_NS, 0, 1}, {MAGIC_KUZNETZOV, 8, 1000}};

	for (unsigned int i = 0; i < 6; i++) {
		struct file f = {.big = i & 1};
		uint32_t extra = cases[i / 2].extra;
		struct result r;

		pcap_begin(&f, cases[i / 2].magic, 65535, 1);
		for (uint32_t k = 0; k < 3; k++) {
			put_u32(&f, TIME_S + k);
			put_u32(&f, 123456 + k);
			put_u32(&f, sizeof(ethernet));
			put_u32(&f, 60 + k);
			put_zeros(&f, extra);
			put(&f, ethernet, sizeof(ethernet));
		}
		r = read_file(&f);
		cr_assert_eq(r.opened, 0, "%u: %s", i, r.problem);
		cr_assert_eq(r.end, 0, "%u: %s", i, r.problem);
		cr_assert_eq(r.n, 3);
		for (uint32_t k = 0; k < 3; k++) {
			const struct capture_frame *g = &r.got[k].frame;

			cr_assert_eq(g->time_ns, (TIME_S + k) * NS + (123456 + k) * cases[i / 2].unit);
			cr_assert_eq(g->caplen, sizeof(ethernet));
			cr_assert_eq(g->wirelen, 60 + k);
			cr_assert_eq(g->index, k + 1);
			cr_assert_eq(g->offset, 24 + k * (16 + extra + sizeof(ethernet)));
			cr_assert_arr_eq(r.got[k].bytes, ethernet, sizeof(ethernet));
		}
		cr_assert_eq(r.note_count, 0);
	}
}

Test(capture, pcap_of_an_unknown_version_is_noted_and_read)
{
	static const uint16_t versions[][2] = {{2, 5}, {1, 2}, {3, 0}, {0, 0}, {4, 2}};

	for (unsigned int i = 0; i < 10; i++) {
		struct file f = {.big = i & 1};
		struct result r;
		char version[16];

		put_u32(&f, MAGIC_US);
		put_u16(&f, versions[i / 2][0]);
		put_u16(&f, versions[i / 2][1]);
		put_zeros(&f, 8);
		put_u32(&f, 65535);
		put_u32(&f, 1);
		pcap_record(&f, TIME_S, 1, ethernet, sizeof(ethernet), 60);
		r = read_file(&f);
		cr_assert_eq(r.n, 1, "%s", r.problem);
		cr_assert_eq(r.end, 0);
		cr_assert_eq(r.got[0].frame.time_ns, TIME_S * NS + 1000);
		cr_assert_eq(r.note_count, 1);
		snprintf(version, sizeof(version), "%u.%u", versions[i / 2][0], versions[i / 2][1]);
		cr_assert(strstr(r.note, version), "%s", r.note);
	}
}

Test(capture, pcap_before_2_3_has_its_lengths_swapped)
{
	struct file f = {0};
	struct result r;

	put_u32(&f, MAGIC_US);
	put_u16(&f, 2);
	put_u16(&f, 2);
	put_zeros(&f, 8);
	put_u32(&f, 65535);
	put_u32(&f, 1);
	put_zeros(&f, 8);
	put_u32(&f, 60);
	put_u32(&f, sizeof(ethernet));
	put(&f, ethernet, sizeof(ethernet));
	r = read_file(&f);
	cr_assert_eq(r.n, 1);
	cr_assert_eq(r.note_count, 0);
	cr_assert_eq(r.got[0].frame.caplen, sizeof(ethernet));
	cr_assert_eq(r.got[0].frame.wirelen, 60);
}

Test(capture, pcap_snapshot_length_of_the_header_may_lie)
{
	static const uint32_t snaplens[] = {0, 1, 20, 0xffffffff};

	for (unsigned int i = 0; i < 4; i++) {
		struct file f = {0};
		struct result r;

		pcap_begin(&f, MAGIC_US, snaplens[i], 1);
		pcap_record(&f, TIME_S, 0, ethernet, sizeof(ethernet), 34);
		pcap_record(&f, TIME_S, 0, ethernet, sizeof(ethernet), 34);
		r = read_file(&f);
		cr_assert_eq(r.n, 2);
		cr_assert_eq(r.got[1].frame.caplen, sizeof(ethernet));
		cr_assert_eq(r.got[1].frame.offset, 24 + 16 + sizeof(ethernet));
	}
}

Test(capture, pcap_numbers_at_their_edges)
{
	struct file f = {0};
	struct result r;

	pcap_begin(&f, MAGIC_US, 65535, 1);
	pcap_record(&f, 0xffffffff, 999999, ethernet, sizeof(ethernet), 34);
	pcap_record(&f, 0, 0xffffffff, ethernet, sizeof(ethernet), 20); /* on the wire less than captured */
	pcap_record(&f, TIME_S, 0, ethernet, 0, 0xffffffff);
	r = read_file(&f);
	cr_assert_eq(r.n, 3);
	cr_assert_eq(r.got[0].frame.time_ns, 0xffffffff * NS + 999999000);
	cr_assert_eq(r.got[1].frame.time_ns, 0xffffffffull * 1000);
	cr_assert_eq(r.got[1].frame.wirelen, sizeof(ethernet));
	cr_assert_eq(r.got[2].frame.caplen, 0);
	cr_assert_eq(r.got[2].frame.wirelen, 0xffffffff);
}

Test(capture, pcap_of_no_packets)
{
	struct file f = {0};
	struct result r;

	pcap_begin(&f, MAGIC_US, 65535, 1);
	r = read_file(&f);
	cr_assert_eq(r.opened, 0);
	cr_assert_eq(r.end, 0);
	cr_assert_eq(r.n + r.skipped + r.note_count, 0);
}

Test(capture, pcap_frames_up_to_256_kib_and_no_longer)
{
	static uint8_t frame[CAPTURE_FRAME_BYTES_MAX + 1];
	static const uint32_t lengths[] = {80062, CAPTURE_FRAME_BYTES_MAX};
	struct file f = {0};
	struct result r;

	pcap_begin(&f, MAGIC_US, 65535, 101);
	frame[0] = 0x45;
	for (unsigned int i = 0; i < 2; i++)
		pcap_record(&f, TIME_S, 0, frame, lengths[i], lengths[i]);
	pcap_record(&f, TIME_S, 0, frame, sizeof(frame), sizeof(frame));
	pcap_record(&f, TIME_S, 0, frame, 20, 20);
	r = read_file(&f);
	cr_assert_eq(r.n, 2);
	for (unsigned int i = 0; i < 2; i++) {
		cr_assert_eq(r.got[i].frame.caplen, lengths[i] + 14);
		cr_assert_eq(r.got[i].frame.wirelen, lengths[i] + 14);
	}
	cr_assert_eq(r.end, -EBADMSG, "the next record cannot be found");
	cr_assert(strstr(r.problem, "packet 3, byte offset 342262"), "%s", r.problem);
}

/* The link header as it stands in the file, and the EtherType that follows from it. */
struct link_case {
	uint32_t link;
	uint8_t header[20];
	uint32_t header_bytes;
	const uint8_t *packet;
	uint32_t packet_bytes;
	uint32_t ethertype;
	bool outgoing;
};

static const uint8_t vlan[24] = {0, 5, 8, 0, 0x45};

static const uint8_t strange[4] = {0xf0};

static const struct link_case link_cases[] = {
	{12, {0}, 0, ipv4, 20, 0x0800, false},
	{12, {0}, 0, ipv6, 40, 0x86dd, false},
	{14, {0}, 0, ipv4, 20, 0x0800, false},
	{14, {0}, 0, ipv6, 40, 0x86dd, false},
	{101, {0}, 0, ipv4, 20, 0x0800, false},
	{101, {0}, 0, ipv6, 40, 0x86dd, false},
	{101, {0}, 0, strange, 4, 0x0800, false},
	{228, {0}, 0, ipv4, 20, 0x0800, false},
	{228, {0}, 0, strange, 4, 0x0800, false},
	{229, {0}, 0, ipv6, 40, 0x86dd, false},
	{229, {0}, 0, strange, 4, 0x86dd, false},
	{229, {0}, 0, strange, 0, 0x86dd, false},
	{0, {2, 0, 0, 0}, 4, ipv4, 20, 0x0800, false},
	{0, {0, 0, 0, 2}, 4, ipv4, 20, 0x0800, false},
	{0, {10, 0, 0, 0}, 4, ipv6, 40, 0x86dd, false},
	{0, {0, 0, 0, 24}, 4, ipv6, 40, 0x86dd, false},
	{0, {28, 0, 0, 0}, 4, ipv6, 40, 0x86dd, false},
	{0, {30, 0, 0, 0}, 4, ipv6, 40, 0x86dd, false},
	{0, {23, 0, 0, 0}, 4, ipv6, 40, 0x86dd, false},
	{0, {0xdd, 0x86, 0, 0}, 4, ipv6, 40, 0x86dd, false},
	{0, {7, 0, 0, 0}, 4, ipv4, 20, 0, false}, /* no IP: no EtherType */
	{0, {2, 1, 1, 2}, 4, ipv4, 20, 0, false},
	{108, {0, 0, 0, 2}, 4, ipv4, 20, 0x0800, false},
	{108, {0, 0, 0, 30}, 4, ipv6, 40, 0x86dd, false},
	{113, {0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0}, 16, ipv4, 20, 0x0800, false},
	{113, {0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x86, 0xdd}, 16, ipv6, 40, 0x86dd, true},
	{113, {0, 1, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0x81, 0}, 16, vlan, 24, 0x8100, false},
	{113, {0, 2, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0, 4}, 16, ipv4, 20, 0x0004, false}, /* LLC */
	{276, {8, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 6}, 20, ipv4, 20, 0x0800, false},
	{276, {0x86, 0xdd, 0, 0, 0, 0, 0, 9, 0, 1, 4, 6}, 20, ipv6, 40, 0x86dd, true},
	{276, {0x81, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0, 6}, 20, vlan, 24, 0x8100, false},
	{276, {0, 1, 0, 0, 0, 0, 0, 9, 0, 1, 3, 6}, 20, ipv4, 20, 0x0001, false},
};

static void check_link(const struct link_case *l, struct result *r, const char *format)
{
	static const uint8_t no_address[12];

	cr_assert_eq(r->n, 1, "link %u in %s: %s %s", l->link, format, r->problem, r->note);
	cr_assert_eq(r->got[0].frame.caplen, 14 + l->packet_bytes, "link %u", l->link);
	cr_assert_eq(r->got[0].frame.wirelen, 14 + l->packet_bytes + 100);
	cr_assert_arr_eq(r->got[0].bytes, no_address, 12);
	cr_assert_eq((uint32_t)(r->got[0].bytes[12] << 8 | r->got[0].bytes[13]), l->ethertype, "link %u",
		     l->link);
	cr_assert_arr_eq(r->got[0].bytes + 14, l->packet, l->packet_bytes);
	cr_assert_eq(r->got[0].frame.outgoing, l->outgoing, "link %u", l->link);
	cr_assert_eq(r->skipped + r->note_count, 0);
}

Test(capture, every_link_type_becomes_ethernet)
{
	for (size_t i = 0; i < sizeof(link_cases) / sizeof(link_cases[0]); i++) {
		const struct link_case *l = &link_cases[i];
		struct file old = {0}, ng = {.big = i & 1};
		uint8_t record[64];
		uint32_t bytes = l->header_bytes + l->packet_bytes;
		struct result r;

		memcpy(record, l->header, l->header_bytes);
		memcpy(record + l->header_bytes, l->packet, l->packet_bytes);
		pcap_begin(&old, MAGIC_US, 65535, l->link);
		pcap_record(&old, TIME_S, 0, record, bytes, bytes + 100);
		r = read_file(&old);
		check_link(l, &r, "pcap");
		ng_section(&ng, 1, 0);
		ng_interface(&ng, l->link, 0, -1, 0);
		ng_enhanced(&ng, 0, 0, record, bytes, bytes + 100, -1);
		r = read_file(&ng);
		check_link(l, &r, "pcapng");
	}
}

Test(capture, link_header_cut_off_at_every_byte)
{
	for (size_t i = 0; i < sizeof(link_cases) / sizeof(link_cases[0]); i++) {
		const struct link_case *l = &link_cases[i];
		uint32_t told = l->link == 276 ? 2 : l->header_bytes;

		for (uint32_t bytes = 0; bytes <= l->header_bytes; bytes++) {
			struct file f = {0};
			struct result r;

			pcap_begin(&f, MAGIC_US, 65535, l->link);
			pcap_record(&f, TIME_S, 0, l->header, bytes, bytes);
			r = read_file(&f);
			cr_assert_eq(r.n, 1);
			cr_assert_eq(r.got[0].frame.caplen, bytes < told ? 12 : 14, "link %u", l->link);
			cr_assert_eq(r.got[0].frame.wirelen, 14);
		}
	}
}

Test(capture, link_field_of_pcap_with_bits_above_it)
{
	struct file f = {0};
	struct result r;

	pcap_begin(&f, MAGIC_US, 65535, 0x300000e5);
	pcap_record(&f, TIME_S, 0, ipv6, 40, 40);
	r = read_file(&f);
	cr_assert_eq(r.n, 1, "%s", r.note);
	cr_assert_eq(r.got[0].frame.caplen, 54);
}

Test(capture, unknown_link_type_is_left_out_with_one_note)
{
	struct file f = {0};
	struct result r;

	pcap_begin(&f, MAGIC_US, 65535, 105);
	for (int i = 0; i < 5; i++)
		pcap_record(&f, TIME_S, 0, ethernet, 34, 34);
	r = read_file(&f);
	cr_assert_eq(r.opened, 0);
	cr_assert_eq(r.end, 0);
	cr_assert_eq(r.n, 0);
	cr_assert_eq(r.skipped, 5);
	cr_assert_eq(r.note_count, 1);
	cr_assert(strstr(r.note, "link type 105"), "%s", r.note);
	cr_assert(strstr(r.note, "packet 1 at byte offset 24"), "%s", r.note);
}

/*
 * Cuts a file at every byte: what is whole before the cut is handed on, the rest is told. `ends`: of
 * the parts of the file, the first `header_count` of which are no packets; the first has to be there.
 */
static void cut_everywhere(const struct file *f, const size_t *ends, size_t end_count, size_t header_count)
{
	for (size_t n = 0; n < f->n; n++) {
		struct result r = read_bytes(f->bytes, n);
		bool clean = false;
		size_t whole = 0;

		if (n < ends[0]) {
			cr_assert(r.opened < 0, "cut at %zu", n);
			cr_assert(strstr(r.problem, "made.pcap"), "%s", r.problem);
			continue;
		}
		for (size_t i = 0; i < end_count; i++) {
			whole += i >= header_count && ends[i] <= n;
			clean |= ends[i] == n;
		}
		cr_assert_eq(r.opened, 0, "cut at %zu: %s", n, r.problem);
		cr_assert_eq(r.n, whole, "cut at %zu", n);
		cr_assert_eq(r.end, clean ? 0 : -ENODATA, "cut at %zu: %s", n, r.problem);
		if (!clean)
			cr_assert(strstr(r.problem, "byte offset"), "%s", r.problem);
	}
}

Test(capture, pcap_cut_off_at_every_byte)
{
	struct file f = {0};
	size_t ends[4];

	pcap_begin(&f, MAGIC_US, 65535, 1);
	ends[0] = f.n;
	for (int i = 1; i < 4; i++) {
		pcap_record(&f, TIME_S, 0, ethernet, 20, 60);
		ends[i] = f.n;
	}
	cut_everywhere(&f, ends, 4, 1);
	free(f.bytes);
}

Test(capture, pcapng_cut_off_at_every_byte)
{
	for (int big = 0; big < 2; big++) {
		struct file f = {.big = big};
		size_t ends[5]; /* of section, interface and packets: a cut there cannot be seen */

		ng_section(&f, 1, 0);
		ends[0] = f.n;
		ng_interface(&f, 1, 0, -1, 0);
		ends[1] = f.n;
		for (int i = 2; i < 5; i++) {
			ng_enhanced(&f, 0, 0, ethernet, 21, 60, 1);
			ends[i] = f.n;
		}
		cut_everywhere(&f, ends, 5, 2);
		free(f.bytes);
	}
}

Test(capture, gzip_cut_off_at_every_byte)
{
	struct file f = {0}, packed = {0};
	size_t before = 0;

	make_mixed(&f);
	gzip_file(&packed, &f);
	for (size_t n = 0; n < packed.n; n++) {
		struct result r = read_bytes(packed.bytes, n);

		cr_assert(r.opened < 0 || r.end == -ENODATA, "cut at %zu", n);
		cr_assert_geq(r.n, before);
		before = r.n;
	}
	cr_assert_eq(before, 4, "all is there before the check sum");
	cr_assert_eq(read_bytes(packed.bytes, packed.n).end, 0);
	free(f.bytes);
	free(packed.bytes);
}

/* 2,000 frames that do not compress well, so that damage comes in the middle of something. */
static void make_long(struct file *f)
{
	uint32_t state = 1;

	pcap_begin(f, MAGIC_NS, 65535, 1);
	for (uint32_t i = 0; i < 2000; i++) {
		uint8_t frame[200];

		for (size_t k = 0; k < sizeof(frame); k++) {
			state = state * 1664525 + 1013904223;
			frame[k] = (uint8_t)(state >> 24);
		}
		pcap_record(f, TIME_S, i, frame, sizeof(frame), sizeof(frame));
	}
}

Test(capture, gzip_damaged_hands_on_what_came_before)
{
	struct file f = {0}, packed = {0};
	struct result r;

	make_long(&f);
	gzip_file(&packed, &f);
	r = read_bytes(packed.bytes, packed.n);
	cr_assert_eq(r.end, 0, "%s", r.problem);
	cr_assert_eq(r.n, 2000);
	/* The check sum: every frame is there, and the file is still not to be trusted. */
	packed.bytes[packed.n - 8] ^= 1;
	r = read_bytes(packed.bytes, packed.n);
	cr_assert_eq(r.n, 2000);
	cr_assert_eq(r.end, -EBADMSG);
	cr_assert(strstr(r.problem, "compressed data damaged"), "%s", r.problem);
	/* A stretch of the middle gone: deflate notices sooner or later, never later than at the end. */
	memset(packed.bytes + packed.n / 2, 0xff, 1000);
	r = read_bytes(packed.bytes, packed.n);
	cr_assert_gt(r.n, 900);
	cr_assert(r.end == -EBADMSG, "%d", r.end);
	free(f.bytes);
	free(packed.bytes);
}

Test(capture, gzip_of_several_members_and_padding)
{
	struct file f = {0}, first = {0}, second = {0}, packed = {0};
	struct result r;

	make_mixed(&f);
	put(&first, f.bytes, 101);
	put(&second, f.bytes + 101, f.n - 101);
	gzip_file(&packed, &first);
	gzip_file(&packed, &second);
	put_zeros(&packed, 512);
	r = read_file(&packed);
	cr_assert_eq(r.end, 0, "%s", r.problem);
	cr_assert_eq(r.n, 4);
	free(f.bytes);
	free(first.bytes);
	free(second.bytes);
}

static void write_temporary(char path[static 64], const char *suffix, const struct file *f)
{
	int fd;

	snprintf(path, 64, "/tmp/airglow-capture-XXXXXX%s", suffix);
	fd = mkstemps(path, (int)strlen(suffix));
	cr_assert_geq(fd, 0);
	if (f)
		cr_assert_eq(write(fd, f->bytes, f->n), (ssize_t)f->n);
	close(fd);
}

Test(capture, content_decides_and_not_the_name)
{
	struct file mixed = {0}, pcap = {0}, packed = {0};
	const struct file *files[] = {&mixed, &pcap, &packed};
	static const char *const names[] = {".pcap.gz", ".pcapng", ".pcap"};

	make_mixed(&mixed);
	pcap_begin(&pcap, MAGIC_US, 65535, 1);
	for (int i = 0; i < 4; i++)
		pcap_record(&pcap, TIME_S, 0, ethernet, 34, 34);
	gzip_file(&packed, &pcap);
	for (int i = 0; i < 3; i++) {
		struct capture *c = NULL;
		struct result r = {0};
		char path[64], why[256] = "";

		write_temporary(path, names[i], files[i]);
		cr_assert_eq(capture_open(&c, path, why, sizeof(why)), 0, "%s", why);
		read_all(c, &r);
		cr_assert_eq(r.n, 4);
		cr_assert_eq(r.end, 0);
		capture_free(&c);
		unlink(path);
	}
	free(mixed.bytes);
	free(pcap.bytes);
	free(packed.bytes);
}

Test(capture, standard_input_may_be_a_pipe)
{
	struct file f = {0}, packed = {0};
	struct capture *c = NULL;
	struct result r = {0};
	char why[256] = "";
	int ends[2];

	make_mixed(&f);
	gzip_file(&packed, &f);
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], packed.bytes, packed.n), (ssize_t)packed.n);
	close(ends[1]);
	cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
	close(ends[0]);
	cr_assert_eq(capture_open(&c, "-", why, sizeof(why)), 0, "%s", why);
	read_all(c, &r);
	cr_assert_eq(r.n, 4);
	cr_assert_eq(r.end, 0);
	capture_free(&c);
	cr_assert_neq(fcntl(STDIN_FILENO, F_GETFD), -1, "standard input stays open");
	free(f.bytes);
	free(packed.bytes);
}

Test(capture, what_is_no_capture_is_refused_by_name)
{
	static const struct {
		const char *bytes;
		size_t n;
		const char *says;
	} cases[] = {
		{"", 0, "is empty"},
		{"\xd4\xc3", 2, "2 bytes in all"},
		{"file\tclass\n", 11, "66 69 6c 65"},
		{"\xd4\xc3\xb2\xa1\x02", 5, "pcap header: 5 of 24"},
		{"\x0a\x0d\x0d\x0a\x1c\0\0\0", 8, "cut off"},
		{"\x0a\x0d\x0d\x0a\x1c\0\0\0\1\2\3\4\1\2\3\4", 16, "without byte order"},
		{"\x0a\x0d\x0d\x0a\x0c\0\0\0\x4d\x3c\x2b\x1a\x0c\0\0\0", 16, "differ"},
		{"\x1f\x8b\x08\0\0\0", 6, "compressed data"},
		{"\x1f\x8b\x08\0\0\0\0\0\0\3\xff\xff\xff\xff", 14, "damaged"},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct result r = read_bytes((const uint8_t *)cases[i].bytes, cases[i].n);

		cr_assert(r.opened < 0, "case %zu", i);
		cr_assert(strstr(r.problem, "made.pcap"), "case %zu: %s", i, r.problem);
		cr_assert(strstr(r.problem, cases[i].says), "case %zu: %s", i, r.problem);
	}
}

Test(capture, what_cannot_be_read_is_refused_by_name)
{
	struct capture *c = NULL;
	char why[256] = "";

	cr_assert_eq(capture_open(&c, "/nonexistent/x.pcap", why, sizeof(why)), -ENOENT);
	cr_assert_str_eq(why, "cannot open /nonexistent/x.pcap: No such file or directory");
	cr_assert_eq(capture_open(&c, "/tmp", why, sizeof(why)), -EISDIR);
	cr_assert_str_eq(why, "cannot read /tmp: Is a directory");
	cr_assert_null(c);
	capture_free(&c);
}
