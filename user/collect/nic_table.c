// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of drop counters by driver. Pure: no system call.
 */
#include "collect/nic_table.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *driver;
	enum nic_kind kind;
	const char *label;
} rows[] = {
#define NIC_COUNTER(driver, kind, label) {driver, NIC_##kind, label},
#include "collect/nic.def"
};

static const struct {
	const char *name;
	bool lost;
} kinds[NIC_KIND_MAX] = {
#define NIC_KIND(kind, name, lost, help) [NIC_##kind] = {name, lost},
#include "collect/nic.def"
};

bool nic_table_match(const char *pattern, const char *label)
{
	while (*label == ' ')
		label++;
	for (; *pattern; pattern++) {
		if (*pattern != '#') {
			if (*label++ != *pattern)
				return false;
			continue;
		}
		if (!isdigit((unsigned char)*label))
			return false;
		while (isdigit((unsigned char)*label))
			label++;
	}
	return !*label;
}

void nic_table_add(struct nic_tally *tally, const char *label, uint64_t value)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].driver, tally->driver) || !nic_table_match(rows[i].label, label))
			continue;
		tally->known[rows[i].kind] = true;
		tally->packets[rows[i].kind] += value;
	}
}

static void put_counter(struct snapshot_nic_counter *counter, const struct nic_tally *tally, enum nic_kind kind)
{
	memset(counter, 0, sizeof(*counter));
	snprintf(counter->name, sizeof(counter->name), "%s", kinds[kind].name);
	counter->known = tally->known[kind];
	counter->packets = tally->packets[kind];
}

unsigned int nic_table_counters(const struct nic_tally *tally, struct snapshot_nic_counter *counters)
{
	unsigned int count = 0;

	_Static_assert(SNAPSHOT_NIC_COUNTERS_MAX >= 4, "three kinds and one of two");
	put_counter(&counters[count++], tally, NIC_RX_MISSED);
	put_counter(&counters[count++], tally, NIC_NO_BUFFER);
	put_counter(&counters[count++], tally, NIC_XDP_DROP);
	put_counter(&counters[count++], tally, tally->known[NIC_ALLOWANCE] ? NIC_ALLOWANCE : NIC_RX_DROPPED);
	return count;
}

bool nic_table_lost(const char *counter)
{
	for (size_t i = 0; i < NIC_KIND_MAX; i++)
		if (!strcmp(kinds[i].name, counter))
			return kinds[i].lost;
	return false;
}
