// SPDX-License-Identifier: GPL-2.0-only
/*
 * Own addresses and the plan (own.h). The kernel is asked for all of them each time: a message about one may be
 * lost when many come at once.
 */
#include "cli/own.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/log.h"

#define OWN_MAX 128 /* own addresses that are dark by configuration */

struct own_address {
	struct prefix prefix;
	enum { NEW, OUT, REFUSED } state; /* refused: it could not be taken out, and that was said */
};

struct own {
	const struct config *config;
	bool drops;
	struct own_address out[OWN_MAX]; /* that the host had at the last look */
	size_t count;
};

static bool config_drops(const struct config *config)
{
	for (size_t i = 0; i < config->interfaces_count; i++)
		if (config_feed_drops(config->interfaces[i].feed))
			return true;
	return false;
}

/* The address as a prefix of its whole length; false: neither IPv4 nor IPv6. */
static bool read_address(const struct ifaddrs *at, struct prefix *prefix)
{
	memset(prefix, 0, sizeof(*prefix));
	if (!at->ifa_addr)
		return false;
	if (at->ifa_addr->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)at->ifa_addr;

		prefix->family = 4;
		prefix->length = 32;
		memcpy(prefix->addr, &v4->sin_addr, 4);
		return true;
	}
	if (at->ifa_addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)at->ifa_addr;

		prefix->family = 6;
		prefix->length = 128;
		memcpy(prefix->addr, &v6->sin6_addr, 16);
		return true;
	}
	return false;
}

static const char *text_of(const struct prefix *address, char text[INET6_ADDRSTRLEN])
{
	return inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->addr, text, INET6_ADDRSTRLEN);
}

int own_check(const struct config *config, char *why, size_t why_size)
{
	char text[INET6_ADDRSTRLEN];
	struct ifaddrs *list = NULL;
	int err = 0;

	if (!config_drops(config) || getifaddrs(&list))
		return 0;
	for (const struct ifaddrs *at = list; at && !err; at = at->ifa_next) {
		struct prefix address;

		if (!read_address(at, &address) || !config_scope_of(config, &address))
			continue;
		text_of(&address, text);
		snprintf(
			why, why_size,
			"%s is an address of this host (%s) inside a dark prefix, and the feed would drop its packets; "
			"take it out with --live %s or use --feed observe",
			text, at->ifa_name, text);
		err = -EADDRINUSE;
	}
	freeifaddrs(list);
	return err;
}

struct own *own_new(const struct config *config)
{
	struct own *own = calloc(1, sizeof(*own));

	if (own) {
		own->config = config;
		own->drops = config_drops(config);
	}
	return own;
}

void own_free(struct own **own)
{
	free(*own);
	*own = NULL;
}

static struct own_address *find(struct own_address *list, size_t count, const struct prefix *address)
{
	for (size_t i = 0; i < count; i++)
		if (!memcmp(&list[i].prefix, address, sizeof(*address)))
			return &list[i];
	return NULL;
}

/* Own addresses that are dark by configuration, each once; -errno. */
static int look(const struct own *own, struct own_address now[OWN_MAX], size_t *count)
{
	struct ifaddrs *list;

	*count = 0;
	if (getifaddrs(&list))
		return -errno;
	for (const struct ifaddrs *at = list; at && *count < OWN_MAX; at = at->ifa_next) {
		struct own_address *next = &now[*count];

		*next = (struct own_address){};
		if (read_address(at, &next->prefix) && config_scope_of(own->config, &next->prefix) &&
		    !find(now, *count, &next->prefix))
			(*count)++;
	}
	freeifaddrs(list);
	return 0;
}

/* The IPv6 ranges of the configuration, but for these addresses. */
static int set_ranges6(struct plan *plan, const struct config *config, const struct own_address *out,
		       size_t count)
{
	struct plan_prefix *all = calloc(config->prefixes_count + count + 1, sizeof(*all));
	size_t used = config->prefixes_count;
	int err;

	if (!all)
		return -ENOMEM;
	memcpy(all, config->prefixes, used * sizeof(*all));
	for (size_t i = 0; i < count; i++)
		if (out[i].prefix.family == 6)
			all[used++] = (struct plan_prefix){.prefix = out[i].prefix};
	err = plan_set6(plan, all, used);
	free(all);
	return err;
}

/* What came of taking an address out. Said once; true when it is out and was not before. */
static bool settle(struct own_address *address, const struct own_address *before, int err)
{
	char text[INET6_ADDRSTRLEN];

	address->state = err ? REFUSED : OUT;
	if (before && before->state == address->state)
		return false;
	text_of(&address->prefix, text);
	if (err)
		log_warnx(
			"%s is an address of this host inside a dark prefix, and could not be taken out of it (%s): "
			"its packets are dropped; declare it live and start again",
			text, strerror(-err));
	else
		log_warnx("%s is an address of this host now: it is not dark for as long as that lasts", text);
	return !err;
}

/* Those that the host has no more. */
static bool put_back(struct own *own, struct own_address *now, size_t count, struct plan *plan)
{
	char text[INET6_ADDRSTRLEN];
	bool changed = false;

	for (size_t i = 0; i < own->count; i++) {
		const struct prefix *address = &own->out[i].prefix;

		if (find(now, count, address))
			continue;
		log_info("%s is no address of this host any more: it is dark again", text_of(address, text));
		if (address->family == 4 && own->out[i].state == OUT &&
		    !plan_set4(plan, plan_address4(address), config_scope_of(own->config, address)))
			changed = true;
	}
	return changed;
}

static bool take_out4(struct own *own, struct own_address *now, size_t count, struct plan *plan)
{
	bool changed = false;

	for (size_t i = 0; i < count; i++) {
		const struct own_address *before = find(own->out, own->count, &now[i].prefix);
		bool is_out = before && before->state == OUT;

		if (now[i].prefix.family != 4)
			continue;
		if (settle(&now[i], before, is_out ? 0 : plan_set4(plan, plan_address4(&now[i].prefix), 0)))
			changed = true;
	}
	return changed;
}

/* Ranges cannot be changed one by one: all anew when one came or went. */
static bool follow6(struct own *own, struct own_address *now, size_t count, struct plan *plan)
{
	bool differ = false;
	int err = 0;

	for (size_t i = 0; i < own->count; i++)
		differ |= own->out[i].prefix.family == 6 && !find(now, count, &own->out[i].prefix);
	for (size_t i = 0; i < count; i++) {
		const struct own_address *before = find(own->out, own->count, &now[i].prefix);

		differ |= now[i].prefix.family == 6 && !(before && before->state == OUT);
	}
	if (differ)
		err = set_ranges6(plan, own->config, now, count);
	for (size_t i = 0; i < count; i++) {
		const struct own_address *before = find(own->out, own->count, &now[i].prefix);
		bool is_out = before && before->state == OUT;

		if (now[i].prefix.family == 6)
			settle(&now[i], before, is_out ? 0 : err);
	}
	return differ && !err;
}

bool own_follow(struct own *own, struct plan *plan)
{
	struct own_address now[OWN_MAX];
	bool changed;
	size_t count;

	if (!own->drops || look(own, now, &count))
		return false;
	changed = put_back(own, now, count, plan);
	changed = take_out4(own, now, count, plan) || changed;
	changed = follow6(own, now, count, plan) || changed;
	memcpy(own->out, now, count * sizeof(now[0]));
	own->count = count;
	return changed;
}

bool own_renew(struct own *own, const struct config *config, struct plan *plan)
{
	own->config = config;
	own->drops = config_drops(config);
	own->count = 0;
	return own_follow(own, plan);
}
