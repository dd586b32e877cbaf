/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Addresses of this host among the dark ones. A dropping feed would cut the host off from them: at the start
 * that is refused, later they are not dark for as long as the host has them.
 */
#ifndef AIRGLOW_CLI_OWN_H
#define AIRGLOW_CLI_OWN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/config.h"
#include "engine/plan.h"

/* 0, or -EADDRINUSE with a sentence that names one. */
int own_check(const struct config *config, char *why, size_t why_size);

struct own;

/* The configuration is borrowed; NULL without memory. */
struct own *own_new(const struct config *config);
void own_free(struct own **own);

/*
 * Takes the addresses that this host has now out of the plan, and puts those back that it has no more; says so.
 * True when the plan is another than before. After a reload own_renew does it with the new configuration and
 * its plan, in which nothing is taken out yet.
 */
bool own_follow(struct own *own, struct plan *plan);
bool own_renew(struct own *own, const struct config *config, struct plan *plan);

#endif
