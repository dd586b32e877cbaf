/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * act: what happens to the packet. Nothing is ever dropped that the operator did not declare dark *and* gave a
 * feed that drops.
 */
#ifndef AIRGLOW_BPF_ACT_H
#define AIRGLOW_BPF_ACT_H

#include "bpf/packet.h"

enum verdict { VERDICT_PASS, VERDICT_DROP };

AG_INLINE bool feed_drops(__u32 feed)
{
	switch (feed) {
#define AG_FEED(name, label, drops, help)                                                                      \
	case AG_FEED_##name:                                                                                   \
		return drops;
#include "airglow/feed.def"
#undef AG_FEED
	default:
		return false;
	}
}

AG_INLINE enum verdict act(const struct packet *p)
{
	return p->outcome == AG_OUTCOME_DARK && feed_drops(p->feed) ? VERDICT_DROP : VERDICT_PASS;
}

#endif
