// SPDX-License-Identifier: GPL-2.0-only
/*
 * Numbers by name (kept.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "collect/kept.h"

#define TIME_MOST (INT64_MAX / 4) /* ns: sums of two stay times */

bool kept_is_time(int64_t ns)
{
	return ns >= 0 && ns <= TIME_MOST;
}

bool kept_is_sound(const struct ag_kept *kept)
{
	bool sound = kept_is_time(kept->start_ns) && kept->gaps_count <= AG_GAPS_MAX &&
		     kept->gap_sums_count <= AG_GAP_SUMS_MAX;
	unsigned int i;

	/* Names in a row from 1. */
	for (i = 1; i <= AG_SCOPES_MAX; i++)
		sound = sound && (!kept->scopes[i][0] ||
				  (config_is_name(kept->scopes[i]) && (i == 1 || kept->scopes[i - 1][0])));
	for (i = 0; i < AG_GAPS_MAX; i++)
		sound = sound && kept_is_time(kept->gaps[i].from_ns) && kept_is_time(kept->gaps[i].to_ns);
	for (i = 0; i < AG_GAP_SUMS_MAX; i++)
		sound = sound && kept_is_time(kept->gap_sums[i].closed_ns);
	return sound;
}

void kept_begin(struct ag_kept *kept, int64_t now_ns)
{
	if (!kept->start_ns)
		kept->start_ns = now_ns;
	while (!kept->id)
		if (getrandom(&kept->id, sizeof(kept->id), 0) != (ssize_t)sizeof(kept->id))
			kept->id = (__u64)now_ns;
}

typedef char name_text[AG_NAME_BYTES];

static void set_name(name_text to, const char *name)
{
	memset(to, 0, AG_NAME_BYTES);
	memcpy(to, name, strnlen(name, AG_NAME_BYTES - 1));
}

/* Its number, a free one for a new name; 0: there is none left. */
static unsigned int number_of(name_text names[AG_SCOPES_MAX + 1], const char *name)
{
	unsigned int i;

	for (i = 1; i <= AG_SCOPES_MAX && names[i][0]; i++)
		if (!strcmp(names[i], name))
			return i;
	if (i > AG_SCOPES_MAX)
		return 0;
	set_name(names[i], name);
	return i;
}

/* The scopes in the order of their numbers. */
static int rename_scopes(struct config *config, name_text names[AG_SCOPES_MAX + 1])
{
	struct config_scope *scopes = calloc(AG_SCOPES_MAX, sizeof(*scopes));
	size_t count = 0, i;

	while (scopes && count < AG_SCOPES_MAX && names[count + 1][0]) {
		scopes[count].name = strdup(names[count + 1]);
		if (!scopes[count].name)
			break;
		count++;
	}
	if (!scopes || (count < AG_SCOPES_MAX && names[count + 1][0])) {
		for (i = 0; scopes && i < count; i++)
			free(scopes[i].name);
		free(scopes);
		return -ENOMEM;
	}
	for (i = 0; i < config->scopes_count; i++)
		free(config->scopes[i].name);
	free(config->scopes);
	config->scopes = scopes;
	config->scopes_count = count;
	return 0;
}

int kept_number_scopes(const struct ag_kept *kept, struct config *config, char *why, size_t why_size)
{
	name_text names[AG_SCOPES_MAX + 1];
	unsigned int numbers[AG_SCOPES_MAX + 1] = {};
	size_t i;

	memcpy(names, kept->scopes, sizeof(names));
	for (i = 0; i < config->scopes_count; i++) {
		numbers[i + 1] = number_of(names, config->scopes[i].name);
		if (numbers[i + 1])
			continue;
		snprintf(
			why, why_size,
			"there were %d names of scopes since these totals began, and no room for %s; use a name that was "
			"there, or begin new totals (airglow detach, another state directory)",
			AG_SCOPES_MAX, config->scopes[i].name);
		return -ENOSPC;
	}
	for (i = 0; i < config->prefixes_count; i++)
		config->prefixes[i].scope = numbers[config->prefixes[i].scope];
	config->self_scope = numbers[config->self_scope];
	if (!rename_scopes(config, names))
		return 0;
	snprintf(why, why_size, "not enough memory for the names of the scopes");
	return -ENOMEM;
}

void kept_commit_scopes(struct ag_kept *kept, const struct config *config)
{
	size_t i;

	for (i = 0; i < config->scopes_count; i++)
		set_name(kept->scopes[i + 1], config->scopes[i].name);
}

static bool is_scope_in_use(const struct config *config, unsigned int scope)
{
	size_t i;

	for (i = 0; i < config->prefixes_count; i++)
		if (config->prefixes[i].scope == scope)
			return true;
	return config->self_scope == scope;
}

static bool is_scope_shown(const struct ag_kept_scope shown[AG_SCOPES_SHOWN], unsigned int scope)
{
	unsigned int i;

	for (i = 0; i < AG_SCOPES_SHOWN && shown[i].scope != scope; i++)
		;
	return i < AG_SCOPES_SHOWN;
}

static bool is_shown_twice(const struct ag_kept_scope shown[AG_SCOPES_SHOWN], unsigned int place)
{
	unsigned int i;

	for (i = 0; i < place && shown[i].scope != shown[place].scope; i++)
		;
	return i < place;
}

/* As it was before places were kept: by number. */
static void show_first_scopes(struct ag_kept_scope shown[AG_SCOPES_SHOWN], size_t count)
{
	unsigned int i;

	for (i = 0; i < AG_SCOPES_SHOWN; i++)
		shown[i] = (struct ag_kept_scope){.scope = i < count ? i + 1 : 0};
}

/* As long as a place is free nobody was one of the others. */
static void show_scope(struct ag_kept_scope shown[AG_SCOPES_SHOWN], const struct config *config,
		       unsigned int scope, const struct ag_counters *counters)
{
	unsigned int i;

	for (i = 0; i < AG_SCOPES_SHOWN && shown[i].scope; i++)
		;
	if (i < AG_SCOPES_SHOWN) {
		shown[i] = (struct ag_kept_scope){.scope = scope};
		return;
	}
	for (i = 0; i < AG_SCOPES_SHOWN && is_scope_in_use(config, shown[i].scope); i++)
		;
	if (i == AG_SCOPES_SHOWN)
		return;
	shown[i].scope = scope;
	memcpy(shown[i].packets, counters->class_packets[scope], sizeof(shown[i].packets));
	memcpy(shown[i].bytes, counters->class_bytes[scope], sizeof(shown[i].bytes));
}

void kept_show_scopes(struct ag_kept *kept, const struct config *config, const struct ag_counters *counters)
{
	struct ag_kept_scope shown[AG_SCOPES_SHOWN];
	unsigned int i;

	memcpy(shown, kept->shown, sizeof(shown));
	for (i = 0; i < AG_SCOPES_SHOWN; i++) /* a file may say anything */
		if (shown[i].scope > config->scopes_count || is_shown_twice(shown, i))
			memset(&shown[i], 0, sizeof(shown[i]));
	if (!shown[0].scope)
		show_first_scopes(shown, config->scopes_count);
	for (i = 1; i <= config->scopes_count && i <= AG_SCOPES_MAX; i++)
		if (is_scope_in_use(config, i) && !is_scope_shown(shown, i))
			show_scope(shown, config, i, counters);
	memcpy(kept->shown, shown, sizeof(shown));
}

static bool is_configured(const struct config *config, const char *name)
{
	size_t i;

	for (i = 0; i < config->interfaces_count; i++)
		if (!strcmp(config->interfaces[i].name, name))
			return true;
	return false;
}

/* Among at most AG_INTERFACES_MAX configured names one slot is always left. */
static unsigned int find_slot(const struct ag_kept *kept, const struct config *config, const char *name)
{
	unsigned int i;

	for (i = 0; i < AG_INTERFACES_MAX; i++)
		if (!strcmp(kept->interfaces[i].name, name))
			return i;
	for (i = 0; i < AG_INTERFACES_MAX; i++)
		if (!kept->interfaces[i].name[0])
			return i;
	for (i = 0; i < AG_INTERFACES_MAX - 1 && is_configured(config, kept->interfaces[i].name); i++)
		;
	return i;
}

void kept_number_interfaces(struct ag_kept *kept, const struct config *config,
			    const __u64 received[AG_INTERFACES_MAX], unsigned int slots[AG_INTERFACES_MAX])
{
	size_t i;

	for (i = 0; i < config->interfaces_count && i < AG_INTERFACES_MAX; i++) {
		const char *name = config->interfaces[i].name;
		struct ag_kept_interface *slot;

		slots[i] = find_slot(kept, config, name);
		slot = &kept->interfaces[slots[i]];
		if (!strcmp(slot->name, name))
			continue;
		memset(slot, 0, sizeof(*slot));
		set_name(slot->name, name);
		slot->received_before = received[slots[i]];
	}
}

static const struct ag_kept_port *find_port(const struct ag_kept *kept, const struct config_watch *watch)
{
	unsigned int i;

	for (i = 0; i < AG_WATCH_MAX; i++)
		if (kept->ports[i].protocol == watch->protocol && kept->ports[i].port == watch->port)
			return &kept->ports[i];
	return NULL;
}

void kept_watch(struct ag_kept *kept, const struct config *config, const struct ag_ports *ports,
		__u64 before[AG_WATCH_MAX])
{
	struct ag_kept_port list[AG_WATCH_MAX] = {};
	size_t i;

	for (i = 0; i < config->watch_count && i < AG_WATCH_MAX; i++) {
		const struct config_watch *watch = &config->watch[i];
		const struct ag_kept_port *known = find_port(kept, watch);
		const __u64 *counts = watch->protocol == 6 ? ports->tcp : ports->udp;

		list[i].protocol = watch->protocol;
		list[i].port = watch->port;
		list[i].before = before[i] = known ? known->before : counts[watch->port];
	}
	memcpy(kept->ports, list, sizeof(list));
}

void kept_load_gaps(const struct ag_kept *kept, struct gaps *gaps)
{
	unsigned int i;

	for (i = 0; i < kept->gaps_count && i < AG_GAPS_MAX; i++) {
		const struct ag_gap *from = &kept->gaps[i];
		struct gap gap = {.from_ns = from->from_ns, .to_ns = from->to_ns};

		snprintf(gap.subject, sizeof(gap.subject), "%.39s", from->subject);
		snprintf(gap.reason, sizeof(gap.reason), "%.39s", from->reason);
		gaps_load(gaps, &gap);
	}
	for (i = 0; i < kept->gap_sums_count && i < AG_GAP_SUMS_MAX; i++) {
		struct gap_sum sum = {.closed_ns = kept->gap_sums[i].closed_ns};

		snprintf(sum.subject, sizeof(sum.subject), "%.39s", kept->gap_sums[i].subject);
		gaps_load_sum(gaps, &sum);
	}
}

void kept_end_gaps(struct gaps *gaps, const struct config *config, int64_t now_ns)
{
	unsigned int i;

	for (i = 0; i < gaps->count; i++) {
		const struct gap *gap = &gaps->list[i];

		if (!gap->to_ns && strcmp(gap->subject, GAPS_ALL) && !is_configured(config, gap->subject))
			gaps_close(gaps, gap->subject, now_ns);
	}
}

/* How many were stored. */
struct store {
	struct ag_kept *kept;
	__u32 gaps, sums;
};

/* What is the same is not touched: nobody reads half of it. */
static void put(void *to, const void *from, size_t bytes)
{
	if (memcmp(to, from, bytes))
		memcpy(to, from, bytes);
}

static void store_gap(void *arg, const struct gap *gap)
{
	struct ag_gap to = {.from_ns = gap->from_ns, .to_ns = gap->to_ns};
	struct store *s = arg;

	if (s->gaps == AG_GAPS_MAX)
		return;
	set_name(to.subject, gap->subject);
	set_name(to.reason, gap->reason);
	put(&s->kept->gaps[s->gaps++], &to, sizeof(to));
}

static void store_sum(void *arg, const struct gap_sum *sum)
{
	struct ag_gap_sum to = {.closed_ns = sum->closed_ns};
	struct store *s = arg;

	if (s->sums == AG_GAP_SUMS_MAX)
		return;
	set_name(to.subject, sum->subject);
	put(&s->kept->gap_sums[s->sums++], &to, sizeof(to));
}

/* The counts last: this process may end at any moment, and others read meanwhile. */
void kept_store_gaps(struct ag_kept *kept, const struct gaps *gaps)
{
	struct store s = {.kept = kept};

	gaps_each(gaps, store_gap, &s);
	gaps_each_sum(gaps, store_sum, &s);
	__atomic_store_n(&kept->gaps_count, s.gaps, __ATOMIC_RELEASE);
	__atomic_store_n(&kept->gap_sums_count, s.sums, __ATOMIC_RELEASE);
}
