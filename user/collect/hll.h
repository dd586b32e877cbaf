/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reader's side of bpf/sketch.h: merging and estimating HyperLogLog registers.
 */
#ifndef AIRGLOW_COLLECT_HLL_H
#define AIRGLOW_COLLECT_HLL_H

#include "airglow/abi.h"

/* into = union of both: the maximum of each register. */
void hll_merge(struct ag_hll *into, const struct ag_hll *from);

/*
 * Distinct keys, rounded. Improved raw estimator of O. Ertl, "New cardinality estimation algorithms for
 * HyperLogLog sketches", 2017, algorithm 6: no bias tables, no switch of formulas; standard error 0.81 %.
 */
__u64 hll_estimate(const struct ag_hll *sources);

#endif
