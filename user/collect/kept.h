/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is named by a number in the books keeps its number for as long as the books are open, whatever the
 * configuration becomes: scopes, interfaces, and ports with a series of their own (struct ag_kept).
 */
#ifndef AIRGLOW_COLLECT_KEPT_H
#define AIRGLOW_COLLECT_KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "airglow/keep.h"
#include "base/config.h"
#include "collect/gaps.h"

/* Can it have been written by us? Of what comes from a file: its numbers are calculated with, its names shown.
 */
bool kept_is_time(int64_t ns);
bool kept_is_sound(const struct ag_kept *kept);

/* Books that are new get a number of their own and begin now (Unix time). */
void kept_begin(struct ag_kept *kept, int64_t now_ns);

/*
 * Numbers the scopes of a configuration as the books do: names that are known keep their number, new ones get
 * free ones, and names that are not configured any more stay, without addresses. The books learn of them by
 * kept_commit_scopes. -ENOSPC: more than AG_SCOPES_MAX names since the books were opened.
 */
int kept_number_scopes(const struct ag_kept *kept, struct config *config, char *why, size_t why_size);
void kept_commit_scopes(struct ag_kept *kept, const struct config *config);

/*
 * The slot of each interface of a configuration, slots[config->interfaces_count]: by its name, else one that
 * nobody had, else one of an interface that is not configured any more. received: by slot, as the books have it
 * now.
 */
void kept_number_interfaces(struct ag_kept *kept, const struct config *config,
			    const __u64 received[AG_INTERFACES_MAX], unsigned int slots[AG_INTERFACES_MAX]);

/*
 * The ports of the watch list: before[i] is what port i had when its series began, which stays with "other".
 * ports: all packets by port, now.
 */
void kept_watch(struct ag_kept *kept, const struct config *config, const struct ag_ports *ports,
		__u64 before[AG_WATCH_MAX]);

/*
 * The scopes with series of their own: the configured ones first, of former ones those for whom room is left. A
 * place is kept as long as its scope is configured. Who gets one of a former scope was one of the others till
 * now, where what it had stays; the former scope is one of them with all it had. So no sum goes back, but the
 * series of a scope that is back after its place was another's begins anew. counters: of all books, now.
 */
void kept_show_scopes(struct ag_kept *kept, const struct config *config, const struct ag_counters *counters);

/* The gaps in the coverage, into zeroed ones and back. */
void kept_load_gaps(const struct ag_kept *kept, struct gaps *gaps);
void kept_store_gaps(struct ag_kept *kept, const struct gaps *gaps);
/* Nobody looks at interfaces that are not configured: their open gaps end. */
void kept_end_gaps(struct gaps *gaps, const struct config *config, int64_t now_ns);

#endif
