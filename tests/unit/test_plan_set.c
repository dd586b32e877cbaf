// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan_set4, plan_set6: one address changes its scope, and nothing else moves; against a plan built anew.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "engine/plan.h"

static char why[512];

static struct plan_prefix make(const char *text, unsigned int scope)
{
	struct plan_prefix p = {.scope = scope};

	cr_assert_eq(prefix_parse(&p.prefix, text, why, sizeof(why)), 0, "%s", why);
	return p;
}

static struct plan *build(const struct plan_prefix *prefixes, size_t count)
{
	struct plan *plan = NULL;

	cr_assert_eq(plan_new(&plan, prefixes, count, false, why, sizeof(why)), 0, "%s", why);
	return plan;
}

static void expect_scope(const struct plan *plan, uint32_t address, unsigned int scope)
{
	uint32_t index;

	cr_expect_eq(plan_lookup4(plan, address, &index), scope, "%x", address);
}

Test(plan_set, an_address_goes_and_comes_back_and_pages_stay)
{
	const struct plan_prefix prefixes[] = {make("10.1.0.0/16", 1), make("10.1.2.128/25", 2)};
	struct plan *plan = build(prefixes, 2), *fresh = build(prefixes, 2);

	cr_assert_eq(plan_address4(&prefixes[0].prefix), 0x0a010000);
	cr_assert_eq(plan_set4(plan, 0x0a010307, 0), 0); /* of a /24 of one scope */
	cr_assert_eq(plan_set4(plan, 0x0a0102ff, 0), 0); /* of one that is split already */
	cr_assert_eq(plan->splits_used, 2);
	cr_assert_eq(plan->addresses, 65534);
	cr_assert_eq(plan->scope_addresses[1], 65536 - 128 - 1);
	cr_assert_eq(plan->scope_addresses[2], 127);
	for (uint32_t a = 0x0a010000; a < 0x0a020000; a++) {
		uint32_t before, after;
		unsigned int scope = plan_lookup4(fresh, a, &before);

		if (a == 0x0a010307 || a == 0x0a0102ff)
			expect_scope(plan, a, 0);
		else
			cr_assert(plan_lookup4(plan, a, &after) == scope && before == after, "%x", a);
	}
	cr_assert_eq(plan_set4(plan, 0x0a010307, 1), 0);
	cr_assert_eq(plan_set4(plan, 0x0a0102ff, 2), 0);
	for (uint32_t a = 0x0a010000; a < 0x0a020000; a++) {
		uint32_t before, after;

		cr_assert_eq(plan_lookup4(plan, a, &after), plan_lookup4(fresh, a, &before));
		cr_assert_eq(before, after);
	}
	cr_assert_eq(plan->addresses, fresh->addresses);
	cr_assert_eq(memcmp(plan->scope_addresses, fresh->scope_addresses, sizeof(plan->scope_addresses)), 0);
	plan_free(&plan);
	plan_free(&fresh);
}

Test(plan_set, the_only_address_of_a_page)
{
	const struct plan_prefix prefixes[] = {make("10.1.0.5", 1), make("10.2.0.0/24", 2)};
	struct plan *plan = build(prefixes, 2);
	uint32_t before, after;

	plan_lookup4(plan, 0x0a020001, &before);
	cr_assert_eq(plan_set4(plan, 0x0a010005, 0), 0);
	cr_assert_eq(plan_set4(plan, 0x0a010005, 0), 0); /* twice is once */
	cr_assert_eq(plan->addresses, 256);
	expect_scope(plan, 0x0a010005, 0);
	cr_assert_eq(plan_lookup4(plan, 0x0a020001, &after), 2);
	cr_assert_eq(before, after);
	plan_free(&plan);
}

Test(plan_set, what_is_not_in_the_plan_is_refused)
{
	const struct plan_prefix prefixes[] = {make("10.1.0.0/24", 1)};
	struct plan *plan = build(prefixes, 1);

	cr_assert_eq(plan_set4(plan, 0x0b000001, 0), -ENOENT);
	cr_assert_eq(plan_set4(plan, 0x0a010101, 1), -ENOENT);
	cr_assert_eq(plan->addresses, 256);
	plan_free(&plan);
}

Test(plan_set, room_is_bounded)
{
	const struct plan_prefix prefixes[] = {make("10.1.0.0/16", 1)};
	struct plan *plan = build(prefixes, 1);

	for (uint32_t i = 0; i < PLAN_SPARE_SPLITS; i++)
		cr_assert_eq(plan_set4(plan, 0x0a010000 + 256 * i, 0), 0);
	cr_assert_eq(plan_set4(plan, 0x0a01ff00, 0), -ENOSPC);
	expect_scope(plan, 0x0a01ff00, 1);
	cr_assert_eq(plan_set4(plan, 0x0a010001, 0), 0); /* its /24 is split already */
	cr_assert_eq(plan->addresses, 65536 - PLAN_SPARE_SPLITS - 1);
	plan_free(&plan);
}

Test(plan_set, ranges_of_ip6_anew)
{
	struct plan_prefix prefixes[] = {make("2001:db8::/32", 1), make("10.0.0.0/8", 3),
					 make("2001:db8::7", 0)};
	struct plan *plan = build(prefixes, 2);
	uint8_t address[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 7};

	plan->settings.interfaces[0].ifindex = 9; /* all else stays */
	cr_assert_eq(plan_lookup6(plan, address), 1);
	cr_assert_eq(plan_set6(plan, prefixes, 3), 0);
	cr_assert_eq(plan_lookup6(plan, address), 0);
	address[15] = 8;
	cr_assert_eq(plan_lookup6(plan, address), 1);
	address[15] = 7;
	cr_assert_eq(plan_set6(plan, prefixes, 2), 0);
	cr_assert_eq(plan_lookup6(plan, address), 1);
	cr_assert_eq(plan->settings.ranges6, 1);
	cr_assert_eq(plan->settings.interfaces[0].ifindex, 9);
	expect_scope(plan, 0x0a000001, 3);
	plan_free(&plan);
}

Test(plan_set, too_many_ranges_change_nothing)
{
	static struct plan_prefix prefixes[AG_RANGES6_MAX + 2];
	struct plan *plan;
	char text[64];

	prefixes[0] = make("2001:db8::/32", 1);
	for (unsigned int i = 1; i < AG_RANGES6_MAX + 2; i++) {
		snprintf(text, sizeof(text), "2001:db8:0:%x::1", i);
		prefixes[i] = make(text, 0);
	}
	plan = build(prefixes, 2);
	cr_assert_eq(plan_set6(plan, prefixes, AG_RANGES6_MAX + 2), -ENOSPC);
	cr_assert_eq(plan->settings.ranges6, 2);
	cr_assert_eq(plan_set6(plan, prefixes, AG_RANGES6_MAX), 0);
	cr_assert_eq(plan->settings.ranges6, AG_RANGES6_MAX);
	plan_free(&plan);
}
