/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Feed self: the addresses that this host has now, as dark prefixes. Asks rtnetlink; changes nothing.
 */
#ifndef AIRGLOW_CLI_OWN_H
#define AIRGLOW_CLI_OWN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"

/* Room in the tables for addresses that are not there yet, in /24s: a lease or a prefix may change for years.
 */
#define OWN_SPARE 64

struct own_prefixes {
	struct plan_prefix *list;
	size_t count;
};

/*
 * The configured prefixes, and where the configuration says `self` each unicast address of the interfaces with
 * the feed self, link-local ones left out; a configured prefix of the same address stands before it. Sorted
 * behind the configured ones, so that the same addresses give the same list. 0, or -errno with a sentence.
 */
int own_prefixes(struct own_prefixes *out, const struct config *config, char *why, size_t why_size);
void own_free(struct own_prefixes *prefixes);

bool own_same(const struct own_prefixes *a, const struct own_prefixes *b);
/* Into the log: what is said, and this host's addresses among them. */
void own_tell(const char *what, const struct own_prefixes *prefixes, const struct config *config);

/* Are they others now than in *prefixes? Then puts them in force and takes them over: 1. 0: the same. -ENOSPC:
 * they need larger tables than were made at start, and the sensor must be started again; -errno else, and
 * nothing changed. */
struct engine;
struct collector;
int own_follow(struct own_prefixes *prefixes, struct plan *plan, const struct config *config,
	       struct engine *engine, struct collector *collector, char *why, size_t why_size);

/* The tables of it. */
int own_plan(struct plan **out, const struct own_prefixes *prefixes, const struct config *config, char *why,
	     size_t why_size);

#endif
