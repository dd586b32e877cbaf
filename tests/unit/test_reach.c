// SPDX-License-Identifier: GPL-2.0-only
/*
 * reach: what a telescope of N addresses can see; expected values worked out by hand from the definitions.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "collect/reach.h"

static bool is_blind(const struct snapshot_reach *r, const char *word)
{
	for (unsigned int i = 0; i < r->blind_count; i++)
		if (strstr(r->blind[i], word))
			return true;
	return false;
}

static void check_near(double got, double want)
{
	cr_assert_lt(fabs(got / want - 1), 1e-6, "%g, must be %g", got, want);
}

Test(reach, a_slash_16)
{
	struct snapshot_reach r;

	reach_from_addresses(&r, 65536);
	cr_assert_eq(r.addresses, 65536);
	check_near(r.expected_pps, 5203.5584);
	check_near(r.scanner_touch_s, 655.36);
	check_near(r.smallest_flood_pps, 32768);
	cr_assert(!is_blind(&r, "survey"));
	cr_assert(!is_blind(&r, "reachability"));
	cr_assert(is_blind(&r, "durations")); /* ln(1000) * 655.36 s = 4,527 s */
	cr_assert_eq(r.blind_count, 1);
}

Test(reach, as_large_as_nicter_nothing_is_blind)
{
	struct snapshot_reach r;

	reach_from_addresses(&r, 284305);
	check_near(r.expected_pps, 22573.817);
	cr_assert_eq(r.blind_count, 0);
}

Test(reach, thresholds)
{
	static const struct {
		uint64_t addresses;
		bool survey, reachability;
	} cases[] = {{4096, false, false},
		     {4095, true, false},
		     {1024, true, false},
		     {1023, true, true},
		     {1, true, true}};

	for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct snapshot_reach r;

		reach_from_addresses(&r, cases[i].addresses);
		cr_assert_eq(is_blind(&r, "survey"), cases[i].survey, "%u", i);
		cr_assert_eq(is_blind(&r, "reachability"), cases[i].reachability, "%u", i);
	}
}

Test(reach, without_addresses)
{
	struct snapshot_reach r;

	reach_from_addresses(&r, 0);
	cr_assert_eq(r.expected_pps, 0);
	cr_assert_eq(r.blind_count, 1);
	cr_assert(is_blind(&r, "every rule"));
}
