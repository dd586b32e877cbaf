/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hashes. Those of tables are seeded; sketch hashes are fixed and versioned, since sketches are merged over
 * days and sensors: changing one changes AG_ABI_VERSION.
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

/*
 * Of the tables, seeded per load: keyed rounds of the mixer (an iterated Even-Mansour construction), so that
 * who does not know the seed cannot choose sources that fall into one set. key: AG_KEY_MASK bits. A source's
 * hash tells its summary, a record's its flow set.
 */
AG_INLINE __u64 hash_source(const volatile __u64 seed[2], __u64 src_hi, __u64 src_lo, __u64 key)
{
	__u64 h = hash_mix((src_lo ^ seed[0]) + (key >> AG_KEY_PROTOCOL_SHIFT << 40));

	return src_hi ? hash_mix(h ^ src_hi ^ seed[1]) : h;
}

AG_INLINE __u64 hash_record(const volatile __u64 seed[2], __u64 source_hash, __u64 key)
{
	return hash_mix((source_hash ^ seed[1]) + (key & 0x7fffff));
}

/* Set apart so that a /64 and an IPv4 address never share a key. */
#define HOST_KEY_IPV4 0x0000000100000000ULL

/* A host: an IPv4 address (in the low 32 bits of lo), or an IPv6 /64. */
AG_INLINE __u64 sketch_hash(__u64 src_hi, __u64 src_lo, bool v6)
{
	return hash_mix(v6 ? src_hi : HOST_KEY_IPV4 | src_lo);
}

/* A promoted source's places: 12 bits of the filter at the top, its set below them. Nobody is harmed by a hit.
 */
AG_INLINE __u64 promoted_hash(__u32 address)
{
	return address * 0x9e3779b97f4a7c15ULL;
}

AG_INLINE __u32 promoted_bit(__u64 hash)
{
	return (__u32)(hash >> 52);
}

AG_INLINE __u32 promoted_set(__u64 hash)
{
	return (__u32)(hash >> 46) & (AG_PROMOTED_SETS - 1);
}

#endif
