// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a stage costs: the driver writes the next frame of a trace into the packet and tail-calls the program
 * under test. Those are the sensor itself and, from the very same headers, the way cut off behind each stage.
 * The sensor's own maps take no part: this object has its own.
 */
#include "bpf/airglow.bpf.c" /* NOLINT(bugprone-suspicious-include): the very same source */

#include "tools/bench/trace.h"

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* set by load: frames */
	__type(key, __u32);
	__type(value, struct trace_frame);
} trace SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} under_test SEC(".maps");

const volatile __u32 frames = 1;
__u32 at;      /* next frame */
__u64 refused; /* frames that could not be written: must stay 0 */

SEC("xdp.frags")
int bench_driver(struct xdp_md *ctx)
{
	__u32 key = at;
	const struct trace_frame *frame = bpf_map_lookup_elem(&trace, &key);
	__u32 len;

	at = key + 1 < frames ? key + 1 : 0;
	if (!frame)
		return XDP_ABORTED;
	len = frame->caplen;
	if (bpf_xdp_adjust_tail(ctx, (int)frame->wirelen - (int)bpf_xdp_get_buff_len(ctx)) || len < 14 ||
	    len > TRACE_BYTES || bpf_xdp_store_bytes(ctx, 0, (void *)frame->bytes, len)) {
		refused++;
		return XDP_ABORTED;
	}
	bpf_tail_call(ctx, &under_test, 0);
	refused++;
	return XDP_ABORTED;
}

/* What everything is measured over: the driver, a tail call, and nothing. */
SEC("xdp.frags")
int bench_empty(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}

enum stage { STAGE_HEAD, STAGE_PARSE, STAGE_SCOPE, STAGE_CLASSIFY, STAGE_ACCOUNT };

/* The way of airglow() and pipeline(), up to a stage. */
AG_INLINE int walk(struct xdp_md *ctx, enum stage last)
{
	struct scratch *scratch = bind_scratch();
	struct ag_control *control = bind_control();
	struct ag_settings *settings;
	struct ledger ledger = {};
	struct packet *p;
	struct head *h;

	if (!scratch || !control)
		return XDP_ABORTED;
	if (last >= STAGE_ACCOUNT && !ledger_open(&ledger, bpf_get_smp_processor_id()))
		return XDP_ABORTED;
	p = &scratch->packet;
	h = &scratch->head;
	h->side = *(volatile __u32 *)&control->side;
	h->epoch = *(volatile __u32 *)&control->epoch;
	settings = bind_settings(h->side);
	if (!settings || frame_lengths(ctx, h))
		return XDP_ABORTED;
	if (head_copy(ctx, h, h->caplen))
		h->caplen = 0;
	if (last == STAGE_HEAD)
		return XDP_PASS;
	__builtin_memset(p, 0, offsetof(struct packet, zeroed_end));
	find_interface(p, settings, rodata.replay ? 0 : ctx->ingress_ifindex);
	if (last == STAGE_ACCOUNT)
		account_received(&ledger, p, h);
	if (is_looped(p, h, settings))
		packet_decide(p, AG_OUTCOME_LOOPED);
	else if (parse(p, h, settings) == PACKET_GOES_ON && last >= STAGE_SCOPE)
		scope(p, h, settings);
	if (last >= STAGE_CLASSIFY)
		classify(p, h, settings);
	if (last >= STAGE_ACCOUNT)
		account(&ledger, p, h);
	return XDP_PASS;
}

SEC("xdp.frags")
int bench_head(struct xdp_md *ctx)
{
	return walk(ctx, STAGE_HEAD);
}

SEC("xdp.frags")
int bench_parse(struct xdp_md *ctx)
{
	return walk(ctx, STAGE_PARSE);
}

SEC("xdp.frags")
int bench_scope(struct xdp_md *ctx)
{
	return walk(ctx, STAGE_SCOPE);
}

SEC("xdp.frags")
int bench_classify(struct xdp_md *ctx)
{
	return walk(ctx, STAGE_CLASSIFY);
}

SEC("xdp.frags")
int bench_account(struct xdp_md *ctx)
{
	return walk(ctx, STAGE_ACCOUNT);
}
