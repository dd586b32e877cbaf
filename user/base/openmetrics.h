/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Writer of metrics, in OpenMetrics 1.0 or the Prometheus text format 0.0.4. Families come from metric.def;
 * escaping and numbers are formatted here and nowhere else. Knows nothing of snapshots or HTTP.
 */
#ifndef AIRGLOW_BASE_OPENMETRICS_H
#define AIRGLOW_BASE_OPENMETRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum metric {
#define AG_METRIC(name, family, kind, help) METRIC_##name,
#include "airglow/metric.def"
#undef AG_METRIC
	METRIC_MAX
};

struct metrics {
	FILE *out;	  /* borrowed */
	bool openmetrics; /* else text 0.0.4 */
	enum metric family;
	unsigned int labels;
	unsigned int series; /* written so far */
};

void metrics_init(struct metrics *m, FILE *out, bool openmetrics);

/* Begins a family: HELP and TYPE. Once each. */
void metrics_family(struct metrics *m, enum metric family);

/* One sample: begin, its labels, its value. */
void metrics_begin(struct metrics *m);
void metrics_label(struct metrics *m, const char *name, const char *value);
void metrics_integer(struct metrics *m, uint64_t value);
void metrics_real(struct metrics *m, double value);

/* The end mark that OpenMetrics wants. */
void metrics_end(struct metrics *m);

#endif
