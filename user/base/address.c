// SPDX-License-Identifier: GPL-2.0-only
/*
 * Addresses and prefixes as text (address.h).
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"

#define MAPPED_BITS 96 /* of ::ffff:0:0, behind which an IPv4 address stands */

/* Zeroes the bits behind the length; true if one was set. */
static bool clear_host_bits(struct prefix *prefix)
{
	unsigned int bits = prefix->family == 4 ? 32 : 128;
	bool cleared = false;

	for (unsigned int bit = prefix->length; bit < bits; bit++) {
		uint8_t mask = (uint8_t)(0x80u >> (bit % 8));

		if (prefix->addr[bit / 8] & mask) {
			prefix->addr[bit / 8] = (uint8_t)(prefix->addr[bit / 8] & ~mask);
			cleared = true;
		}
	}
	return cleared;
}

int prefix_parse_address(struct prefix *out, const char *text, char *why, size_t why_size)
{
	struct prefix prefix = {};

	if (inet_pton(AF_INET, text, prefix.addr) == 1) {
		prefix.family = 4;
		prefix.length = 32;
	} else if (inet_pton(AF_INET6, text, prefix.addr) == 1) {
		prefix.family = 6;
		prefix.length = 128;
	} else {
		snprintf(why, why_size, "\"%.60s\" is not an IPv4 or IPv6 address", text);
		return -EINVAL;
	}
	*out = prefix;
	return 0;
}

char *address_format(char *buffer, size_t size, uint64_t hi, uint64_t lo, bool v6)
{
	uint64_t words[2] = {htobe64(hi), htobe64(lo)};
	uint32_t word = htonl((uint32_t)lo);

	inet_ntop(v6 ? AF_INET6 : AF_INET, v6 ? (const void *)words : &word, buffer, (socklen_t)size);
	return buffer;
}

int address_parse(uint64_t *hi, uint64_t *lo, bool *v6, const char *text, char *why, size_t why_size)
{
	struct prefix address;
	uint64_t words[2];
	uint32_t word;
	int err = prefix_parse_address(&address, text, why, why_size);

	if (err)
		return err;
	memcpy(words, address.addr, sizeof(words));
	memcpy(&word, address.addr, sizeof(word));
	*v6 = address.family == 6;
	*hi = *v6 ? be64toh(words[0]) : 0;
	*lo = *v6 ? be64toh(words[1]) : ntohl(word);
	return 0;
}

static int parse_length(const char *text, unsigned int limit, unsigned int *out)
{
	unsigned int value = 0;

	if (!*text || strlen(text) > 3 || (text[0] == '0' && text[1]))
		return -EINVAL;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
		value = value * 10 + (unsigned int)(*text - '0');
	}
	*out = value;
	return value <= limit ? 0 : -EINVAL;
}

int prefix_parse(struct prefix *out, const char *text, char *why, size_t why_size)
{
	char address[INET6_ADDRSTRLEN + 1], meant[PREFIX_TEXT_BYTES];
	const char *slash = strchr(text, '/');
	size_t length = slash ? (size_t)(slash - text) : strlen(text);
	struct prefix prefix;
	unsigned int bits, most;
	static const uint8_t mapped[MAPPED_BITS / 8] = {[10] = 0xff, [11] = 0xff};

	if (length >= sizeof(address)) {
		snprintf(why, why_size,
			 "\"%.60s\" is not a prefix; write one like 203.0.113.0/24 or 2001:db8::/32", text);
		return -EINVAL;
	}
	memcpy(address, text, length);
	address[length] = '\0';
	if (prefix_parse_address(&prefix, address, why, why_size)) {
		snprintf(why, why_size,
			 "\"%.60s\" is not a prefix; write one like 203.0.113.0/24 or 2001:db8::/32", text);
		return -EINVAL;
	}
	most = prefix.length;
	bits = most;
	if (slash && parse_length(slash + 1, most, &bits)) {
		snprintf(why, why_size, "\"%.60s\": the length behind the slash must be a number from 0 to %u",
			 text, most);
		return -EINVAL;
	}
	prefix.length = (uint8_t)bits;
	if (prefix.family == 6 && bits >= MAPPED_BITS && !memcmp(prefix.addr, mapped, sizeof(mapped))) {
		snprintf(why, why_size,
			 "\"%.60s\" is an IPv4 prefix in IPv6 clothes, which no packet has; write it as IPv4",
			 text);
		return -EINVAL;
	}
	if (clear_host_bits(&prefix)) {
		snprintf(why, why_size, "\"%.60s\" has bits set behind its length; write %s", text,
			 prefix_format(meant, sizeof(meant), &prefix));
		return -EINVAL;
	}
	*out = prefix;
	return 0;
}

char *prefix_format(char *buffer, size_t size, const struct prefix *prefix)
{
	char address[INET6_ADDRSTRLEN] = "?";

	inet_ntop(prefix->family == 4 ? AF_INET : AF_INET6, prefix->addr, address, sizeof(address));
	snprintf(buffer, size, "%s/%u", address, prefix->length);
	return buffer;
}

bool prefix_contains(const struct prefix *outer, const struct prefix *inner)
{
	unsigned int whole = outer->length / 8, rest = outer->length % 8;

	if (outer->family != inner->family || outer->length > inner->length)
		return false;
	if (memcmp(outer->addr, inner->addr, whole))
		return false;
	return !rest || !((outer->addr[whole] ^ inner->addr[whole]) >> (8 - rest));
}

int prefix_compare(const struct prefix *a, const struct prefix *b)
{
	int order;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	order = memcmp(a->addr, b->addr, sizeof(a->addr));
	return order ? order : (int)a->length - (int)b->length;
}

/* One part of a list into buffer, without the spaces around it. */
static int copy_part(char *buffer, size_t size, const char *start, size_t length)
{
	while (length && isspace((unsigned char)*start)) {
		start++;
		length--;
	}
	while (length && isspace((unsigned char)start[length - 1]))
		length--;
	if (!length || length >= size)
		return -EINVAL;
	memcpy(buffer, start, length);
	buffer[length] = '\0';
	return 0;
}

int list_each(const char *list, int (*visit)(void *arg, const char *part, char *why, size_t why_size),
	      void *arg, char *why, size_t why_size)
{
	char part[128];

	for (const char *start = list;; start++) {
		size_t length = strcspn(start, ",");
		int err = copy_part(part, sizeof(part), start, length);

		if (err)
			snprintf(why, why_size, "\"%.60s\" has an empty or overlong part between its commas",
				 list);
		else
			err = visit(arg, part, why, why_size);
		if (err)
			return err;
		start += length;
		if (!*start)
			return 0;
	}
}
