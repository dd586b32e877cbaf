// SPDX-License-Identifier: GPL-2.0-only
/*
 * addr.c - addresses and prefixes: text, membership, and the numbering of the address spaces that
 * actors draw their sources and targets from.
 */
#include "addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* IPv4 that is never a source on the Internet: first address, bits. */
static const struct {
	uint32_t net;
	unsigned int len;
} reserved[] = {
	{0x00000000, 8},  {0x0a000000, 8},  {0x64400000, 10}, {0x7f000000, 8},	{0xa9fe0000, 16},
	{0xac100000, 12}, {0xc0000000, 24}, {0xc0000200, 24}, {0xc0586300, 24}, {0xc0a80000, 16},
	{0xc6120000, 15}, {0xc6336400, 24}, {0xcb007100, 24}, {0xe0000000, 3},
};

static bool is_reserved(uint32_t ip)
{
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if ((ip ^ reserved[i].net) >> (32 - reserved[i].len) == 0)
			return true;
	return false;
}

struct addr addr_v4(uint32_t host_order)
{
	struct addr a = {.is6 = false};

	put32(a.b, host_order);
	return a;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->is6 == b->is6 && memcmp(a->b, b->b, 16) == 0;
}

void addr_text(const struct addr *a, char out[PREFIX_TEXT])
{
	inet_ntop(a->is6 ? AF_INET6 : AF_INET, a->b, out, PREFIX_TEXT);
}

void prefix_text(const struct prefix *p, char out[PREFIX_TEXT])
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(p->addr.is6 ? AF_INET6 : AF_INET, p->addr.b, address, sizeof(address));
	snprintf(out, PREFIX_TEXT, "%s/%u", address, p->len);
}

static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits)
{
	unsigned int whole = bits / 8, rest = bits % 8;

	if (memcmp(a, b, whole) != 0)
		return false;
	return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

int prefix_parse(const char *text, struct prefix *out, const char **why)
{
	char copy[PREFIX_TEXT];
	struct prefix p = {0};
	struct prefix host;
	char *slash;
	unsigned int max;

	*why = "it is no address";
	if (strlen(text) >= sizeof(copy))
		return -1;
	strcpy(copy, text);
	slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	p.addr.is6 = strchr(copy, ':') != NULL;
	if (inet_pton(p.addr.is6 ? AF_INET6 : AF_INET, copy, p.addr.b) != 1)
		return -1;
	max = p.addr.is6 ? 128 : 32;
	p.len = max;
	if (slash) {
		unsigned long len;
		char *end;

		*why = "its length is no number of bits that fits";
		errno = 0;
		len = strtoul(slash + 1, &end, 10);
		if (slash[1] < '0' || slash[1] > '9' || *end != '\0' || errno || len > max)
			return -1;
		p.len = (unsigned int)len;
	}
	host = p;
	for (unsigned int bit = p.len; bit < max; bit++)
		host.addr.b[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	*why = "it has bits set behind its length";
	if (!addr_equal(&host.addr, &p.addr))
		return -1;
	*out = p;
	return 0;
}

int prefix_add(struct prefix_list *list, const struct prefix *p)
{
	struct prefix *v = realloc(list->v, (list->n + 1) * sizeof(*v));

	if (!v)
		return complain("no memory for a list of prefixes");
	list->v = v;
	v[list->n++] = *p;
	if (p->addr.is6)
		list->v6_count++;
	else
		list->v4_total += 1ULL << (32 - p->len);
	return 0;
}

void prefix_list_free(struct prefix_list *list)
{
	free(list->v);
	memset(list, 0, sizeof(*list));
}

bool prefix_has(const struct prefix *p, const struct addr *a)
{
	return p->addr.is6 == a->is6 && bits_equal(p->addr.b, a->b, p->len);
}

int prefix_find(const struct prefix_list *list, const struct addr *a)
{
	int best = -1;

	for (size_t i = 0; i < list->n; i++)
		if (prefix_has(&list->v[i], a) && (best < 0 || list->v[i].len > list->v[best].len))
			best = (int)i;
	return best;
}

bool prefix_overlap(const struct prefix *a, const struct prefix *b)
{
	const struct prefix *wide = a->len < b->len ? a : b;

	return prefix_has(wide, wide == a ? &b->addr : &a->addr);
}

/* The n-th address of an IPv6 prefix: the low 64 bits count, half of the numbers are spread by hash. */
static struct addr nth_v6(const struct prefix *p, uint64_t n)
{
	struct addr a = p->addr;
	uint64_t word[2] = {0, n};

	/* Scanners of IPv6 try low addresses of known networks and random ones; odd numbers are the latter. */
	if (n & 1) {
		word[0] = mix64(n);
		word[1] = mix64(n ^ 0x5bd1e995);
	}
	for (unsigned int bit = p->len; bit < 128; bit++)
		if (word[bit / 64] >> (63 - bit % 64) & 1)
			a.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return a;
}

struct addr addr_nth(const struct prefix_list *list, bool is6, uint64_t n)
{
	uint64_t skip;

	if (is6)
		skip = n % list->v6_count;
	else
		skip = n % list->v4_total;
	for (size_t i = 0; i < list->n; i++) {
		const struct prefix *p = &list->v[i];

		if (p->addr.is6 != is6)
			continue;
		if (is6) {
			if (skip-- == 0)
				return nth_v6(p, n / list->v6_count);
			continue;
		}
		if (skip < 1ULL << (32 - p->len))
			return addr_v4(get32(p->addr.b) + (uint32_t)skip);
		skip -= 1ULL << (32 - p->len);
	}
	return list->v[0].addr;
}

static struct addr public_v6(uint64_t key, uint64_t n)
{
	struct addr a = {.is6 = true};
	uint64_t net = mix64(key ^ n), host = n * 2 + 1;

	/* 2a00::/12 and 2400::/12, a network and a host number each source */
	put16(a.b, 0x2a00 | (uint32_t)(net & 0xf));
	if (net & 0x10)
		put16(a.b, 0x2400 | (uint32_t)(net & 0xf));
	put16(a.b + 2, (uint32_t)(net >> 16) & 0xffff);
	put32(a.b + 4, (uint32_t)(net >> 32));
	put32(a.b + 8, (uint32_t)(host >> 32));
	put32(a.b + 12, (uint32_t)host);
	return a;
}

struct addr addr_public(uint64_t key, uint64_t n, bool is6, const struct prefix_list *not_in)
{
	uint32_t ip = (uint32_t)n;
	struct addr a;

	if (is6)
		return public_v6(key, n);
	/* A bijection walked until it leaves the forbidden set stays injective. */
	do {
		ip = mix32(ip + (uint32_t)key);
		a = addr_v4(ip);
	} while (is_reserved(ip) || prefix_find(not_in, &a) >= 0);
	return a;
}
