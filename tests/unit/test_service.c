// SPDX-License-Identifier: GPL-2.0-only
/*
 * classify: every row of service.def, asked for and answered, with a negative twin each; and the request bytes
 * that the field's scanners send (zmap, masscan), which are not taken from the table.
 */
#include "sensor.h"

SENSOR_SUITE(service);

struct row {
	const char *name;
	enum ag_service service;
	unsigned int direction, offset, min;
	uint64_t mask, value;
};

static const struct row rows[] = {
#define AG_SIGNATURE(name_, service_, direction_, offset_, mask_, value_, min_, help)                          \
	{#name_, AG_SERVICE_##service_, AG_##direction_, offset_, min_, mask_, value_},
#include "airglow/service.def"
};

static const struct {
	unsigned int port;
	enum ag_signature_id first, last;
} ports[] = {
#define AG_SERVICE_PORT(port_, first_, last_) {port_, AG_SIGNATURE_##first_, AG_SIGNATURE_##last_},
#include "airglow/service.def"
};

#define ROWS  (sizeof(rows) / sizeof(rows[0]))
#define PORTS (sizeof(ports) / sizeof(ports[0]))

static bool fits(const struct row *r, const uint8_t *payload, unsigned int n)
{
	if (n < r->min)
		return false;
	for (unsigned int i = 0; i < 8; i++) {
		unsigned int shift = 56 - 8 * i;
		uint8_t byte = r->offset + i < n ? payload[r->offset + i] : 0;

		if ((byte & (uint8_t)(r->mask >> shift)) != (uint8_t)(r->value >> shift))
			return false;
	}
	return true;
}

/* First row of a port and direction that fits, or none. */
static enum ag_service expect(unsigned int port, unsigned int direction, const uint8_t *payload, unsigned int n)
{
	for (unsigned int i = 0; i < PORTS; i++) {
		if (ports[i].port != port)
			continue;
		for (unsigned int k = ports[i].first; k <= (unsigned int)ports[i].last; k++)
			if (rows[k].direction == direction && fits(&rows[k], payload, n))
				return rows[k].service;
	}
	return AG_SERVICE_NONE;
}

static enum ag_service send_datagram(unsigned int sport, unsigned int dport, const uint8_t *payload,
				     unsigned int n)
{
	enum ag_service asked = expect(dport, AG_REQUEST, payload, n);
	enum ag_service answered = asked ? AG_SERVICE_NONE : expect(sport, AG_RESPONSE, payload, n);
	struct want w;

	frame_udp4(&f, sport, dport, payload, n);
	w = want_udp(&f, asked ? AG_CLASS_AMP_REQUEST : answered ? AG_CLASS_UDP_RESPONSE : AG_CLASS_SCAN);
	w.service = asked ? asked : answered;
	w.direction = asked ? AG_REQUEST : AG_RESPONSE;
	SEND(sensor, &f, w);
	return w.service;
}

static unsigned int port_of(unsigned int row)
{
	for (unsigned int i = 0; i < PORTS; i++)
		if ((unsigned int)ports[i].first <= row && row <= (unsigned int)ports[i].last)
			return ports[i].port;
	cr_assert_fail("%s belongs to no port", rows[row].name);
	return 0;
}

/* The shortest payload that a row asks for. */
static unsigned int fill_payload(const struct row *r, uint8_t payload[128])
{
	memset(payload, 0, 128);
	for (unsigned int i = 0; i < 8; i++)
		payload[r->offset + i] = (uint8_t)(r->value >> (56 - 8 * i));
	return r->min;
}

static void send_row(const struct row *r, unsigned int port, const uint8_t *payload, unsigned int n,
		     bool must_match)
{
	enum ag_service got = r->direction == AG_REQUEST ? send_datagram(40000, port, payload, n)
							 : send_datagram(port, 40000, payload, n);

	if (must_match)
		cr_assert_eq(got, r->service, "%s", r->name);
}

Test(service, every_row_matches)
{
	for (unsigned int i = 0; i < ROWS; i++) {
		uint8_t payload[128];
		unsigned int n = fill_payload(&rows[i], payload);

		send_row(&rows[i], port_of(i), payload, n, true);
		send_row(&rows[i], port_of(i), payload, n + 30, true);
	}
}

Test(service, every_row_has_a_negative_twin)
{
	for (unsigned int i = 0; i < ROWS; i++) {
		const struct row *r = &rows[i];
		uint8_t payload[128];
		unsigned int n = fill_payload(r, payload);

		/* too short by one; one bit of the mask wrong, each; another port; the other direction */
		if (n)
			send_row(r, port_of(i), payload, n - 1, false);
		for (unsigned int k = 0; k < 64; k++) {
			if (!(r->mask >> k & 1))
				continue;
			payload[r->offset + 7 - k / 8] ^= (uint8_t)(1u << k % 8);
			send_row(r, port_of(i), payload, n, false);
			payload[r->offset + 7 - k / 8] ^= (uint8_t)(1u << k % 8);
		}
		cr_assert_eq(send_datagram(40000, 40001, payload, n), AG_SERVICE_NONE);
		if (r->direction == AG_REQUEST)
			send_datagram(port_of(i), 40000, payload, n);
		else
			send_datagram(40000, port_of(i), payload, n);
	}
}

/* Requests and answers as they were seen on the wire, independent of the table. */
static const struct {
	unsigned int sport, dport;
	enum ag_service service;
	unsigned int n;
	uint8_t payload[64];
} wire[] = {
	{1, 123, AG_SERVICE_NTP, 8, {0x17, 0x00, 0x03, 0x2a, 0, 0, 0, 0}},
	{1, 123, AG_SERVICE_NTP, 48, {0xe3, 0x00, 0x04, 0xfa}},
	{1, 123, AG_SERVICE_NTP, 12, {0x16, 0x02, 0x00, 0x01}},
	{1, 53, AG_SERVICE_DNS, 30, {0x12, 0x34, 1,   0,   0,	1, 0,	0,   0,	  0,   0, 0, 7,	 'v', 'e',
				     'r',  's',	 'i', 'o', 'n', 4, 'b', 'i', 'n', 'd', 0, 0, 16, 0,   3}},
	{53, 1, AG_SERVICE_DNS, 20, {0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1}},
	{1, 1900, AG_SERVICE_SSDP, 21, "M-SEARCH * HTTP/1.1\r\n"},
	{1900, 1, AG_SERVICE_SSDP, 15, "HTTP/1.1 200 OK"},
	{1, 161, AG_SERVICE_SNMP, 20, {0x30, 0x26, 2, 1, 1, 4, 6, 'p', 'u', 'b', 'l', 'i', 'c', 0xa5, 0x19}},
	{1, 11211, AG_SERVICE_MEMCACHED, 15, {0, 1, 0, 0, 0, 1, 0, 0, 's', 't', 'a', 't', 's', '\r', '\n'}},
	{1, 161, AG_SERVICE_SNMP, 60, {0x30, 0x3a, 2, 1, 3, 0x30, 0x0f, 2, 2, 0x4a, 0x69}},
	{1, 389, AG_SERVICE_CLDAP, 40, {0x30, 0x81, 0x25, 2, 1, 1, 0x63, 0x20, 4, 0}},
	{1, 389, AG_SERVICE_CLDAP, 40, {0x30, 0x26, 2, 2, 1, 1, 0x63, 0x20, 4, 0}},
	{1, 123, AG_SERVICE_NTP, 4, {0x17, 0x00, 0x03, 0x2a}},
	{1, 389, AG_SERVICE_CLDAP, 39, {0x30, 0x25, 2, 1, 1, 0x63, 0x20, 4, 0}},
	{1, 389, AG_SERVICE_CLDAP, 51, {0x30, 0x84, 0, 0, 0, 0x2d, 2, 1, 1, 0x63, 0x84}},
	{1, 3702, AG_SERVICE_WSD, 5, "<:/>\n"},
	{1, 5060, AG_SERVICE_SIP, 12, "OPTIONS sip:"},
	{1, 5683, AG_SERVICE_COAP, 21, {0x40, 1, 0x7d, 0x70, 0xbb, '.', 'w', 'e', 'l', 'l'}},
	{1, 3478, AG_SERVICE_STUN, 20, {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}},
	{1, 27015, AG_SERVICE_STEAM, 25, "\xff\xff\xff\xffTSource Engine Query"},
	{1, 27960, AG_SERVICE_QUAKE3, 14, "\xff\xff\xff\xffgetstatus\n"},
	{1, 1434, AG_SERVICE_MSSQL, 1, {2}},
	{1, 19, AG_SERVICE_CHARGEN, 1, {1}},
	{1, 17, AG_SERVICE_QOTD, 2, {0x0d, 0x0a}},
	{1, 111, AG_SERVICE_PORTMAP, 40, {0x65, 0x72, 0x0a, 0x37, 0, 0, 0, 0, 0, 0, 0, 2,
					  0,	1,    0x86, 0xa0, 0, 0, 0, 2, 0, 0, 0, 4}},
	{1, 137, AG_SERVICE_NETBIOS, 50, {0x80, 0xf0, 0, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, 0x20, 'C', 'K', 'A'}},
	{1, 623, AG_SERVICE_IPMI, 23, {6, 0, 0xff, 7}},
	{1, 520, AG_SERVICE_RIPV1, 24, {1, 1}},
	{1, 443, AG_SERVICE_DTLS, 60, {0x16, 0xfe, 0xff}},
	{1, 3389, AG_SERVICE_RDP, 16, {0, 0, 0, 0, 0, 0, 0, 0xff}},
	{1, 3283, AG_SERVICE_ARMS, 5, {0, 0x14, 0, 1, 3}},
	{1, 5353, AG_SERVICE_MDNS, 46, {0, 0, 0, 0, 0, 1}},
	{1, 5351, AG_SERVICE_NATPMP, 2, {0, 0}},
	{1, 10001, AG_SERVICE_UBIQUITI, 4, {1, 0, 0, 0}},
	{1, 32414, AG_SERVICE_PLEX, 19, "M-SEARCH * HTTP/1.1"},
	{1, 37810, AG_SERVICE_DVR, 32, {0x20, 0, 0, 0, 'D', 'H', 'I', 'P'}},
	{1, 47808, AG_SERVICE_BACNET, 17, {0x81, 0x0a, 0, 0x11}},
	{1, 53413, AG_SERVICE_NETIS, 9, {0x0a}},
	{1, 17185, AG_SERVICE_VXWORKS, 20, {0x1a, 9, 0xfa, 0xba}},
	{1, 523, AG_SERVICE_DB2, 20, "DB2GETADDR\0SQL08010"},
	{1, 1604, AG_SERVICE_CITRIX, 30, {0x1e, 0, 1, 0x30, 2, 0xfd, 0xa8, 0xe3}},
	{1, 5632, AG_SERVICE_PCANYWHERE, 2, "NQ"},
	{1, 5093, AG_SERVICE_SENTINEL, 6, {0x7a}},
	{1, 2362, AG_SERVICE_DIGI, 14, {'D', 'I', 'G', 'I', 0, 1, 0, 6}},
	{1, 1194, AG_SERVICE_OPENVPN, 14, {0x38, 1, 2, 3, 4, 5, 6, 7, 8}},
	{1, 500, AG_SERVICE_ISAKMP, 60, {1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x10, 2}},
	{1,
	 69,
	 AG_SERVICE_TFTP,
	 20,
	 {0, 1, 'a', '.', 'p', 'd', 'f', 0, 'n', 'e', 't', 'a', 's', 'c', 'i', 'i', 0}},
	{1, 427, AG_SERVICE_SLP, 29, {2, 9, 0, 0, 0x1d}},
	{1, 53, AG_SERVICE_NONE, 3, "abc"},
	{1, 123, AG_SERVICE_NONE, 48, {0}},
	{1, 9999, AG_SERVICE_NONE, 21, "M-SEARCH * HTTP/1.1\r\n"},
};

Test(service, bytes_seen_on_the_wire)
{
	for (unsigned int i = 0; i < sizeof(wire) / sizeof(wire[0]); i++)
		cr_assert_eq(send_datagram(wire[i].sport, wire[i].dport, wire[i].payload, wire[i].n),
			     wire[i].service, "%u: ports %u, %u", i, wire[i].sport, wire[i].dport);
}

Test(service, requests_before_answers)
{
	static const uint8_t query[12] = {1, 2, 1, 0, 0, 1}, answer[12] = {1, 2, 0x81, 0, 0, 1};

	cr_assert_eq(send_datagram(53, 53, query, 12), AG_SERVICE_DNS);
	cr_assert_eq(send_datagram(53, 53, answer, 12), AG_SERVICE_DNS);
	cr_assert_eq(send_datagram(123, 53, query, 12), AG_SERVICE_DNS);
}

Test(service, only_the_datagrams_own_bytes)
{
	struct want w;

	/* The UDP length ends the payload before the bytes that would match. */
	frame_udp4(&f, 1, 5351, "\0\0", 2);
	frame_set16(&f, f.l4 + 4, 9);
	SEND(sensor, &f, want_udp(&f, AG_CLASS_SCAN));
	/* What the capture cut off reads as zero, but the length counts. */
	frame_udp4(&f, 1, 1900, "M-SEARCH", 8);
	SEND_CUT(sensor, &f, f.n - 1, f.n, want_udp(&f, AG_CLASS_SCAN));
	frame_udp4(&f, 1, 5632, "NQ", 2);
	w = want_udp(&f, AG_CLASS_AMP_REQUEST);
	w.service = AG_SERVICE_PCANYWHERE;
	SEND(sensor, &f, w);
	frame_fill(&f, 0, 30); /* Ethernet padding is not payload */
	SEND(sensor, &f, w);
}

/* --- rows of the configuration
 * --------------------------------------------------------------------------------- */

static void configure(unsigned int at, struct ag_signature row)
{
	struct ag_settings *settings = sensor_settings(sensor);

	settings->signature[at] = row;
	if (settings->signatures <= at)
		settings->signatures = at + 1;
}

static void send_service(unsigned int sport, unsigned int dport, const void *payload, unsigned int n,
			 enum ag_service service, unsigned int direction)
{
	struct want w;

	frame_udp4(&f, sport, dport, payload, n);
	w = want_udp(&f, !service		   ? AG_CLASS_SCAN
			 : direction == AG_REQUEST ? AG_CLASS_AMP_REQUEST
						   : AG_CLASS_UDP_RESPONSE);
	w.service = service;
	w.direction = direction;
	SEND(sensor, &f, w);
}

Test(service, configured_rows)
{
	configure(0, (struct ag_signature){.mask = 0xffff000000000000,
					   .value = 0xcafe000000000000,
					   .port = 5300,
					   .offset = 2,
					   .min_payload = 6,
					   .service = AG_SERVICE_DNS,
					   .direction = AG_REQUEST});
	configure(1, (struct ag_signature){.port = 5300, .service = AG_SERVICE_NTP, .direction = AG_RESPONSE});
	send_service(9, 5300,
		     "ab\xca\xfe"
		     "cd",
		     6, AG_SERVICE_DNS, AG_REQUEST);
	send_service(9, 5300,
		     "ab\xca\xfe"
		     "c",
		     5, AG_SERVICE_NONE, 0);
	send_service(9, 5300,
		     "ab\xca\xff"
		     "cd",
		     6, AG_SERVICE_NONE, 0);
	send_service(9, 5301,
		     "ab\xca\xfe"
		     "cd",
		     6, AG_SERVICE_NONE, 0);
	send_service(5300, 9, "whatever", 8, AG_SERVICE_NTP, AG_RESPONSE);
	send_service(5301, 9, "whatever", 8, AG_SERVICE_NONE, 0);
	/* Rows beyond those in use are not looked at. */
	sensor_settings(sensor)->signatures = 1;
	send_service(5300, 9, "whatever", 8, AG_SERVICE_NONE, 0);
	sensor_settings(sensor)->signatures = 0;
	send_service(9, 5300,
		     "ab\xca\xfe"
		     "cd",
		     6, AG_SERVICE_NONE, 0);
}

/* Behind the rows of the port that are built in, which go first; the first that fits counts, up to the last. */
Test(service, configured_rows_have_an_order)
{
	for (unsigned int i = 0; i < AG_SIGNATURES_MAX; i++)
		configure(i, (struct ag_signature){.port = (__u16)(i == 15 ? 1434 : 6000 + i / 2),
						   .service = (__u8)(AG_SERVICE_SIP + i % 2),
						   .direction = AG_REQUEST});
	send_service(9, 6000, "x", 1, AG_SERVICE_SIP, AG_REQUEST);
	send_service(9, 6007, "x", 1, AG_SERVICE_SIP, AG_REQUEST);
	send_service(9, 1434, "\2", 1, AG_SERVICE_MSSQL, AG_REQUEST);
	send_service(9, 1434, "\77", 1, AG_SERVICE_SIP + 1, AG_REQUEST);
}

/* Zeros are what was read as zeros: neither what the capture cut off nor what lies behind the head. */
Test(service, configured_zeros)
{
	uint8_t payload[240];
	unsigned int at;
	struct want w;

	memset(payload, 0xff, sizeof(payload));
	configure(0, (struct ag_signature){.mask = 0xffffffff00000000,
					   .port = 5300,
					   .offset = 40,
					   .min_payload = 44,
					   .service = AG_SERVICE_DNS,
					   .direction = AG_REQUEST});
	frame_udp4(&f, 9, 5300, payload, 60);
	at = f.l4 + 8;
	for (unsigned int caplen = at; caplen <= f.n; caplen++)
		SEND_CUT(sensor, &f, caplen, f.n, want_udp(&f, AG_CLASS_SCAN));
	memset(payload + 40, 0, 4);
	frame_udp4(&f, 9, 5300, payload, 60);
	for (unsigned int caplen = at; caplen <= f.n; caplen++) {
		w = want_udp(&f, caplen < at + 44 ? AG_CLASS_SCAN : AG_CLASS_AMP_REQUEST);
		w.service = caplen < at + 44 ? AG_SERVICE_NONE : AG_SERVICE_DNS;
		w.direction = AG_REQUEST;
		SEND_CUT(sensor, &f, caplen, f.n, w);
	}
	/* Two of the four bytes are the head's last, two lie behind it. */
	sensor_settings(sensor)->signature[0].min_payload = 0;
	sensor_settings(sensor)->signature[0].offset = (__u8)(AG_HEAD_BYTES - at - 2);
	memset(payload + AG_HEAD_BYTES - at - 2, 0, 2);
	frame_udp4(&f, 9, 5300, payload, sizeof(payload));
	SEND(sensor, &f, want_udp(&f, AG_CLASS_SCAN));
	sensor_settings(sensor)->signature[0].mask = 0xffff000000000000;
	w = want_udp(&f, AG_CLASS_AMP_REQUEST);
	w.service = AG_SERVICE_DNS;
	w.direction = AG_REQUEST;
	SEND(sensor, &f, w);
}
