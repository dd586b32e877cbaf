// SPDX-License-Identifier: GPL-2.0-only
/*
 * What only the whole configuration shows: prefixes that overlap, holes in nothing, feeds that lack something.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/cleanup.h"
#include "base/config.h"

#define MEMORY_BYTES_MIN (UINT64_C(8) << 20)
#define INTERVAL_MS_MIN	 50
#define INTERVAL_MS_MAX	 60000
#define WINDOW_MS	 300000
#define SAMPLES_MAX	 1000 /* a second: the coarse clock ticks 250 to 1000 times */

static int compare_prefixes(const void *a, const void *b)
{
	const struct plan_prefix *left = a, *right = b;

	return prefix_compare(&left->prefix, &right->prefix);
}

/* inner: a prefix; outer: the closest around it, or NULL. */
static int check_nesting(const struct plan_prefix *inner, const struct plan_prefix *outer, char *why,
			 size_t why_size)
{
	char text[PREFIX_TEXT_BYTES], around[PREFIX_TEXT_BYTES];

	prefix_format(text, sizeof(text), &inner->prefix);
	if (!outer && inner->scope)
		return 0;
	if (!outer || (!inner->scope && !outer->scope)) {
		snprintf(why, why_size,
			 "the live prefix %s is no hole: the addresses around it are not dark; take it out",
			 text);
		return -EINVAL;
	}
	if (inner->scope != outer->scope)
		return 0;
	snprintf(why, why_size,
		 "the prefixes %s and %s overlap in one scope; take one out, or give it another scope", text,
		 prefix_format(around, sizeof(around), &outer->prefix));
	return -EEXIST;
}

/* Longest prefix wins, so a prefix may lie inside one of another scope; inside its own it is a mistake. */
static int check_prefixes(const struct config *config, char *why, size_t why_size)
{
	size_t count = config->prefixes_count;
	CLEANUP(cleanup_free) struct plan_prefix *sorted = calloc(count + 1, sizeof(*sorted));
	CLEANUP(cleanup_free) size_t *around = calloc(count + 1, sizeof(*around));

	if (!sorted || !around) {
		snprintf(why, why_size, "not enough memory for the configuration");
		return -ENOMEM;
	}
	if (count)
		memcpy(sorted, config->prefixes, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), compare_prefixes);
	/* Enclosing prefixes stand before what they enclose; around[i] is the closest, or SIZE_MAX. */
	for (size_t i = 0; i < count; i++) {
		size_t outer = i ? i - 1 : SIZE_MAX;
		int err;

		while (outer != SIZE_MAX && !prefix_contains(&sorted[outer].prefix, &sorted[i].prefix))
			outer = around[outer];
		around[i] = outer;
		err = check_nesting(&sorted[i], outer == SIZE_MAX ? NULL : &sorted[outer], why, why_size);
		if (err)
			return err;
	}
	return 0;
}

static int check_sensor(const struct config *config, char *why, size_t why_size)
{
	bool dark = config->self_scope;

	if (!config->interfaces_count) {
		snprintf(why, why_size,
			 "no interface to capture on; name one with --iface or with interfaces: in the file");
		return -EINVAL;
	}
	for (size_t i = 0; i < config->prefixes_count && !dark; i++)
		dark = config->prefixes[i].scope;
	if (!dark) {
		snprintf(why, why_size,
			 "no address is dark; name prefixes with --dark or with dark: in the file");
		return -EINVAL;
	}
	if (config_check_self(config, why, why_size))
		return -EINVAL;
	for (size_t i = 0; i < config->interfaces_count; i++) {
		if (config->interfaces[i].feed != AG_FEED_TUNNEL || config->decaps_count)
			continue;
		snprintf(
			why, why_size,
			"%s has the feed tunnel, but no tunnel may be opened; say which with --decap or decap:",
			config->interfaces[i].name);
		return -EINVAL;
	}
	return 0;
}

int config_check(const struct config *config, bool live, char *why, size_t why_size)
{
	int err = check_prefixes(config, why, why_size);

	if (!err && config->memory_bytes < MEMORY_BYTES_MIN) {
		snprintf(why, why_size,
			 "memory: %llu bytes are too few; give at least 8MB (the default is 128MB)",
			 (unsigned long long)config->memory_bytes);
		err = -EINVAL;
	}
	if (!err && (config->interval_ms < INTERVAL_MS_MIN || config->interval_ms > INTERVAL_MS_MAX ||
		     WINDOW_MS % config->interval_ms)) {
		snprintf(why, why_size,
			 "interval: %llu ms cannot be; give %d to %d, a divisor of %d (the default is %d)",
			 (unsigned long long)config->interval_ms, INTERVAL_MS_MIN, INTERVAL_MS_MAX, WINDOW_MS,
			 CONFIG_INTERVAL);
		err = -EINVAL;
	}
	if (!err && config->samples > SAMPLES_MAX) {
		snprintf(why, why_size, "samples: %llu a second are too many; give at most %d",
			 (unsigned long long)config->samples, SAMPLES_MAX);
		err = -EINVAL;
	}
	if (!err && !live && config->self_scope && !config->prefixes_count) {
		snprintf(
			why, why_size,
			"self means nothing for a capture; give the addresses of the host that captured with --dark");
		err = -EINVAL;
	}
	if (!err && live)
		err = check_sensor(config, why, why_size);
	return err;
}

unsigned int config_scope_of(const struct config *config, const struct prefix *address)
{
	const struct plan_prefix *longest = NULL;

	for (size_t i = 0; i < config->prefixes_count; i++) {
		const struct plan_prefix *candidate = &config->prefixes[i];

		if (prefix_contains(&candidate->prefix, address) &&
		    (!longest || candidate->prefix.length > longest->prefix.length))
			longest = candidate;
	}
	return longest ? longest->scope : 0;
}
