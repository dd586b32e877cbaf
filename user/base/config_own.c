// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration of feed self: the word `self` among the dark prefixes, the ports that are served without a
 * socket of this host, and the alerts that are off beside it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/config_rows.h"

#define PROTO_TCP 6
#define PROTO_UDP 17

bool config_uses_self(const struct config *config)
{
	if (config->replay)
		return config->own_flows;
	for (size_t i = 0; i < config->interfaces_count; i++)
		if (config->interfaces[i].feed == AG_FEED_SELF)
			return true;
	return false;
}

struct ag_thresholds config_thresholds(const struct config *config)
{
	struct ag_thresholds thresholds = config->thresholds;

	/* What answers as a server gets requests of its own users, many of them from one address. */
	if (config_uses_self(config))
		thresholds.reflection_requests = 0;
	return thresholds;
}

int config_add_self(struct config *config, unsigned int scope, char *why, size_t why_size)
{
	if (!scope) {
		snprintf(why, why_size,
			 "self cannot be a hole; leave it out of dark, or give the addresses that are in use");
		return -EINVAL;
	}
	if (config->self_scope) {
		snprintf(why, why_size, "self is given twice; keep one of them");
		return -EEXIST;
	}
	config->self_scope = scope;
	return 0;
}

/* Decimal, the whole text. */
static int parse_port(uint16_t *out, const char *text, size_t length)
{
	unsigned long value = 0;

	if (!length || length > 5 || strspn(text, "0123456789") < length)
		return -EINVAL;
	for (size_t i = 0; i < length; i++)
		value = value * 10 + (unsigned long)(text[i] - '0');
	if (value > UINT16_MAX)
		return -EINVAL;
	*out = (uint16_t)value;
	return 0;
}

static int parse_live_ports(struct config_live_ports *out, const char *text)
{
	const char *first, *dash;
	size_t length;

	if (strncmp(text, "tcp/", 4) && strncmp(text, "udp/", 4))
		return -EINVAL;
	out->protocol = text[0] == 't' ? PROTO_TCP : PROTO_UDP;
	first = text + 4;
	length = strcspn(first, "-");
	if (parse_port(&out->first, first, length))
		return -EINVAL;
	dash = first + length;
	out->last = out->first;
	if (*dash && (parse_port(&out->last, dash + 1, strlen(dash + 1)) || out->last < out->first))
		return -EINVAL;
	return 0;
}

static int add_live_ports(void *arg, const char *part, char *why, size_t why_size)
{
	struct config *config = arg;
	struct config_live_ports ports;

	if (parse_live_ports(&ports, part)) {
		snprintf(why, why_size,
			 "\"%.60s\" names no live ports; write tcp/PORT or udp/PORT, or FIRST-LAST for PORT",
			 part);
		return -EINVAL;
	}
	for (size_t i = 0; i < config->live_ports_count; i++) {
		const struct config_live_ports *other = &config->live_ports[i];

		if (other->protocol != ports.protocol || other->last < ports.first || other->first > ports.last)
			continue;
		snprintf(why, why_size, "some of the live ports %.60s are given twice; keep one of them", part);
		return -EEXIST;
	}
	if (config->live_ports_count == CONFIG_LIVE_PORTS_MAX) {
		snprintf(why, why_size, "the live ports %.60s are one entry too many; at most %d are possible",
			 part, CONFIG_LIVE_PORTS_MAX);
		return -ENOSPC;
	}
	config->live_ports[config->live_ports_count++] = ports;
	return 0;
}

int config_add_live_ports(struct config *config, const char *list, char *why, size_t why_size)
{
	return list_each(list, add_live_ports, config, why, why_size);
}

static char *live_ports_text(const struct config_live_ports *ports)
{
	const char *protocol = ports->protocol == PROTO_TCP ? "tcp" : "udp";
	char *text;
	int length = ports->first == ports->last
			     ? asprintf(&text, "%s/%u", protocol, ports->first)
			     : asprintf(&text, "%s/%u-%u", protocol, ports->first, ports->last);

	return length < 0 ? NULL : text;
}

bool config_put_live_ports(char ***out, uint32_t *count, const struct config *config)
{
	*out = calloc(config->live_ports_count + 1, sizeof(**out));
	if (!*out)
		return false;
	for (size_t i = 0; i < config->live_ports_count; i++) {
		(*out)[*count] = live_ports_text(&config->live_ports[i]);
		if (!(*out)[(*count)++])
			return false;
	}
	return true;
}

void config_write_live_ports(const struct config *config, struct ag_live_ports *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < config->live_ports_count; i++) {
		const struct config_live_ports *ports = &config->live_ports[i];
		__u64 *bits = ports->protocol == PROTO_TCP ? out->tcp : out->udp;

		for (unsigned int port = ports->first; port <= ports->last; port++)
			bits[port / 64] |= 1ULL << (port % 64);
	}
}

int config_check_self(const struct config *config, char *why, size_t why_size)
{
	bool uses = config_uses_self(config);

	if (config->self_scope && !uses) {
		snprintf(
			why, why_size,
			"self makes this host's own addresses dark, and only the feed self tells what nobody asked for "
			"from what was; use --feed self, or feed: self beside the interface");
		return -EINVAL;
	}
	if (config->live_ports_count && !uses) {
		snprintf(
			why, why_size,
			"live ports are for the feed self, and no interface has it; use --feed self, or leave them out");
		return -EINVAL;
	}
	for (size_t i = 0; i < config->interfaces_count && config->self_scope; i++) {
		enum ag_feed feed = config->interfaces[i].feed;

		if (feed == AG_FEED_SELF)
			continue;
		snprintf(why, why_size,
			 "%s has the feed %s, %s, and self makes this host's own addresses dark; "
			 "give it the feed self, or count on it with a sensor of its own",
			 config->interfaces[i].name, config_feed_label(feed),
			 config_feed_drops(feed) ? "which drops what is dark"
						 : "which does not ask what this host's sockets asked for");
		return -EINVAL;
	}
	return 0;
}
