// SPDX-License-Identifier: GPL-2.0-only
/*
 * pcap files, read by libpcap through a stdio stream over the byte source.
 * Owns the libpcap handle and what libpcap does not tell: byte offsets, and the leniency below.
 *
 * libpcap refuses a version number it does not know, and cuts frames to the snapshot length of the
 * file header, which lies in files merged from several. So the header is rewritten before libpcap
 * sees it: version 2.4 for an unknown one (noted), the longest snapshot length, and a private link
 * type, since bounds of lengths depend on it there and link layers are not its business here.
 *
 * Measured, 10 M frames of 60 bytes from the page cache: 87 to 104 ns a frame, libpcap by itself 83 to
 * 98, a walk by hand over a read buffer 13 to 17. Behind it the pipeline costs several times that, so
 * libpcap's knowledge of old and odd files is worth its price here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>

#include "capture_internal.h"

#define FILE_HEADER_BYTES 24u
#define VERSION_AT	  4u
#define SNAPLEN_AT	  16u
#define LINK_TYPE_AT	  20u
#define LINK_TYPE_MASK	  0x03ffffffu /* above it: length of the frame check sequence */
#define PRIVATE_LINK_TYPE 147u	      /* LINKTYPE_USER0 */
#define STDIO_BYTES	  (1u << 20)

struct magic {
	uint32_t number;
	uint32_t record_header_bytes;
	uint32_t tick_ns;
};

static const struct magic magics[] = {
	{0xa1b2c3d4, 16, 1000}, /* microseconds */
	{0xa1b23c4d, 16, 1},	/* nanoseconds */
	{0xa1b2cd34, 24, 1000}, /* Kuznetzov's: interface, protocol and packet type in records */
};

static uint32_t read_u32(const uint8_t *p, bool big_endian)
{
	uint32_t big = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];

	return big_endian ? big : __builtin_bswap32(big);
}

static uint32_t read_u16(const uint8_t *p, bool big_endian)
{
	return big_endian ? (uint32_t)p[0] << 8 | p[1] : (uint32_t)p[1] << 8 | p[0];
}

static void write_u32(uint8_t *p, uint32_t value, bool big_endian)
{
	uint32_t big = big_endian ? value : __builtin_bswap32(value);

	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(big >> (24 - 8 * i));
}

static const struct magic *find_magic(const uint8_t *bytes, bool *big_endian)
{
	for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		*big_endian = read_u32(bytes, true) == magics[i].number;
		if (*big_endian || read_u32(bytes, false) == magics[i].number)
			return &magics[i];
	}
	return NULL;
}

bool capture_pcap_begins(const uint8_t *bytes, size_t have)
{
	bool big_endian;

	return have >= 4 && find_magic(bytes, &big_endian);
}

/* The versions libpcap reads: 2.0 to 2.4, and 543.0 of one old writer. */
static bool version_is_read(uint32_t major, uint32_t minor)
{
	return (major == 2 && minor <= 4) || (major == 543 && minor == 0);
}

static void rewrite_header(struct capture *c, uint8_t *header, bool big_endian)
{
	uint32_t major = read_u16(header + VERSION_AT, big_endian);
	uint32_t minor = read_u16(header + VERSION_AT + 2, big_endian);

	if (!version_is_read(major, minor)) {
		/* The two 16-bit numbers as one of 32: their places swap with the byte order. */
		write_u32(header + VERSION_AT, big_endian ? 2u << 16 | 4u : 4u << 16 | 2u, big_endian);
		capture_add_note(c, "%s: pcap version %u.%u is not known, read as 2.4", c->name, major, minor);
	}
	write_u32(header + SNAPLEN_AT, CAPTURE_FRAME_BYTES_MAX, big_endian);
	write_u32(header + LINK_TYPE_AT, PRIVATE_LINK_TYPE, big_endian);
}

static ssize_t read_cookie(void *cookie, char *to, size_t n)
{
	struct capture_source *s = cookie;
	size_t got = capture_source_read(s, (uint8_t *)to, n);

	if (!got && s->err && s->err != -ENODATA) {
		errno = -s->err;
		return -1;
	}
	return (ssize_t)got;
}

/*
 * libpcap has come to the end of what it can read. Its own words tell which length was impossible;
 * the end of the bytes is judged by us, since only the source knows about compression.
 */
static int explain_stop(struct capture *c, const struct capture_pcap *p)
{
	FILE *stream = pcap_file(p->handle);

	if (c->source.err || feof(stream) || ferror(stream))
		return capture_cut_off(c, p->offset, c->source.offset - p->offset, 0);
	return capture_set_problem(c, -EBADMSG,
				   "%s: damaged at packet %llu, byte offset %llu: %s; what follows "
				   "cannot be read",
				   c->name, (unsigned long long)c->packets + 1, (unsigned long long)p->offset,
				   pcap_geterr(p->handle));
}

static int read_pcap_record(struct capture *c, struct capture_record *r)
{
	struct capture_pcap *p = &c->pcap;
	struct pcap_pkthdr *header;
	const u_char *data;
	int got = pcap_next_ex(p->handle, &header, &data);

	if (got != 1) {
		/* A clean end is one at a record's end, of a source that did not fail. */
		if (got == PCAP_ERROR_BREAK && !c->source.err)
			return 0;
		return explain_stop(c, p);
	}
	/* libpcap hands the 32 bits of the seconds on as signed. */
	r->time_ns = (uint64_t)(uint32_t)header->ts.tv_sec * 1000000000u +
		     (uint64_t)(uint32_t)header->ts.tv_usec * p->tick_ns;
	r->data = data;
	r->caplen = header->caplen;
	r->wirelen = header->len;
	r->offset = p->offset;
	r->link_type = p->link_type;
	r->link_noted = &p->link_noted;
	r->outgoing = false;
	p->offset += p->record_header_bytes + (uint64_t)header->caplen;
	return 1;
}

/* libpcap's own words about a failure go to `errbuf`. */
static int open_handle(struct capture *c, char errbuf[static PCAP_ERRBUF_SIZE])
{
	static const cookie_io_functions_t functions = {.read = read_cookie};
	u_int precision = c->pcap.tick_ns == 1 ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO;
	FILE *stream = fopencookie(&c->source, "r", functions);

	if (!stream) {
		snprintf(errbuf, PCAP_ERRBUF_SIZE, "no memory for its stream");
		return -ENOMEM;
	}
	setvbuf(stream, NULL, _IOFBF, STDIO_BYTES);
	/* One thread reads it: no lock for each of the two reads a packet. */
	__fsetlocking(stream, FSETLOCKING_BYCALLER);
	c->pcap.handle = pcap_fopen_offline_with_tstamp_precision(stream, precision, errbuf);
	if (!c->pcap.handle) {
		fclose(stream);
		return -EBADMSG;
	}
	return 0;
}

int capture_pcap_open(struct capture *c, char *why, size_t why_size)
{
	const struct magic *magic;
	char errbuf[PCAP_ERRBUF_SIZE] = "";
	uint8_t *header;
	bool big_endian;
	size_t have = capture_source_peek(&c->source, FILE_HEADER_BYTES, &header);
	int err;

	if (have < FILE_HEADER_BYTES) {
		snprintf(why, why_size, "%s is cut off inside its pcap header: %zu of %u bytes", c->name, have,
			 FILE_HEADER_BYTES);
		return -ENODATA;
	}
	magic = find_magic(header, &big_endian);
	if (!magic)
		return -EBADMSG;
	c->pcap.record_header_bytes = magic->record_header_bytes;
	c->pcap.tick_ns = magic->tick_ns;
	c->pcap.offset = FILE_HEADER_BYTES;
	c->pcap.link_type = read_u32(header + LINK_TYPE_AT, big_endian) & LINK_TYPE_MASK;
	rewrite_header(c, header, big_endian);
	err = open_handle(c, errbuf);
	if (err) {
		snprintf(why, why_size, "%s cannot be read: %s", c->name, errbuf);
		return err;
	}
	c->read_record = read_pcap_record;
	return 0;
}

void capture_pcap_close(struct capture_pcap *p)
{
	if (p->handle)
		pcap_close(p->handle); /* closes the stream too; the source has its own close */
	p->handle = NULL;
}
