// SPDX-License-Identifier: GPL-2.0-only
/*
 * The native engine: the stages of bpf/ compiled into this process and bound to plain memory. Needs no root;
 * the offline engine, the unit tests and the fuzzers run the very source that runs in the kernel.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/base.h"
#include "engine/backend.h"

/* Where the kernel has its ring buffer. */
struct messages {
	struct message {
		size_t bytes;
		uint8_t content[sizeof(struct ag_message_sample)];
	} * list;
	size_t used;
};

#define MESSAGES_MAX (AG_RING_BYTES / sizeof(struct ag_message_sample))
_Static_assert(sizeof(struct ag_message_alert) <= sizeof(struct ag_message_sample),
	       "the sample is the largest message");

struct native {
	struct tables tables;
	struct ag_rodata rodata;
	struct messages messages;
};

/* The engine whose frame is being run by this thread: what the bind_ functions are bound to. */
static _Thread_local struct native *bound;

AG_INLINE const volatile struct ag_rodata *bind_rodata(void)
{
	return &bound->rodata;
}

AG_INLINE struct ag_counters *bind_counters(__u32 slice)
{
	return &bound->tables.counters[slice];
}

AG_INLINE struct ag_ports *bind_ports(__u32 slice)
{
	return &bound->tables.ports[slice];
}

AG_INLINE struct ag_icmp *bind_icmp(void)
{
	return bound->tables.icmp;
}

AG_INLINE __u64 *bind_visits(__u32 port)
{
	return port < bound->tables.sizes.visits ? &bound->tables.visits[port] : NULL;
}

AG_INLINE struct ag_scope16 *bind_scope16(__u32 side)
{
	return &bound->tables.scope16[side];
}

AG_INLINE struct ag_block *bind_block(__u32 side, __u32 block)
{
	return &bound->tables.blocks[side * bound->tables.sizes.blocks + block];
}

AG_INLINE struct ag_split *bind_split(__u32 side, __u32 split)
{
	return &bound->tables.splits[side * bound->tables.sizes.splits + split];
}

AG_INLINE struct ag_page *bind_seen(__u32 page)
{
	return &bound->tables.seen[page];
}

AG_INLINE struct ag_interval *bind_interval(__u32 slice, __u32 parity)
{
	return &bound->tables.intervals[slice * 2 + parity];
}

AG_INLINE struct ag_flow_set *bind_flow_set(__u32 slice, __u32 parity, __u32 set)
{
	return &bound->tables.flows[(size_t)(slice * 2 + parity) * bound->tables.sizes.flow_sets + set];
}

AG_INLINE struct ag_summary_set *bind_summary_set(__u32 slice, __u32 parity, __u32 set)
{
	return &bound->tables.summaries[(size_t)(slice * 2 + parity) * bound->tables.sizes.summary_sets + set];
}

AG_INLINE struct ag_sweepers *bind_sweepers(__u32 slice, __u32 parity)
{
	return &bound->tables.sweepers[slice * 2 + parity];
}

AG_INLINE struct ag_once *bind_once(__u32 slice)
{
	return &bound->tables.once[slice];
}

AG_INLINE struct ag_reached *bind_reached(__u32 day, __u32 slot, __u32 page)
{
	const struct table_sizes *s = &bound->tables.sizes;

	return &bound->tables.reached[((size_t)day * s->promoted + slot) * s->pages + page];
}

AG_INLINE struct ag_log *bind_log(__u32 slice)
{
	return &bound->tables.logs[slice];
}

AG_INLINE struct ag_record *bind_log_record(__u32 slice, __u32 at)
{
	return &bound->tables.log_records[(size_t)slice * bound->tables.sizes.log_records + at];
}

AG_INLINE __u64 *bind_log_touch(__u32 slice, __u32 at)
{
	return &bound->tables.log_touches[(size_t)slice * bound->tables.sizes.log_touches + at];
}

AG_INLINE long bind_emit(const void *message, __u32 bytes)
{
	struct messages *m = &bound->messages;

	if (m->used == MESSAGES_MAX)
		return -EAGAIN;
	m->list[m->used].bytes = bytes;
	memcpy(m->list[m->used].content, message, bytes);
	m->used++;
	return 0;
}

#include "bpf/bind.h"
#include "bpf/packet.h"

/* There are no sockets here: the replayer knows. */
AG_INLINE enum own_flow bind_flow(struct xdp_md *ctx, const struct packet *p, const struct head *h)
{
	(void)ctx;
	(void)p;
	if (h->own & AG_REPLAY_FLOW)
		return OWN_FLOW;
	return h->own & AG_REPLAY_LISTENS ? OWN_LISTENS : OWN_NOTHING;
}

#include "bpf/pipeline.h"

static int allocate(struct tables *t, const struct table_sizes *s)
{
	t->sizes = *s;
	t->control = calloc(1, sizeof(*t->control));
	t->settings = calloc(2, sizeof(*t->settings));
	t->scope16 = calloc(2, sizeof(*t->scope16));
	t->blocks = calloc(2 * (size_t)s->blocks, sizeof(*t->blocks));
	t->splits = calloc(2 * (size_t)s->splits, sizeof(*t->splits));
	t->counters = calloc(s->slices + 1, sizeof(*t->counters));
	t->ports = calloc(s->slices + 1, sizeof(*t->ports));
	t->icmp = calloc(1, sizeof(*t->icmp));
	t->visits = calloc(s->visits, sizeof(*t->visits));
	t->seen = calloc(s->pages, sizeof(*t->seen));
	t->intervals = calloc((s->slices + 1) * 2, sizeof(*t->intervals));
	t->flows = calloc((size_t)s->slices * 2 * s->flow_sets, sizeof(*t->flows));
	t->summaries = calloc((size_t)s->slices * 2 * s->summary_sets, sizeof(*t->summaries));
	t->sweepers = calloc(s->slices * 2, sizeof(*t->sweepers));
	t->once = calloc(s->slices, sizeof(*t->once));
	t->reached = calloc((size_t)2 * s->promoted * s->pages + 1, sizeof(*t->reached));
	t->logs = calloc(s->slices, sizeof(*t->logs));
	t->log_records = calloc((size_t)s->slices * s->log_records, sizeof(*t->log_records));
	t->abi = calloc(1, sizeof(*t->abi));
	t->collected = calloc(1, sizeof(*t->collected));
	t->carried = calloc(1, sizeof(*t->carried));
	t->log_touches = calloc((size_t)s->slices * s->log_touches, sizeof(*t->log_touches));
	return t->control && t->settings && t->scope16 && t->blocks && t->splits && t->counters && t->ports &&
			       t->icmp && t->visits && t->seen && t->intervals && t->flows && t->summaries &&
			       t->sweepers && t->reached && t->once && t->logs && t->log_records &&
			       t->log_touches && t->abi && t->collected && t->carried
		       ? 0
		       : -ENOMEM;
}

int native_new(struct native **out, const struct table_sizes *sizes)
{
	struct native *native = calloc(1, sizeof(*native));

	if (!native)
		return -ENOMEM;
	native->messages.list = calloc(MESSAGES_MAX, sizeof(*native->messages.list));
	if (!native->messages.list || allocate(&native->tables, sizes)) {
		native_free(&native);
		return -ENOMEM;
	}
	tables_rodata(&native->rodata, sizes, true);
	*out = native;
	return 0;
}

void native_free(struct native **native)
{
	struct tables *t;

	if (!*native)
		return;
	t = &(*native)->tables;
	free(t->control);
	free(t->settings);
	free(t->scope16);
	free(t->blocks);
	free(t->splits);
	free(t->counters);
	free(t->ports);
	free(t->icmp);
	free(t->visits);
	free(t->seen);
	free(t->intervals);
	free(t->flows);
	free(t->summaries);
	free(t->sweepers);
	free(t->once);
	free(t->reached);
	free(t->logs);
	free(t->log_records);
	free(t->log_touches);
	free(t->abi);
	free(t->collected);
	free(t->carried);
	free((*native)->messages.list);
	free(*native);
	*native = NULL;
}

struct ag_rodata *native_rodata(struct native *native)
{
	return &native->rodata;
}

int native_wait(struct native *native, engine_message_fn *handler, void *arg)
{
	struct messages *m = &native->messages;
	size_t count = m->used, i;

	for (i = 0; i < count && handler; i++)
		handler(arg, m->list[i].content, m->list[i].bytes);
	m->used = 0;
	return (int)count;
}

struct tables *native_tables(struct native *native)
{
	return &native->tables;
}

int native_pipeline(struct native *native, struct head *h)
{
	struct ledger ledger = {};
	struct packet packet;
	const struct ag_settings *settings;

	bound = native;
	h->side = native->tables.control->side;
	h->epoch = native->tables.control->epoch;
	h->day = native->tables.control->day;
	packet_time(h, native->tables.control);
	settings = &native->tables.settings[h->side];
	if (!ledger_open(&ledger, 0))
		return -EINVAL;
	memset(&packet, 0, offsetof(struct packet, zeroed_end));
	find_interface(&packet, settings, 0);
	return pipeline(NULL, &packet, h, settings, &ledger) == VERDICT_DROP ? 1 : 2; /* XDP_DROP, XDP_PASS */
}

int native_run(struct native *native, const struct ag_replay *replay, const uint8_t *bytes)
{
	struct head head;

	head.now_ns = replay->time_ns;
	head.wirelen = replay->wirelen;
	head.own = replay->flags;
	head.caplen = replay->caplen < AG_HEAD_BYTES ? replay->caplen : AG_HEAD_BYTES;
	memcpy(head.bytes, bytes, head.caplen);
	return native_pipeline(native, &head);
}
