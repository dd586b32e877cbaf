// SPDX-License-Identifier: GPL-2.0-only
/*
 * driver.bpf.c - the kernel's side of full speed: run through BPF_PROG_RUN in live mode, each call
 * turns the given frame into the next one of the ring and sends it out of the interface.  A second
 * program sees what the driver of that interface took, and marks in the ring what it did not.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "driver.h"

#define LOOPBACK  1 /* ifindex of lo: where live frames pretend to come from */
#define BULK_MOST 64

/* The one field that is needed; the kernel's BTF says where it lies. */
struct net_device {
	int ifindex;
} __attribute__((preserve_access_index));

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, DRIVER_SLOTS);
	__type(key, __u32);
	__type(value, struct driver_slot);
} ring SEC(".maps");

const volatile __u32 ifindex;

/* Each has one writer: `filled` userspace, the others the one thread that runs the driver. */
__u64 filled;  /* frames in the ring so far */
__u64 begun;   /* frames redirected */
__u64 taken;   /* frames whose fate is known */
__u64 refused; /* frames that could not be built */
__u64 known;   /* `filled` as last read */
__u64 task;    /* who runs the driver */

SEC("xdp")
int ibr_send(struct xdp_md *ctx)
{
	__u64 at = begun;
	__u32 key = at & (DRIVER_SLOTS - 1), len;
	struct driver_slot *slot;

	if (at >= known) {
		/* value and barrier in one: the slots below it are visible */
		known = __sync_fetch_and_add(&filled, 0);
		if (at >= known)
			return XDP_DROP;
	}
	task = bpf_get_current_task();
	slot = bpf_map_lookup_elem(&ring, &key);
	if (!slot)
		return XDP_DROP;
	begun = at + 1;
	len = slot->len;
	if (len < 14 || len > DRIVER_BYTES) {
		refused++;
		return XDP_DROP;
	}
	if (bpf_xdp_adjust_tail(ctx, (int)len - (int)bpf_xdp_get_buff_len(ctx)) ||
	    bpf_xdp_store_bytes(ctx, 0, slot->bytes, len)) {
		refused++;
		return XDP_DROP;
	}
	return (int)bpf_redirect(ifindex, 0);
}

/* The device takes a bulk from its front; what it leaves is dropped by the core. */
SEC("tp_btf/xdp_devmap_xmit")
int BPF_PROG(ibr_watch, const struct net_device *from, const struct net_device *to, int sent, int drops)
{
	__u64 at = taken + (__u32)sent;

	(void)ctx;
	if (bpf_get_current_task() != task || from->ifindex != LOOPBACK || to->ifindex != (int)ifindex)
		return 0;
	for (int i = 0; i < BULK_MOST && i < drops; i++) {
		__u32 key = (at + (__u32)i) & (DRIVER_SLOTS - 1);
		struct driver_slot *slot = bpf_map_lookup_elem(&ring, &key);

		if (slot)
			slot->dropped = 1;
	}
	/* marks first, then the count: userspace reads them in the other order */
	__sync_fetch_and_add(&taken, (__u64)(__u32)sent + (__u32)drops);
	return 0;
}

char LICENSE[] SEC("license") = "GPL";
