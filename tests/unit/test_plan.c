// SPDX-License-Identifier: GPL-2.0-only
/*
 * plan: sizes, counts of addresses, what is refused. Lookups beside a brute-force reference: test_scope.c.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "engine/plan.h"

static char why[512];

static struct plan_prefix make4(uint32_t address, unsigned int length, unsigned int scope)
{
	struct plan_prefix p = {.prefix = {.family = 4, .length = (uint8_t)length}, .scope = scope};

	for (unsigned int i = 0; i < 4; i++)
		p.prefix.addr[i] = (uint8_t)(address >> (24 - 8 * i));
	return p;
}

static struct plan *build(const struct plan_prefix *prefixes, size_t count)
{
	struct plan *plan = NULL;

	cr_assert_eq(plan_new(&plan, prefixes, count, false, why, sizeof(why)), 0, "%s", why);
	return plan;
}

Test(plan, empty)
{
	struct plan *plan = build(NULL, 0);
	uint32_t index;

	cr_assert_eq(plan->addresses, 0);
	cr_assert_eq(plan->pages_used, 0);
	cr_assert_eq(plan_lookup4(plan, 0x01020304, &index), 0);
	cr_assert_eq(index, UINT32_MAX);
	plan_free(&plan);
	cr_assert_null(plan);
	plan_free(&plan);
}

Test(plan, counts_addresses_by_scope)
{
	const struct plan_prefix prefixes[] = {
		make4(0x0a010000, 16, 1), /* 65,536 */
		make4(0x0a018000, 17, 2), /* half of them */
		make4(0x0a01ff00, 24, 0), /* less 256 of scope 2 */
		make4(0x0a01ff80, 25, 3), /* 128 of them back */
		make4(0x0a000001, 32, 4), /* one */
		make4(0x0a000000, 30, 5), /* three besides it */
	};
	struct plan *plan = build(prefixes, 6);

	cr_assert_eq(plan->scope_addresses[1], 32768);
	cr_assert_eq(plan->scope_addresses[2], 32768 - 256);
	cr_assert_eq(plan->scope_addresses[3], 128);
	cr_assert_eq(plan->scope_addresses[4], 1);
	cr_assert_eq(plan->scope_addresses[5], 3);
	cr_assert_eq(plan->scope_addresses[0], 0);
	cr_assert_eq(plan->addresses, 65536 - 128 + 4);
	cr_assert_eq(plan->pages_used, 256 + 1);
	cr_assert_eq(plan->splits_used, 2);
	cr_assert_eq(plan->blocks_used, 3); /* the empty one, 10.0/16, 10.1/16 */
	plan_free(&plan);
}

Test(plan, whole_holes_leave_nothing)
{
	const struct plan_prefix prefixes[] = {
		make4(0x0a010000, 16, 1), make4(0x0a010000, 17, 0), make4(0x0a018000, 17, 0),
		make4(0x0b000000, 25, 1), make4(0x0b000000, 26, 0), make4(0x0b000040, 26, 0),
	};
	struct plan *plan = build(prefixes, 6);

	cr_assert_eq(plan->addresses, 0);
	cr_assert_eq(plan->pages_used, 0);
	cr_assert_eq(plan->blocks_used, 1);
	plan_free(&plan);
}

Test(plan, order_of_the_list_does_not_matter)
{
	struct plan_prefix prefixes[] = {make4(0x0a010000, 16, 1), make4(0x0a010200, 24, 2),
					 make4(0x0a010280, 25, 0), make4(0x0a0102f0, 28, 3)};
	struct plan *forth = build(prefixes, 4), *back;
	uint32_t index;

	for (unsigned int i = 0; i < 2; i++) {
		struct plan_prefix swap = prefixes[i];

		prefixes[i] = prefixes[3 - i];
		prefixes[3 - i] = swap;
	}
	back = build(prefixes, 4);
	for (uint32_t a = 0x0a00ff00; a < 0x0a020100; a++)
		cr_assert_eq(plan_lookup4(forth, a, &index), plan_lookup4(back, a, &index));
	plan_free(&forth);
	plan_free(&back);
}

Test(plan, indices_are_each_addresses_own)
{
	const struct plan_prefix prefixes[] = {make4(0x0a010000, 22, 1), make4(0x0a010180, 26, 0),
					       make4(0x0c000010, 28, 2)};
	struct plan *plan = build(prefixes, 3);
	static uint8_t used[16 * 256];

	for (uint32_t a = 0x0a010000; a < 0x0a010400; a++) {
		uint32_t index;

		if (!plan_lookup4(plan, a, &index))
			continue;
		cr_assert_lt(index, plan->pages_used * AG_PAGE_ADDRESSES);
		cr_assert_eq(used[index]++, 0);
	}
	for (uint32_t a = 0x0c000010; a < 0x0c000020; a++) {
		uint32_t index;

		cr_assert_eq(plan_lookup4(plan, a, &index), 2);
		cr_assert_eq(used[index]++, 0);
	}
	plan_free(&plan);
}

struct walk {
	const struct plan *plan;
	uint64_t addresses[AG_SCOPES_MAX + 1];
	unsigned int pages;
};

static void visit(void *arg, uint32_t page, const struct ag_split *split, unsigned int scope)
{
	struct walk *w = arg;

	cr_assert_lt(page, w->plan->pages_used);
	w->pages++;
	for (unsigned int i = 0; i < AG_PAGE_ADDRESSES; i++)
		w->addresses[split ? split->scope[i] : scope]++;
}

Test(plan, walk_visits_every_page)
{
	const struct plan_prefix prefixes[] = {make4(0x0a010000, 20, 1), make4(0x0a010280, 25, 2),
					       make4(0xc0000000, 29, 3)};
	struct plan *plan = build(prefixes, 3);
	struct walk w = {.plan = plan};

	plan_each_page(plan, visit, &w);
	cr_assert_eq(w.pages, plan->pages_used);
	for (unsigned int i = 1; i <= AG_SCOPES_MAX; i++)
		cr_assert_eq(w.addresses[i], plan->scope_addresses[i]);
	plan_free(&plan);
}

Test(plan, the_same_prefix_twice_is_refused)
{
	const struct plan_prefix four[] = {make4(0x0a010000, 16, 1), make4(0x0b000000, 8, 1),
					   make4(0x0a010000, 16, 2)};
	struct plan_prefix six[2] = {
		{.prefix = {.family = 6, .length = 32, .addr = {0x20, 1, 0xd, 0xb8}}, .scope = 1}};
	struct plan *plan = NULL;

	cr_assert_eq(plan_new(&plan, four, 3, false, why, sizeof(why)), -EEXIST);
	cr_assert_not_null(strstr(why, "10.1.0.0/16"), "%s", why);
	six[1] = six[0];
	cr_assert_eq(plan_new(&plan, six, 2, false, why, sizeof(why)), -EEXIST);
	cr_assert_not_null(strstr(why, "2001:db8::/32"), "%s", why);
	cr_assert_null(plan);
}

Test(plan, all_of_ip4_is_refused_and_half_is_not)
{
	const struct plan_prefix all = make4(0, 0, 1), half = make4(0x80000000, 1, 1);
	struct plan *plan = NULL;
	uint32_t index;

	cr_assert_eq(plan_new(&plan, &all, 1, false, why, sizeof(why)), -ENOSPC);
	cr_assert_not_null(strstr(why, "longer ones"), "%s", why);
	plan = build(&half, 1);
	cr_assert_eq(plan->addresses, 1ull << 31);
	cr_assert_eq(plan_lookup4(plan, 0x7fffffff, &index), 0);
	cr_assert_eq(plan_lookup4(plan, 0x80000000, &index), 1);
	cr_assert_eq(plan_lookup4(plan, 0xffffffff, &index), 1);
	plan_free(&plan);
}

Test(plan, every_destination_ignores_the_list)
{
	const struct plan_prefix p = make4(0x0a000000, 8, 1);
	struct plan *plan = NULL;

	cr_assert_eq(plan_new(&plan, &p, 1, true, why, sizeof(why)), 0);
	cr_assert_eq(plan->settings.every_destination, 1);
	cr_assert_eq(plan->addresses, 0);
	plan_free(&plan);
}

/* Holes in one prefix: n of them leave n + 1 ranges. */
static int build_holes(unsigned int holes, struct plan **plan)
{
	static struct plan_prefix prefixes[200];

	memset(prefixes, 0, sizeof(prefixes));
	for (unsigned int i = 0; i <= holes; i++) {
		prefixes[i].prefix.family = 6;
		prefixes[i].prefix.length = i ? 48 : 32;
		prefixes[i].prefix.addr[0] = 0x2a;
		prefixes[i].prefix.addr[5] = (uint8_t)(i ? 2 * i - 1 : 0);
		prefixes[i].scope = i ? 0 : 1;
	}
	return plan_new(plan, prefixes, holes + 1, false, why, sizeof(why));
}

Test(plan, ranges_of_ip6_are_bounded)
{
	struct plan *plan = NULL;

	cr_assert_eq(build_holes(AG_RANGES6_MAX - 1, &plan), 0, "%s", why);
	cr_assert_eq(plan->settings.ranges6, AG_RANGES6_MAX);
	for (unsigned int i = 0; i < 255; i++) {
		uint8_t a[16] = {0x2a, 0, 0, 0, 0, (uint8_t)i, 1};

		cr_assert_eq(plan_lookup6(plan, a), i & 1 ? 0 : 1);
	}
	plan_free(&plan);
	cr_assert_eq(build_holes(AG_RANGES6_MAX, &plan), -ENOSPC);
	cr_assert_not_null(strstr(why, "128"), "%s", why);
}

Test(plan, ip6_at_the_ends_of_the_space)
{
	struct plan_prefix p[3] = {{.prefix = {.family = 6, .length = 0}, .scope = 1},
				   {.prefix = {.family = 6, .length = 128}, .scope = 2},
				   {.prefix = {.family = 6, .length = 65}, .scope = 0}};
	uint8_t a[16];
	struct plan *plan;

	memset(p[2].prefix.addr, 0xff, 8);
	p[2].prefix.addr[8] = 0x80;
	plan = build(p, 3);
	memset(a, 0, 16);
	cr_assert_eq(plan_lookup6(plan, a), 2);
	a[15] = 1;
	cr_assert_eq(plan_lookup6(plan, a), 1);
	memset(a, 0xff, 16);
	cr_assert_eq(plan_lookup6(plan, a), 0);
	a[8] = 0x7f;
	cr_assert_eq(plan_lookup6(plan, a), 1);
	plan_free(&plan);
}
