// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of the enums (labels.h), generated from the tables.
 */
#include <string.h>

#include "serve/labels.h"

const char *const labels_outcome[AG_OUTCOME_MAX] = {
#define AG_OUTCOME(name, label, help) label,
#include "airglow/outcome.def"
#undef AG_OUTCOME
};

const char *const labels_class[AG_CLASS_MAX] = {
#define AG_CLASS(name, label, help) label,
#include "airglow/class.def"
#undef AG_CLASS
};

const char *const labels_tool[AG_TOOL_MAX] = {
#define AG_TOOL(name, label, chance_bits, help) label,
#include "airglow/tool.def"
#undef AG_TOOL
};

const char *const labels_anomaly[AG_ANOMALY_MAX] = {
#define AG_ANOMALY(name, label, help) label,
#include "airglow/anomaly.def"
#undef AG_ANOMALY
};

const char *const labels_feed[AG_FEED_MAX] = {
#define AG_FEED(name, label, drops, help) label,
#include "airglow/feed.def"
#undef AG_FEED
};

const char *const labels_law[AG_LAW_MAX] = {
#define AG_LAW(name, label, equation) label,
#include "airglow/law.def"
#undef AG_LAW
};

const char *const labels_lost[AG_LOST_MAX] = {
#define AG_LOST(name, label, of_records, help) label,
#include "airglow/lost.def"
#undef AG_LOST
};

const char *const labels_alert[AG_ALERT_MAX] = {
#define AG_ALERT(name, label, help) label,
#include "airglow/alert.def"
#undef AG_ALERT
};

const char *const labels_size[AG_SIZE_MAX] = {
#define AG_SIZE(name, up_to_bytes, label) label,
#include "airglow/size.def"
#undef AG_SIZE
};

const char *const labels_service[AG_SERVICE_MAX] = {
	"none",
#define AG_SERVICE(name, label, help) label,
#include "airglow/service.def"
};

unsigned int labels_find(const char *const *labels, unsigned int n, const char *label)
{
	unsigned int i;

	for (i = 0; i < n && strcmp(labels[i], label); i++)
		;
	return i;
}
