/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the stages reach memory by: declared here, defined for BPF maps in maps.bpf.h and for plain memory in
 * user/engine/native.c.
 */
#ifndef AIRGLOW_BPF_BIND_H
#define AIRGLOW_BPF_BIND_H

#include "bpf/base.h"

struct head;
struct packet;
struct xdp_md; /* what the kernel's sockets are asked by; NULL and unread in this process */

/* What the host holds for a packet's flow, or for the flow that an ICMP error quotes. */
enum own_flow { OWN_NOTHING, OWN_FLOW, OWN_LISTENS };

/* The memory of the pipeline. NULL from any of them means "no such table": the packet is then not booked there.
 */
AG_INLINE const volatile struct ag_rodata *bind_rodata(void);
AG_INLINE struct ag_counters *bind_counters(__u32 slice);
AG_INLINE struct ag_ports *bind_ports(__u32 slice);
AG_INLINE struct ag_icmp *bind_icmp(void);
AG_INLINE struct ag_scope16 *bind_scope16(__u32 side);
AG_INLINE struct ag_block *bind_block(__u32 side, __u32 block);
AG_INLINE struct ag_split *bind_split(__u32 side, __u32 split);
AG_INLINE struct ag_page *bind_seen(__u32 page);
AG_INLINE struct ag_interval *bind_interval(__u32 slice, __u32 parity);
AG_INLINE struct ag_flow_set *bind_flow_set(__u32 slice, __u32 parity, __u32 set);
AG_INLINE struct ag_summary_set *bind_summary_set(__u32 slice, __u32 parity, __u32 set);
AG_INLINE struct ag_sweepers *bind_sweepers(__u32 slice, __u32 parity);
AG_INLINE struct ag_once *bind_once(__u32 slice);
AG_INLINE struct ag_log *bind_log(__u32 slice);
AG_INLINE struct ag_record *bind_log_record(__u32 slice, __u32 at);
AG_INLINE __u64 *bind_log_touch(__u32 slice, __u32 at);
AG_INLINE struct ag_reached *bind_reached(__u32 day, __u32 slot, __u32 page);
AG_INLINE enum own_flow bind_flow(struct xdp_md *ctx, const struct packet *p, const struct head *h);
/* SYNs to a port, by all CPUs; NULL: no interface has the feed self. */
AG_INLINE __u64 *bind_visits(__u32 port);
/* Sends a message of the ring buffer; not 0: it was full. */
AG_INLINE long bind_emit(const void *message, __u32 bytes);

#endif
