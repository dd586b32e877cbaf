/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way of a packet, one call a stage; no stage reaches back, and there is one exit. head is the engine's: it
 * fills struct head (head.h for the kernel, user/engine/native.c for this process).
 *
 *	frame -> head -> parse -> scope -> own -> classify -> account
 *	      -> track -> detect -> promote -> sample -> act -> PASS or DROP
 */
#ifndef AIRGLOW_BPF_PIPELINE_H
#define AIRGLOW_BPF_PIPELINE_H

#include "bpf/packet.h"
#include "bpf/parse.h"
#include "bpf/scope.h"
#include "bpf/own.h"
#include "bpf/classify.h"
#include "bpf/account.h"
#include "bpf/track.h"
#include "bpf/detect.h"
#include "bpf/promote.h"
#include "bpf/sample.h"
#include "bpf/act.h"

/* Which configured interface a frame came in by. Leaves slot 0 for one that is not configured. */
AG_INLINE void find_interface(struct packet *p, const struct ag_settings *s, __u32 ifindex)
{
	__u32 i;

	for (i = 0; i < AG_INTERFACES_MAX; i++) {
		if (s->interfaces[i].ifindex != ifindex)
			continue;
		p->interface = i;
		p->feed = s->interfaces[i].feed;
		break;
	}
}

/* How long the interval has been open for this packet; a step back is no time. */
AG_INLINE void packet_time(struct head *h, const struct ag_control *control)
{
	__u64 began_ns = *(const volatile __u64 *)&control->began_ns[h->epoch & 1];
	__u64 since = h->now_ns > began_ns ? (h->now_ns - began_ns) >> AG_TIME_SHIFT : 0;

	h->since = since < AG_TIME_MAX ? (__u32)since : AG_TIME_MAX;
}

/* A frame that this host sent itself and that came back. */
AG_INLINE bool is_looped(const struct packet *p, const struct head *h, const struct ag_settings *s)
{
	const struct ag_interface *own = &s->interfaces[ag_bounded(p->interface, AG_INTERFACES_MAX)];
	__u64 mac;

	if (!own->mac_known || !head_has(h, 0, ETH_HLEN))
		return false;
	mac = head_u64(h, 6) >> 16;
	return mac == ((__u64)own->mac[0] << 40 | (__u64)own->mac[1] << 32 | (__u64)own->mac[2] << 24 |
		       (__u64)own->mac[3] << 16 | (__u64)own->mac[4] << 8 | own->mac[5]);
}

AG_INLINE enum verdict pipeline(struct xdp_md *ctx, struct packet *p, const struct head *h,
				const struct ag_settings *s, const struct ledger *l)
{
	account_received(l, p, h);
	if (is_looped(p, h, s)) {
		packet_decide(p, AG_OUTCOME_LOOPED);
	} else if (parse(p, h, s) == PACKET_GOES_ON) {
		scope(p, h, s);
		own(ctx, p, h, s);
	}
	classify(p, h, s);
	account(l, p, h);
	track(l, p, h);
	detect(l, p, h, s);
	promote(p, h, s);
	sample(l, p, h, s);
	return act(p);
}

#endif
