// SPDX-License-Identifier: GPL-2.0-only
/*
 * Judgements on the dark prefixes: do their packets come here at all, and is this host silent about them? What
 * the kernel does with a packet to a dark address (measured on 6.18): route          IPv4 forwarding
 * off  on                IPv6 forwarding off  on local          answers              answers           answers
 * answers none           silent               ICMP unreachable  ICMPv6 unreachable   ICMPv6 unreachable
 *   unreachable    silent               ICMP unreachable  ICMPv6 unreachable   ICMPv6 unreachable
 *   unicast        silent               sends it on       silent               sends it on
 *   blackhole      silent               silent            silent               silent
 * Pure, see judge.h.
 */
#include "doctor/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"

#include <linux/rtnetlink.h>

/* Sets the subject; true (and the answer given) when there is nothing to judge. */
static bool unjudgeable(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	char text[PREFIX_TEXT_BYTES];

	snprintf(out->subject, sizeof(out->subject), "%.31s",
		 prefix_format(text, PREFIX_TEXT_BYTES, &in->config->prefixes[index].prefix));
	if (!in->host->routes_known)
		judge_say(out, SNAPSHOT_UNKNOWN, "the routing table could not be read");
	return !in->host->routes_known;
}

/* Does a feed pass dark packets on to this host's stack? */
static bool passes(const struct judge_input *in)
{
	for (size_t i = 0; i < in->config->interfaces_count; i++)
		if (!judge_feed_drops(in->config->interfaces[i].feed))
			return true;
	return false;
}

/* Routes that concern a dark prefix: those that cover it or lie in it, but not in a hole declared live. */
static bool concerns(const struct config *config, const struct prefix *dark, const struct host_route *route)
{
	if (!host_prefix_overlaps(dark, &route->to))
		return false;
	return route->to.length <= dark->length || judge_is_dark(config, &route->to);
}

/* A route to one of the host's own addresses: judge_own_address tells of it. */
static bool is_own_address(const struct host_facts *host, const struct host_route *route)
{
	for (size_t i = 0; i < host->addresses_count; i++) {
		struct prefix address = host->addresses[i].prefix;

		address.length = address.family == 4 ? 32 : 128;
		if (address.length == route->to.length && prefix_contains(&route->to, &address))
			return true;
	}
	return false;
}

/* Has the sensor taken this address out of what is dark, for as long as it is this host's? */
static bool is_taken_out(const struct judge_input *in, const struct prefix *address)
{
	uint32_t index;

	if (!in->plan)
		return false;
	return address->family == 4 ? !plan_lookup4(in->plan, plan_address4(address), &index)
				    : !plan_lookup6(in->plan, address->addr);
}

/* Feed self: the address of an interface that has it is dark on purpose. */
static bool is_self(const struct judge_input *in, const struct host_address *address)
{
	for (size_t i = 0; i < in->host->links_count; i++)
		if (in->host->links[i].ifindex == address->ifindex &&
		    in->config->interfaces[i].feed == AG_FEED_SELF)
			return true;
	return false;
}

/* Feed self: how many of the addresses are an interface's, as the sensor takes them. */
static size_t count_selves(const struct judge_input *in, const struct host_link *link)
{
	size_t count = 0;

	for (size_t i = 0; i < in->host->addresses_count; i++)
		count += in->host->addresses[i].reachable && in->host->addresses[i].ifindex == link->ifindex;
	return count;
}

/* The first interface with the feed self that is there and has no address that would be looked at. */
static const struct host_link *find_selfless(const struct judge_input *in)
{
	for (size_t i = 0; i < in->host->links_count && in->config->self_scope; i++)
		if (in->config->interfaces[i].feed == AG_FEED_SELF && !in->host->links[i].error &&
		    !count_selves(in, &in->host->links[i]))
			return &in->host->links[i];
	return NULL;
}

static void fault_selfless(const struct host_link *link, struct snapshot_check *out)
{
	char word[JUDGE_WORD_TEXT];

	snprintf(out->subject, sizeof(out->subject), "%.31s", link->name);
	if (link->master[0]) {
		judge_say(
			out, SNAPSHOT_FAULT,
			"feed self: no address that other hosts send to, so nothing is dark there; it is a port of %s",
			link->master);
		judge_cure(out, "# the addresses are the master's: name %s in place of %s",
			   judge_word(link->master, word), link->name);
		return;
	}
	judge_say(out, SNAPSHOT_FAULT,
		  "feed self: no address that other hosts send to, so nothing is dark there");
	judge_cure(out, "ip address add ADDRESS/LENGTH dev %s  # or wait for DHCP or SLAAC",
		   judge_word(link->called, word));
}

void judge_own_address(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	char text[PREFIX_TEXT_BYTES], plain[PREFIX_TEXT_BYTES], word[JUDGE_WORD_TEXT];
	const struct host_link *selfless = find_selfless(in);
	const struct host_address *first = NULL;
	size_t found = 0, selves = 0;

	(void)index;
	if (!in->host->addresses_known) {
		judge_say(out, SNAPSHOT_UNKNOWN, "this host's addresses could not be read");
		return;
	}
	for (size_t i = 0; i < in->host->addresses_count; i++) {
		struct prefix address = in->host->addresses[i].prefix;

		address.length = address.family == 4 ? 32 : 128;
		selves += in->host->addresses[i].reachable && is_self(in, &in->host->addresses[i]);
		if (!judge_is_dark(in->config, &address) || is_self(in, &in->host->addresses[i]))
			continue;
		found++;
		if (!first)
			first = &in->host->addresses[i];
	}
	if (!first && selfless) {
		fault_selfless(selfless, out);
		return;
	}
	if (!first && selves) {
		judge_say(out, SNAPSHOT_OK,
			  "feed self: %zu of this host's %zu addresses are looked at, and it lives there",
			  selves, in->host->addresses_count);
		return;
	}
	if (!first) {
		judge_say(out, SNAPSHOT_OK, "none of this host's %zu addresses is dark",
			  in->host->addresses_count);
		return;
	}
	snprintf(out->subject, sizeof(out->subject), "%.31s", judge_address_text(&first->prefix, plain));
	judge_say(out, SNAPSHOT_FAULT, "an address of this host is dark (of %zu such): %s", found,
		  is_taken_out(in, &first->prefix) ? "it is not counted as dark as long as it is this host's"
		  : passes(in)			   ? "it answers what is sent there"
						   : "what is sent there is dropped");
	judge_cure(out, "ip address delete %s dev %s  # or declare %s/%u live",
		   prefix_format(text, PREFIX_TEXT_BYTES, &first->prefix),
		   judge_word(first->interface[0] ? first->interface : "INTERFACE", word), plain,
		   first->prefix.family == 4 ? 32 : 128);
}

void judge_route_local(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct prefix *dark = &in->config->prefixes[index].prefix;
	char text[PREFIX_TEXT_BYTES], word[JUDGE_WORD_TEXT];

	if (unjudgeable(in, index, out))
		return;
	judge_say(out, SNAPSHOT_OK, "not routed to this host's sockets");
	for (size_t i = 0; i < in->host->routes_count; i++) {
		const struct host_route *route = &in->host->routes[i];

		if (route->type != RTN_LOCAL || !concerns(in->config, dark, route) ||
		    is_own_address(in->host, route))
			continue;
		prefix_format(text, PREFIX_TEXT_BYTES, &route->to);
		judge_say(out, passes(in) ? SNAPSHOT_FAULT : SNAPSHOT_WARNING,
			  "%s is a local route: this host answers%s", text,
			  passes(in) ? "" : " whenever the sensor does not run");
		judge_cure(out, "ip%s route delete local %s dev %s table %" PRIu32,
			   route->to.family == 4 ? "" : " -6", text,
			   judge_word(route->interface[0] ? route->interface : "lo", word), route->table);
		return;
	}
}

/* What becomes of a packet that no local route takes. */
enum fate { FATE_SILENT, FATE_SENT_ON, FATE_ANSWERED };

static enum fate fate_of(const struct host_route *route, uint8_t family, bool forwarding)
{
	if (!route || route->type == RTN_UNREACHABLE || route->type == RTN_PROHIBIT || route->type == RTN_THROW)
		return forwarding || family == 6 ? FATE_ANSWERED : FATE_SILENT;
	if (route->type == RTN_UNICAST && forwarding && !route->discards)
		return FATE_SENT_ON;
	return FATE_SILENT;
}

static bool is_main_table(const struct host_route *route)
{
	return route->table == RT_TABLE_MAIN || route->table == RT_TABLE_DEFAULT;
}

/* The route of the main table that takes the whole prefix, or NULL. */
static const struct host_route *find_route(const struct host_facts *host, const struct prefix *dark)
{
	const struct host_route *best = NULL;

	for (size_t i = 0; i < host->routes_count; i++) {
		const struct host_route *route = &host->routes[i];

		if (is_main_table(route) && prefix_contains(&route->to, dark) &&
		    (!best || route->to.length > best->to.length))
			best = route;
	}
	return best;
}

/* Is all of the prefix taken by a local route, before any other table is asked? */
static bool is_local(const struct host_facts *host, const struct prefix *dark)
{
	for (size_t i = 0; i < host->routes_count; i++)
		if (host->routes[i].type == RTN_LOCAL && prefix_contains(&host->routes[i].to, dark))
			return true;
	return false;
}

/* The interface whose packets fare worst: one that forwards and passes packets on, else one that forwards. */
static const struct host_link *find_forwarder(const struct judge_input *in, uint8_t family, bool *drops)
{
	const struct host_link *found = NULL;

	*drops = true;
	for (size_t i = 0; i < in->host->links_count; i++) {
		const struct host_link *link = &in->host->links[i];
		bool this_drops = judge_feed_drops(in->config->interfaces[i].feed);

		if (link->error || (family == 4 ? link->forwarding4 : link->forwarding6) != HOST_YES)
			continue;
		if (!found || (*drops && !this_drops)) {
			found = link;
			*drops = this_drops;
		}
	}
	return found;
}

static bool switch_unreadable(const struct judge_input *in, uint8_t family)
{
	for (size_t i = 0; i < in->host->links_count; i++) {
		const struct host_link *link = &in->host->links[i];

		if (!link->error && (family == 4 ? link->forwarding4 : link->forwarding6) == HOST_UNKNOWN)
			return true;
	}
	return false;
}

/* A blackhole for the prefix; where the kernel itself made the route, only the switch helps. */
static void cure_route(const struct host_route *route, const struct prefix *dark,
		       const struct host_link *forwarder, struct snapshot_check *out)
{
	bool exact = route && route->to.length >= dark->length;
	char text[PREFIX_TEXT_BYTES], key[JUDGE_WORD_TEXT], word[JUDGE_WORD_TEXT];

	prefix_format(text, PREFIX_TEXT_BYTES, exact ? &route->to : dark);
	if (!exact || !route->by_kernel || !forwarder) {
		judge_cure(out, "ip%s route %s blackhole %s", dark->family == 4 ? "" : " -6",
			   exact ? "replace" : "add", text);
		return;
	}
	if (dark->family == 6) {
		judge_cure(out, "sysctl -w net.ipv6.conf.all.forwarding=0");
		return;
	}
	/* sysctl wants the dots of an interface's name as slashes. */
	snprintf(key, sizeof(key), "%s", forwarder->called);
	for (char *dot = key; (dot = strchr(dot, '.')); dot++)
		*dot = '/';
	judge_cure(out, "sysctl -w net.ipv4.conf.%s.forwarding=0", judge_word(key, word));
}

static void say_fate(enum fate fate, const struct host_route *route, bool drops, struct snapshot_check *out)
{
	enum snapshot_state state = drops ? SNAPSHOT_WARNING : SNAPSHOT_FAULT;
	const char *when = drops ? " whenever the sensor does not run" : "";

	if (fate == FATE_SENT_ON) {
		char text[PREFIX_TEXT_BYTES];

		prefix_format(text, sizeof(text), &route->to);
		judge_say(out, state,
			  "forwarding is on and %s leads out%s%s: packets are sent on, and may loop%s", text,
			  route->interface[0] ? " of " : "", route->interface, when);
	} else {
		judge_say(out, state, "%s: this host answers with ICMP unreachable%s",
			  route ? "the route says unreachable" : "no route", when);
	}
}

void judge_route_forward(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct prefix *dark = &in->config->prefixes[index].prefix;
	const struct host_route *worst = NULL;
	const struct host_link *forwarder;
	enum fate fate = FATE_SILENT;
	bool drops;

	if (unjudgeable(in, index, out))
		return;
	forwarder = find_forwarder(in, dark->family, &drops);
	if (!forwarder && switch_unreadable(in, dark->family)) {
		judge_say(out, SNAPSHOT_UNKNOWN, "the forwarding switch could not be read");
		return;
	}
	if (!forwarder)
		drops = !passes(in);
	if (!is_local(in->host, dark)) {
		worst = find_route(in->host, dark);
		fate = fate_of(worst, dark->family, forwarder);
	}
	for (size_t i = 0; i < in->host->routes_count && fate == FATE_SILENT; i++) {
		const struct host_route *route = &in->host->routes[i];

		if (!is_main_table(route) || route->to.length <= dark->length ||
		    !concerns(in->config, dark, route) || is_own_address(in->host, route))
			continue;
		fate = fate_of(route, dark->family, forwarder);
		worst = route;
	}
	if (fate == FATE_SILENT) {
		judge_say(out, SNAPSHOT_OK, "this host neither answers nor sends on (forwarding %s)%s",
			  forwarder ? "on" : "off",
			  in->host->policy_rules == HOST_YES ? "; policy routing was not looked at" : "");
		return;
	}
	say_fate(fate, worst, drops, out);
	cure_route(worst, dark, forwarder, out);
}

/* Packets and questions for dark addresses, since the last look or since start; false: no sensor to ask. */
static bool count_questions(const struct judge_input *in, uint64_t *asked, uint64_t *dark)
{
	if (!in->snapshot)
		return false;
	*asked = in->snapshot->totals.outcome[AG_OUTCOME_ARP_DARK];
	*dark = in->snapshot->totals.dark;
	if (in->past) {
		*asked -= in->past->arp_dark;
		*dark -= in->past->dark;
	}
	return true;
}

/* An address of ours on a capturing interface whose subnet shares addresses with the prefix: its routers ask
 * for them. */
static const struct host_address *find_on_link(const struct judge_input *in, const struct prefix *dark,
					       const struct host_link **link)
{
	for (size_t i = 0; i < in->host->addresses_count; i++) {
		const struct host_address *address = &in->host->addresses[i];

		if (address->prefix.family != dark->family ||
		    address->prefix.length == (dark->family == 4 ? 32 : 128) ||
		    !host_prefix_overlaps(&address->prefix, dark))
			continue;
		for (size_t j = 0; j < in->host->links_count; j++) {
			*link = &in->host->links[j];
			if (!(*link)->error && (*link)->ifindex == address->ifindex &&
			    in->config->interfaces[j].feed != AG_FEED_MIRROR)
				return address;
		}
	}
	return NULL;
}

/* Is an address one of a capturing interface's, and not a link-local one? */
static bool is_reachable(const struct judge_input *in, const struct host_address *address)
{
	if (address->prefix.family == 6 && address->prefix.addr[0] == 0xfe)
		return false;
	for (size_t i = 0; i < in->host->links_count; i++)
		if (!in->host->links[i].error && in->host->links[i].ifindex == address->ifindex)
			return true;
	return false;
}

/* The address that a router should be told as next hop: best one that is not itself dark. */
static const struct host_address *find_next_hop(const struct judge_input *in, uint8_t family)
{
	const struct host_address *any = NULL;

	for (size_t i = 0; i < in->host->addresses_count; i++) {
		const struct host_address *address = &in->host->addresses[i];
		struct prefix whole = address->prefix;

		if (address->prefix.family != family || !is_reachable(in, address))
			continue;
		any = address;
		whole.length = family == 4 ? 32 : 128;
		if (!judge_is_dark(in->config, &whole))
			return address;
	}
	return any;
}

static void cure_neighbour(const struct judge_input *in, const struct prefix *dark, struct snapshot_check *out)
{
	const struct host_address *hop = find_next_hop(in, dark->family);
	char text[PREFIX_TEXT_BYTES], via[PREFIX_TEXT_BYTES];

	judge_cure(out, "ip%s route add %s via %s  # on the router that asks", dark->family == 4 ? "" : " -6",
		   prefix_format(text, PREFIX_TEXT_BYTES, dark),
		   hop ? judge_address_text(&hop->prefix, via) : "THIS_HOST");
}

static bool is_first_dark(const struct config *config, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (config->prefixes[i].scope)
			return false;
	return true;
}

static bool any_on_link(const struct judge_input *in)
{
	const struct host_link *link;

	for (size_t i = 0; i < in->config->prefixes_count; i++)
		if (in->config->prefixes[i].scope && find_on_link(in, &in->config->prefixes[i].prefix, &link))
			return true;
	return false;
}

void judge_neighbour(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct prefix *dark = &in->config->prefixes[index].prefix;
	const struct host_link *link = NULL;
	const struct host_address *address;
	uint64_t asked = 0, seen = 0;
	bool running;

	if (unjudgeable(in, index, out))
		return;
	running = count_questions(in, &asked, &seen);
	address = find_on_link(in, dark, &link);
	if (!address && (!asked || !is_first_dark(in->config, index) || any_on_link(in))) {
		judge_say(out, SNAPSHOT_OK, "not in a subnet of this host: reached by routing");
	} else if (address && (is_local(in->host, dark) || (dark->family == 4 && link->proxy_arp == HOST_YES &&
							    link->forwarding4 == HOST_YES))) {
		judge_say(out, SNAPSHOT_OK, "in a subnet of %s, but this host answers for it", link->name);
	} else if (asked > seen) {
		judge_say(out, SNAPSHOT_FAULT,
			  "%" PRIu64 " times asked who has a dark address, %" PRIu64 " packets "
			  "came: nobody answers, so they are not sent",
			  asked, seen);
		cure_neighbour(in, dark, out);
	} else if (asked) {
		judge_say(out, SNAPSHOT_WARNING,
			  "%" PRIu64 " times asked who has a dark address, beside %" PRIu64
			  " packets that came",
			  asked, seen);
		cure_neighbour(in, dark, out);
	} else if (seen) {
		judge_say(out, SNAPSHOT_OK, "in a subnet of %s, but its packets come, and nobody asks",
			  link->name);
	} else {
		judge_say(out, SNAPSHOT_WARNING,
			  "in a subnet of %s: routers ask who has these addresses, and nobody "
			  "answers%s",
			  link->name, running ? "" : " (unless they have a route)");
		cure_neighbour(in, dark, out);
	}
}
