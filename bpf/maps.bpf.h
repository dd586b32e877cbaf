/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The maps, and the pipeline's memory bound to them. All of them are mmapable arrays: the program writes,
 * userspace reads the same pages without a syscall. Sizes marked "set by load" follow from the slices and the
 * plan.
 */
#ifndef AIRGLOW_BPF_MAPS_H
#define AIRGLOW_BPF_MAPS_H

#include "airglow/keep.h"
#include "bpf/bind.h"
#include "bpf/packet.h"

/* What the loader sets before the program is loaded. */
const volatile struct ag_rodata rodata = {};

/* Which side of the settings is in force, and the open interval: one line, read once a packet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ag_control);
} control SEC(".maps");

/* Interfaces, tunnels, IPv6 ranges: two sides. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct ag_settings);
} settings SEC(".maps");

/* Dark IPv4 addresses, first level: two sides. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct ag_scope16);
} scope16 SEC(".maps");

/* Second level: entries set by load, side 1 begins behind side 0. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct ag_block);
} blocks SEC(".maps");

/* Third level, for /24s of several scopes: entries set by load, two sides as above. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct ag_split);
} splits SEC(".maps");

/* Counters by slice; entries set by load: slices + 1, the last is shared. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ag_counters);
} counters SEC(".maps");

/* Packets by destination port, by slice; entries set by load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ag_ports);
} ports SEC(".maps");

/* ICMP kinds, shared by all slices. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ag_icmp);
} icmp SEC(".maps");

/* Feed self: SYNs to the ports on which this host listens, shared by all slices; one entry where no interface
 * has the feed, else set by load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} visits SEC(".maps");

/* The last interval in which each dark IPv4 address was seen, a page a /24; entries set by load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ag_page);
} seen SEC(".maps");

/* L3, and hosts by class: by slice and parity, the shared slice last; entries set by load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct ag_interval);
} intervals SEC(".maps");

/* The flow cache, by slice and parity; entries of this and the next five set by load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct ag_flow_set);
} flows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct ag_summary_set);
} summaries SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct ag_sweepers);
} sweepers SEC(".maps");

/* By slice. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ag_once);
} once SEC(".maps");

/* Bitmaps of promoted sources: by day (two), slot and /24; entries set by load. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct ag_reached);
} reached SEC(".maps");

/* The logs, by slice: their ends, and their entries. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ag_log);
} logs SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct ag_record);
} log_records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} log_touches SEC(".maps");

/* Userspace's own, beside the books so that they outlive it together: keep.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ag_abi);
} abi SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ag_collected);
} collected SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct ag_carried);
} carried SEC(".maps");

/* Alerts and samples: what should wake somebody. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, AG_RING_BYTES);
} ring SEC(".maps");

/* struct packet and struct head are too large for the stack of 512 bytes. */
struct scratch {
	struct head head;
	struct packet packet;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

AG_INLINE const volatile struct ag_rodata *bind_rodata(void)
{
	return &rodata;
}

AG_INLINE struct ag_control *bind_control(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&control, &zero);
}

AG_INLINE struct ag_settings *bind_settings(__u32 side)
{
	return bpf_map_lookup_elem(&settings, &side);
}

AG_INLINE struct ag_counters *bind_counters(__u32 slice)
{
	return bpf_map_lookup_elem(&counters, &slice);
}

AG_INLINE struct ag_ports *bind_ports(__u32 slice)
{
	return bpf_map_lookup_elem(&ports, &slice);
}

AG_INLINE struct ag_icmp *bind_icmp(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&icmp, &zero);
}

AG_INLINE __u64 *bind_visits(__u32 port)
{
	return bpf_map_lookup_elem(&visits, &port);
}

AG_INLINE struct ag_scope16 *bind_scope16(__u32 side)
{
	return bpf_map_lookup_elem(&scope16, &side);
}

AG_INLINE struct ag_block *bind_block(__u32 side, __u32 block)
{
	__u32 key = side * rodata.blocks + block;

	return bpf_map_lookup_elem(&blocks, &key);
}

AG_INLINE struct ag_split *bind_split(__u32 side, __u32 split)
{
	__u32 key = side * rodata.splits + split;

	return bpf_map_lookup_elem(&splits, &key);
}

AG_INLINE struct ag_page *bind_seen(__u32 page)
{
	return bpf_map_lookup_elem(&seen, &page);
}

AG_INLINE struct ag_interval *bind_interval(__u32 slice, __u32 parity)
{
	__u32 key = slice * 2 + parity;

	return bpf_map_lookup_elem(&intervals, &key);
}

AG_INLINE struct ag_flow_set *bind_flow_set(__u32 slice, __u32 parity, __u32 set)
{
	__u32 key = (slice * 2 + parity) * rodata.flow_sets + set;

	return bpf_map_lookup_elem(&flows, &key);
}

AG_INLINE struct ag_summary_set *bind_summary_set(__u32 slice, __u32 parity, __u32 set)
{
	__u32 key = (slice * 2 + parity) * rodata.summary_sets + set;

	return bpf_map_lookup_elem(&summaries, &key);
}

AG_INLINE struct ag_sweepers *bind_sweepers(__u32 slice, __u32 parity)
{
	__u32 key = slice * 2 + parity;

	return bpf_map_lookup_elem(&sweepers, &key);
}

AG_INLINE struct ag_once *bind_once(__u32 slice)
{
	return bpf_map_lookup_elem(&once, &slice);
}

AG_INLINE struct ag_reached *bind_reached(__u32 day, __u32 slot, __u32 page)
{
	__u32 key = (day * rodata.promoted + slot) * rodata.pages + page;

	return bpf_map_lookup_elem(&reached, &key);
}

AG_INLINE struct ag_log *bind_log(__u32 slice)
{
	return bpf_map_lookup_elem(&logs, &slice);
}

AG_INLINE struct ag_record *bind_log_record(__u32 slice, __u32 at)
{
	__u32 key = slice * rodata.log_records + at;

	return bpf_map_lookup_elem(&log_records, &key);
}

AG_INLINE __u64 *bind_log_touch(__u32 slice, __u32 at)
{
	__u32 key = slice * rodata.log_touches + at;

	return bpf_map_lookup_elem(&log_touches, &key);
}

AG_INLINE long bind_emit(const void *message, __u32 bytes)
{
	return bpf_ringbuf_output(&ring, (void *)message, bytes, 0);
}

AG_INLINE struct scratch *bind_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&scratch, &zero);
}

#endif
