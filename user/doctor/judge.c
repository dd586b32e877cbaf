// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of checks, and what the judges share: words, modes, addresses.
 */
#include "doctor/judge.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "collect/nic_table.h"

_Static_assert(DOCTOR_CHECK_MAX <= SNAPSHOT_CHECKS_MAX, "each check has at least one result");

static const struct {
	enum judge_subject subject;
	judge_function *judge;
} judges[DOCTOR_CHECK_MAX] = {
	[DOCTOR_LINK] = {JUDGE_INTERFACE, judge_link},
	[DOCTOR_XDP_PROGRAM] = {JUDGE_INTERFACE, judge_xdp_program},
	[DOCTOR_XDP_MODE] = {JUDGE_INTERFACE, judge_xdp_mode},
	[DOCTOR_PROMISCUOUS] = {JUDGE_INTERFACE, judge_promiscuous},
	[DOCTOR_VLAN_STRIP] = {JUDGE_INTERFACE, judge_vlan_strip},
	[DOCTOR_LRO] = {JUDGE_INTERFACE, judge_lro},
	[DOCTOR_GRO] = {JUDGE_INTERFACE, judge_gro},
	[DOCTOR_VETH_PEER] = {JUDGE_INTERFACE, judge_veth_peer},
	[DOCTOR_RX_RING] = {JUDGE_INTERFACE, judge_rx_ring},
	[DOCTOR_NIC_DROPS] = {JUDGE_INTERFACE, judge_nic_drops},
	[DOCTOR_QUEUES] = {JUDGE_INTERFACE, judge_queues},
	[DOCTOR_MTU] = {JUDGE_INTERFACE, judge_mtu},
	[DOCTOR_OWN_ADDRESS] = {JUDGE_HOST, judge_own_address},
	[DOCTOR_ROUTE_LOCAL] = {JUDGE_PREFIX, judge_route_local},
	[DOCTOR_ROUTE_FORWARD] = {JUDGE_PREFIX, judge_route_forward},
	[DOCTOR_NEIGHBOUR] = {JUDGE_PREFIX, judge_neighbour},
	[DOCTOR_SILENT] = {JUDGE_SCOPE, judge_silent},
	[DOCTOR_LIVE_HOSTS] = {JUDGE_HOST, judge_live_hosts},
	[DOCTOR_CLOCK] = {JUDGE_HOST, judge_clock},
	[DOCTOR_KERNEL] = {JUDGE_HOST, judge_kernel},
	[DOCTOR_CPUS] = {JUDGE_HOST, judge_cpus},
};

enum judge_subject judge_subject_of(enum doctor_check check)
{
	return judges[check].subject;
}

void judge_name(enum doctor_check check, struct snapshot_check *out)
{
	static const char *const labels[DOCTOR_CHECK_MAX] = {
#define AG_CHECK(name, label, help) [DOCTOR_##name] = label,
#include "airglow/check.def"
	};

	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), "%s", labels[check]);
}

void judge_run(enum doctor_check check, const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	judge_name(check, out);
	judges[check].judge(in, index, out);
}

const struct snapshot_interface *judge_interface(const struct judge_input *in, const char *name)
{
	for (unsigned int i = 0; in->snapshot && i < in->snapshot->interfaces_count; i++)
		if (!strcmp(in->snapshot->interfaces[i].name, name))
			return &in->snapshot->interfaces[i];
	return NULL;
}

enum judge_mode judge_mode_of(const struct judge_input *in, size_t interface)
{
	const struct host_link *link = &in->host->links[interface];
	const struct snapshot_interface *running = judge_interface(in, link->name);

	if (running && running->xdp_mode[0])
		return strcmp(running->xdp_mode, "generic") ? JUDGE_MODE_NATIVE : JUDGE_MODE_GENERIC;
	if (link->xdp != HOST_XDP_NONE)
		return link->xdp == HOST_XDP_GENERIC ? JUDGE_MODE_GENERIC : JUDGE_MODE_NATIVE;
	switch (in->config->interfaces[interface].mode) {
	case CONFIG_MODE_NATIVE:
		return JUDGE_MODE_NATIVE;
	case CONFIG_MODE_GENERIC:
		return JUDGE_MODE_GENERIC;
	default:
		return link->native_xdp == HOST_NO ? JUDGE_MODE_GENERIC : JUDGE_MODE_OPEN;
	}
}

bool judge_feed_drops(enum ag_feed feed)
{
	static const bool drops_of[AG_FEED_MAX] = {
#define AG_FEED(name, label, drops, help) [AG_FEED_##name] = drops,
#include "airglow/feed.def"
#undef AG_FEED
	};

	return feed < AG_FEED_MAX && drops_of[feed];
}

bool judge_is_dark(const struct config *config, const struct prefix *address)
{
	return config_scope_of(config, address) != 0;
}

const char *judge_address_text(const struct prefix *address, char *text)
{
	if (!inet_ntop(address->family == 4 ? AF_INET : AF_INET6, address->addr, text, PREFIX_TEXT_BYTES))
		text[0] = '\0';
	return text;
}

const char *judge_word(const char *name, char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:@-";

	if (!name[strspn(name, plain)] && name[0] != '-')
		snprintf(word, JUDGE_WORD_TEXT, "%s", name);
	else if (!strchr(name, '\''))
		snprintf(word, JUDGE_WORD_TEXT, "'%s'", name);
	else
		snprintf(word, JUDGE_WORD_TEXT, "INTERFACE");
	return word;
}

void judge_say(struct snapshot_check *out, enum snapshot_state state, const char *format, ...)
{
	va_list arguments;

	out->state = state;
	va_start(arguments, format);
	vsnprintf(out->value, sizeof(out->value), format, arguments);
	va_end(arguments);
}

void judge_cure(struct snapshot_check *out, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(out->remedy, sizeof(out->remedy), format, arguments);
	va_end(arguments);
}

uint64_t judge_lost(const struct snapshot_nic_counter *counters, unsigned int count, bool *known)
{
	uint64_t lost = 0;

	*known = false;
	for (unsigned int i = 0; i < count; i++) {
		if (!counters[i].known || !nic_table_lost(counters[i].name))
			continue;
		*known = true;
		lost += counters[i].packets;
	}
	return lost;
}
