// SPDX-License-Identifier: GPL-2.0-only
/*
 * pcapng files, block by block. Owns sections, interfaces and time resolutions. Must not know link
 * layers. A reader of our own, since libpcap refuses a file whose interfaces differ in snapshot
 * length or link type.
 *
 * A block says its length at both ends. Where the two agree the next block can be found, so what
 * is wrong inside a packet block costs that packet only; where they do not, reading stops.
 */
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture_internal.h"

#define BLOCK_SECTION	      0x0a0d0d0au /* reads the same in both byte orders */
#define BLOCK_INTERFACE	      1u
#define BLOCK_PACKET_OLD      2u
#define BLOCK_PACKET_SIMPLE   3u
#define BLOCK_PACKET_ENHANCED 6u
#define BYTE_ORDER_MAGIC      0x1a2b3c4du

#define BLOCK_BYTES_MIN	      12u
#define BLOCK_HEADER_BYTES    8u
#define BLOCK_TRAILER_BYTES   4u
#define SECTION_BODY_BYTES    16u
#define INTERFACE_BODY_BYTES  8u
#define PACKET_BODY_BYTES     20u /* enhanced and old alike */
#define SIMPLE_BODY_BYTES     4u
#define INTERFACES_MAX	      65536u /* 40 bytes each */

#define OPTION_END	      0u
#define OPTION_TSRESOL	      9u
#define OPTION_TSOFFSET	      14u
#define OPTION_PACKET_FLAGS   2u
#define PACKET_FLAGS_OUTGOING 2u
#define NS_EXPONENT	      9u

struct block {
	uint64_t offset;
	uint64_t bytes;	     /* with both lengths and padding */
	const uint8_t *body; /* NULL: longer than the window */
	size_t body_bytes;
	uint32_t type;
};

static uint32_t read_u16(const struct capture_pcapng *p, const uint8_t *at)
{
	return p->big_endian ? (uint32_t)at[0] << 8 | at[1] : (uint32_t)at[1] << 8 | at[0];
}

static uint32_t read_u32(const struct capture_pcapng *p, const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return p->big_endian ? be32toh(value) : le32toh(value);
}

static uint64_t read_u64(const struct capture_pcapng *p, const uint8_t *at)
{
	uint64_t first = read_u32(p, at), second = read_u32(p, at + 4);

	return p->big_endian ? first << 32 | second : second << 32 | first;
}

bool capture_pcapng_begins(const uint8_t *bytes, size_t have)
{
	static const uint8_t type[] = {0x0a, 0x0d, 0x0d, 0x0a};

	return have >= sizeof(type) && !memcmp(bytes, type, sizeof(type));
}

static int stop_damaged(struct capture *c, uint64_t offset, const char *what)
{
	return capture_set_problem(c, -EBADMSG,
				   "%s: damaged behind packet %llu, byte offset %llu: %s; what "
				   "follows cannot be read",
				   c->name, (unsigned long long)c->packets, (unsigned long long)offset, what);
}

/* A section header sets the byte order that its own length is to be read in. */
static bool set_byte_order(struct capture_pcapng *p, const uint8_t *magic)
{
	p->big_endian = true;
	if (read_u32(p, magic) == BYTE_ORDER_MAGIC)
		return true;
	p->big_endian = false;
	return read_u32(p, magic) == BYTE_ORDER_MAGIC;
}

/* Compares the length at the block's end and steps over the block. */
static int pass_block(struct capture *c, const struct block *b, uint32_t announced)
{
	struct capture_source *s = &c->source;
	uint64_t before = b->bytes - BLOCK_TRAILER_BYTES;
	uint64_t got = capture_source_skip(s, before);
	uint8_t *trailer;
	size_t have;
	uint32_t repeated;

	if (got < before)
		return capture_cut_off(c, b->offset, got, b->bytes);
	have = capture_source_peek(s, BLOCK_TRAILER_BYTES, &trailer);
	if (have < BLOCK_TRAILER_BYTES)
		return capture_cut_off(c, b->offset, got + have, b->bytes);
	repeated = read_u32(&c->pcapng, trailer);
	if (repeated != announced && repeated != b->bytes)
		return stop_damaged(c, b->offset, "the block's two lengths differ");
	capture_source_skip(s, BLOCK_TRAILER_BYTES);
	return 1;
}

/* Steps over the next block; its body stays readable until the next step. 1, 0 = end or -errno. */
static int next_block(struct capture *c, struct block *b)
{
	struct capture_source *s = &c->source;
	uint8_t *at;
	uint32_t announced;
	size_t have;

	b->offset = s->offset;
	have = capture_source_peek(s, BLOCK_BYTES_MIN, &at);
	if (!have && !s->err)
		return 0;
	if (have < BLOCK_BYTES_MIN)
		return capture_cut_off(c, b->offset, have, BLOCK_BYTES_MIN);
	b->type = read_u32(&c->pcapng, at);
	if (b->type == BLOCK_SECTION && !set_byte_order(&c->pcapng, at + BLOCK_HEADER_BYTES))
		return stop_damaged(c, b->offset, "a section without byte order");
	announced = read_u32(&c->pcapng, at + 4);
	if (announced < BLOCK_BYTES_MIN)
		return stop_damaged(c, b->offset, "a block shorter than its own header");
	/* Some writers leave the padding out of the length. */
	b->bytes = ((uint64_t)announced + 3) & ~(uint64_t)3;
	b->body = NULL;
	b->body_bytes = 0;
	if (b->bytes <= CAPTURE_WINDOW_BYTES) {
		have = capture_source_peek(s, (size_t)b->bytes, &at);
		if (have < b->bytes)
			return capture_cut_off(c, b->offset, have, b->bytes);
		b->body = at + BLOCK_HEADER_BYTES;
		b->body_bytes = (size_t)b->bytes - BLOCK_BYTES_MIN;
	}
	return pass_block(c, b, announced);
}

/* The value of an option, NULL where it is not there with at least `n` bytes. */
static const uint8_t *find_option(const struct capture_pcapng *p, const uint8_t *at, size_t left, uint32_t code,
				  uint32_t n)
{
	while (left >= 4) {
		uint32_t here = read_u16(p, at), bytes = read_u16(p, at + 2);
		size_t step = 4 + (((size_t)bytes + 3) & ~(size_t)3);

		if (here == OPTION_END || step > left)
			break;
		if (here == code && bytes >= n)
			return at + 4;
		at += step;
		left -= step;
	}
	return NULL;
}

static int begin_section(struct capture *c, const struct block *b)
{
	struct capture_pcapng *p = &c->pcapng;
	uint32_t major, minor;

	p->interface_count = 0;
	if (!b->body)
		return 0;
	if (b->body_bytes < SECTION_BODY_BYTES)
		return stop_damaged(c, b->offset, "a section header that is too short");
	major = read_u16(p, b->body + 4);
	minor = read_u16(p, b->body + 6);
	/* 1.2 was written for a while and is the same as 1.0. */
	if (major != 1 || (minor != 0 && minor != 2))
		capture_add_note(c,
				 "%s: pcapng version %u.%u at byte offset %llu is not known, "
				 "read as 1.0",
				 c->name, major, minor, (unsigned long long)b->offset);
	return 0;
}

static uint64_t power_of_ten(uint32_t exponent)
{
	uint64_t power = 1;

	while (exponent--)
		power *= 10;
	return power;
}

/* if_tsresol: top bit set: 2^-n s a tick, else 10^-n. */
static void set_resolution(struct capture_interface *i, uint8_t resolution)
{
	uint32_t exponent = resolution & 0x7f;

	i->tick_binary = resolution & 0x80;
	i->tick_shift = (uint8_t)exponent;
	i->tick_divides = exponent > NS_EXPONENT;
	if (!i->tick_divides)
		i->tick_scale = power_of_ten(NS_EXPONENT - exponent);
	else if (exponent - NS_EXPONENT < 20)
		i->tick_scale = power_of_ten(exponent - NS_EXPONENT);
	else
		i->tick_scale = 0; /* so fine that 64 bits of ticks are no ns */
}

static uint64_t to_time_ns(const struct capture_interface *i, uint64_t ticks)
{
	__int128 ns;

	if (i->tick_binary)
		ns = (__int128)(((unsigned __int128)ticks * 1000000000u) >> i->tick_shift);
	else if (i->tick_divides)
		ns = i->tick_scale ? (__int128)(ticks / i->tick_scale) : 0;
	else
		ns = (__int128)((unsigned __int128)ticks * i->tick_scale);
	ns += (__int128)i->offset_s * 1000000000;
	if (ns < 0)
		return 0;
	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

static int add_interface(struct capture *c, const struct block *b)
{
	struct capture_pcapng *p = &c->pcapng;
	struct capture_interface *i;
	const uint8_t *options, *value;
	size_t options_bytes;

	if (b->body_bytes < INTERFACE_BODY_BYTES)
		return stop_damaged(c, b->offset,
				    b->body ? "an interface that is cut short"
					    : "an interface of more than 1 MiB");
	if (p->interface_count == INTERFACES_MAX)
		return stop_damaged(c, b->offset, "more than 65536 interfaces in a section");
	if (p->interface_count == p->interface_room) {
		size_t room = p->interface_room ? 2 * p->interface_room : 8;

		i = reallocarray(p->interfaces, room, sizeof(*i));
		if (!i)
			return capture_set_problem(c, -ENOMEM, "%s: no memory for %zu interfaces", c->name,
						   room);
		p->interfaces = i;
		p->interface_room = room;
	}
	i = &p->interfaces[p->interface_count++];
	*i = (struct capture_interface){.link_type = read_u16(p, b->body), .snaplen = read_u32(p, b->body + 4)};
	options = b->body + INTERFACE_BODY_BYTES;
	options_bytes = b->body_bytes - INTERFACE_BODY_BYTES;
	value = find_option(p, options, options_bytes, OPTION_TSRESOL, 1);
	set_resolution(i, value ? *value : 6);
	value = find_option(p, options, options_bytes, OPTION_TSOFFSET, 8);
	if (value)
		i->offset_s = (int64_t)read_u64(p, value);
	return 0;
}

/* Always 0: the next block can still be found. */
static int leave_out(struct capture *c, const struct block *b, const char *what)
{
	capture_add_note(c, "%s: packet %llu at byte offset %llu left out: %s", c->name,
			 (unsigned long long)c->packets + 1, (unsigned long long)b->offset, what);
	capture_skip_record(c);
	return 0;
}

static void set_interface(struct capture_record *r, struct capture_interface *i)
{
	r->link_type = i->link_type;
	r->link_noted = &i->link_noted;
}

/* Enhanced packet block, and the packet block it replaced. 1 = `r` is filled, 0 = left out. */
static int take_packet(struct capture *c, const struct block *b, struct capture_record *r)
{
	struct capture_pcapng *p = &c->pcapng;
	const uint8_t *at = b->body, *flags;
	size_t padded;
	uint32_t interface;

	if (b->body_bytes < PACKET_BODY_BYTES)
		return leave_out(c, b, at ? "its block is cut short" : "longer than 1 MiB");
	interface = b->type == BLOCK_PACKET_OLD ? read_u16(p, at) : read_u32(p, at);
	if (interface >= p->interface_count)
		return leave_out(c, b, "of an interface that is not described");
	r->caplen = read_u32(p, at + 12);
	r->wirelen = read_u32(p, at + 16);
	if (r->caplen > b->body_bytes - PACKET_BODY_BYTES)
		return leave_out(c, b, "captured length beyond its block");
	if (r->caplen > CAPTURE_FRAME_BYTES_MAX)
		return leave_out(c, b, "captured length above 256 KiB");
	set_interface(r, &p->interfaces[interface]);
	r->time_ns = to_time_ns(&p->interfaces[interface],
				(uint64_t)read_u32(p, at + 4) << 32 | read_u32(p, at + 8));
	r->data = at + PACKET_BODY_BYTES;
	padded = PACKET_BODY_BYTES + (((size_t)r->caplen + 3) & ~(size_t)3);
	flags = find_option(p, at + padded, b->body_bytes - padded, OPTION_PACKET_FLAGS, 4);
	r->outgoing = flags && (read_u32(p, flags) & 3) == PACKET_FLAGS_OUTGOING;
	return 1;
}

/* Simple packet block: of the first interface, no time, the captured length follows. */
static int take_simple(struct capture *c, const struct block *b, struct capture_record *r)
{
	struct capture_pcapng *p = &c->pcapng;
	struct capture_interface *i = p->interfaces;

	if (b->body_bytes < SIMPLE_BODY_BYTES)
		return leave_out(c, b, b->body ? "its block is cut short" : "longer than 1 MiB");
	if (!p->interface_count)
		return leave_out(c, b, "of an interface that is not described");
	r->wirelen = read_u32(p, b->body);
	r->caplen = r->wirelen;
	if (i->snaplen && r->caplen > i->snaplen)
		r->caplen = i->snaplen;
	if (r->caplen > b->body_bytes - SIMPLE_BODY_BYTES)
		return leave_out(c, b, "captured length beyond its block");
	if (r->caplen > CAPTURE_FRAME_BYTES_MAX)
		return leave_out(c, b, "captured length above 256 KiB");
	set_interface(r, i);
	r->time_ns = c->last_time_ns;
	r->data = b->body + SIMPLE_BODY_BYTES;
	r->outgoing = false;
	return 1;
}

static int take_block(struct capture *c, const struct block *b, struct capture_record *r)
{
	switch (b->type) {
	case BLOCK_SECTION:
		return begin_section(c, b);
	case BLOCK_INTERFACE:
		return add_interface(c, b);
	case BLOCK_PACKET_ENHANCED:
	case BLOCK_PACKET_OLD:
		return take_packet(c, b, r);
	case BLOCK_PACKET_SIMPLE:
		return take_simple(c, b, r);
	default:
		return 0; /* names, statistics, secrets, what others thought of */
	}
}

static int read_pcapng_record(struct capture *c, struct capture_record *r)
{
	int got;

	do {
		struct block b = {0};

		got = next_block(c, &b);
		if (got != 1)
			return got;
		r->offset = b.offset;
		got = take_block(c, &b, r);
	} while (!got);
	return got;
}

int capture_pcapng_open(struct capture *c, char *why, size_t why_size)
{
	struct block b = {0};
	int got = next_block(c, &b);

	if (got == 1)
		got = begin_section(c, &b);
	if (got < 0) {
		snprintf(why, why_size, "%s", c->problem);
		return got;
	}
	c->read_record = read_pcapng_record;
	return 0;
}

void capture_pcapng_close(struct capture_pcapng *p)
{
	free(p->interfaces);
	*p = (struct capture_pcapng){0};
}
