/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * frame.h - builds one Ethernet frame from the outside in: link and tunnel layers, IP, transport.
 * Knows formats; knows nothing of who sends what, or why.
 */
#ifndef IBR_FRAME_H
#define IBR_FRAME_H

#include "verdict.h"

#define FRAME_MAX  2048 /* bytes of the largest frame */
#define LAYERS_MAX 8
#define FIXES_MAX  12

enum layer_type {
	LAYER_VLAN, /* 802.1Q, 0x8100 */
	LAYER_AD,   /* 802.1ad, 0x88a8 */
	LAYER_QINQ, /* the older 0x9100 */
	LAYER_MPLS,
	LAYER_PPPOE,
	LAYER_GRE,
	LAYER_ERSPAN2,
	LAYER_ERSPAN3,
	LAYER_VXLAN,
	LAYER_IPIP, /* IPv4 or IPv6 directly in IP: IPIP, 6in4 */
	LAYER_MAX
};

/* Does the sensor open this tunnel?  Said by the scenario, which also configures the sensor. */
enum decap {
	DECAP_YES,     /* configured: the inner packet counts */
	DECAP_NO,      /* not configured, or from another source: a packet to its outer destination */
	DECAP_REFUSED, /* configured source, but key, version or depth does not fit */
};

struct layer {
	struct addr from, to; /* of a tunnel */
	uint32_t id;	      /* VLAN, label, session, VNI or key */
	uint8_t type;
	uint8_t decap;
	bool has_id;
};

struct path {
	struct layer layer[LAYERS_MAX];
	int n;
	uint8_t src_mac[6], dst_mac[6];
};

struct ip_spec {
	struct addr src, dst;
	const uint8_t *extra; /* IPv4 options (a multiple of 4), or a finished IPv6 extension chain */
	uint16_t extra_len;
	uint16_t id;
	uint16_t frag;	    /* IPv4: flags and offset as in the header */
	uint8_t protocol;   /* of the transport */
	uint8_t first_next; /* IPv6: number of the first extension header, if extra_len */
	uint8_t ttl, tos;
};

#define IP_DF 0x4000
#define IP_MF 0x2000

enum tcp_flag { TCP_F = 1, TCP_S = 2, TCP_R = 4, TCP_P = 8, TCP_A = 16, TCP_U = 32, TCP_E = 64, TCP_C = 128 };

struct tcp_spec {
	uint32_t seq, ack;
	const uint8_t *options; /* a multiple of 4 bytes */
	const uint8_t *payload;
	uint16_t sport, dport, window, payload_len;
	uint8_t options_len;
	uint8_t flags;
	uint8_t doff; /* words; 0 = the true one */
};

struct frame {
	struct verdict v;
	uint32_t len;
	uint16_t type_off;   /* where the next protocol's number goes */
	uint16_t tunnel_off; /* outer IP header of the first tunnel that stays shut, 0 = none */
	uint8_t type_kind;
	uint8_t tunnel_decap;
	uint8_t sum; /* protocol whose checksum frame_end sets, 0 = none */
	uint8_t tunnel_protocol;
	struct addr tunnel_src, tunnel_dst;
	struct {
		uint8_t kind;
		uint16_t off;
	} fix[FIXES_MAX];
	int fixes;
	uint8_t buf[FRAME_MAX];
};

/* Ethernet and the layers of the path; what follows names itself through frame_next or frame_ip. */
void frame_start(struct frame *f, const struct path *path);
/* A payload that is no IP: its EtherType (or, below 1536, the length field of 802.3). */
void frame_next(struct frame *f, uint32_t ethertype);
/* The header that the sensor judges by. */
void frame_ip(struct frame *f, const struct ip_spec *ip);
void frame_tcp(struct frame *f, const struct tcp_spec *t);
void frame_udp(struct frame *f, uint32_t sport, uint32_t dport, const void *payload, size_t len);
/* `rest` is the second word of the header; works for ICMP and ICMPv6, by the family of the IP header. */
void frame_icmp(struct frame *f, uint32_t type, uint32_t code, uint32_t rest, const void *payload, size_t len);
/* A transport that the sensor tells by number only. */
void frame_raw(struct frame *f, const void *bytes, size_t len);
void frame_put(struct frame *f, const void *bytes, size_t len);
/* Lengths and checksums, inside out; then the verdict's offsets. */
void frame_end(struct frame *f);
/* Set the IPv4 header checksum again after a header was bent by hand. */
void frame_ip4_sum(struct frame *f, uint32_t off);
/* Internet checksum of bytes over a start value (not yet folded). */
uint32_t frame_sum(uint32_t sum, const uint8_t *p, size_t len);
uint32_t frame_fold(uint32_t sum);
uint32_t frame_pseudo(const struct addr *src, const struct addr *dst, uint32_t protocol, uint32_t len);

#endif
