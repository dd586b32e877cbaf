// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rates by source (top_sources.h). A summary tells the sources with most packets only: one that was not among
 * them in the summary before had at most as many packets as the last that was.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/top_sources.h"
#include "cli/view.h"

#define ROWS_MAX 128

struct row {
	const json_t *source; /* borrowed */
	const char *name;
	double rate;
	uint64_t packets;
};

static int compare_rows(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	if (left->rate != right->rate)
		return left->rate < right->rate ? 1 : -1;
	return left->packets < right->packets	? 1
	       : left->packets > right->packets ? -1
						: strcmp(left->name, right->name);
}

/* What a source that is not told may have had before. */
static uint64_t untold(const json_t *summary)
{
	const json_t *list = json_object_get(summary, "top_sources");
	size_t count = json_array_size(list);

	if (!count || view_integer(summary, "sources_kept") <= count)
		return 0;
	return view_integer(json_array_get(list, count - 1), "packets");
}

static uint64_t packets_before(const json_t *before, const char *name)
{
	const json_t *list = json_object_get(before, "top_sources"), *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		const char *other = json_string_value(json_object_get(one, "source"));

		if (other && !strcmp(other, name))
			return view_integer(one, "packets");
	}
	return untold(before);
}

/* The class with most packets. */
static const char *main_class(const json_t *source)
{
	json_t *classes = json_object_get(source, "classes"), *value;
	const char *name, *best = "?";
	json_int_t most = 0;

	json_object_foreach(classes, name, value) if (json_integer_value(value) > most)
	{
		most = json_integer_value(value);
		best = name;
	}
	return best;
}

static void print_row(FILE *out, const struct row *row)
{
	const char *tool = json_string_value(json_object_get(row->source, "tool"));
	char rate[28], packets[28], ports[28], destinations[28];

	fprintf(out, "  %-39s %8s/s %15s  %-12s %-13s %7s%s %12s\n", row->name,
		view_rate(rate, sizeof(rate), row->rate), view_count(packets, sizeof(packets), row->packets),
		main_class(row->source), tool ? tool : "?",
		view_count(ports, sizeof(ports), view_integer(row->source, "ports")),
		json_is_true(json_object_get(row->source, "ports_at_least")) ? "+" : " ",
		view_count(destinations, sizeof(destinations), view_integer(row->source, "destinations")));
}

void top_sources_print(FILE *out, const json_t *before, const json_t *now, double seconds, unsigned int size)
{
	const json_t *list = json_object_get(now, "top_sources"), *one;
	struct row rows[ROWS_MAX];
	unsigned int used = 0;
	size_t i;

	json_array_foreach(list, i, one)
	{
		struct row row = {.source = one, .packets = view_integer(one, "packets")};
		uint64_t had;

		row.name = json_string_value(json_object_get(one, "source"));
		if (!row.name || used == ROWS_MAX)
			continue;
		had = packets_before(before, row.name);
		row.rate = row.packets > had && seconds > 0 ? (double)(row.packets - had) / seconds : 0;
		rows[used++] = row;
	}
	qsort(rows, used, sizeof(*rows), compare_rows);
	fprintf(out, "  %-39s %10s %15s  %-12s %-13s %8s %12s\n", "source", "rate", "packets", "class", "tool",
		"ports", "destinations");
	for (i = 0; i < used && i < size; i++)
		print_row(out, &rows[i]);
	if (!used)
		fprintf(out, "  (none yet)\n");
}
