// SPDX-License-Identifier: GPL-2.0-only
/*
 * service.c - the request (and for some, the answer) of each amplification service, written from the
 * protocols' specifications.  Bytes that differ from packet to packet are filled at random.
 */
#include "service.h"

#define B(text) text, sizeof(text) - 1
#define NONE	NULL, 0

/* DNS questions: id 0 (filled), RD, one question, one EDNS record of 4096 bytes */
#define DNS_ANY	    "\0\0\1\0\0\1\0\0\0\0\0\1\7example\3org\0\0\xff\0\1\0\0\x29\x10\0\0\0\0\0\0\0"
#define DNS_VERSION "\0\0\1\0\0\1\0\0\0\0\0\0\7version\4bind\0\0\x10\0\3"
#define DNS_ANSWER                                                                                             \
	"\0\0\x81\x80\0\1\0\1\0\0\0\0\7example\3org\0\0\x10\0\1\xc0\x0c\0\x10\0\1\0\0\1\x2c\0\xc8\xc7v=spf1 "
#define SSDP_SEARCH                                                                                            \
	"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\nMX: 1\r\nST: ssdp:all\r\n\r\n"
#define SSDP_ANSWER                                                                                            \
	"HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: upnp:rootdevice\r\nEXT:\r\nSERVER: Linux UPnP/1.0\r\n\r\n"
#define WSD_PROBE                                                                                              \
	"<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "              \
	"xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><s:Body><d:Probe/></s:Body></s:Envelope>"
#define WSD_MATCHES                                                                                            \
	"<?xml version=\"1.0\"?><s:Envelope xmlns:s=\"http://www.w3.org/2003/05/soap-envelope\" "              \
	"xmlns:d=\"http://schemas.xmlsoap.org/ws/2005/04/discovery\"><s:Body><d:ProbeMatches>"
#define CHARS                                                                                                  \
	" !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}\r\n"
#define PORTMAP_DUMP "\0\0\0\0\0\0\0\0\0\0\0\2\0\1\x86\xa0\0\0\0\2\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define PORTMAP_ANSWER                                                                                         \
	"\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\1\x86\xa0\0\0\0\2\0\0\0\6\0\0\0\x6f"
#define NTP_CLIENT                                                                                             \
	"\xe3\0\4\xfa\0\1\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define NETBIOS_STAT                                                                                           \
	"\0\0\0\0\0\1\0\0\0\0\0\0\x20"                                                                         \
	"CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"                                                                     \
	"\0\0\x21\0\1"
#define SNMP_GET                                                                                               \
	"\x30\x29\2\1\1\4\6public\xa0\x1c\2\4\0\0\0\0\2\1\0\2\1\0\x30\x0e\x30\x0c\6\x08\x2b\6\1\2\1\1\1\0\5\0"
#define SNMP_BULK   "\x30\x25\2\1\1\4\6public\xa5\x18\2\4\0\0\0\0\2\1\0\2\1\x7f\x30\x0a\x30\x08\6\4\x2b\6\1\2\5\0"
#define SNMP_ANSWER "\x30\x81\xc8\2\1\1\4\6public\xa2\x81\xba\2\4\0\0\0\0\2\1\0\2\1\0\x30\x81\xab"
#define CLDAP_ROOT                                                                                             \
	"\x30\x84\0\0\0\x2d\2\1\1\x63\x84\0\0\0\x24\4\0\x0a\1\0\x0a\1\0\2\1\0\2\1\0\1\1\0\x87\x0bobjectclass\x30\x84\0\0\0\0"
#define CLDAP_ENTRY "\x30\x84\0\0\1\x2c\2\1\1\x64\x84\0\0\1\x23\4\0\x30\x84\0\0\1\x1b"
#define SLP_TYPES                                                                                              \
	"\2\x09\0\0\x1d\0\0\0\0\0\0\0\0\2en\0\0\xff\xff\0\7"                                                   \
	"default"
#define SLP_REPLY "\2\x0a\0\1\0\0\0\0\0\0\0\0\0\2en\0\0\0\xe8service:"
#define DTLS_HELLO                                                                                             \
	"\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x36\1\0\0\x2a\0\0\0\0\0\0\0\x2a\xfe\xfd\0\0\0\0\0\0\0\0"               \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\4\xc0\x2f\0\x2f\1\0"
#define ISAKMP_MAIN                                                                                            \
	"\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0\1\x10\2\0\0\0\0\0\0\0\0\x38\0\0\0\x1c\0\0\0\1\0\0\0\1\0\0\0\x10\0\1\0\0\0\0\0\x08\1\1\0\0"
#define RIP_TABLE    "\1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10"
#define IPMI_PING    "\6\0\xff\7\0\0\0\0\0\0\0\0\0\x09\x20\x18\xc8\x81\0\x38\x8e\4\xb5"
#define CITRIX_HELLO "\x1e\0\1\x30\2\xfd\xa8\xe3\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define RDP_SYN	     "\0\0\0\0\0\0\0\xff\0\0\x54\6\0\0\0\0\0\0\0\0"
#define STUN_BIND    "\0\1\0\0\x21\x12\xa4\x42\0\0\0\0\0\0\0\0\0\0\0\0"
#define MDNS_TYPES   "\0\0\0\0\0\1\0\0\0\0\0\0\x09_services\7_dns-sd\4_udp\5local\0\0\x0c\0\1"
#define SIP_OPTIONS                                                                                            \
	"OPTIONS sip:100@198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.9:5060;branch=z9hG4bK\r\nMax-Forwards: 70\r\n\r\n"
#define COAP_CORE	"\x40\1\0\0\xbb.well-known\4core"
#define COAP_LINKS	"\x60\x45\0\0\xc1\x28\xff</a>;ct=0,</b>;rt=\"x\","
#define MEMCACHED_STATS "\0\0\0\0\0\1\0\0stats\r\n"
#define MEMCACHED_GETS	"\0\0\0\0\0\1\0\0gets a b c d e\r\n"
#define MEMCACHED_VALUE "\0\0\0\0\0\x0a\0\0VALUE a 0 1048576\r\n"
#define PLEX_SEARCH	"M-SEARCH * HTTP/1.1\r\n\r\n"
#define DVR_SEARCH                                                                                             \
	"\x20\0\0\0DHIP\0\0\0\0\0\0\0\0\x2c\0\0\0\0\0\0\0\x2c\0\0\0\0\0\0\0{\"method\":\"DHDiscover.search\",\"params\":{}}\n"
#define BACNET_READ  "\x81\x0a\0\x11\1\4\0\5\1\x0c\x0c\2\x3f\xff\xff\x19\x4b"
#define NTP_MONLIST  "\x17\0\3\x2a\0\0\0\0"
#define NTP_ANSWER   "\xd7\0\3\x2a\0\6\0\x48"
#define VXWORKS_CALL "\x1a\x09\xfa\xba\0\0\0\0\0\0\0\2\x55\x55\x55\x55\0\0\0\1\0\0\0\1"

const struct service services[] = {
	{"echo", 7, B("\x0d\x0a"), NONE, B("\x0d\x0a"), 2, 0, 0},
	{"qotd", 17, B("\x0d\x0a"), NONE, B("The sky is never quite dark. "), 120, 0, 0},
	{"chargen", 19, B("\1"), NONE, B(CHARS), 512, 0, 0},
	{"dns", 53, B(DNS_VERSION), B(DNS_ANY), B(DNS_ANSWER), 240, 0, 2},
	{"tftp", 69, B("\0\1/etc/hosts\0netascii\0"), NONE, B("\0\3\0\1"), 516, 0, 0},
	{"portmap", 111, B(PORTMAP_DUMP), NONE, B(PORTMAP_ANSWER), 240, 0, 4},
	{"ntp", 123, B(NTP_CLIENT), B(NTP_MONLIST), B(NTP_ANSWER), 440, 0, 0},
	{"netbios", 137, B(NETBIOS_STAT), NONE, B("\0\0\x84\0\0\0\0\1\0\0\0\0 CK"), 190, 0, 2},
	{"snmp", 161, B(SNMP_GET), B(SNMP_BULK), B(SNMP_ANSWER), 203, 0, 0},
	{"xdmcp", 177, B("\0\1\0\2\0\1\0"), NONE, NONE, 0, 0, 0},
	{"cldap", 389, B(CLDAP_ROOT), NONE, B(CLDAP_ENTRY), 306, 0, 0},
	{"slp", 427, B(SLP_TYPES), NONE, B(SLP_REPLY), 256, 10, 2},
	{"dtls", 443, B(DTLS_HELLO), NONE, NONE, 0, 27, 32},
	{"dtls-3391", 3391, B(DTLS_HELLO), NONE, NONE, 0, 27, 32},
	{"dtls-4433", 4433, B(DTLS_HELLO), NONE, NONE, 0, 27, 32},
	{"isakmp", 500, B(ISAKMP_MAIN), NONE, NONE, 0, 0, 7},
	{"ripv1", 520, B(RIP_TABLE), NONE, B("\2\1\0\0\0\2\0\0\xc0\xa8\1\0\0\0\0\0\0\0\0\0\0\0\0\1"), 504, 0,
	 0},
	{"db2", 523, B("DB2GETADDR\0SQL09010\0"), NONE, NONE, 0, 0, 0},
	{"ipmi", 623, B(IPMI_PING), NONE, NONE, 0, 0, 0},
	{"openvpn", 1194, B("\x38\0\0\0\0\0\0\0\0\0\0\0\0\0"), NONE, NONE, 0, 1, 8},
	{"mssql", 1434, B("\2"), B("\3"), B("\5\x90\0ServerName;SQL;InstanceName;MSSQLSERVER;"), 147, 0, 0},
	{"citrix", 1604, B(CITRIX_HELLO), NONE, NONE, 0, 0, 0},
	{"ssdp", 1900, B(SSDP_SEARCH), NONE, B(SSDP_ANSWER), 310, 0, 0},
	{"digi", 2362, B("DIGI\0\1\0\6\xff\xff\xff\xff\xff\xff"), NONE, NONE, 0, 0, 0},
	{"arms", 3283, B("\0\x14\0\1\3"), NONE, NONE, 0, 0, 0},
	{"rdp", 3389, B(RDP_SYN), NONE, NONE, 0, 12, 8},
	{"stun", 3478, B(STUN_BIND), NONE, NONE, 0, 8, 12},
	{"wsd", 3702, B(WSD_PROBE), B("<:/>\n"), B(WSD_MATCHES), 580, 0, 0},
	{"sip", 5060, B(SIP_OPTIONS), NONE, NONE, 0, 0, 0},
	{"sentinel", 5093, B("\x7a\0\0\0\0\0"), NONE, NONE, 0, 0, 0},
	{"natpmp", 5351, B("\0\0"), NONE, NONE, 0, 0, 0},
	{"mdns", 5353, B(MDNS_TYPES), NONE, NONE, 0, 0, 2},
	{"pcanywhere", 5632, B("NQ"), B("ST"), NONE, 0, 0, 0},
	{"coap", 5683, B(COAP_CORE), NONE, B(COAP_LINKS), 400, 2, 2},
	{"bittorrent", 6881, B("d1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe"), NONE, NONE, 0, 0,
	 0},
	{"ubiquiti", 10001, B("\1\0\0\0"), B("\2\x08\0\0"), NONE, 0, 0, 0},
	{"tp240", 10074, B("call.startblast 2000 3\0"), NONE, NONE, 0, 0, 0},
	{"memcached", 11211, B(MEMCACHED_STATS), B(MEMCACHED_GETS), B(MEMCACHED_VALUE), 600, 0, 2},
	{"vxworks", 17185, B(VXWORKS_CALL), NONE, NONE, 0, 0, 0},
	{"steam", 27015, B("\xff\xff\xff\xffTSource Engine Query\0"), NONE,
	 B("\xff\xff\xff\xffI\x11Server\0map\0"), 120, 0, 0},
	{"quake3", 27960, B("\xff\xff\xff\xffgetstatus\n"), NONE, B("\xff\xff\xff\xffstatusResponse\n\\g_"),
	 580, 0, 0},
	{"plex", 32414, B(PLEX_SEARCH), NONE, NONE, 0, 0, 0},
	{"plex-32410", 32410, B(PLEX_SEARCH), NONE, NONE, 0, 0, 0},
	{"dvr", 37810, B(DVR_SEARCH), NONE, NONE, 0, 0, 0},
	{"bacnet", 47808, B(BACNET_READ), NONE, NONE, 0, 0, 0},
	{"netis", 53413, B("\x0a\0\0\0\0\0\0\0"), NONE, NONE, 0, 0, 0},
};

const int services_n = (int)ARRAY_LEN(services);

int service_find(const char *name)
{
	for (int i = 0; i < services_n; i++)
		if (strcmp(services[i].name, name) == 0)
			return i;
	return -1;
}

size_t service_request(const struct service *s, bool abuse, struct rng *r, uint8_t out[SERVICE_BYTES_MAX])
{
	bool other = abuse && s->abuse;
	size_t len = other ? s->abuse_len : s->request_len;

	memcpy(out, other ? s->abuse : s->request, len);
	for (size_t i = s->random_at; i < (size_t)s->random_at + s->random_len && i < len; i++)
		out[i] = (uint8_t)rng_u32(r);
	return len;
}

size_t service_answer(const struct service *s, struct rng *r, uint8_t out[SERVICE_BYTES_MAX])
{
	size_t len = s->answer_bytes;

	for (size_t at = 0; at < len; at += s->answer_len) {
		size_t n = len - at < s->answer_len ? len - at : s->answer_len;

		memcpy(out + at, s->answer, n);
	}
	if (s->random_at == 0 && s->random_len && s->random_len <= 4)
		for (size_t i = 0; i < s->random_len; i++)
			out[i] = (uint8_t)rng_u32(r);
	return len;
}
