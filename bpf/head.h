/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * head (kernel only): copies the frame's first bytes into struct head, so that no later stage reads a packet
 * pointer. Constant-size copies while the linear part allows, bpf_xdp_load_bytes for frames whose linear part
 * is short or empty. The native engine fills struct head by itself.
 */
#ifndef AIRGLOW_BPF_HEAD_H
#define AIRGLOW_BPF_HEAD_H

#include "bpf/packet.h"

#define HEAD_WORD   8
#define HEAD_WORDS  (AG_HEAD_BYTES / HEAD_WORD)
#define HEAD_CHUNK  64
#define HEAD_CHUNKS (AG_HEAD_BYTES / HEAD_CHUNK)

/* Copies 8 bytes at a constant offset. */
#define COPY_WORD(to, from, off) (*(__u64 *)((to) + (off)) = *(const __u64 *)((from) + (off)))

/* As many whole words as lie before data_end, from word `first` on; returns the bytes copied in all. */
AG_INLINE __u32 copy_words(__u8 *to, const __u8 *data, const __u8 *data_end)
{
	__u32 i;

#pragma unroll
	for (i = 0; i < HEAD_WORDS; i++) {
		if (data + (i + 1) * HEAD_WORD > data_end)
			break;
		COPY_WORD(to, data, i * HEAD_WORD);
	}
	return i * HEAD_WORD;
}

/* The up to seven bytes behind the last whole word. */
AG_INLINE void copy_tail(__u8 *to, const __u8 *data, const __u8 *data_end, __u32 off)
{
	__u32 i;

#pragma unroll
	for (i = 0; i < HEAD_WORD - 1; i++) {
		const __u8 *from = data + off + i;

		if (from + 1 > data_end)
			break;
		to[off + i] = *from;
	}
}

/*
 * Fills h->bytes with the first `len` (at most AG_HEAD_BYTES) bytes of the frame. Bytes behind len stay what
 * they were. 0, or -1 when the frame cannot be read.
 */
AG_INLINE int head_copy(struct xdp_md *ctx, struct head *h, __u32 len)
{
	const __u8 *data = (const __u8 *)(long)ctx->data;
	const __u8 *data_end = (const __u8 *)(long)ctx->data_end;
	__u32 linear = (__u32)(data_end - data), copied;

	if (linear < len) {
		/* Kernel 6.1 learns nothing from `len != 0`: bounded is the length less one. */
		__u64 last = ag_opaque(len - 1);

		if (last >= AG_HEAD_BYTES)
			return -1;
		return bpf_xdp_load_bytes(ctx, 0, h->bytes, (__u32)last + 1) ? -1 : 0;
	}
	copied = copy_words(h->bytes, data, data_end);
	if (copied < AG_HEAD_BYTES)
		copy_tail(h->bytes, data, data_end, copied);
	return 0;
}

#endif
