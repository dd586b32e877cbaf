// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames for the fuzzers, from tests/unit/packets.h; deterministic. Shares nothing with the pipeline.
 *
 *	frames seeds DIR                       the first corpus of fuzz_pipeline, a file a frame
 *	frames pcap COUNT SEED OUT FILE...     a capture of COUNT mutated frames; FILE: corpus files and classic
 *pcaps
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packets.h"

#define SETTINGS_BYTES 8
#define FRAME_HEADER   4
#define BASE_BYTES_MAX 512
#define BASES_MAX      20000
#define PCAP_MAGIC     0xa1b2c3d4u

struct base {
	uint16_t n;
	uint8_t bytes[BASE_BYTES_MAX];
};

static struct base *bases;
static unsigned int bases_count;
static uint64_t random_state;

static int fail(const char *what, const char *name)
{
	fprintf(stderr, "frames: %s: %s: %s\n", name, what, strerror(errno));
	return 1;
}

/* --- seeds -------------------------------------------------------------------------------------------------
 */

struct seed_writer {
	const char *dir;
	unsigned int failed;
};

static void write_input(struct seed_writer *w, const char *name, const uint8_t settings[SETTINGS_BYTES],
			const struct frame *f)
{
	const uint8_t header[FRAME_HEADER] = {(uint8_t)(f->n >> 8), (uint8_t)f->n, (uint8_t)(f->n >> 8),
					      (uint8_t)f->n};
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", w->dir, name);
	file = fopen(path, "we");
	if (!file || fwrite(settings, SETTINGS_BYTES, 1, file) != 1 ||
	    fwrite(header, sizeof(header), 1, file) != 1 || fwrite(f->bytes, f->n, 1, file) != 1) {
		fail("cannot be written", path);
		w->failed++;
	}
	if (file)
		fclose(file);
}

/*
 * A frame to the dark prefixes, once more where every destination is dark, and once by feed self. tunnels:
 * seven lines that allow 5.6.7.8.
 */
static void write_seed(struct seed_writer *w, const char *name, const struct frame *f, int tunnels)
{
	uint8_t settings[SETTINGS_BYTES] = {(uint8_t)(tunnels ? 0x70 : 0), 32, 5, 6, 7, 8, 7, 0};
	char everywhere[64], self[64];

	write_input(w, name, settings, f);
	settings[0] |= 1;
	snprintf(everywhere, sizeof(everywhere), "%s-everywhere", name);
	write_input(w, everywhere, settings, f);
	/* Feed self, a port that listens, live ports, two signatures. */
	settings[0] &= 0xfe;
	settings[7] = 0x02 | 2 << 2 | 0x20 | 0x80;
	snprintf(self, sizeof(self), "%s-self", name);
	write_input(w, self, settings, f);
}

static void write_transport_seeds(struct seed_writer *w)
{
	static const uint8_t ntp[8] = {0x17, 0, 3, 0x2a};
	struct frame f;

	frame_syn4(&f, 23);
	write_seed(w, "syn4", &f, 0);
	frame_syn6(&f, 23);
	write_seed(w, "syn6", &f, 0);
	frame_udp4(&f, 40000, 123, ntp, sizeof(ntp));
	write_seed(w, "udp4-ntp", &f, 0);
	frame_udp4(&f, 1900, 40000, "HTTP/1.1 200 OK", 15);
	write_seed(w, "udp4-ssdp-answer", &f, 0);
	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, SOURCE4, DARK4, 1);
	frame_icmp(&f, 3, 1);
	frame_ip4(&f, DARK4, SOURCE4, 17);
	frame_udp(&f, 4000, 53);
	frame_end(&f);
	write_seed(w, "icmp4-error", &f, 0);
	frame_begin(&f);
	frame_ether(&f, 0x86dd);
	frame_ip6(&f, source6, dark6, 58);
	frame_icmp(&f, 1, 4);
	frame_ip6(&f, dark6, source6, 17);
	frame_udp(&f, 4000, 53);
	frame_end(&f);
	write_seed(w, "icmp6-error", &f, 0);
	frame_begin(&f);
	frame_ether(&f, 0x86dd);
	frame_ip6(&f, source6, source6, 58);
	frame_icmp(&f, 135, 0);
	frame_bytes(&f, dark6, 16);
	frame_end(&f);
	write_seed(w, "neighbour-solicitation", &f, 0);
}

static void write_link_seeds(struct seed_writer *w)
{
	struct frame f;

	frame_begin(&f);
	frame_ether(&f, 0x88a8);
	frame_tag(&f, 1, 0x8100);
	frame_tag(&f, 2, 0x9100);
	frame_tag(&f, 3, 0x0800);
	frame_ip4_options(&f, SOURCE4, DARK4, 6, 12);
	frame_tcp(&f, 40000, 23, 2);
	frame_end(&f);
	write_seed(w, "tags-options", &f, 0);
	frame_begin(&f);
	frame_ether(&f, 0x8847);
	frame_u32(&f, 0x00010040);
	frame_u32(&f, 0x00020140);
	frame_ip6(&f, source6, dark6, 17);
	frame_udp(&f, 1, 2);
	frame_end(&f);
	write_seed(w, "labels", &f, 0);
	frame_begin(&f);
	frame_ether(&f, 0x8864);
	frame_u32(&f, 0x11000007);
	frame_u32(&f, 0x002a0021);
	frame_ip4(&f, SOURCE4, DARK4, 17);
	frame_udp(&f, 1, 2);
	frame_end(&f);
	write_seed(w, "pppoe", &f, 0);
	frame_begin(&f);
	frame_ether(&f, 0x0806);
	frame_u32(&f, 0x00010800);
	frame_u32(&f, 0x06040001);
	frame_fill(&f, 2, 10);
	frame_fill(&f, 0, 6);
	frame_u32(&f, DARK4);
	write_seed(w, "arp", &f, 0);
}

static void write_chain_seeds(struct seed_writer *w)
{
	static const unsigned int kinds[] = {43, 60, 135, 139, 140, 60, 44};
	struct frame f;

	frame_begin(&f);
	frame_ether(&f, 0x86dd);
	frame_ip6(&f, source6, dark6, 0);
	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		frame_extension(&f, kinds[i], 1);
	frame_fragment6(&f, 6, 0, 1);
	frame_tcp(&f, 40000, 23, 2);
	frame_end(&f);
	write_seed(w, "chain", &f, 0);
	frame_begin(&f);
	frame_ether(&f, 0x86dd);
	frame_ip6(&f, source6, dark6, 60);
	frame_extension(&f, 6, 24);
	frame_tcp(&f, 40000, 23, 2);
	frame_end(&f);
	write_seed(w, "chain-to-the-heads-end", &f, 0);
	frame_syn4(&f, 23);
	frame_set16(&f, 20, 0x2001);
	write_seed(w, "fragment", &f, 0);
}

static void write_tunnel_seeds(struct seed_writer *w)
{
	static const struct {
		const char *name;
		unsigned int protocol, gre_type;
	} kinds[] = {{"gre", 47, 0x0800},
		     {"erspan2", 47, 0x88be},
		     {"erspan3", 47, 0x22eb},
		     {"vxlan", 17, 0},
		     {"ipip", 4, 0}};
	struct frame f;

	for (unsigned int i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		frame_begin(&f);
		frame_ether(&f, 0x0800);
		frame_ip4(&f, 0x05060708, 0x08080808, kinds[i].protocol);
		if (kinds[i].protocol == 47) {
			frame_u16(&f, 0xb000);
			frame_u16(&f, kinds[i].gre_type);
			frame_fill(&f, 0, 7);
			frame_u8(&f, 7);
			frame_u32(&f, 1);
		}
		if (i == 1 || i == 2) {
			frame_u32(&f, (i << 28) | 7);
			frame_u32(&f, 0);
			if (i == 2)
				frame_u32(&f, 0);
		}
		if (i == 3) {
			frame_udp(&f, 5000, 4789);
			frame_u32(&f, 0x08000000);
			frame_u32(&f, 0x700);
		}
		if (i >= 1 && i <= 3)
			frame_ether(&f, 0x0800);
		frame_ip4(&f, SOURCE4, DARK4, 6);
		frame_tcp(&f, 40000, 23, 2);
		frame_end(&f);
		write_seed(w, kinds[i].name, &f, 1);
	}
}

static int write_seeds(const char *dir)
{
	struct seed_writer w = {.dir = dir};

	write_transport_seeds(&w);
	write_link_seeds(&w);
	write_chain_seeds(&w);
	write_tunnel_seeds(&w);
	return w.failed != 0;
}

/* --- mutated captures --------------------------------------------------------------------------------------
 */

static uint32_t next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)(random_state >> 16);
}

static void keep_base(const uint8_t *bytes, size_t n)
{
	if (bases_count == BASES_MAX)
		return;
	if (n > BASE_BYTES_MAX)
		n = BASE_BYTES_MAX;
	memcpy(bases[bases_count].bytes, bytes, n);
	bases[bases_count++].n = (uint16_t)n;
}

static uint32_t little32(const uint8_t *b)
{
	return (uint32_t)b[3] << 24 | (uint32_t)b[2] << 16 | (uint32_t)b[1] << 8 | b[0];
}

/* At most `room` frames of a classic little-endian pcap. */
static void keep_pcap(const uint8_t *data, size_t size, unsigned int room)
{
	size_t at = 24;

	while (room-- && at + 16 <= size) {
		uint32_t caplen = little32(data + at + 8);

		at += 16;
		if (caplen > size - at)
			return;
		keep_base(data + at, caplen);
		at += caplen;
	}
}

static void keep_corpus(const uint8_t *data, size_t size)
{
	size_t at = SETTINGS_BYTES;

	while (at + FRAME_HEADER <= size) {
		size_t n = (size_t)data[at] << 8 | data[at + 1];

		at += FRAME_HEADER;
		if (n > size - at)
			n = size - at;
		keep_base(data + at, n);
		at += n;
	}
}

static int keep_file(const char *path, unsigned int room)
{
	static uint8_t data[1 << 22];
	FILE *file = fopen(path, "re");
	size_t size;

	if (!file)
		return fail("cannot be opened", path);
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	if (size >= 24 && little32(data) == PCAP_MAGIC)
		keep_pcap(data, size, room);
	else
		keep_corpus(data, size);
	return 0;
}

static void mutate_once(struct base *b)
{
	static const uint8_t odd[] = {0, 1, 0x7f, 0x80, 0xff, 4, 6, 17, 41, 44, 47, 58, 60};
	unsigned int at = b->n ? next_random() % b->n : 0;
	const struct base *other = &bases[next_random() % bases_count];

	switch (next_random() % 8) {
	case 0:
		b->bytes[at] ^= (uint8_t)(1u << next_random() % 8);
		break;
	case 1:
		b->bytes[at] = (uint8_t)next_random();
		break;
	case 2:
		b->bytes[at] = odd[next_random() % sizeof(odd)];
		break;
	case 3: /* ends here */
		b->n = (uint16_t)at;
		break;
	case 4: /* goes on as another one */
		if (other->n > at) {
			memcpy(b->bytes + at, other->bytes + at, (size_t)(other->n - at));
			b->n = other->n;
		}
		break;
	case 5: /* four bytes go in */
		if (b->n + 4 <= BASE_BYTES_MAX) {
			memmove(b->bytes + at + 4, b->bytes + at, (size_t)(b->n - at));
			b->n = (uint16_t)(b->n + 4);
		}
		break;
	case 6: /* a field of two bytes */
		if (at + 2 <= b->n) {
			b->bytes[at] = (uint8_t)(next_random() & 3 ? 0 : next_random());
			b->bytes[at + 1] = (uint8_t)next_random();
		}
		break;
	default: /* grows */
		while (b->n < BASE_BYTES_MAX && next_random() % 16)
			b->bytes[b->n++] = (uint8_t)next_random();
	}
}

static void put_little32(uint8_t *b, uint32_t v)
{
	for (unsigned int i = 0; i < 4; i++)
		b[i] = (uint8_t)(v >> 8 * i);
}

static int write_record(FILE *out, uint32_t index, const struct base *b)
{
	uint8_t header[16];
	uint32_t wirelen = b->n;

	if (next_random() % 4 == 0)
		wirelen += next_random() % (next_random() % 8 ? 64 : 60000);
	put_little32(header, 1700000000 + index / 1000);
	put_little32(header + 4, index % 1000 * 1000);
	put_little32(header + 8, b->n);
	put_little32(header + 12, wirelen);
	return fwrite(header, sizeof(header), 1, out) != 1 || (b->n && fwrite(b->bytes, b->n, 1, out) != 1);
}

static int write_pcap(uint32_t count, uint64_t seed, const char *path)
{
	FILE *out = fopen(path, "we");
	uint8_t header[24] = {0};
	int failed = !out;
	uint32_t i;

	put_little32(header, PCAP_MAGIC);
	header[4] = 2;
	header[6] = 4;
	put_little32(header + 16, 65535);
	put_little32(header + 20, 1);
	failed = failed || fwrite(header, sizeof(header), 1, out) != 1;
	random_state = seed * 0x9e3779b97f4a7c15ULL + 1;
	for (i = 0; !failed && i < count; i++) {
		struct base b = bases[next_random() % bases_count];
		unsigned int changes = next_random() % 6;

		while (changes--)
			mutate_once(&b);
		failed = write_record(out, i, &b);
	}
	if (out && fclose(out))
		failed = 1;
	return failed ? fail("cannot be written", path) : 0;
}

int main(int argc, char **argv)
{
	int i;

	if (argc == 3 && !strcmp(argv[1], "seeds"))
		return write_seeds(argv[2]);
	if (argc < 6 || strcmp(argv[1], "pcap") != 0) {
		fputs("usage: frames seeds DIR | frames pcap COUNT SEED OUT FILE...\n", stderr);
		return 2;
	}
	bases = calloc(BASES_MAX, sizeof(*bases));
	if (!bases)
		return fail("memory", "bases");
	for (i = 5; i < argc; i++)
		if (keep_file(argv[i], BASES_MAX / (unsigned int)(argc - 5) + 1))
			return 1;
	if (!bases_count) {
		fputs("frames: no frame in the files\n", stderr);
		return 1;
	}
	return write_pcap((uint32_t)strtoul(argv[2], NULL, 10), strtoull(argv[3], NULL, 10), argv[4]);
}
