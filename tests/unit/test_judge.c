// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the judgement is worded with.
 */
#include <criterion/criterion.h>

#include "doctor/judge.h"

Test(judge, names_become_shell_words)
{
	char word[JUDGE_WORD_TEXT];

	cr_assert_str_eq(judge_word("eth0.100", word), "eth0.100");
	cr_assert_str_eq(judge_word("a b;reboot", word), "'a b;reboot'");
	cr_assert_str_eq(judge_word("-x", word), "'-x'");
	cr_assert_str_eq(judge_word("a'b$(x)", word), "INTERFACE");
}
