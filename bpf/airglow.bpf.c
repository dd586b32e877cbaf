// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sensor in the kernel: an XDP program that counts every packet of an interface. head is here, the rest of
 * the way is pipeline.h; maps.bpf.h binds it to the maps.
 */
#include "bpf/base.h"
#include "bpf/maps.bpf.h"
#include "bpf/head.h"
#include "bpf/socket.h"
#include "bpf/pipeline.h"

char LICENSE[] SEC("license") = "GPL";

/*
 * Time and lengths of the frame: the coarse clock (a tick, 1 to 4 ms) and the interface's, or in replay the
 * replayer's word (struct ag_replay in front of the frame).
 */
AG_INLINE int describe_frame(struct xdp_md *ctx, struct head *h)
{
	const struct ag_replay *replay = (const void *)(long)ctx->data_meta;
	const void *data = (const void *)(long)ctx->data;

	if (!rodata.replay) {
		h->now_ns = bpf_ktime_get_coarse_ns();
		h->wirelen = (__u32)bpf_xdp_get_buff_len(ctx);
		h->caplen = h->wirelen < AG_HEAD_BYTES ? h->wirelen : AG_HEAD_BYTES;
		return 0;
	}
	if ((const void *)(replay + 1) > data)
		return -1;
	h->now_ns = replay->time_ns;
	h->wirelen = replay->wirelen;
	h->caplen = replay->caplen < AG_HEAD_BYTES ? replay->caplen : AG_HEAD_BYTES;
	h->own = replay->flags;
	return 0;
}

SEC("xdp.frags")
int airglow(struct xdp_md *ctx)
{
	struct scratch *scratch = bind_scratch();
	struct ag_control *control = bind_control();
	struct ag_settings *settings;
	struct ledger ledger = {};
	struct packet *p;
	struct head *h;

	if (!scratch || !control || !ledger_open(&ledger, bpf_get_smp_processor_id()))
		return XDP_ABORTED;
	p = &scratch->packet;
	h = &scratch->head;
	h->side = *(volatile __u32 *)&control->side;
	h->epoch = *(volatile __u32 *)&control->epoch;
	h->day = *(volatile __u32 *)&control->day;
	settings = bind_settings(h->side);
	if (!settings || describe_frame(ctx, h))
		return XDP_ABORTED;
	packet_time(h, control);
	__builtin_memset(p, 0, offsetof(struct packet, zeroed_end));
	find_interface(p, settings, rodata.replay ? 0 : ctx->ingress_ifindex);
	if (head_copy(ctx, h, h->caplen))
		h->caplen = 0;
	return pipeline(ctx, p, h, settings, &ledger) == VERDICT_DROP ? XDP_DROP : XDP_PASS;
}
