// SPDX-License-Identifier: GPL-2.0-only
/* What the sensor is held against over veth: a program that does nothing but drop. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

SEC("xdp")
int drop(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_DROP;
}
