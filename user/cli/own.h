/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The prefixes in force: those of the configuration, and what this host's own addresses make of them. Under a
 * dropping feed an own address is not dark for as long as the host has it, or the host would be cut off from it
 * (the first start is refused); with the word `self` own addresses are what is dark.
 */
#ifndef AIRGLOW_CLI_OWN_H
#define AIRGLOW_CLI_OWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "engine/plan.h"

/* Zeroed before the first use; own_free. The configuration's come first. */
struct own_prefixes {
	struct plan_prefix *list;
	size_t count;
	size_t selves; /* addresses that the word `self` stands for */
};

/* 0, or -EADDRINUSE with a sentence that names an own address inside a dark prefix that a feed would drop. */
int own_check(const struct config *config, char *why, size_t why_size);

/* As they are now; ifindex: of config->interfaces, whatever they are called by now. 0, or -errno with a
 * sentence in why. */
int own_prefixes(struct own_prefixes *out, const struct config *config,
		 const uint32_t ifindex[AG_INTERFACES_MAX], char *why, size_t why_size);
void own_free(struct own_prefixes *prefixes);
/*
 * Without the last of the addresses that the word `self` made dark; false: there is none. A hole is never left
 * out: it would be dropped.
 */
bool own_drop_last(struct own_prefixes *prefixes, const struct config *config);
bool own_same(const struct own_prefixes *a, const struct own_prefixes *b);

/* Into the log: which own addresses came and went. */
void own_tell(const struct own_prefixes *before, const struct own_prefixes *now, const struct config *config);

#endif
