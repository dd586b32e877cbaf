// SPDX-License-Identifier: GPL-2.0-only
/*
 * actors_link.c - what a wire carries beside TCP, UDP and ICMP: questions for dark addresses, other
 * transports, frames without IP.
 */
#include "actors.h"

static void emit_arp(struct actor *a, const struct stage *stage, struct frame *f)
{
	uint8_t arp[46] = {0, 1, 8, 0, 6, 4, 0, 1};
	struct path path = a->path;
	struct pick p;

	actor_pick(a, stage, &p);
	memset(path.dst_mac, 0xff, 6);
	memcpy(arp + 8, path.src_mac, 6);
	memcpy(arp + 14, p.src.b, 4);
	memcpy(arp + 24, p.dst.b, 4);
	frame_start(f, &path);
	frame_next(f, 0x0806);
	frame_put(f, arp, sizeof(arp));
	frame_end(f);
	f->v.outcome = prefix_find(&stage->scenario->dark, &p.dst) >= 0 ? OUT_ARP_DARK : OUT_NON_IP;
}

const struct kind kind_arp = {
	.name = "arp",
	.what = "ARP asks for an address",
	.emit = emit_arp,
	.only_v4 = true,
};

/* Neighbour solicitation, to the solicited-node group of the target. */
static void emit_nd(struct actor *a, const struct stage *stage, struct frame *f)
{
	uint8_t body[24] = {0};
	struct path path = a->path;
	struct ip_spec ip;
	struct pick p;
	struct addr group = {.is6 = true, .b = {0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff}};

	actor_pick(a, stage, &p);
	memcpy(body, p.dst.b, 16);
	body[16] = 1;
	body[17] = 1;
	memcpy(body + 18, path.src_mac, 6);
	memcpy(group.b + 13, p.dst.b + 13, 3);
	path.dst_mac[0] = path.dst_mac[1] = 0x33;
	memcpy(path.dst_mac + 2, group.b + 12, 4);
	actor_ip(a, &p, &ip, 58, 255);
	ip.ttl = 255;
	memset(ip.src.b, 0, 16);
	put16(ip.src.b, 0xfe80);
	put32(ip.src.b + 12, (uint32_t)p.trait | 1);
	ip.dst = group;
	frame_start(f, &path);
	frame_ip(f, &ip);
	frame_icmp(f, 135, 0, 0, body, sizeof(body));
	frame_end(f);
	f->v.outcome = prefix_find(&stage->scenario->dark, &p.dst) >= 0 ? OUT_ARP_DARK : OUT_NOT_DARK;
}

const struct kind kind_nd = {
	.name = "nd",
	.what = "IPv6 neighbour discovery asks for an address (family: 6)",
	.emit = emit_nd,
};

static void send_raw(struct actor *a, const struct stage *stage, struct frame *f, uint32_t protocol,
		     const void *bytes, size_t len)
{
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, protocol, 64);
	frame_start(f, &a->path);
	frame_ip(f, &ip);
	frame_raw(f, bytes, len);
	f->v.class = CLASS_OTHER;
	frame_end(f);
}

/* INIT; the checksum (CRC32c) is left 0, as many scanners do. */
static void emit_sctp(struct actor *a, const struct stage *stage, struct frame *f)
{
	uint8_t init[32] = {0};

	put16(init, actor_ephemeral(&a->rng));
	put16(init + 2, actor_port(a));
	init[12] = 1;
	put16(init + 14, 20);
	put32(init + 16, rng_u32(&a->rng));
	put32(init + 20, 65535);
	put16(init + 24, 10);
	put16(init + 26, 65535);
	put32(init + 28, rng_u32(&a->rng));
	send_raw(a, stage, f, 132, init, sizeof(init));
}

const struct kind kind_sctp = {
	.name = "sctp",
	.what = "SCTP INIT",
	.emit = emit_sctp,
	.ports = "36412 3868 2905 38412",
};

/* GRE straight to the dark address: never opened there. */
static void emit_gre(struct actor *a, const struct stage *stage, struct frame *f)
{
	uint8_t bytes[44] = {0, 0, 8, 0, 0x45, 0, 0, 40, 0, 0, 0, 0, 63, 6, 0, 0};

	put32(bytes + 16, rng_u32(&a->rng));
	put32(bytes + 20, rng_u32(&a->rng));
	put16(bytes + 26, 80);
	bytes[36] = 0x50;
	bytes[37] = TCP_S;
	put16(bytes + 14, frame_fold(frame_sum(0, bytes + 4, 20)));
	send_raw(a, stage, f, 47, bytes, sizeof(bytes));
}

const struct kind kind_gre = {
	.name = "gre",
	.what = "GRE to a dark address, with a TCP packet inside",
	.emit = emit_gre,
};

static void emit_other_protocols(struct actor *a, const struct stage *stage, struct frame *f)
{
	static const uint8_t list[] = {2, 4, 9, 41, 46, 50, 51, 89, 94, 103, 112, 115, 136, 253, 255};
	uint8_t bytes[32];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)rng_u32(&a->rng);
	/* over IPv6 the number 51 would be walked */
	send_raw(a, stage, f, list[rng_below(&a->rng, a->family == 4 ? ARRAY_LEN(list) : 4)], bytes,
		 sizeof(bytes));
}

const struct kind kind_other_protocols = {
	.name = "other-protocols",
	.what = "IP protocols beside TCP, UDP, ICMP, with random bodies",
	.emit = emit_other_protocols,
};

static void emit_non_ip(struct actor *a, const struct stage *stage, struct frame *f)
{
	static const struct {
		uint16_t type;
		uint8_t head[8];
	} list[] = {
		{0x88cc, {2, 7, 4, 2, 0, 0, 0, 1}},	  /* LLDP */
		{0x0026, {0x42, 0x42, 3, 0, 0, 0, 0, 0}}, /* spanning tree */
		{0x0030, {0xaa, 0xaa, 3, 0, 0, 0, 8, 0}}, /* SNAP with IPv4 inside */
		{0x9000, {0, 0, 1, 0, 0, 0, 0, 0}},	  /* loop test */
		{0x888e, {1, 1, 0, 0, 0, 0, 0, 0}},	  /* EAPOL */
		{0x8863, {0x11, 9, 0, 0, 0, 4, 1, 1}},	  /* PPPoE discovery */
	};
	uint8_t body[46] = {0};
	size_t which = rng_below(&a->rng, ARRAY_LEN(list));
	struct pick p;

	actor_pick(a, stage, &p);
	memcpy(body, list[which].head, 8);
	frame_start(f, &a->path);
	frame_next(f, list[which].type);
	frame_put(f, body, sizeof(body));
	frame_end(f);
	f->v.outcome = OUT_NON_IP;
}

const struct kind kind_non_ip = {
	.name = "non-ip",
	.what = "frames without IP: LLDP, spanning tree, SNAP, loop test, EAPOL, PPPoE discovery",
	.emit = emit_non_ip,
};
