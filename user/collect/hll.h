/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reader's side of bpf/sketch.h: merging and estimating HyperLogLog registers.
 */
#ifndef AIRGLOW_COLLECT_HLL_H
#define AIRGLOW_COLLECT_HLL_H

#include <stdint.h>

#include "airglow/abi.h"

/* into = union of both: the maximum of each register. */
void hll_merge(struct ag_hll *into, const struct ag_hll *from);

/* The same of sketches with 2^bits registers, 4 <= bits <= 16; and a key by its hash (bpf/sketch.h). */
void hll_merge_registers(uint8_t *into, const uint8_t *from, unsigned int bits);
void hll_touch(uint8_t *registers, unsigned int bits, uint64_t hash);

/*
 * Distinct keys, rounded. Improved raw estimator of O. Ertl, "New cardinality estimation algorithms for
 * HyperLogLog sketches", 2017, algorithm 6: no bias tables, no switch of formulas; standard error 0.81 %.
 */
__u64 hll_estimate(const struct ag_hll *sources);
/* Standard error 1.04 / sqrt(2^bits). */
uint64_t hll_estimate_registers(const uint8_t *registers, unsigned int bits);

#endif
