// SPDX-License-Identifier: GPL-2.0-only
/*
 * The file in the state directory on arbitrary bytes, with the layout of this program's own books: it must
 * neither crash nor leak; what is refused is refused whole, and what is taken can be gone on with: its names
 * end, its numbers stay inside the arrays, books begun with it stand for the same, and what these would write
 * is read as the same again. Corpus: tests/fuzz/corpus/carry.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collect/carry.h"
#include "collect/hll.h"
#include "collect/interval.h"
#include "collect/kept.h"
#include "engine/backend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct layout *layout;
static struct native *native;
static struct books books;
static struct carry *read_first, *read_again, *stood_for;

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "promise of carry.h broken: %s\n", what);
	abort();
}

static void open_books(void)
{
	static const struct plan_prefix prefix = {.prefix = {.family = 4, .length = 24, .addr = {198, 51, 100}},
						  .scope = 1};
	struct plan *plan = NULL;
	struct table_sizes sizes;
	char why[256] = "";

	if (layout)
		return;
	read_first = carry_new();
	read_again = carry_new();
	stood_for = carry_new();
	require(read_first && read_again && stood_for && !kernel_layout(&layout), "there is memory");
	require(!plan_new(&plan, &prefix, 1, false, why, sizeof(why)), why);
	sizes = tables_size(plan, 1, 1, false);
	require(!native_new(&native, &sizes), "there is memory");
	books = tables_books(native_tables(native));
	books.control->epoch = 1;
	plan_free(&plan);
}

static bool is_name(const char name[AG_NAME_BYTES])
{
	return memchr(name, 0, AG_NAME_BYTES);
}

static void check_names(const struct ag_kept *kept)
{
	unsigned int i, j;

	require(kept_is_sound(kept), "what was read is sound, with the gap that was added");
	for (i = 0; i <= AG_SCOPES_MAX; i++)
		require(is_name(kept->scopes[i]), "a scope's name ends");
	for (i = 0; i < AG_INTERFACES_MAX; i++) {
		require(is_name(kept->interfaces[i].name), "an interface's name ends");
		for (j = 0; j < AG_NIC_MAX; j++)
			require(is_name(kept->interfaces[i].drops[j].name), "a counter's name ends");
	}
	for (i = 0; i < AG_GAPS_MAX; i++)
		require(is_name(kept->gaps[i].subject) && is_name(kept->gaps[i].reason), "a gap's name ends");
	for (i = 0; i < AG_GAP_SUMS_MAX; i++)
		require(is_name(kept->gap_sums[i].subject), "a sum's name ends");
}

/* A configuration is numbered as the file says. */
static void check_numbers(struct ag_kept *kept, const struct ag_carried *carried)
{
	unsigned int slots[AG_INTERFACES_MAX], i, j;
	__u64 before[AG_WATCH_MAX];
	struct config *config = NULL;
	char why[512] = "";

	require(!config_new(&config) && !config_add_interface(config, "eth0", why, sizeof(why)) &&
			!config_add_interface(config, "eth1", why, sizeof(why)) &&
			!config_add_interface(config, "wan", why, sizeof(why)) &&
			!config_add_dark(config, "198.51.100.0/24", "north", why, sizeof(why)) &&
			!config_add_dark(config, "203.0.113.0/24", "south", why, sizeof(why)),
		"there is memory");
	if (!kept_number_scopes(kept, config, why, sizeof(why))) {
		require(config->scopes_count >= 2 && config->scopes_count <= AG_SCOPES_MAX, "scopes have room");
		for (i = 0; i < 2; i++) {
			j = config->prefixes[i].scope;
			require(j >= 1 && j <= config->scopes_count &&
					!strcmp(config->scopes[j - 1].name, i ? "south" : "north"),
				"a prefix is in its scope");
		}
		kept_commit_scopes(kept, config);
	} else {
		require(strstr(why, "64"), "names of scopes are refused when there are too many");
	}
	kept_number_interfaces(kept, config, carried->counters.interface, slots);
	for (i = 0; i < 3; i++) {
		require(slots[i] < AG_INTERFACES_MAX, "a slot is one");
		for (j = 0; j < i; j++)
			require(slots[i] != slots[j], "a slot is one interface's");
	}
	kept_watch(kept, config, &carried->ports, before);
	kept_show_scopes(kept, config, &carried->counters);
	for (i = 0; i < AG_SCOPES_SHOWN; i++)
		require(kept->shown[i].scope <= config->scopes_count, "a place is a scope's");
	config_free(&config);
}

static void ignore_records(void *arg, const struct interval *interval, const struct ag_record *records,
			   size_t count)
{
	(void)arg, (void)interval, (void)records, (void)count;
}

static void ignore_interval(void *arg, const struct interval *interval)
{
	(void)arg, (void)interval;
}

/* Books that begin with it: their reader closes an interval, and they stand for the same. */
static void check_books(const struct carry *carry)
{
	const struct sink sink = {NULL, ignore_records, ignore_interval};
	static struct ag_hll all[AG_CLASS_MAX], open[AG_CLASS_MAX];
	struct reader *reader = reader_new(&books, &sink);
	struct reader_totals totals;
	unsigned int class;

	require(reader != NULL, "there is memory");
	memset(books.control, 0, sizeof(*books.control));
	books.control->epoch = 1;
	memset(books.collected, 0, sizeof(*books.collected));
	carry_into_books(carry, &books);
	reader_begin(reader, 1000, 1000);
	reader_begin(reader, 2000, 2000);
	reader_close(reader);
	reader_totals(reader, &totals);
	require(totals.intervals == carry->told.intervals + 1, "an interval is one more");
	require(totals.dark == carry->told.dark, "totals go on");
	reader_hosts(reader, all, open);
	for (class = 0; class < AG_CLASS_MAX; class ++)
		hll_estimate(&all[class]);
	reader_free(&reader);
	memset(stood_for, 0, sizeof(*stood_for));
	carry_of_books(stood_for, &books);
	require(!memcmp(&stood_for->carried, &carry->carried, sizeof(carry->carried)), "books stand for it");
}

static bool is_same_again(const char *type, const void *value, void *again)
{
	json_t *json = layout_json(layout, type, value);
	bool same = json && !layout_from_json(again, layout, type, json);

	json_decref(json);
	return same;
}

static void check_again(const struct carry *carry)
{
	struct carry *again = read_again;

	memset(again, 0, sizeof(*again));
	require(is_same_again("ag_carried", &carry->carried, &again->carried) &&
			is_same_again("ag_told", &carry->told, &again->told) &&
			is_same_again("ag_kept", &carry->kept, &again->kept),
		"what was read can be written and read");
	require(!memcmp(&again->carried, &carry->carried, sizeof(again->carried)) &&
			!memcmp(&again->told, &carry->told, sizeof(again->told)),
		"figures are the same again");
	check_names(&again->kept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int err;

	open_books();
	memset(read_first, 0, sizeof(*read_first));
	err = carry_parse(read_first, layout, (const char *)data, size);
	require(!err || err == -EINVAL, "a file is read or refused");
	if (err)
		return 0;
	check_names(&read_first->kept);
	check_again(read_first);
	check_numbers(&read_first->kept, &read_first->carried);
	check_names(&read_first->kept);
	check_books(read_first);
	return 0;
}
