/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * account: every packet is entered twice, as in double-entry book-keeping. The left side of each law is booked
 * before its right sides, so that a reader who waits for the packets in flight between reading the two always
 * finds right >= left. No figure here is computed from another.
 */
#ifndef AIRGLOW_BPF_ACCOUNT_H
#define AIRGLOW_BPF_ACCOUNT_H

#include "bpf/bind.h"
#include "bpf/packet.h"
#include "bpf/parse_ip.h"

/* The books that this packet is entered in: one CPU's own, or the shared slice, which needs atomics. */
struct ledger {
	struct ag_counters *counters;
	struct ag_ports *ports;
	struct ag_icmp *icmp;
	__u32 slice;
	bool shared;
};

AG_INLINE bool ledger_open(struct ledger *l, __u32 cpu)
{
	const volatile struct ag_rodata *ro = bind_rodata();
	__u32 slice = cpu < AG_CPUS_MAX ? ro->slice_of[ag_bounded(cpu, AG_CPUS_MAX)] : ro->slices;

	l->slice = slice;
	l->shared = slice >= ro->slices;
	l->counters = bind_counters(slice);
	l->ports = bind_ports(slice);
	l->icmp = bind_icmp();
	return l->counters && l->ports && l->icmp;
}

AG_INLINE void book(const struct ledger *l, __u64 *counter, __u64 amount)
{
	if (l->shared)
		__sync_fetch_and_add(counter, amount);
	else
		*counter += amount;
}

/* Entered before any header is read: the left side of L1. */
AG_INLINE void account_received(const struct ledger *l, const struct packet *p, const struct head *h)
{
	book(l, &l->counters->received, 1);
	book(l, &l->counters->wire_bytes, h->wirelen);
	book(l, &l->counters->interface[ag_bounded(p->interface, AG_INTERFACES_MAX)], 1);
}

AG_INLINE __u32 size_of(__u32 bytes)
{
	__u32 size = 0;

#define AG_SIZE(name, up_to_bytes, label) size += bytes > up_to_bytes##u;
#include "airglow/size.def"
#undef AG_SIZE
	return size;
}

AG_INLINE void account_ports(const struct ledger *l, const struct packet *p)
{
	if (p->has_ports && p->protocol == PROTO_TCP)
		book(l, &l->ports->tcp[ag_bounded(p->dport, AG_PORTS)], 1);
	else if (p->has_ports && p->protocol == PROTO_UDP)
		book(l, &l->ports->udp[ag_bounded(p->dport, AG_PORTS)], 1);
	else
		book(l, &l->counters->no_port, 1);
}

/* ICMP is a small share: one table for all CPUs, by atomics, instead of 1 MiB a slice. */
AG_INLINE void account_icmp(const struct ledger *l, const struct packet *p)
{
	__u64 kind = p->icmp_type << 8 | p->icmp_code;

	if (p->family == 4)
		__sync_fetch_and_add(&l->icmp->v4[ag_bounded(kind, AG_ICMP_KINDS)], 1);
	else
		__sync_fetch_and_add(&l->icmp->v6[ag_bounded(kind, AG_ICMP_KINDS)], 1);
}

AG_INLINE void account_anomalies(const struct ledger *l, const struct packet *p)
{
	__u32 left = p->anomalies, i;

	for (i = 0; i < AG_ANOMALY_MAX; i++, left >>= 1) {
		if (left & 1)
			book(l, &l->counters->anomaly[i], 1);
	}
}

AG_INLINE void account_class(const struct ledger *l, const struct packet *p)
{
	struct ag_counters *c = l->counters;
	__u64 scope = ag_opaque(p->scope), class = ag_opaque(p->class);

	if (scope > AG_SCOPES_MAX || class >= AG_CLASS_MAX)
		return;
	book(l, &c->class_packets[scope][class], 1);
	book(l, &c->class_bytes[scope][class], p->ip_len);
}

AG_INLINE void account_service(const struct ledger *l, const struct packet *p)
{
	__u64 service = ag_opaque(p->service);

	if (service < AG_SERVICE_MAX)
		book(l, &l->counters->service[ag_bounded(p->direction, 2)][service], 1);
}

AG_INLINE void account_seen(const struct packet *p, const struct head *h)
{
	struct ag_page *page;
	__u32 *seen;

	if (!p->has_index)
		return;
	page = bind_seen(p->index / AG_PAGE_ADDRESSES);
	if (!page)
		return;
	seen = &page->epoch[ag_bounded(p->index, AG_PAGE_ADDRESSES)];
	if (*seen != h->epoch)
		*seen = h->epoch;
}

AG_INLINE void account_dark(const struct ledger *l, const struct packet *p, const struct head *h)
{
	struct ag_counters *c = l->counters;
	__u64 tool = ag_opaque(p->tool), size = ag_opaque(size_of(p->ip_len));

	book(l, &c->dark, 1);
	account_class(l, p);
	book(l, &c->protocol[ag_bounded(p->protocol, 256)], 1);
	account_ports(l, p);
	if (size < AG_SIZE_MAX)
		book(l, &c->size[size], 1);
	if (p->has_flags)
		book(l, &c->tcp_flags[ag_bounded(p->tcp_flags, 256)], 1);
	if (p->has_icmp)
		account_icmp(l, p);
	if (p->service)
		account_service(l, p);
	if (tool < AG_TOOL_MAX)
		book(l, &c->tool[tool], 1);
	if (p->anomalies)
		account_anomalies(l, p);
	account_seen(p, h);
}

/* Of feed self: a connection is rare beside a packet, so one table for all CPUs, by atomics. */
AG_INLINE void account_visit(const struct packet *p)
{
	__u64 *visits = bind_visits(p->dport);

	if (visits)
		__sync_fetch_and_add(visits, 1);
}

/* The right side of L1, and for dark packets everything that the figures are made of. */
AG_INLINE void account(const struct ledger *l, const struct packet *p, const struct head *h)
{
	__u64 outcome = ag_opaque(p->outcome);

	if (outcome < AG_OUTCOME_MAX)
		book(l, &l->counters->outcome[outcome], 1);
	if (outcome == AG_OUTCOME_DARK)
		account_dark(l, p, h);
	else if (outcome == AG_OUTCOME_SERVICE)
		account_visit(p);
}

#endif
