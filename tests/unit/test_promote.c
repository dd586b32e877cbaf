// SPDX-License-Identifier: GPL-2.0-only
/*
 * promote: the destinations of sources under study, one bit each, by day; and nobody else's. collect/promoted
 * counts them.
 */
#include <errno.h>
#include <stdio.h>

#include "base/config.h"
#include "bpf/hash.h"
#include "collect/promoted.h"
#include "sensor.h"

SENSOR_SUITE(promote);

static struct config *config;
static char why[256];

#define ACME_A 0x08080404u
#define ACME_B 0x08080808u
#define OTHER  0x09090909u

static void promote_sources(void)
{
	cr_assert_eq(config_new(&config), 0);
	cr_assert_eq(config_add_promoted(config, "acme", "8.8.4.4", why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(config_add_promoted(config, "acme", "8.8.8.8", why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(config_add_promoted(config, "other", "9.9.9.9", why, sizeof(why)), 0, "%s", why);
	config_write(config, sensor_settings(sensor));
	cr_assert_eq(sensor_settings(sensor)->promoted_slots, 2);
}

static void send_to(uint32_t src, uint32_t dst)
{
	struct ag_replay word = {.time_ns = 1};

	frame_syn4(&f, 23);
	frame_set32(&f, 26, src);
	frame_set32(&f, 30, dst);
	word.wirelen = f.n;
	word.caplen = (uint16_t)f.n;
	cr_assert_eq(under_test_run(&sensor->under_test, &word, f.bytes), 2);
}

static struct promoted_figures figures_of(unsigned int slot)
{
	struct books books = tables_books(sensor->tables);
	struct promoted_figures figures;

	promoted_count(&books, slot, &figures);
	return figures;
}

static void check(unsigned int slot, uint64_t today, uint64_t yesterday)
{
	struct promoted_figures figures = figures_of(slot);

	cr_assert_eq(figures.today, today, "slot %u: %llu today", slot, (unsigned long long)figures.today);
	cr_assert_eq(figures.yesterday, yesterday, "slot %u: %llu yesterday", slot,
		     (unsigned long long)figures.yesterday);
}

Test(promote, nobody_is_promoted)
{
	send_to(ACME_A, 0xc6336401);
	check(0, 0, 0);
	check(1, 0, 0);
}

Test(promote, each_destination_once)
{
	uint32_t page;

	promote_sources();
	for (unsigned int i = 0; i < 256; i++)
		for (unsigned int again = 0; again < 2; again++)
			send_to(ACME_A, 0xc6336400 + i);
	check(0, 256, 0);
	send_to(ACME_B, 0xc6336405);
	check(0, 256, 0);
	send_to(ACME_B, 0xcb007101); /* another scope */
	send_to(ACME_B, 0x2d3c0105); /* another page */
	check(0, 258, 0);
	send_to(OTHER, 0xc6336407);
	check(1, 1, 0);
	send_to(0x01020304, 0xc6336408); /* nobody's */
	check(0, 258, 0);
	check(1, 1, 0);
	plan_lookup4(sensor->plan, 0xc6336407, &page);
	for (unsigned int i = 0; i < sensor->tables->sizes.pages; i++) {
		const struct ag_reached *other = &sensor->tables->reached[sensor->tables->sizes.pages + i];

		for (unsigned int word = 0; word < AG_PAGE_ADDRESSES / 64; word++)
			cr_assert_eq(other->bits[word],
				     i == page / 256 && word == page % 256 / 64 ? 1ULL << (page % 64) : 0);
	}
}

Test(promote, what_is_not_dark_is_not_reached)
{
	promote_sources();
	send_to(ACME_A, 0xcb007141); /* a hole */
	send_to(ACME_A, 0x01010101);
	check(0, 0, 0);
}

Test(promote, days)
{
	struct books books = tables_books(sensor->tables);

	promote_sources();
	send_to(ACME_A, 0xc6336401);
	send_to(ACME_A, 0xc6336402);
	promoted_begin_day(&books, 1);
	check(0, 0, 2);
	send_to(ACME_A, 0xc6336402);
	check(0, 1, 2);
	promoted_begin_day(&books, 1);
	check(0, 0, 1);
	send_to(ACME_B, 0xc6336409);
	promoted_begin_day(&books, 3); /* two days without anything lie between */
	check(0, 0, 0);
}

Test(promote, a_switch_of_the_settings_takes_them_along)
{
	promote_sources();
	sensor->plan->settings = *sensor_settings(sensor);
	memset(&sensor->plan->settings.promoted, 0, sizeof(sensor->plan->settings.promoted));
	send_to(ACME_A, 0xc6336401);
	cr_assert_eq(tables_write(sensor->tables, 1, sensor->plan), 0);
	sensor->tables->control->side = 1;
	send_to(ACME_A, 0xc6336402);
	check(0, 1, 0);
	sensor->plan->settings.promoted_slots = 3;
	cr_assert_eq(tables_write(sensor->tables, 0, sensor->plan), -ENOSPC);
}

/* Sources that fall into one set, as many as it takes and one more: the filter and the ways are what finds
 * them. */
Test(promote, a_full_set)
{
	unsigned int placed = 0;
	char text[32];
	int err = 0;

	cr_assert_eq(config_new(&config), 0);
	for (uint32_t i = 1; placed <= AG_PROMOTED_WAYS && !err; i++) {
		if (promoted_set(promoted_hash(i << 8 | 7)) != 5)
			continue;
		snprintf(text, sizeof(text), "%u.%u.%u.7", i >> 16 & 255, i >> 8 & 255, i & 255);
		err = config_add_promoted(config, "set", text, why, sizeof(why));
		placed += !err;
	}
	cr_assert_eq(placed, AG_PROMOTED_WAYS);
	cr_assert_eq(err, -ENOSPC, "%s", why);
	config_write(config, sensor_settings(sensor));
	for (unsigned int i = 0; i < placed; i++)
		send_to(config->promoted[0].addresses[i], 0xc6336400 + i);
	check(0, AG_PROMOTED_WAYS, 0);
}

Test(promote, what_the_configuration_refuses)
{
	cr_assert_eq(config_new(&config), 0);
	cr_assert_eq(config_add_promoted(config, "a", "8.8.8.8", why, sizeof(why)), 0);
	cr_assert_eq(config_add_promoted(config, "b", "8.8.8.8", why, sizeof(why)), -EEXIST);
	cr_assert(strstr(why, "8.8.8.8 is promoted twice"), "%s", why);
	cr_assert_eq(config_add_promoted(config, "a", "2001:db8::1", why, sizeof(why)), -EINVAL);
	cr_assert(strstr(why, "only IPv4"), "%s", why);
	cr_assert_eq(config_add_promoted(config, "A b", "8.8.4.4", why, sizeof(why)), -EINVAL);
	cr_assert_eq(config_add_promoted(config, "a", "8.8.4", why, sizeof(why)), -EINVAL);
	for (unsigned int i = 2; i <= AG_PROMOTED_SLOTS_MAX; i++) {
		char name[16], text[32];

		snprintf(name, sizeof(name), "n%u", i);
		snprintf(text, sizeof(text), "10.%u.%u.1", i, i * 7 % 256);
		cr_assert_eq(config_add_promoted(config, name, text, why, sizeof(why)), 0, "%s", why);
	}
	cr_assert_eq(config_add_promoted(config, "more", "8.8.4.4", why, sizeof(why)), -ENOSPC);
	cr_assert(strstr(why, "one name too many"), "%s", why);
}
