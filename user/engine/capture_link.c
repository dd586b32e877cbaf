// SPDX-License-Identifier: GPL-2.0-only
/*
 * Link layers: gives every frame an Ethernet header, so that the pipeline has one link type.
 * Owns the table of link types read (LINKTYPE_ numbers, as they stand in files). Must not know
 * files, nor judge packets: what a header says is carried over, right or wrong, for the parser to
 * book. A frame check sequence at the end stays: it looks like padding behind the IP length.
 */
#include <string.h>

#include "capture_internal.h"

#define ETHERNET_BYTES 14u
#define ETHERTYPE_AT   12u
#define ETHERTYPE_IPV4 0x0800u
#define ETHERTYPE_IPV6 0x86ddu
#define ETHERTYPE_MIN  0x0600u /* below: a length, LLC follows */
#define ETHERTYPE_NONE 0x0000u
#define LINKTYPE_IPV4  228u
#define LINKTYPE_IPV6  229u

enum link_kind {
	LINK_ETHERNET,
	LINK_RAW,  /* IP from the first byte */
	LINK_AF,   /* 4 bytes of address family, in the byte order of whoever wrote it */
	LINK_SLL,  /* Linux "cooked", 16 bytes */
	LINK_SLL2, /* Linux "cooked" v2, 20 bytes */
};

struct link_type {
	uint32_t number;
	enum link_kind kind;
	uint32_t header_bytes;
	uint16_t ethertype; /* raw: where the version nibble does not tell */
};

static const struct link_type link_types[] = {
	{CAPTURE_ETHERNET, LINK_ETHERNET, ETHERNET_BYTES, 0},
	{12, LINK_RAW, 0, ETHERTYPE_IPV4},  /* DLT_RAW, most systems */
	{14, LINK_RAW, 0, ETHERTYPE_IPV4},  /* DLT_RAW, OpenBSD */
	{101, LINK_RAW, 0, ETHERTYPE_IPV4}, /* LINKTYPE_RAW */
	{LINKTYPE_IPV4, LINK_RAW, 0, ETHERTYPE_IPV4},
	{LINKTYPE_IPV6, LINK_RAW, 0, ETHERTYPE_IPV6},
	{0, LINK_AF, 4, 0},   /* LINKTYPE_NULL */
	{108, LINK_AF, 4, 0}, /* LINKTYPE_LOOP */
	{113, LINK_SLL, 16, 0},
	{276, LINK_SLL2, 20, 0},
};

/* SLL and SLL2: where the fields stand, and the packet type of "sent by us". */
#define SLL_TYPE_AT	 0u
#define SLL_PROTOCOL_AT	 14u
#define SLL2_PROTOCOL_AT 0u
#define SLL2_TYPE_AT	 10u
#define SLL_OUTGOING	 4u

static const struct link_type *find_link(uint32_t number)
{
	for (size_t i = 0; i < sizeof(link_types) / sizeof(link_types[0]); i++) {
		if (link_types[i].number == number)
			return &link_types[i];
	}
	return NULL;
}

bool capture_link_known(uint32_t link_type)
{
	return link_type == CAPTURE_ETHERNET || find_link(link_type);
}

static uint32_t read_be16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t ethertype_of_raw(const struct link_type *link, const struct capture_record *r)
{
	uint32_t version = r->caplen ? r->data[0] >> 4 : 0;

	if (link->number == LINKTYPE_IPV4 || link->number == LINKTYPE_IPV6)
		return link->ethertype; /* it says which; a version that contradicts is the packet's lie */
	if (version == 4)
		return ETHERTYPE_IPV4;
	if (version == 6)
		return ETHERTYPE_IPV6;
	return link->ethertype;
}

/*
 * The family is a small number, so one of the two byte orders gives it. IPv6 is 10 on Linux, 23 on
 * Windows, 24, 28 and 30 on the BSDs. Some writers put an EtherType there.
 */
static uint32_t ethertype_of_family(const uint8_t *p)
{
	uint32_t big = read_be16(p) << 16 | read_be16(p + 2);
	uint32_t family = big > 0xffff ? __builtin_bswap32(big) : big;

	switch (family) {
	case 2:
		return ETHERTYPE_IPV4;
	case 10:
	case 23:
	case 24:
	case 28:
	case 30:
		return ETHERTYPE_IPV6;
	default:
		return family >= ETHERTYPE_MIN && family <= 0xffff ? family : ETHERTYPE_NONE;
	}
}

/* False: the capture ends before it tells. */
static bool tell_ethertype(const struct link_type *link, const struct capture_record *r, uint32_t *ethertype)
{
	uint32_t at = link->kind == LINK_SLL2 ? SLL2_PROTOCOL_AT : SLL_PROTOCOL_AT;

	if (link->kind == LINK_RAW) {
		*ethertype = ethertype_of_raw(link, r);
		return true;
	}
	if (link->kind == LINK_AF) {
		if (r->caplen < 4)
			return false;
		*ethertype = ethertype_of_family(r->data);
		return true;
	}
	if (r->caplen < at + 2)
		return false;
	*ethertype = read_be16(r->data + at);
	return true;
}

static bool tell_outgoing(const struct link_type *link, const struct capture_record *r)
{
	if (link->kind == LINK_SLL && r->caplen >= SLL_TYPE_AT + 2)
		return read_be16(r->data + SLL_TYPE_AT) == SLL_OUTGOING;
	if (link->kind == LINK_SLL2 && r->caplen >= SLL2_TYPE_AT + 1)
		return r->data[SLL2_TYPE_AT] == SLL_OUTGOING;
	return false;
}

static uint32_t rest_above(uint32_t whole, uint32_t header)
{
	return whole > header ? whole - header : 0;
}

void capture_link_normalise(const struct capture_record *r, uint8_t *scratch, struct capture_frame *f)
{
	uint32_t wirelen = r->wirelen > r->caplen ? r->wirelen : r->caplen;
	const struct link_type *link;
	uint32_t ethertype = 0, payload;

	f->outgoing = r->outgoing;
	if (r->link_type == CAPTURE_ETHERNET) {
		f->bytes = r->data;
		f->caplen = r->caplen;
		f->wirelen = wirelen;
		return;
	}
	link = find_link(r->link_type);
	memset(scratch, 0, ETHERNET_BYTES);
	wirelen = rest_above(wirelen, link->header_bytes);
	f->wirelen = wirelen > UINT32_MAX - ETHERNET_BYTES ? UINT32_MAX : wirelen + ETHERNET_BYTES;
	f->bytes = scratch;
	f->outgoing |= tell_outgoing(link, r);
	if (!tell_ethertype(link, r, &ethertype)) {
		f->caplen = ETHERTYPE_AT;
		return;
	}
	scratch[ETHERTYPE_AT] = (uint8_t)(ethertype >> 8);
	scratch[ETHERTYPE_AT + 1] = (uint8_t)ethertype;
	payload = rest_above(r->caplen, link->header_bytes);
	memcpy(scratch + ETHERNET_BYTES, r->data + (r->caplen - payload), payload);
	f->caplen = ETHERNET_BYTES + payload;
}
