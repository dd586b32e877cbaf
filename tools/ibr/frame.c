// SPDX-License-Identifier: GPL-2.0-only
/*
 * frame.c - the frame builder.  Owns byte layouts, lengths and checksums.  Must not know actors,
 * scenarios or the sensor.
 */
#include "frame.h"

enum { TYPE_ETHER, TYPE_MPLS, TYPE_PPP, TYPE_IP };
enum { FIX_IP4, FIX_IP6, FIX_UDP, FIX_PPPOE };

#define ETH_IP4	 0x0800
#define ETH_IP6	 0x86dd
#define ETH_MPLS 0x8847

void frame_put(struct frame *f, const void *bytes, size_t len)
{
	if (len > FRAME_MAX - f->len)
		len = FRAME_MAX - f->len;
	if (len)
		memcpy(f->buf + f->len, bytes, len);
	f->len += (uint32_t)len;
}

/* Room for `len` zero bytes; the builder's own headers always fit. */
static uint8_t *grow(struct frame *f, size_t len)
{
	uint8_t *p = f->buf + f->len;

	memset(p, 0, len);
	f->len += (uint32_t)len;
	return p;
}

static void add_fix(struct frame *f, int kind, uint32_t off)
{
	if (f->fixes == FIXES_MAX)
		return;
	f->fix[f->fixes].kind = (uint8_t)kind;
	f->fix[f->fixes++].off = (uint16_t)off;
}

void frame_next(struct frame *f, uint32_t ethertype)
{
	uint8_t *p = f->buf + f->type_off;

	switch (f->type_kind) {
	case TYPE_ETHER:
		put16(p, ethertype);
		break;
	case TYPE_MPLS:
		/* no number: the bottom-of-stack bit falls if another label follows */
		if (ethertype == ETH_MPLS)
			p[2] &= 0xfe;
		break;
	case TYPE_PPP:
		put16(p, ethertype == ETH_IP4 ? 0x0021 : ethertype == ETH_IP6 ? 0x0057 : 0x0281);
		break;
	case TYPE_IP:
		*p = ethertype == ETH_IP4 ? 4 : 41;
		break;
	}
}

static void set_type_at(struct frame *f, int kind, uint32_t off)
{
	f->type_kind = (uint8_t)kind;
	f->type_off = (uint16_t)off;
}

static void put_ethernet(struct frame *f, const struct path *path)
{
	frame_put(f, path->dst_mac, 6);
	frame_put(f, path->src_mac, 6);
	set_type_at(f, TYPE_ETHER, f->len);
	grow(f, 2);
}

static void put_tag(struct frame *f, const struct layer *l)
{
	static const uint16_t type[] = {[LAYER_VLAN] = 0x8100, [LAYER_AD] = 0x88a8, [LAYER_QINQ] = 0x9100};
	uint8_t *p;

	frame_next(f, type[l->type]);
	p = grow(f, 4);
	put16(p, l->id & 0xffff);
	set_type_at(f, TYPE_ETHER, f->len - 2);
}

static void put_label(struct frame *f, const struct layer *l)
{
	uint8_t *p;

	frame_next(f, ETH_MPLS);
	set_type_at(f, TYPE_MPLS, f->len);
	p = grow(f, 4);
	put32(p, l->id << 12 | 1U << 8 | 64);
}

static void put_pppoe(struct frame *f, const struct layer *l)
{
	uint8_t *p;

	frame_next(f, 0x8864);
	add_fix(f, FIX_PPPOE, f->len);
	p = grow(f, 8);
	p[0] = 0x11;
	put16(p + 2, l->id & 0xffff);
	set_type_at(f, TYPE_PPP, f->len - 2);
}

/* Length and checksum come at the end. */
static void put_ip(struct frame *f, const struct ip_spec *ip)
{
	uint8_t *p;

	if (ip->src.is6) {
		add_fix(f, FIX_IP6, f->len);
		p = grow(f, 40);
		p[0] = 0x60 | ip->tos >> 4;
		p[1] = (uint8_t)(ip->tos << 4);
		p[6] = ip->extra_len ? ip->first_next : ip->protocol;
		p[7] = ip->ttl;
		memcpy(p + 8, ip->src.b, 16);
		memcpy(p + 24, ip->dst.b, 16);
		frame_put(f, ip->extra, ip->extra_len);
		return;
	}
	add_fix(f, FIX_IP4, f->len);
	p = grow(f, 20);
	p[0] = (uint8_t)(0x45 + ip->extra_len / 4);
	p[1] = ip->tos;
	put16(p + 4, ip->id);
	put16(p + 6, ip->frag);
	p[8] = ip->ttl;
	p[9] = ip->protocol;
	memcpy(p + 12, ip->src.b, 4);
	memcpy(p + 16, ip->dst.b, 4);
	frame_put(f, ip->extra, ip->extra_len);
}

static void put_outer_ip(struct frame *f, const struct layer *l, uint8_t protocol)
{
	struct ip_spec ip = {.src = l->from, .dst = l->to, .protocol = protocol, .ttl = 62};

	frame_next(f, l->from.is6 ? ETH_IP6 : ETH_IP4);
	if (l->decap != DECAP_YES && !f->tunnel_off) {
		f->tunnel_off = (uint16_t)f->len;
		f->tunnel_decap = l->decap;
		f->tunnel_src = l->from;
		f->tunnel_dst = l->to;
		f->tunnel_protocol = protocol;
	}
	put_ip(f, &ip);
}

static void put_gre(struct frame *f, const struct layer *l)
{
	uint8_t *p;

	put_outer_ip(f, l, 47);
	p = grow(f, l->has_id ? 8 : 4);
	if (l->has_id) {
		p[0] = 0x20;
		put32(p + 4, l->id);
	}
	set_type_at(f, TYPE_ETHER, (uint32_t)(p + 2 - f->buf));
}

/* Type II is version 1 with 8 bytes, type III version 2 with 12; both carry Ethernet behind a sequence number.
 */
static void put_erspan(struct frame *f, const struct layer *l, const struct path *path)
{
	bool three = l->type == LAYER_ERSPAN3;
	uint8_t *p;

	put_outer_ip(f, l, 47);
	p = grow(f, 8);
	put16(p, 0x1000);
	put16(p + 2, three ? 0x22eb : 0x88be);
	put32(p + 4, 1);
	p = grow(f, three ? 12 : 8);
	put16(p, three ? 0x2000 : 0x1000);
	put16(p + 2, (three ? 0 : 0x1800) | (l->id & 0x3ff));
	if (!three)
		put32(p + 4, 1);
	put_ethernet(f, path);
}

static void put_vxlan(struct frame *f, const struct layer *l, const struct path *path)
{
	uint8_t *p;

	put_outer_ip(f, l, 17);
	add_fix(f, FIX_UDP, f->len);
	p = grow(f, 16);
	put16(p, 49152 + (l->id & 0x3fff));
	put16(p + 2, 4789);
	p[8] = 0x08;
	put32(p + 12, l->id << 8);
	put_ethernet(f, path);
}

static void put_ipip(struct frame *f, const struct layer *l)
{
	uint32_t off = f->len;

	put_outer_ip(f, l, 4);
	set_type_at(f, TYPE_IP, off + (l->from.is6 ? 6 : 9));
}

void frame_start(struct frame *f, const struct path *path)
{
	memset(&f->v, 0, sizeof(f->v));
	f->v.flags = f->v.icmp_type = -1;
	f->len = 0;
	f->fixes = 0;
	f->tunnel_off = 0;
	f->sum = 0;
	put_ethernet(f, path);
	for (int i = 0; i < path->n; i++) {
		const struct layer *l = &path->layer[i];

		switch (l->type) {
		case LAYER_VLAN:
		case LAYER_AD:
		case LAYER_QINQ:
			put_tag(f, l);
			break;
		case LAYER_MPLS:
			put_label(f, l);
			break;
		case LAYER_PPPOE:
			put_pppoe(f, l);
			break;
		case LAYER_GRE:
			put_gre(f, l);
			break;
		case LAYER_ERSPAN2:
		case LAYER_ERSPAN3:
			put_erspan(f, l, path);
			break;
		case LAYER_VXLAN:
			put_vxlan(f, l, path);
			break;
		case LAYER_IPIP:
			put_ipip(f, l);
			break;
		}
	}
}

void frame_ip(struct frame *f, const struct ip_spec *ip)
{
	struct verdict *v = &f->v;

	frame_next(f, ip->src.is6 ? ETH_IP6 : ETH_IP4);
	v->nameless = f->type_kind == TYPE_MPLS;
	if (f->type_kind == TYPE_IP && f->tunnel_off)
		f->tunnel_protocol = ip->src.is6 ? 41 : 4;
	v->src = ip->src;
	v->dst = ip->dst;
	v->protocol = ip->protocol;
	v->ip_off = (uint16_t)f->len;
	put_ip(f, ip);
}

void frame_tcp(struct frame *f, const struct tcp_spec *t)
{
	uint8_t *p;

	f->v.l4_off = (uint16_t)f->len;
	f->v.has_port = true;
	f->v.sport = t->sport;
	f->v.dport = t->dport;
	f->v.flags = t->flags;
	f->v.class_bytes = 14;
	p = grow(f, 20);
	put16(p, t->sport);
	put16(p + 2, t->dport);
	put32(p + 4, t->seq);
	put32(p + 8, t->ack);
	p[12] = (uint8_t)((t->doff ? t->doff : 5 + t->options_len / 4) << 4);
	p[13] = t->flags;
	put16(p + 14, t->window);
	frame_put(f, t->options, t->options_len);
	frame_put(f, t->payload, t->payload_len);
	f->sum = 6;
}

void frame_udp(struct frame *f, uint32_t sport, uint32_t dport, const void *payload, size_t len)
{
	uint8_t *p;

	f->v.l4_off = (uint16_t)f->len;
	f->v.has_port = true;
	f->v.sport = (uint16_t)sport;
	f->v.dport = (uint16_t)dport;
	f->v.class_bytes = 8;
	add_fix(f, FIX_UDP, f->len);
	p = grow(f, 8);
	put16(p, sport);
	put16(p + 2, dport);
	frame_put(f, payload, len);
	f->sum = 17;
}

void frame_icmp(struct frame *f, uint32_t type, uint32_t code, uint32_t rest, const void *payload, size_t len)
{
	uint8_t *p;

	f->v.l4_off = (uint16_t)f->len;
	f->v.icmp_type = (int16_t)type;
	f->v.icmp_code = (uint8_t)code;
	f->v.class_bytes = 2;
	p = grow(f, 8);
	p[0] = (uint8_t)type;
	p[1] = (uint8_t)code;
	put32(p + 4, rest);
	frame_put(f, payload, len);
	f->sum = f->v.src.is6 ? 58 : 1;
}

void frame_raw(struct frame *f, const void *bytes, size_t len)
{
	f->v.l4_off = (uint16_t)f->len;
	frame_put(f, bytes, len);
}

uint32_t frame_sum(uint32_t sum, const uint8_t *p, size_t len)
{
	for (; len > 1; len -= 2, p += 2)
		sum += get16(p);
	return len ? sum + ((uint32_t)*p << 8) : sum;
}

uint32_t frame_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
}

uint32_t frame_pseudo(const struct addr *src, const struct addr *dst, uint32_t protocol, uint32_t len)
{
	size_t n = src->is6 ? 16 : 4;

	return frame_sum(frame_sum(protocol + len, src->b, n), dst->b, n);
}

void frame_ip4_sum(struct frame *f, uint32_t off)
{
	uint8_t *p = f->buf + off;
	size_t len = (size_t)(p[0] & 15) * 4;

	if (len < 20 || off + len > f->len)
		len = 20;
	put16(p + 10, 0);
	put16(p + 10, frame_fold(frame_sum(0, p, len)));
}

static void set_transport_sum(struct frame *f)
{
	uint32_t off = f->v.l4_off, len = f->len - off;
	uint8_t *p = f->buf + off, *field;
	uint32_t sum;

	field = p + (f->sum == 6 ? 16 : f->sum == 17 ? 6 : 2);
	sum = f->sum == 1 ? 0 : frame_pseudo(&f->v.src, &f->v.dst, f->sum, len);
	sum = frame_fold(frame_sum(sum, p, len));
	if (sum == 0 && f->sum == 17)
		sum = 0xffff;
	put16(field, sum);
}

/* The first tunnel that the sensor leaves shut decides: the packet is one to its outer destination. */
static void judge_by_tunnel(struct frame *f)
{
	struct verdict *v = &f->v;

	if (f->tunnel_decap == DECAP_REFUSED) {
		v->outcome = OUT_DECAP_REFUSED;
		return;
	}
	v->src = f->tunnel_src;
	v->dst = f->tunnel_dst;
	v->protocol = f->tunnel_protocol;
	v->ip_off = f->tunnel_off;
	v->l4_off = (uint16_t)(f->tunnel_off + (f->tunnel_src.is6 ? 40 : 20));
	v->flags = v->icmp_type = -1;
	v->tool = TOOL_NONE;
	v->has_port = f->tunnel_protocol == 17;
	v->dport = v->has_port ? 4789 : 0;
	v->class = v->has_port ? CLASS_SCAN : CLASS_OTHER;
	v->class_bytes = v->has_port ? 8 : 0;
}

void frame_end(struct frame *f)
{
	for (int i = f->fixes - 1; i >= 0; i--) {
		uint32_t off = f->fix[i].off, len = f->len - off;
		uint8_t *p = f->buf + off;

		switch (f->fix[i].kind) {
		case FIX_IP4:
			put16(p + 2, len);
			frame_ip4_sum(f, off);
			break;
		case FIX_IP6:
			put16(p + 4, len - 40);
			break;
		case FIX_UDP:
			put16(p + 4, len);
			break;
		case FIX_PPPOE:
			put16(p + 4, len - 6);
			break;
		}
	}
	if (f->sum)
		set_transport_sum(f);
	f->v.frame_len = (uint16_t)f->len;
	f->v.ip_end = (uint16_t)f->len;
	if (f->tunnel_off)
		judge_by_tunnel(f);
}
