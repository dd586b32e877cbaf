// SPDX-License-Identifier: GPL-2.0-only
/*
 * scope: which destination is dark, through the pipeline; random telescopes beside a brute-force reference.
 */
#include "sensor.h"

SENSOR_SUITE(scope);

/* scope 0: not dark. */
static void send_to4(uint32_t dst, unsigned int scope)
{
	struct want w = want_outcome(AG_OUTCOME_NOT_DARK);

	frame_begin(&f);
	frame_ether(&f, 0x0800);
	frame_ip4(&f, SOURCE4, dst, 6);
	frame_tcp(&f, 40000, 23, 2);
	frame_end(&f);
	if (scope) {
		w = want_tcp(&f, AG_CLASS_SCAN);
		w.scope = scope;
	}
	SEND(sensor, &f, w);
}

static void send_to6(const uint8_t dst[16], unsigned int scope)
{
	struct want w = want_outcome(AG_OUTCOME_NOT_DARK);

	frame_begin(&f);
	frame_ether(&f, 0x86dd);
	frame_ip6(&f, source6, dst, 6);
	frame_tcp(&f, 40000, 23, 2);
	frame_end(&f);
	if (scope)
		w = want_tcp(&f, AG_CLASS_SCAN);
	SEND(sensor, &f, w);
}

Test(scope, edges_of_prefixes_and_holes)
{
	send_to4(0xc63363ff, 0);
	send_to4(0xc6336400, 1);
	send_to4(0xc63364ff, 1);
	send_to4(0xc6336500, 0);
	send_to4(0xcb0070ff, 0);
	send_to4(0xcb007100, 2);
	send_to4(0xcb00713f, 2);
	send_to4(0xcb007140, 0);
	send_to4(0xcb00714f, 0);
	send_to4(0xcb007150, 2);
	send_to4(0xcb00717f, 2);
	send_to4(0xcb007180, 0);
	send_to4(0x2d3bffff, 0);
	send_to4(0x2d3c0000, 4);
	send_to4(0x2d3c01ff, 4);
	send_to4(0x2d3c0200, 0);
	send_to4(0, 0);
	send_to4(0xffffffff, 0);
}

Test(scope, edges_of_ip6)
{
	uint8_t a[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 1};

	send_to6(a, 3);
	memset(a + 6, 0xff, 10);
	send_to6(a, 3);
	a[5] = 2;
	memset(a + 6, 0, 10);
	send_to6(a, 0);
	a[5] = 0;
	memset(a + 6, 0xff, 10);
	send_to6(a, 0);
	a[5] = 1;
	a[6] = 0x80;
	a[7] = 0;
	send_to6(a, 0); /* in the hole */
	memset(a + 8, 0, 8);
	send_to6(a, 0);
	a[7] = 1;
	send_to6(a, 3); /* behind it */
	a[6] = 0x7f;
	a[7] = 0xff;
	memset(a + 8, 0xff, 8);
	send_to6(a, 3); /* in front of it */
}

/* 127 holes in one prefix leave as many ranges as the table has: the last one is found, too. */
Test(scope, full_table_of_ip6)
{
	static struct plan_prefix prefixes[AG_RANGES6_MAX];
	uint8_t a[16] = {0x2a};
	struct plan *plan = NULL;
	char why[256];

	for (unsigned int i = 0; i < AG_RANGES6_MAX; i++) {
		prefixes[i].prefix = (struct prefix){.family = 6, .length = i ? 48 : 32, .addr = {0x2a}};
		prefixes[i].prefix.addr[5] = (uint8_t)(i ? 2 * i - 1 : 0);
		prefixes[i].scope = i ? 0 : 3;
	}
	cr_assert_eq(plan_new(&plan, prefixes, AG_RANGES6_MAX, false, why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(plan->settings.ranges6, AG_RANGES6_MAX);
	cr_assert_eq(tables_write(sensor->tables, 1, plan), 0);
	sensor->tables->control->side = 1;
	for (unsigned int i = 0; i < 256; i++) {
		a[5] = (uint8_t)i;
		send_to6(a, i < 255 && i & 1 ? 0 : 3);
	}
	memset(a + 4, 0xff, 12);
	send_to6(a, 3); /* its last address */
	memset(a + 4, 0, 12);
	a[3] = 1;
	send_to6(a, 0);
	plan_free(&plan);
}

Test(scope, every_destination)
{
	struct sensor *everywhere = sensor_new_everywhere();
	struct want w;

	frame_syn4(&f, 23);
	frame_set32(&f, 30, 0x08080808);
	w = want_tcp(&f, AG_CLASS_SCAN);
	w.scope = 0;
	sensor_check(everywhere, &f, f.n, f.n, w, __FILE__, __LINE__);
	frame_syn6(&f, 23);
	f.bytes[38] = 0x26;
	w = want_tcp(&f, AG_CLASS_SCAN);
	w.scope = 0;
	sensor_check(everywhere, &f, f.n, f.n, w, __FILE__, __LINE__);
	sensor_free(everywhere);
}

Test(scope, another_side_of_the_settings)
{
	struct plan_prefix elsewhere = {.prefix = {.family = 4, .length = 24, .addr = {8, 8, 8, 0}},
					.scope = 7};
	struct plan *plan = NULL, *old = sensor->plan;
	struct want w;
	char why[256];

	cr_assert_eq(plan_new(&plan, &elsewhere, 1, false, why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(tables_write(sensor->tables, 1, plan), 0);
	send_to4(DARK4, 1);
	send_to4(0x08080808, 0); /* written, not yet in force */
	sensor->tables->control->side = 1;
	sensor->plan = plan;
	send_to4(DARK4, 0);
	send_to4(0x08080808, 7);
	send_to6(dark6, 0);
	sensor->tables->control->side = 0;
	sensor->plan = old;
	send_to4(DARK4, 1);
	frame_syn4(&f, 1);
	w = want_tcp(&f, AG_CLASS_SCAN);
	SEND(sensor, &f, w);
	plan_free(&plan);
}

Test(scope, seen_follows_the_interval)
{
	for (unsigned int i = 0; i < 5; i++) {
		sensor->tables->control->epoch = 1 + i * i;
		send_to4(DARK4 + i, 1);
		send_to4(DARK4, 1);
		send_to4(0xcb00710b, 2);
	}
	cr_assert_eq(sensor->second.seen[0].epoch[0], 0); /* nobody asked for it */
}

static uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(*state >> 32);
}

struct reference {
	struct plan_prefix prefixes[64];
	unsigned int count;
};

static bool contains(const struct prefix *p, const uint8_t *address)
{
	for (unsigned int i = 0; i < p->length; i++)
		if ((p->addr[i / 8] ^ address[i / 8]) & 0x80 >> i % 8)
			return false;
	return true;
}

/* The scope of the longest prefix that contains the address. */
static unsigned int scope_of(const struct reference *r, unsigned int family, const uint8_t *address)
{
	int longest = -1;
	unsigned int scope = 0;

	for (unsigned int i = 0; i < r->count; i++) {
		const struct plan_prefix *p = &r->prefixes[i];

		if (p->prefix.family != family || p->prefix.length <= longest || !contains(&p->prefix, address))
			continue;
		longest = p->prefix.length;
		scope = p->scope;
	}
	return scope;
}

static bool is_twin(const struct reference *r, const struct prefix *p)
{
	for (unsigned int i = 0; i < r->count; i++)
		if (!memcmp(&r->prefixes[i].prefix, p, sizeof(*p)))
			return true;
	return false;
}

/* Random prefixes, crowded together so that they nest. */
static void add_random(struct reference *r, uint64_t *state, unsigned int family)
{
	unsigned int bits = family == 4 ? 32 : 128, shortest = family == 4 ? 14 : 30;
	struct plan_prefix p = {.prefix = {.family = (uint8_t)family}, .scope = next_random(state) % 9};

	p.prefix.length = (uint8_t)(shortest + next_random(state) % (bits + 1 - shortest));
	p.prefix.addr[0] = family == 4 ? 60 : 0x2a;
	for (unsigned int i = 1; i < bits / 8; i++)
		p.prefix.addr[i] = (uint8_t)(next_random(state) % 4 ? 0 : next_random(state) & 0x83);
	for (unsigned int i = p.prefix.length; i < bits; i++)
		p.prefix.addr[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	if (!is_twin(r, &p.prefix))
		r->prefixes[r->count++] = p;
}

/* An address at, before or behind an edge of a random prefix, or inside it. */
static void pick_address(const struct reference *r, uint64_t *state, unsigned int family, uint8_t address[16])
{
	const struct plan_prefix *p;
	unsigned int bits = family == 4 ? 32 : 128;

	do {
		p = &r->prefixes[next_random(state) % r->count];
	} while (p->prefix.family != family);
	memcpy(address, p->prefix.addr, 16);
	switch (next_random(state) % 4) {
	case 0: /* first */
		return;
	case 1: /* the one before it */
		for (int i = (int)bits / 8 - 1; i >= 0 && !address[i]--; i--)
			;
		return;
	case 2: /* last */
		for (unsigned int i = p->prefix.length; i < bits; i++)
			address[i / 8] |= (uint8_t)(0x80 >> i % 8);
		return;
	default:
		for (unsigned int i = p->prefix.length; i < bits; i++)
			if (next_random(state) & 1)
				address[i / 8] |= (uint8_t)(0x80 >> i % 8);
	}
}

static uint64_t class_total(const struct ag_counters *c, unsigned int scope)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < AG_CLASS_MAX; i++)
		sum += c->class_packets[scope][i];
	return sum;
}

static void probe(const struct pipeline_under_test *u, const struct reference *r, unsigned int family,
		  const uint8_t address[16])
{
	const struct ag_counters *c = under_test_tables(u)->counters;
	unsigned int scope = scope_of(r, family, address), expected = scope ? scope : 1;
	uint64_t before = class_total(c, expected), dark = c->dark;
	struct ag_replay word;

	if (family == 4) {
		frame_syn4(&f, 23);
		memcpy(f.bytes + 30, address, 4);
	} else {
		frame_syn6(&f, 23);
		memcpy(f.bytes + 38, address, 16);
	}
	word = (struct ag_replay){.wirelen = f.n, .caplen = (__u16)f.n};
	under_test_run(u, &word, f.bytes);
	cr_assert_eq(c->dark, dark + (scope != 0), "family %u, scope %u", family, scope);
	cr_assert_eq(class_total(c, expected), before + (scope != 0));
}

/* plan_lookup says the same as the pipeline; the index of an address is its own. */
static void probe_plan(const struct plan *plan, const struct reference *r, unsigned int family,
		       const uint8_t address[16])
{
	unsigned int scope = scope_of(r, family, address);
	uint32_t index, word = (uint32_t)address[0] << 24 | (uint32_t)address[1] << 16 |
			       (uint32_t)address[2] << 8 | address[3];

	if (family == 6) {
		cr_assert_eq(plan_lookup6(plan, address), scope);
		return;
	}
	cr_assert_eq(plan_lookup4(plan, word, &index), scope);
	if (scope)
		cr_assert_eq(index % AG_PAGE_ADDRESSES, address[3]);
	else
		cr_assert_eq(index, UINT32_MAX);
}

Test(scope, random_telescopes_as_by_brute_force)
{
	for (uint64_t seed = 1; seed <= 12; seed++) {
		uint64_t state = seed;
		struct reference r = {.count = 0};
		struct plan *plan = NULL;
		struct pipeline_under_test u = {0};
		struct table_sizes sizes;
		char why[256] = "";

		for (unsigned int i = 0; i < 30; i++) {
			add_random(&r, &state, 4);
			add_random(&r, &state, 6);
		}
		cr_assert_eq(plan_new(&plan, r.prefixes, r.count, false, why, sizeof(why)), 0, "%s", why);
		sizes = tables_size(plan, 1, 1, false);
		under_test_new(&u, &sizes);
		cr_assert_eq(tables_write(under_test_tables(&u), 0, plan), 0);
		for (unsigned int i = 0; i < 4000; i++) {
			unsigned int family = i & 1 ? 6 : 4;
			uint8_t address[16] = {0};

			pick_address(&r, &state, family, address);
			probe(&u, &r, family, address);
			probe_plan(plan, &r, family, address);
		}
		under_test_free(&u);
		plan_free(&plan);
	}
}
