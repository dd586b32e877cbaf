/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What makes one source compile twice: for the kernel (clang -target bpf) and for this process (any C
 * compiler). The stages reach memory only by the functions of bind.h.
 */
#ifndef AIRGLOW_BPF_BASE_H
#define AIRGLOW_BPF_BASE_H

#include <stdbool.h>
#include <stddef.h>

#include "airglow/abi.h"

#ifdef __bpf__
#include <linux/bpf.h>
#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
/*
 * A layer: a global function, which the verifier checks once instead of along every path that leads to it.
 * Where kernels guard returns against speculation each costs about 20 ns: what every packet walks is none.
 */
#define AG_LAYER  __attribute__((noinline))
#define AG_INLINE static inline __attribute__((always_inline))
#else
#include <string.h>
#include <bpf/bpf_endian.h>
#define AG_LAYER  static
#define AG_INLINE static inline
#endif

/* A conversion that sparse must not object to: the byte order is being changed. */
#ifdef __CHECKER__
#define ag_force __attribute__((force))
#else
#define ag_force
#endif

/*
 * An index into an array of `size` entries (a power of two). The barrier keeps clang from dropping the mask
 * when it knows the bound from a byte swap: the verifier of kernel 6.1 does not know it and would refuse the
 * access.
 */
#ifdef __bpf__
#define ag_bounded(index, size)                                                                                \
	({                                                                                                     \
		__u64 ag_index_ = (index);                                                                     \
		asm volatile("" : "+r"(ag_index_));                                                            \
		ag_index_ &((size)-1);                                                                         \
	})
#else
AG_INLINE __u64 ag_bounded(__u64 index, __u64 size)
{
	return index & (size - 1);
}
#endif

/*
 * A value that clang must forget what it knows about. What is compared with a bound after this is the register
 * that is then the index; otherwise clang compares a copy, and kernels 6.1 and 6.12 do not bound the original.
 */
#ifdef __bpf__
#define ag_opaque(value)                                                                                       \
	({                                                                                                     \
		__u64 ag_value_ = (value);                                                                     \
		asm volatile("" : "+r"(ag_value_));                                                            \
		ag_value_;                                                                                     \
	})
#else
AG_INLINE __u64 ag_opaque(__u64 value)
{
	return value;
}
#endif

#endif
