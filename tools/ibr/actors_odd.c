// SPDX-License-Identifier: GPL-2.0-only
/*
 * actors_odd.c - broken packets.  Each variant knows which lie it told, and so what a correct sensor
 * still reads: a destination that can be read counts, ports and flags as far as their bytes are there.
 */
#include "actors.h"

enum {
	ODD_IHL_SHORT,
	ODD_IHL_LONG,
	ODD_VERSION,
	ODD_LENGTH_ZERO,
	ODD_LENGTH_SHORT,
	ODD_LENGTH_CUT,
	ODD_LENGTH_LONG,
	ODD_DOFF_SHORT,
	ODD_DOFF_LONG,
	ODD_OPTIONS,
	ODD_UDP_LENGTH,
	ODD_PORT_ZERO,
	ODD_LAND,
	ODD_SUM,
	ODD_FLAGS,
	ODD_SYN_DATA,
};

/* The header length lies: what stands behind it cannot be found. */
static void bend_ihl(struct actor *a, struct frame *f, int variant)
{
	struct verdict *v = &f->v;
	uint32_t words = variant == ODD_IHL_SHORT ? rng_below(&a->rng, 5) : rng_between(&a->rng, 12, 15);

	f->buf[v->ip_off] = (uint8_t)(0x40 | words);
	v->l4_off = 0;
	v->has_port = false;
	v->flags = v->icmp_type = -1;
	v->class = CLASS_OTHER;
	frame_ip4_sum(f, v->ip_off);
}

/* Length fields that are 0, too short, too long, or end inside the transport header. */
static void bend_length(struct actor *a, struct frame *f, int variant)
{
	struct verdict *v = &f->v;
	bool is6 = v->src.is6;
	uint32_t header = is6 ? 0 : 20, value = 0;

	if (variant == ODD_LENGTH_SHORT)
		value = is6 ? 0 : rng_between(&a->rng, 1, 19);
	if (variant == ODD_LENGTH_LONG)
		value = rng_between(&a->rng, 1400, 65535);
	if (variant == ODD_LENGTH_CUT) {
		value = header + rng_between(&a->rng, 1, 13);
		v->ip_end = (uint16_t)(v->l4_off + value - header);
	}
	put16(f->buf + v->ip_off + (is6 ? 4 : 2), value);
	if (!is6)
		frame_ip4_sum(f, v->ip_off);
}

static void bend_version(struct actor *a, struct frame *f)
{
	static const uint8_t wrong4[] = {0x00, 0x15, 0x55, 0x65, 0xf5}, wrong6[] = {0x00, 0x40, 0x50, 0xf0};
	bool is6 = f->v.src.is6;

	f->buf[f->v.ip_off] = is6 ? wrong6[rng_below(&a->rng, 4)] : wrong4[rng_below(&a->rng, 5)];
	f->v.outcome = OUT_MALFORMED_IP;
}

static void send_odd_udp(struct actor *a, struct frame *f, struct ip_spec *ip)
{
	static const uint8_t payload[12] = {0xb0, 0, 0xff, 0xff};
	static const uint16_t length[] = {0, 7, 4000, 65535};

	ip->protocol = 17;
	actor_send_udp(a, f, ip, actor_ephemeral(&a->rng), 33434 + rng_below(&a->rng, 50), payload,
		       sizeof(payload), CLASS_SCAN);
	put16(f->buf + f->v.l4_off + 4, length[rng_below(&a->rng, 4)]);
}

/* The TCP packet that a variant starts from. */
static void fill_odd_tcp(struct actor *a, struct tcp_spec *t, int variant)
{
	static const uint8_t odd_options[3][4] = {{2, 0, 5, 0xb4}, {2, 1, 1, 1}, {3, 40, 7, 0}};
	static const uint8_t flags[] = {0xff,  TCP_S | TCP_F, TCP_S | TCP_R, TCP_P,
					TCP_U, TCP_F | TCP_A, TCP_A | TCP_P};
	static const uint8_t data[] = "GET / HTTP/1.0\r\n\r\n";

	memset(t, 0, sizeof(*t));
	t->flags = TCP_S;
	t->sport = (uint16_t)rng_between(&a->rng, 1024, 65535);
	t->dport = (uint16_t)actor_port(a);
	t->seq = rng_u32(&a->rng);
	t->window = 5840;
	switch (variant) {
	case ODD_DOFF_SHORT:
		t->doff = (uint8_t)rng_between(&a->rng, 1, 4);
		break;
	case ODD_DOFF_LONG:
		t->doff = (uint8_t)rng_between(&a->rng, 6, 15);
		break;
	case ODD_OPTIONS:
		t->options = odd_options[rng_below(&a->rng, 3)];
		t->options_len = 4;
		break;
	case ODD_PORT_ZERO:
		t->dport = 0;
		break;
	case ODD_FLAGS:
		t->flags = flags[rng_below(&a->rng, ARRAY_LEN(flags))];
		break;
	case ODD_SYN_DATA:
		t->payload = data;
		t->payload_len = sizeof(data) - 1;
		break;
	}
}

static void emit_malformed(struct actor *a, const struct stage *stage, struct frame *f)
{
	int variant = actor_variant(a);
	struct tcp_spec t;
	struct ip_spec ip;
	struct pick p;

	actor_pick(a, stage, &p);
	if (variant == ODD_LAND)
		p.src = p.dst;
	/* IPv6 has no header length that could lie */
	if (p.src.is6 && variant <= ODD_IHL_LONG)
		variant = ODD_VERSION;
	actor_ip(a, &p, &ip, 6, 64);
	if (variant == ODD_UDP_LENGTH) {
		send_odd_udp(a, f, &ip);
		return;
	}
	fill_odd_tcp(a, &t, variant);
	actor_send_tcp(a, f, &ip, &t, actor_tcp_class(t.flags), TOOL_NONE);
	if (variant <= ODD_IHL_LONG)
		bend_ihl(a, f, variant);
	else if (variant == ODD_VERSION)
		bend_version(a, f);
	else if (variant <= ODD_LENGTH_LONG)
		bend_length(a, f, variant);
	else if (variant == ODD_SUM)
		f->buf[f->v.l4_off + 16] ^= 0x5a;
}

static const char *const odd_variants[] = {
	"ihl-short",   "ihl-long",   "version",	  "length-zero", "length-short", "length-cut",
	"length-long", "doff-short", "doff-long", "options",	 "udp-length",	 "port-zero",
	"land",	       "checksum",   "flags",	  "syn-data",	 NULL,
};

const struct kind kind_malformed = {
	.name = "malformed",
	.what = "headers that lie: lengths, version, offsets, options, flags",
	.emit = emit_malformed,
	.variants = odd_variants,
	.any_variant = true,
	.ports = "23 80 8080",
};

/* A frame that ends anywhere; a live interface carries none below the 14 bytes of Ethernet. */
static void emit_truncated(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct tcp_spec t;
	struct ip_spec ip;
	struct pick p;
	uint32_t from = actor_variant(a) ? 14 : 1;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, 6, 64);
	fill_odd_tcp(a, &t, ODD_SUM);
	actor_send_tcp(a, f, &ip, &t, CLASS_SCAN, TOOL_NONE);
	f->len = rng_between(&a->rng, from, f->len - 1);
	f->v.frame_len = (uint16_t)f->len;
}

static const char *const truncated_variants[] = {"anywhere", "behind-ethernet", NULL};

const struct kind kind_truncated = {
	.name = "truncated",
	.what = "frames that end inside their headers, at every byte",
	.emit = emit_truncated,
	.variants = truncated_variants,
	.ports = "23 80",
};

enum { ENCAP_TAGS, ENCAP_LABELS };

/* Four tags; or labels over something that is no IP. */
static void emit_encap_broken(struct actor *a, const struct stage *stage, struct frame *f)
{
	struct path path = a->path;
	struct ip_spec ip;
	struct tcp_spec t;
	struct pick p;

	actor_pick(a, stage, &p);
	actor_ip(a, &p, &ip, 6, 64);
	fill_odd_tcp(a, &t, ODD_SUM);
	path.n = 0;
	if (actor_variant(a) == ENCAP_TAGS) {
		for (; path.n < 4; path.n++)
			path.layer[path.n] = (struct layer){.type = LAYER_VLAN, .id = 100 + (uint32_t)path.n};
	} else {
		path.layer[path.n++] = (struct layer){.type = LAYER_MPLS, .id = 16};
	}
	frame_start(f, &path);
	frame_ip(f, &ip);
	frame_tcp(f, &t);
	frame_end(f);
	if (path.n == 1)
		f->buf[f->v.ip_off] = 0x00; /* a pseudowire's control word */
	f->v.outcome = OUT_UNSUPPORTED_ENCAP;
}

static const char *const encap_variants[] = {"four-tags", "label-no-ip", NULL};

const struct kind kind_encap_broken = {
	.name = "encap-broken",
	.what = "more tags than are walked; labels over something else than IP",
	.emit = emit_encap_broken,
	.variants = encap_variants,
	.any_variant = true,
	.ports = "80",
};
