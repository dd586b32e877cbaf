/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hashes. Sketch hashes are fixed and versioned, since sketches are merged over days and sensors: changing one
 * changes AG_ABI_VERSION.
 */
#ifndef AIRGLOW_BPF_HASH_H
#define AIRGLOW_BPF_HASH_H

#include "bpf/base.h"

/* Finalizer with full avalanche (constants: Stafford, "Mix13", 2011). */
AG_INLINE __u64 hash_mix(__u64 x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ x >> 31;
}

#endif
