// SPDX-License-Identifier: GPL-2.0-only
/*
 * Small changes of a plan that is in use (plan_set4, plan_set6): what is not asked for stays where it is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/plan.h"

uint32_t plan_address4(const struct prefix *p)
{
	return (uint32_t)p->addr[0] << 24 | (uint32_t)p->addr[1] << 16 | (uint32_t)p->addr[2] << 8 | p->addr[3];
}

/* The split of an entry, made of its scope when it has none. NULL: no room. */
static struct ag_split *split_entry(struct plan *plan, uint32_t *entry)
{
	struct ag_split *split;

	if (*entry & AG_ENTRY_SPLIT)
		return &plan->splits[*entry & ~AG_ENTRY_SPLIT];
	if (plan->splits_used == plan->splits_size)
		return NULL;
	split = &plan->splits[plan->splits_used];
	split->page = *entry & AG_ENTRY_PAGE_MASK;
	memset(split->scope, (int)(*entry >> AG_ENTRY_SCOPE_SHIFT & AG_ENTRY_SCOPE_MASK), sizeof(split->scope));
	__atomic_store_n(entry, AG_ENTRY_SPLIT | plan->splits_used++, __ATOMIC_RELEASE);
	return split;
}

int plan_set4(struct plan *plan, uint32_t address, unsigned int scope)
{
	uint32_t block = plan->scope16->block[address >> 16];
	uint32_t *entry = block ? &plan->blocks[block].entry[address >> 8 & 0xff] : NULL;
	struct ag_split *split;
	unsigned int before;

	if (!entry || !*entry)
		return -ENOENT;
	split = split_entry(plan, entry);
	if (!split)
		return -ENOSPC;
	before = split->scope[address & 0xff];
	split->scope[address & 0xff] = (uint8_t)scope;
	if (before) {
		plan->addresses--;
		plan->scope_addresses[before]--;
	}
	if (scope) {
		plan->addresses++;
		plan->scope_addresses[scope]++;
	}
	return 0;
}

int plan_set6(struct plan *plan, const struct plan_prefix *prefixes, size_t count)
{
	struct plan_prefix *six = calloc(count + 1, sizeof(*six));
	struct plan *ranges = NULL;
	char why[128];
	size_t used = 0;
	int err = -ENOMEM;

	for (size_t i = 0; six && i < count; i++)
		if (prefixes[i].prefix.family == 6)
			six[used++] = prefixes[i];
	if (six)
		err = plan_new(&ranges, six, used, false, why, sizeof(why));
	if (!err) {
		memcpy(plan->settings.range6, ranges->settings.range6, sizeof(plan->settings.range6));
		plan->settings.ranges6 = ranges->settings.ranges6;
	}
	plan_free(&ranges);
	free(six);
	return err;
}
