/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Frames built byte by byte, for the unit tests and the fuzzers' seeds. Knows the protocols from their
 * specifications only: shares no header with bpf/ or user/.
 */
#ifndef AIRGLOW_TESTS_PACKETS_H
#define AIRGLOW_TESTS_PACKETS_H

#include <stdint.h>
#include <string.h>

#define FRAME_BYTES_MAX 4096

#define SOURCE4		0xb9070809u /* 185.7.8.9 */
#define DARK4		0xc6336407u /* 198.51.100.7 */

static const uint8_t source6[16] = {0x2a, 0, 0x14, 0x50, 0x40, 0x01, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8};
static const uint8_t dark6[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x35};

enum { PUT_IP4 = 4, PUT_IP6 = 6, PUT_UDP = 17 };

/* A frame under construction. Lengths of IP and UDP headers are filled in by frame_end. */
struct frame {
	uint8_t bytes[FRAME_BYTES_MAX];
	unsigned int n;
	unsigned int ip; /* offset of the last IP header */
	unsigned int l4; /* offset of the last transport header */
	unsigned int family;
	struct {
		unsigned int kind, at;
	} lengths[12];
	unsigned int lengths_count;
};

static inline void frame_bytes(struct frame *f, const void *bytes, unsigned int n)
{
	memcpy(f->bytes + f->n, bytes, n);
	f->n += n;
}

static inline void frame_fill(struct frame *f, uint8_t byte, unsigned int n)
{
	memset(f->bytes + f->n, byte, n);
	f->n += n;
}

static inline void frame_u8(struct frame *f, unsigned int v)
{
	f->bytes[f->n++] = (uint8_t)v;
}

static inline void frame_u16(struct frame *f, unsigned int v)
{
	frame_u8(f, v >> 8);
	frame_u8(f, v);
}

static inline void frame_u32(struct frame *f, uint32_t v)
{
	frame_u16(f, v >> 16);
	frame_u16(f, v);
}

static inline void frame_set16(struct frame *f, unsigned int at, unsigned int v)
{
	f->bytes[at] = (uint8_t)(v >> 8);
	f->bytes[at + 1] = (uint8_t)v;
}

static inline void frame_set32(struct frame *f, unsigned int at, uint32_t v)
{
	frame_set16(f, at, v >> 16);
	frame_set16(f, at + 2, v & 0xffff);
}

static inline void frame_begin(struct frame *f)
{
	memset(f, 0, sizeof(*f));
}

static inline void frame_ether(struct frame *f, unsigned int type)
{
	static const uint8_t macs[12] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2};

	frame_bytes(f, macs, sizeof(macs));
	frame_u16(f, type);
}

/* The rest of a VLAN tag whose type stands already, and the type behind it. */
static inline void frame_tag(struct frame *f, unsigned int vlan, unsigned int type)
{
	frame_u16(f, vlan);
	frame_u16(f, type);
}

static inline void frame_later(struct frame *f, unsigned int kind, unsigned int at)
{
	f->lengths[f->lengths_count].kind = kind;
	f->lengths[f->lengths_count++].at = at;
}

/* `options`: bytes of IPv4 options (no-operations), a multiple of 4. */
static inline void frame_ip4_options(struct frame *f, uint32_t src, uint32_t dst, unsigned int protocol,
				     unsigned int options)
{
	f->ip = f->n;
	f->family = 4;
	frame_later(f, PUT_IP4, f->n);
	frame_u8(f, 0x40 | (5 + options / 4));
	frame_u8(f, 0);
	frame_u16(f, 0);
	frame_u16(f, 0x1111); /* identification */
	frame_u16(f, 0x4000); /* do not fragment */
	frame_u8(f, 64);
	frame_u8(f, protocol);
	frame_u16(f, 0);
	frame_u32(f, src);
	frame_u32(f, dst);
	frame_fill(f, 1, options);
	f->l4 = f->n;
}

static inline void frame_ip4(struct frame *f, uint32_t src, uint32_t dst, unsigned int protocol)
{
	frame_ip4_options(f, src, dst, protocol, 0);
}

static inline void frame_ip6(struct frame *f, const uint8_t src[16], const uint8_t dst[16], unsigned int next)
{
	f->ip = f->n;
	f->family = 6;
	frame_later(f, PUT_IP6, f->n);
	frame_u32(f, 0x60000000u);
	frame_u16(f, 0);
	frame_u8(f, next);
	frame_u8(f, 64);
	frame_bytes(f, src, 16);
	frame_bytes(f, dst, 16);
	f->l4 = f->n;
}

/* An IPv6 extension header of 8 * words bytes; for the fragment header words is 1. */
static inline void frame_extension(struct frame *f, unsigned int next, unsigned int words)
{
	frame_u8(f, next);
	frame_u8(f, words - 1);
	frame_fill(f, 0, 8 * words - 2);
	f->l4 = f->n;
}

static inline void frame_fragment6(struct frame *f, unsigned int next, unsigned int offset, unsigned int more)
{
	frame_u8(f, next);
	frame_u8(f, 0);
	frame_u16(f, offset << 3 | more);
	frame_u32(f, 0x2222);
	f->l4 = f->n;
}

/* `options` of options_bytes, a multiple of 4. */
static inline void frame_tcp_options(struct frame *f, unsigned int sport, unsigned int dport, uint32_t seq,
				     unsigned int flags, unsigned int window, const void *options,
				     unsigned int options_bytes)
{
	f->l4 = f->n;
	frame_u16(f, sport);
	frame_u16(f, dport);
	frame_u32(f, seq);
	frame_u32(f, 0);
	frame_u8(f, (5 + options_bytes / 4) << 4);
	frame_u8(f, flags);
	frame_u16(f, window);
	frame_u32(f, 0);
	if (options_bytes)
		frame_bytes(f, options, options_bytes);
}

/* What an ordinary stack sends: MSS 1460, SACK permitted, timestamps, NOP, scale 7. */
static const uint8_t linux_options[20] = {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 3, 7};

static inline void frame_tcp(struct frame *f, unsigned int sport, unsigned int dport, unsigned int flags)
{
	frame_tcp_options(f, sport, dport, 0x01020304, flags, 64240, linux_options, sizeof(linux_options));
}

static inline void frame_udp(struct frame *f, unsigned int sport, unsigned int dport)
{
	f->l4 = f->n;
	frame_later(f, PUT_UDP, f->n);
	frame_u16(f, sport);
	frame_u16(f, dport);
	frame_u32(f, 0);
}

static inline void frame_icmp(struct frame *f, unsigned int type, unsigned int code)
{
	f->l4 = f->n;
	frame_u8(f, type);
	frame_u8(f, code);
	frame_u16(f, 0);
	frame_u32(f, 0);
}

/* Fills in the lengths of everything that contains the frame's end. */
static inline void frame_end(struct frame *f)
{
	unsigned int i;

	for (i = 0; i < f->lengths_count; i++) {
		unsigned int at = f->lengths[i].at, length = f->n - at;

		if (f->lengths[i].kind == PUT_IP4)
			frame_set16(f, at + 2, length);
		else if (f->lengths[i].kind == PUT_IP6)
			frame_set16(f, at + 4, length - 40);
		else
			frame_set16(f, at + 4, length);
	}
}

/* Whole frames to the dark addresses above, ended. */
static inline void frame_syn4(struct frame *f, unsigned int dport)
{
	frame_begin(f);
	frame_ether(f, 0x0800);
	frame_ip4(f, SOURCE4, DARK4, 6);
	frame_tcp(f, 40000, dport, 2);
	frame_end(f);
}

static inline void frame_syn6(struct frame *f, unsigned int dport)
{
	frame_begin(f);
	frame_ether(f, 0x86dd);
	frame_ip6(f, source6, dark6, 6);
	frame_tcp(f, 40000, dport, 2);
	frame_end(f);
}

static inline void frame_udp4(struct frame *f, unsigned int sport, unsigned int dport, const void *payload,
			      unsigned int n)
{
	frame_begin(f);
	frame_ether(f, 0x0800);
	frame_ip4(f, SOURCE4, DARK4, 17);
	frame_udp(f, sport, dport);
	if (n)
		frame_bytes(f, payload, n);
	frame_end(f);
}

#endif
