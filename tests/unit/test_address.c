// SPDX-License-Identifier: GPL-2.0-only
/*
 * Prefixes as text: what is taken, what is refused and with which words, and the order that finds what encloses
 * what.
 */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/address.h"

static const struct {
	const char *text, *back;
} GOOD[] = {
	{"203.0.113.0/24", "203.0.113.0/24"},
	{"0.0.0.0/0", "0.0.0.0/0"},
	{"192.0.2.1", "192.0.2.1/32"},
	{"192.0.2.2/31", "192.0.2.2/31"},
	{"10.128.0.0/9", "10.128.0.0/9"},
	{"::/0", "::/0"},
	{"2001:DB8::/32", "2001:db8::/32"},
	{"2001:db8::1", "2001:db8::1/128"},
	{"2001:db8:8000::/33", "2001:db8:8000::/33"},
};

Test(address, reads_and_writes_prefixes)
{
	for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++) {
		char why[200] = "", text[PREFIX_TEXT_BYTES];
		struct prefix prefix;

		cr_assert_eq(prefix_parse(&prefix, GOOD[i].text, why, sizeof(why)), 0, "%s: %s", GOOD[i].text,
			     why);
		cr_expect_str_eq(prefix_format(text, sizeof(text), &prefix), GOOD[i].back);
	}
}

static const struct {
	const char *text, *because;
} BAD[] = {
	{"::ffff:192.0.2.0/120", "write it as IPv4"},
	{"", "is not a prefix"},
	{"/24", "is not a prefix"},
	{"203.0.113", "is not a prefix"},
	{"203.0.113.0.0/24", "is not a prefix"},
	{"203.0.113.256/32", "is not a prefix"},
	{"010.0.0.0/8", "is not a prefix"},
	{" 10.0.0.0/8", "is not a prefix"},
	{"10.0.0.0/", "from 0 to 32"},
	{"10.0.0.0/33", "from 0 to 32"},
	{"10.0.0.0/-1", "from 0 to 32"},
	{"10.0.0.0/08", "from 0 to 32"},
	{"10.0.0.0/8 ", "from 0 to 32"},
	{"10.0.0.0/8/8", "from 0 to 32"},
	{"10.0.0.0/4294967304", "from 0 to 32"},
	{"::/129", "from 0 to 128"},
	{"2001:db8:::/32", "is not a prefix"},
	{"10.0.0.1/8", "write 10.0.0.0/8"},
	{"203.0.113.128/24", "write 203.0.113.0/24"},
	{"2001:db8::1/32", "write 2001:db8::/32"},
	{"fe80::1%eth0/64", "is not a prefix"},
	{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/64", "is not a prefix"},
};

Test(address, refuses_what_is_no_prefix)
{
	for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
		struct prefix prefix = {.family = 77};
		char why[200] = "";

		cr_expect_eq(prefix_parse(&prefix, BAD[i].text, why, sizeof(why)), -EINVAL, "%s", BAD[i].text);
		cr_expect(strstr(why, BAD[i].because), "%s: \"%s\"", BAD[i].text, why);
		cr_expect_eq(prefix.family, 77, "%s: untouched on failure", BAD[i].text);
	}
}

Test(address, an_address_has_no_slash)
{
	struct prefix prefix;
	char why[200];

	cr_expect_eq(prefix_parse_address(&prefix, "192.0.2.1", why, sizeof(why)), 0);
	cr_expect_eq(prefix.length, 32);
	cr_expect_eq(prefix_parse_address(&prefix, "192.0.2.1/32", why, sizeof(why)), -EINVAL);
}

static struct prefix parse(const char *text)
{
	struct prefix prefix;
	char why[200];

	cr_assert_eq(prefix_parse(&prefix, text, why, sizeof(why)), 0, "%s", why);
	return prefix;
}

Test(address, contains_by_bits_not_by_bytes)
{
	static const struct {
		const char *outer, *inner;
		bool contains;
	} rows[] = {
		{"10.0.0.0/8", "10.255.0.0/16", true},
		{"10.0.0.0/8", "11.0.0.0/16", false},
		{"10.0.0.0/9", "10.127.0.0/16", true},
		{"10.0.0.0/9", "10.128.0.0/16", false},
		{"10.0.0.0/8", "10.0.0.0/8", true},
		{"10.0.0.0/16", "10.0.0.0/8", false},
		{"0.0.0.0/0", "203.0.113.0/24", true},
		{"0.0.0.0/0", "::/0", false},
		{"2001:db8::/33", "2001:db8:8000::/48", false},
		{"2001:db8::/33", "2001:db8:7fff::/48", true},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct prefix outer = parse(rows[i].outer), inner = parse(rows[i].inner);

		cr_expect_eq(prefix_contains(&outer, &inner), rows[i].contains, "%s and %s", rows[i].outer,
			     rows[i].inner);
	}
}

Test(address, sorts_what_encloses_before_what_is_enclosed)
{
	struct prefix wide = parse("10.0.0.0/8"), narrow = parse("10.0.0.0/16"), after = parse("10.0.1.0/24"),
		      six = parse("::/0");

	cr_expect_lt(prefix_compare(&wide, &narrow), 0);
	cr_expect_lt(prefix_compare(&narrow, &after), 0);
	cr_expect_lt(prefix_compare(&after, &six), 0);
	cr_expect_eq(prefix_compare(&narrow, &narrow), 0);
}

static int join(void *arg, const char *part, char *why, size_t why_size)
{
	(void)why;
	(void)why_size;
	strcat(arg, "<");
	strcat(arg, part);
	strcat(arg, ">");
	return strcmp(part, "stop") ? 0 : 5;
}

Test(address, walks_lists)
{
	char joined[100] = "", why[200] = "";

	cr_expect_eq(list_each("a, b ,c", join, joined, why, sizeof(why)), 0);
	cr_expect_str_eq(joined, "<a><b><c>");
	joined[0] = '\0';
	cr_expect_eq(list_each("a,stop,c", join, joined, why, sizeof(why)), 5, "the visitor's word counts");
	cr_expect_str_eq(joined, "<a><stop>");
	cr_expect_eq(list_each("", join, joined, why, sizeof(why)), -EINVAL);
	cr_expect_eq(list_each("a,,b", join, joined, why, sizeof(why)), -EINVAL);
	cr_expect_eq(list_each("a,", join, joined, why, sizeof(why)), -EINVAL);
	cr_expect(strstr(why, "empty"));
}
