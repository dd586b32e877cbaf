// SPDX-License-Identifier: GPL-2.0-only
/*
 * sources as they are asked for: the best of many in the one right order, whatever the filter, and addresses as
 * text. What alerts mean is tested elsewhere.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "collect/sources.h"
#include "serve/builder.h"
#include "serve/sources_json.h"

#define COUNT 1000

static struct ag_record record_of(uint64_t hi, uint64_t lo, unsigned int class, unsigned int protocol,
				  unsigned int port, uint32_t packets)
{
	return (struct ag_record){
		.src_hi = hi,
		.src_lo = lo,
		.key = port | (uint64_t)protocol << AG_KEY_PROTOCOL_SHIFT |
		       (uint64_t) class << AG_KEY_CLASS_SHIFT | (uint64_t) !!hi << AG_KEY_V6_SHIFT |
		       (uint64_t)AG_KEY_TOOL_NONE << AG_KEY_TOOL_SHIFT,
		.bytes_last = 40,
		.destinations.bits = 1,
		.packets = packets,
	};
}

/* Packets of the n-th: many have the same. */
static uint32_t packets_of(uint64_t n)
{
	return (uint32_t)(n * 2654435761u >> 7) % 50 + 1;
}

/* COUNT sources, mixed, of TCP or UDP and every third with backscatter. */
static struct sources *many_sources(void)
{
	struct sources_options options = {.sources_max = 4 * COUNT};
	struct sources *s = sources_new(&options);

	cr_assert(s);
	for (uint64_t i = 0; i < COUNT; i++) {
		uint64_t n = i * 7919 % COUNT;
		struct ag_record r = record_of(n % 2 ? 0x20010db8ULL << 32 : 0, n + 1,
					       n % 3 ? AG_CLASS_SCAN : AG_CLASS_BACKSCATTER, n % 5 ? 6 : 17,
					       (unsigned int)(n % 7), packets_of(n));

		sources_add(s, 0, 1, &r, 1);
	}
	return s;
}

static bool comes_before(const struct source_view *a, const struct source_view *b)
{
	uint64_t x = a->packets[AG_CLASS_SCAN] + a->packets[AG_CLASS_BACKSCATTER];
	uint64_t y = b->packets[AG_CLASS_SCAN] + b->packets[AG_CLASS_BACKSCATTER];

	if (x != y)
		return x > y;
	return a->v6 != b->v6 ? b->v6 : a->src_lo < b->src_lo;
}

Test(sources_json, any_number_is_the_beginning_of_the_same_order)
{
	static const size_t most[] = {0, 1, 2, 3, 10, 99, 100, 999, 1000, 1001, 1000000};
	struct source_view *all = calloc(COUNT, sizeof(*all)), *some = calloc(COUNT, sizeof(*all));
	struct sources *s = many_sources();

	cr_assert_eq(sources_list(s, NULL, all, COUNT), COUNT);
	for (size_t i = 1; i < COUNT; i++)
		cr_assert(comes_before(&all[i - 1], &all[i]), "%zu", i);
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		size_t wanted = most[i] < COUNT ? most[i] : COUNT;

		cr_assert_eq(sources_list(s, NULL, some, most[i]), wanted);
		cr_assert(!memcmp(some, all, wanted * sizeof(*all)), "%zu", most[i]);
	}
	sources_free(&s);
	free(all);
	free(some);
}

Test(sources_json, filters_let_through_what_they_say)
{
	static const struct sources_filter filters[] = {
		{.by_class = true, .class = AG_CLASS_BACKSCATTER},
		{.by_port = true, .protocol = 17, .port = 5},
		{.by_class = true, .class = AG_CLASS_SCAN, .by_port = true, .protocol = 6, .port = 2},
		{.by_tool = true, .tool = AG_TOOL_MIRAI},
		{.by_tool = true, .tool = AG_TOOL_NONE},
	};
	struct source_view *views = calloc(COUNT, sizeof(*views));
	struct sources *s = many_sources();

	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		const struct sources_filter *f = &filters[i];
		size_t wanted = 0;

		for (uint64_t n = 0; n < COUNT; n++)
			wanted +=
				(!f->by_class || (n % 3 ? AG_CLASS_SCAN : AG_CLASS_BACKSCATTER) == f->class) &&
				(!f->by_port || (n % 7 == f->port && (n % 5 ? 6 : 17) == f->protocol)) &&
				(!f->by_tool || f->tool == AG_TOOL_NONE);
		cr_expect_eq(sources_list(s, f, views, COUNT), wanted, "filter %zu", i);
	}
	sources_free(&s);
	free(views);
}

Test(sources_json, addresses)
{
	static const struct {
		const char *text;
		uint64_t hi, lo;
		bool v6;
	} cases[] = {
		{"198.51.100.7", 0, 0xc6336407, false},
		{"0.0.0.0", 0, 0, false},
		{"255.255.255.255", 0, 0xffffffff, false},
		{"2001:db8::1", 0x20010db800000000, 1, true},
		{"::", 0, 0, true},
		{"::ffff:1.2.3.4", 0, 0xffff01020304, true},
		{"1122:3344:5566:7788:99aa:bbcc:ddee:ff00", 0x1122334455667788, 0x99aabbccddeeff00, true},
	};
	char text[ADDRESS_TEXT_BYTES], why[160];
	uint64_t hi, lo;
	bool v6;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect(!address_parse(&hi, &lo, &v6, cases[i].text, why, sizeof(why)));
		cr_expect(hi == cases[i].hi && lo == cases[i].lo && v6 == cases[i].v6, "%s", cases[i].text);
		cr_expect_str_eq(address_format(text, sizeof(text), hi, lo, v6), cases[i].text);
	}
	cr_expect(address_parse(&hi, &lo, &v6, "198.51.100.7/32", why, sizeof(why)));
	cr_expect(address_parse(&hi, &lo, &v6, "", why, sizeof(why)));
}

Test(sources_json, ports_by_protocol)
{
	static const struct {
		uint8_t protocol;
		const char *key, *icmp;
	} cases[] = {{6, "port", NULL},
		     {17, "port", NULL},
		     {1, "icmp", "3/1"},
		     {58, "icmp", "3/1"},
		     {47, NULL, NULL}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct flow_view flow = {.protocol = cases[i].protocol, .port = 0x301, .packets = 1};
		struct builder b = {};
		json_t *object = sources_json_flow(&b, &flow);

		cr_expect_not(b.failed);
		cr_expect_eq(json_object_size(object), cases[i].key ? 7u : 6u);
		if (cases[i].icmp)
			cr_expect_str_eq(json_string_value(json_object_get(object, "icmp")), cases[i].icmp);
		else if (cases[i].key)
			cr_expect_eq(json_integer_value(json_object_get(object, "port")), 0x301);
		json_decref(object);
	}
}
