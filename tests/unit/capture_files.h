/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capture files made byte by byte, for test_capture*.c. Knows the two formats from their
 * specifications only; shares nothing with the reader.
 */
#ifndef AIRGLOW_TESTS_CAPTURE_FILES_H
#define AIRGLOW_TESTS_CAPTURE_FILES_H

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include "engine/capture.h"

#define MAGIC_US	0xa1b2c3d4u
#define MAGIC_NS	0xa1b23c4du
#define MAGIC_KUZNETZOV 0xa1b2cd34u

/* An Ethernet frame with 20 bytes of IPv4 header, and the packet in it. */
static const uint8_t ethernet[34] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 20};
static const uint8_t ipv4[20] = {0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 198, 51, 100, 7};
static const uint8_t ipv6[40] = {0x60, 0, 0, 0, 0, 0, 59, 64};

#define TIME_S 1700000000u
#define NS     1000000000ull

struct file {
	uint8_t *bytes;
	size_t n, room;
	bool big; /* byte order it is written in */
};

struct result {
	int opened; /* what capture_open_fd said */
	int end;    /* what the last capture_next said */
	size_t n;
	struct {
		struct capture_frame frame;
		uint8_t bytes[64];
	} got[16];
	uint64_t skipped;
	size_t note_count;
	char note[256];	   /* the first */
	char problem[256]; /* of capture_open_fd, or else of reading */
};

static inline void put(struct file *f, const void *bytes, size_t n)
{
	if (f->n + n > f->room) {
		f->room = 2 * (f->n + n) + 256;
		f->bytes = realloc(f->bytes, f->room);
		cr_assert(f->bytes);
	}
	if (n)
		memcpy(f->bytes + f->n, bytes, n);
	f->n += n;
}

static inline void put_zeros(struct file *f, size_t n)
{
	uint8_t zeros[256] = {0};

	for (; n > sizeof(zeros); n -= sizeof(zeros))
		put(f, zeros, sizeof(zeros));
	put(f, zeros, n);
}

static inline void put_number(struct file *f, uint64_t value, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		uint8_t byte = (uint8_t)(value >> 8 * (f->big ? n - 1 - i : i));

		put(f, &byte, 1);
	}
}

static inline void put_u16(struct file *f, uint32_t value)
{
	put_number(f, value, 2);
}

static inline void put_u32(struct file *f, uint64_t value)
{
	put_number(f, value, 4);
}

static inline void pcap_begin(struct file *f, uint32_t magic, uint32_t snaplen, uint32_t link)
{
	put_u32(f, magic);
	put_u16(f, 2);
	put_u16(f, 4);
	put_zeros(f, 8);
	put_u32(f, snaplen);
	put_u32(f, link);
}

static inline void pcap_record(struct file *f, uint32_t s, uint32_t fraction, const void *data, uint32_t caplen,
			       uint32_t wirelen)
{
	put_u32(f, s);
	put_u32(f, fraction);
	put_u32(f, caplen);
	put_u32(f, wirelen);
	put(f, data, caplen);
}

/* A block is begun with a length to be filled in and ended with both lengths. */
static inline size_t block_begin(struct file *f, uint32_t type)
{
	size_t at = f->n;

	put_u32(f, type);
	put_u32(f, 0);
	return at;
}

static inline void block_end(struct file *f, size_t at)
{
	struct file length = {.big = f->big};

	put_zeros(f, (4 - f->n % 4) % 4);
	put_u32(&length, f->n - at + 4);
	put(f, length.bytes, 4);
	memcpy(f->bytes + at + 4, length.bytes, 4);
	free(length.bytes);
}

static inline void ng_section(struct file *f, uint32_t major, uint32_t minor)
{
	size_t at = block_begin(f, 0x0a0d0d0a);

	put_u32(f, 0x1a2b3c4d);
	put_u16(f, major);
	put_u16(f, minor);
	put_number(f, UINT64_MAX, 8);
	block_end(f, at);
}

static inline void ng_option(struct file *f, uint32_t code, uint64_t value, unsigned int n)
{
	put_u16(f, code);
	put_u16(f, n);
	put_number(f, value, n);
	put_zeros(f, (4 - n % 4) % 4);
}

/* resolution < 0: without the option; offset_s = 0 too. */
static inline void ng_interface(struct file *f, uint32_t link, uint32_t snaplen, int resolution,
				int64_t offset_s)
{
	size_t at = block_begin(f, 1);

	put_u16(f, link);
	put_u16(f, 0);
	put_u32(f, snaplen);
	ng_option(f, 2, 0x6c6f30, 3); /* if_name, of a length that needs padding */
	if (resolution >= 0)
		ng_option(f, 9, (uint64_t)resolution, 1);
	if (offset_s)
		ng_option(f, 14, (uint64_t)offset_s, 8);
	ng_option(f, 0, 0, 0);
	block_end(f, at);
}

/* flags < 0: without options. */
static inline void ng_enhanced(struct file *f, uint32_t interface, uint64_t ticks, const void *data,
			       uint32_t caplen, uint32_t wirelen, int flags)
{
	size_t at = block_begin(f, 6);

	put_u32(f, interface);
	put_u32(f, ticks >> 32);
	put_u32(f, ticks);
	put_u32(f, caplen);
	put_u32(f, wirelen);
	put(f, data, caplen);
	put_zeros(f, (4 - caplen % 4) % 4);
	if (flags >= 0) {
		ng_option(f, 1, 0x686921, 3); /* a comment */
		ng_option(f, 2, (uint64_t)flags, 4);
		ng_option(f, 0, 0, 0);
	}
	block_end(f, at);
}

static inline void ng_old(struct file *f, uint32_t interface, uint64_t ticks, const void *data, uint32_t caplen,
			  uint32_t wirelen)
{
	size_t at = block_begin(f, 2);

	put_u16(f, interface);
	put_u16(f, 7); /* drops */
	put_u32(f, ticks >> 32);
	put_u32(f, ticks);
	put_u32(f, caplen);
	put_u32(f, wirelen);
	put(f, data, caplen);
	block_end(f, at);
}

static inline void ng_simple(struct file *f, const void *data, uint32_t caplen, uint32_t wirelen)
{
	size_t at = block_begin(f, 3);

	put_u32(f, wirelen);
	put(f, data, caplen);
	block_end(f, at);
}

static inline void gzip_file(struct file *to, const struct file *from)
{
	z_stream z = {0};
	size_t room;
	uint8_t *made;

	cr_assert_eq(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	room = deflateBound(&z, from->n) + 64;
	made = malloc(room);
	cr_assert(made);
	z.next_in = from->bytes;
	z.avail_in = (uInt)from->n;
	z.next_out = made;
	z.avail_out = (uInt)room;
	cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
	put(to, made, room - z.avail_out);
	deflateEnd(&z);
	free(made);
}

/* Two sections of different byte order, with interfaces that differ in everything. */
static inline void make_mixed(struct file *f)
{
	/* SLL: the header alone, of an IPv4 packet to us */
	static const uint8_t sll[16] = {0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0};

	f->big = false;
	ng_section(f, 1, 0);
	ng_interface(f, 1, 65535, 6, 0);
	ng_interface(f, 101, 96, 9, 0);
	ng_enhanced(f, 0, 1000000, ethernet, 34, 60, -1);
	ng_enhanced(f, 1, 2000000000, ipv4, 20, 20, -1);
	block_end(f, block_begin(f, 0x40000bad)); /* of somebody else */
	f->big = true;
	ng_section(f, 1, 2);
	ng_interface(f, 113, 0, 3, 0);
	ng_old(f, 0, 3000, sll, 16, 80);
	ng_enhanced(f, 0, 4000, sll, 16, 80, 2);
}

/* Reads all of an open capture: the first 16 frames and 64 bytes of each are kept. */
static inline void read_all(struct capture *c, struct result *r)
{
	struct capture_frame f;
	const char *note;

	while ((r->end = capture_next(c, &f)) == 1) {
		if (r->n < 16) {
			r->got[r->n].frame = f;
			memcpy(r->got[r->n].bytes, f.bytes, f.caplen < 64 ? f.caplen : 64);
		}
		cr_assert_leq(f.caplen, f.wirelen);
		r->n++;
	}
	cr_assert_eq(capture_next(c, &f), r->end, "the answer stays");
	r->skipped = capture_skipped(c);
	while ((note = capture_note(c))) {
		if (!r->note_count++)
			snprintf(r->note, sizeof(r->note), "%s", note);
	}
	cr_assert_eq(r->end < 0, capture_problem(c) != NULL);
	snprintf(r->problem, sizeof(r->problem), "%s", r->end < 0 ? capture_problem(c) : "");
}

static inline struct result read_bytes(const uint8_t *bytes, size_t n)
{
	struct result r = {0};
	struct capture *c = NULL;
	int fd = memfd_create("capture", MFD_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	r.opened = capture_open_fd(&c, fd, "made.pcap", r.problem, sizeof(r.problem));
	if (r.opened) {
		cr_assert_null(c, "a failed opening leaves the pointer alone");
		return r;
	}
	read_all(c, &r);
	capture_free(&c);
	cr_assert_null(c);
	return r;
}

static inline struct result read_file(struct file *f)
{
	struct result r = read_bytes(f->bytes, f->n);

	free(f->bytes);
	f->bytes = NULL;
	return r;
}

#endif
