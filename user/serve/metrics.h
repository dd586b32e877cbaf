/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /metrics and /metrics/ports from a snapshot.
 */
#ifndef AIRGLOW_SERVE_METRICS_H
#define AIRGLOW_SERVE_METRICS_H

#include <stdbool.h>
#include <stdio.h>

#include "collect/snapshot.h"

/* Bound of /metrics with any traffic, 64 scopes and 8 interfaces. */
#define SERVE_SERIES_MAX 500

/* Writes the bounded set; returns the number of series. */
unsigned int serve_metrics(FILE *out, const struct snapshot *snapshot, bool openmetrics);
/* Every port with a count. */
unsigned int serve_port_metrics(FILE *out, const struct snapshot *snapshot, bool openmetrics);

#endif
