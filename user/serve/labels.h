/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The published names of the enums of include/airglow/, from their tables. Indexed by the enum.
 */
#ifndef AIRGLOW_SERVE_LABELS_H
#define AIRGLOW_SERVE_LABELS_H

#include "airglow/abi.h"

#define LABELS_TOOL_UNKNOWN "unknown" /* AG_TOOL_NONE */

extern const char *const labels_outcome[AG_OUTCOME_MAX];
extern const char *const labels_class[AG_CLASS_MAX];
extern const char *const labels_tool[AG_TOOL_MAX];
extern const char *const labels_anomaly[AG_ANOMALY_MAX];
extern const char *const labels_feed[AG_FEED_MAX];
extern const char *const labels_law[AG_LAW_MAX];
extern const char *const labels_lost[AG_LOST_MAX];
extern const char *const labels_alert[AG_ALERT_MAX];
extern const char *const labels_size[AG_SIZE_MAX];	 /* upper bound in bytes, "inf" for the last */
extern const char *const labels_service[AG_SERVICE_MAX]; /* [AG_SERVICE_NONE] is "none" */

/* The number of a label, or n. */
unsigned int labels_find(const char *const *labels, unsigned int n, const char *label);

#endif
