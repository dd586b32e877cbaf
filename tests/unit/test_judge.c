// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the judgement is worded with.
 */
#include <criterion/criterion.h>

#include <string.h>

#include "base/config.h"
#include "doctor/judge.h"

Test(judge, names_become_shell_words)
{
	char word[JUDGE_WORD_TEXT];

	cr_assert_str_eq(judge_word("eth0.100", word), "eth0.100");
	cr_assert_str_eq(judge_word("a b;reboot", word), "'a b;reboot'");
	cr_assert_str_eq(judge_word("-x", word), "'-x'");
	cr_assert_str_eq(judge_word("a'b$(x)", word), "INTERFACE");
}

/* Feed self looks at the addresses that other hosts send to: an interface without one counts nothing. */
Test(judge, feed_self_wants_an_address)
{
	static char name[] = "eth0";
	struct config_interface interface = {.name = name, .feed = AG_FEED_SELF};
	struct host_address addresses[] = {{{6, 64, {0xfe, 0x80, [15] = 1}}, 2, "eth0", false},
					   {{4, 24, {198, 51, 100, 7}}, 3, "eth1", true},
					   {{4, 8, {127, 0, 0, 1}}, 1, "lo", false}};
	struct config config = {.interfaces = &interface, .interfaces_count = 1, .self_scope = 1};
	struct host_facts host = {
		.links_count = 1, .addresses = addresses, .addresses_count = 3, .addresses_known = true};
	struct judge_input in = {.host = &host, .config = &config};
	struct snapshot_check out;

	host.links[0] = (struct host_link){.name = "eth0", .called = "eth0", .ifindex = 2};
	judge_run(DOCTOR_OWN_ADDRESS, &in, 0, &out);
	cr_expect_eq(out.state, SNAPSHOT_FAULT, "%s", out.value);
	cr_expect_str_eq(out.subject, "eth0");
	cr_expect(strstr(out.remedy, "ip address add ADDRESS/LENGTH dev eth0"), "%s", out.remedy);
	strcpy(host.links[0].master, "br0");
	judge_run(DOCTOR_OWN_ADDRESS, &in, 0, &out);
	cr_expect_eq(out.state, SNAPSHOT_FAULT, "%s", out.value);
	cr_expect(strstr(out.value, "a port of br0"), "%s", out.value);
	cr_expect(strstr(out.remedy, "name br0 in place of eth0"), "%s", out.remedy);
	addresses[1].ifindex = 2;
	judge_run(DOCTOR_OWN_ADDRESS, &in, 0, &out);
	cr_expect_eq(out.state, SNAPSHOT_OK, "%s", out.value);
	cr_expect(strstr(out.value, "1 of this host's 3 addresses"), "%s", out.value);
	cr_expect_str_empty(out.remedy);
	/* One that is away is told by the check of the interface. */
	addresses[1].ifindex = 3;
	host.links[0].error = -1;
	judge_run(DOCTOR_OWN_ADDRESS, &in, 0, &out);
	cr_expect_eq(out.state, SNAPSHOT_OK, "%s", out.value);
}
