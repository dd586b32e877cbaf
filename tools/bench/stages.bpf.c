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

enum stage { STAGE_HEAD, STAGE_PARSE, STAGE_SCOPE, STAGE_CLASSIFY, STAGE_ACCOUNT, STAGE_TRACK };

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
	h->day = *(volatile __u32 *)&control->day;
	settings = bind_settings(h->side);
	if (!settings || describe_frame(ctx, h))
		return XDP_ABORTED;
	packet_time(h, control);
	if (head_copy(ctx, h, h->caplen))
		h->caplen = 0;
	if (last == STAGE_HEAD)
		return XDP_PASS;
	__builtin_memset(p, 0, offsetof(struct packet, zeroed_end));
	find_interface(p, settings, rodata.replay ? 0 : ctx->ingress_ifindex);
	if (last >= STAGE_ACCOUNT)
		account_received(&ledger, p, h);
	if (is_looped(p, h, settings)) {
		packet_decide(p, AG_OUTCOME_LOOPED);
	} else if (parse(p, h, settings) == PACKET_GOES_ON && last >= STAGE_SCOPE) {
		scope(p, h, settings);
		own(ctx, p, h, settings);
	}
	if (last >= STAGE_CLASSIFY)
		classify(p, h, settings);
	if (last >= STAGE_ACCOUNT)
		account(&ledger, p, h);
	if (last >= STAGE_TRACK)
		track(&ledger, p, h);
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

SEC("xdp.frags")
int bench_track(struct xdp_md *ctx)
{
	return walk(ctx, STAGE_TRACK);
}

/*
 * The textbook: the same head and parser, then an LPM trie for the scope, a hash for ports, and an LRU hash
 * with an entry for each source. What one writes first, and what many sensors are.
 */
struct prefix_key {
	__u32 length;
	__u32 address_be;
};

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 64);
	__type(key, struct prefix_key);
	__type(value, __u32);
} book_scopes SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 131072);
	__type(key, __u32);
	__type(value, __u64);
} book_ports SEC(".maps");

struct book_source {
	__u64 packets, bytes, first_ns, last_ns;
	__u32 last_destination, last_port;
	__u64 syns;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1048576);
	__type(key, struct address);
	__type(value, struct book_source);
} book_sources SEC(".maps");

AG_LAYER int book_packet(const struct packet *p, const struct head *h)
{
	struct book_source first = {}, *source;
	struct prefix_key prefix = {.length = 32};
	__u64 one = 1, *packets;
	__u32 key;

	if (!p || !h)
		return 0;
	prefix.address_be = bpf_htonl((__u32)p->dst.lo);
	if (!bpf_map_lookup_elem(&book_scopes, &prefix))
		return 0;
	key = (p->protocol & 0xff) << 16 | (p->has_ports ? p->dport & 0xffff : 0);
	packets = bpf_map_lookup_elem(&book_ports, &key);
	if (packets)
		*packets += 1;
	else
		bpf_map_update_elem(&book_ports, &key, &one, BPF_NOEXIST);
	source = bpf_map_lookup_elem(&book_sources, &p->src);
	if (!source) {
		first.first_ns = h->now_ns;
		bpf_map_update_elem(&book_sources, &p->src, &first, BPF_NOEXIST);
		source = bpf_map_lookup_elem(&book_sources, &p->src);
		if (!source)
			return 0;
	}
	__sync_fetch_and_add(&source->packets, 1);
	__sync_fetch_and_add(&source->bytes, p->ip_len);
	source->last_ns = h->now_ns;
	source->last_destination = (__u32)p->dst.lo;
	source->last_port = p->has_ports ? p->dport : 0;
	if (p->has_flags && p->tcp_flags == TCP_SYN)
		__sync_fetch_and_add(&source->syns, 1);
	return 1;
}

SEC("xdp.frags")
int bench_textbook(struct xdp_md *ctx)
{
	struct scratch *scratch = bind_scratch();
	struct ag_control *control = bind_control();
	struct ag_settings *settings;
	struct packet *p;
	struct head *h;

	if (!scratch || !control)
		return XDP_ABORTED;
	p = &scratch->packet;
	h = &scratch->head;
	h->side = *(volatile __u32 *)&control->side;
	settings = bind_settings(h->side);
	if (!settings || describe_frame(ctx, h))
		return XDP_ABORTED;
	if (head_copy(ctx, h, h->caplen))
		h->caplen = 0;
	__builtin_memset(p, 0, offsetof(struct packet, zeroed_end));
	if (parse(p, h, settings) == PACKET_GOES_ON && p->family == 4)
		book_packet(p, h);
	return XDP_PASS;
}
