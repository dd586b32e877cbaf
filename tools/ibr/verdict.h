/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * verdict.h - what the sender of a frame says about it: filled in by the actor while it builds the
 * frame, read by the truth.  The bytes of the frame are never looked at again.
 */
#ifndef IBR_VERDICT_H
#define IBR_VERDICT_H

#include "addr.h"

/* What a correct sensor books the frame under; BY_ADDRESS = dark or not, by the destination. */
enum outcome {
	OUT_BY_ADDRESS,
	OUT_DARK,
	OUT_NOT_DARK,
	OUT_ARP_DARK,
	OUT_LOOPED,
	OUT_DECAP_REFUSED,
	OUT_NON_IP,
	OUT_TRUNCATED_LINK,
	OUT_TRUNCATED_IP,
	OUT_MALFORMED_IP,
	OUT_UNSUPPORTED_ENCAP,
	OUT_MAX
};

enum class { CLASS_SCAN, CLASS_AMP_REQUEST, CLASS_BACKSCATTER, CLASS_UDP_RESPONSE, CLASS_OTHER, CLASS_MAX };

enum tool {
	TOOL_NONE,
	TOOL_MIRAI,
	TOOL_MASSCAN,
	TOOL_ZMAP,
	TOOL_ZMAP4,
	TOOL_NMAP,
	TOOL_UNICORNSCAN,
	TOOL_HPING,
	TOOL_MAX
};

extern const char *const outcome_label[OUT_MAX];
extern const char *const class_label[CLASS_MAX];
extern const char *const tool_label[TOOL_MAX];

/* Offsets count from the first byte of the frame. */
struct verdict {
	struct addr src, dst;
	uint16_t frame_len; /* bytes sent */
	uint16_t ip_off;    /* the header the sensor judges by; 0 = none */
	uint16_t ip_end;    /* where the packet ends by its own length */
	uint16_t l4_off;    /* transport header; 0 = none that can be read */
	uint16_t sport, dport;
	int16_t flags;	   /* TCP flag byte, -1 none */
	int16_t icmp_type; /* -1 none */
	uint8_t icmp_code;
	uint8_t protocol;    /* behind the extension headers */
	uint8_t outcome;     /* enum outcome */
	uint8_t class;	     /* enum class, as long as the bytes it rests on are inside */
	uint8_t class_bytes; /* bytes of the transport header that the class rests on */
	uint8_t tool;	     /* enum tool */
	uint8_t actor;	     /* index in the scenario */
	bool has_port;
	bool nameless; /* under labels: only the first byte of the IP header says that it is one */
};

#endif
