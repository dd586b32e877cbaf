// SPDX-License-Identifier: GPL-2.0-only
/*
 * The command line: every way to write an option, every way to write it wrongly, and the table itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/options.h"

static int count_words(char **words)
{
	int count = 0;

	while (words[count])
		count++;
	return count;
}

static char last_why[512];

static int read_words(struct options *options, enum command command, char **words)
{
	last_why[0] = '\0';
	return options_parse(options, command, count_words(words), words, last_why, sizeof(last_why));
}

static char *w(const char *text)
{
	return (char *)(uintptr_t)text;
}

Test(options, takes_every_form_of_an_argument)
{
	char *forms[][4] = {{w("run"), w("--config"), w("f.yaml")},
			    {w("run"), w("--config=f.yaml")},
			    {w("run"), w("-c"), w("f.yaml")},
			    {w("run"), w("-cf.yaml")}};

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct options options;

		cr_assert_eq(read_words(&options, COMMAND_RUN, forms[i]), 0, "form %zu: %s", i, last_why);
		cr_expect_str_eq(options_text(&options, OPTION_CONFIG, "none"), "f.yaml");
		options_fini(&options);
	}
}

Test(options, joins_letters_and_counts_them)
{
	char *words[] = {w("run"), w("-vvn"), w("-vcf.yaml"), NULL};
	struct options options;

	cr_assert_eq(read_words(&options, COMMAND_RUN, words), 0, "%s", last_why);
	cr_expect_eq(options_count(&options, OPTION_VERBOSE), 3);
	cr_expect(options_has(&options, OPTION_CONFIG_CHECK));
	cr_expect_str_eq(options_text(&options, OPTION_CONFIG, ""), "f.yaml");
	cr_expect_not(options_has(&options, OPTION_ONCE));
	options_fini(&options);
}

Test(options, the_last_text_counts_and_lists_keep_all)
{
	char *words[] = {w("run"), w("-l"), w("a:1"), w("--dark=x"), w("-l"), w("b:2"), w("-d"), w("y"), NULL};
	struct options options;
	size_t cursor = 0;

	cr_assert_eq(read_words(&options, COMMAND_RUN, words), 0, "%s", last_why);
	cr_expect_str_eq(options_text(&options, OPTION_LISTEN, ""), "b:2");
	cr_expect_str_eq(options_next(&options, OPTION_DARK, &cursor), "x");
	cr_expect_str_eq(options_next(&options, OPTION_DARK, &cursor), "y");
	cr_expect_null(options_next(&options, OPTION_DARK, &cursor));
	options_fini(&options);
}

Test(options, operands_stand_anywhere_and_behind_two_dashes)
{
	char *words[] = {w("replay"), w("a.pcap"), w("-j"), w("-"), w("--"), w("--json"), w("-c"), NULL};
	struct options options;

	cr_assert_eq(read_words(&options, COMMAND_REPLAY, words), 0, "%s", last_why);
	cr_assert_eq(options.operands_count, 4);
	cr_expect_str_eq(options.operands[0], "a.pcap");
	cr_expect_str_eq(options.operands[1], "-");
	cr_expect_str_eq(options.operands[2], "--json");
	cr_expect_str_eq(options.operands[3], "-c");
	cr_expect_eq(options_count(&options, OPTION_JSON), 1);
	options_fini(&options);
}

Test(options, values_by_kind)
{
	char *words[] = {w("replay"), w("--addresses=4096"), w("--memory=64MB"), w("--engine=kernel"), NULL};
	struct options options;

	cr_assert_eq(read_words(&options, COMMAND_REPLAY, words), 0, "%s", last_why);
	cr_expect_eq(options_number(&options, OPTION_ADDRESSES, 0), 4096);
	cr_expect_eq(options_number(&options, OPTION_MEMORY, 0), UINT64_C(64) << 20);
	cr_expect_eq(options_number(&options, OPTION_ENGINE, 0), 1, "the second word");
	cr_expect_eq(options_number(&options, OPTION_JSON, 7), 7, "the fallback");
	options_fini(&options);
}

Test(options, refuses_with_one_sentence)
{
	static const struct {
		enum command command;
		const char *words[4];
		const char *because;
	} rows[] = {
		{COMMAND_RUN, {"run", "--no-such"}, "unknown option --no-such"},
		{COMMAND_RUN, {"run", "--conf"}, "unknown option --conf"},
		{COMMAND_RUN, {"run", "-x"}, "unknown option -x"},
		{COMMAND_RUN, {"run", "--json"}, "unknown option --json"},
		{COMMAND_RUN, {"run", "--"}, NULL},
		{COMMAND_RUN, {"run", "--", "x"}, "takes no \"x\""},
		{COMMAND_RUN, {"run", "word"}, "takes no \"word\""},
		{COMMAND_RUN, {"run", "--config"}, "--config wants an argument: FILE"},
		{COMMAND_RUN, {"run", "-c"}, "--config wants an argument: FILE"},
		{COMMAND_RUN, {"run", "--config="}, "--config does not take \"\""},
		{COMMAND_RUN, {"run", "--once=yes"}, "--once takes no argument"},
		{COMMAND_RUN, {"run", "--mode=fast"}, "auto|native|generic"},
		{COMMAND_RUN, {"run", "--mode=auto|native"}, "auto|native|generic"},
		{COMMAND_RUN, {"run", "--memory=12X"}, "with K, M or G"},
		{COMMAND_RUN, {"run", "--memory=-1"}, "with K, M or G"},
		{COMMAND_RUN, {"run", "--memory=99999999999G"}, "with K, M or G"},
		{COMMAND_REPLAY, {"replay", "--addresses=1e3"}, "--addresses does not take \"1e3\""},
		{COMMAND_REPLAY, {"replay", "--addresses=18446744073709551616"}, "--addresses does not take"},
		{COMMAND_REPLAY, {"replay", "--listen=x"}, "unknown option --listen=x"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *words[5] = {w(rows[i].words[0]), w(rows[i].words[1]), w(rows[i].words[2])};
		struct options options;
		int err = read_words(&options, rows[i].command, words);

		cr_expect_eq(err, rows[i].because ? -EINVAL : 0, "%s", rows[i].words[1]);
		if (rows[i].because)
			cr_expect(strstr(last_why, rows[i].because), "%s: \"%s\"", rows[i].words[1], last_why);
		cr_expect_null(strchr(last_why, '\n'));
		options_fini(&options);
	}
}

Test(options, reads_sizes)
{
	static const struct {
		const char *text;
		int err;
		uint64_t bytes;
	} rows[] = {
		{"0", 0, 0},
		{"17", 0, 17},
		{"17B", 0, 17},
		{"1K", 0, 1024},
		{"2MB", 0, 2u << 20},
		{"3G", 0, UINT64_C(3) << 30},
		{"", -EINVAL, 0},
		{"M", -EINVAL, 0},
		{"1KK", -EINVAL, 0},
		{"1MBx", -EINVAL, 0},
		{"1 M", -EINVAL, 0},
		{"0x10", -EINVAL, 0},
		{"1m", -EINVAL, 0},
		{"18446744073709551615", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"17179869184G", -ERANGE, 0},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t bytes = 0;

		cr_expect_eq(options_bytes(&bytes, rows[i].text), rows[i].err, "%s", rows[i].text);
		cr_expect_eq(bytes, rows[i].bytes, "%s", rows[i].text);
	}
}

/* The table: a letter and a name mean one thing in each command, and each option is told in the help of its
 * commands. */
Test(options, help_tells_every_option_once)
{
	static const struct {
		const char *name;
		unsigned int commands;
	} rows[] = {
#define IN(command)						      (1u << COMMAND_##command)
#define AG_OPTION(name, text, letter, kind, argument, commands, help) {text, commands},
#include "airglow/option.def"
	};

	for (unsigned int command = 0; command < COMMAND_MAX; command++) {
		char *help = NULL;
		size_t size = 0;
		FILE *out = open_memstream(&help, &size);

		options_print_help(out, (enum command)command);
		fclose(out);
		for (size_t i = 0; i < OPTION_MAX; i++) {
			char line[64];
			const char *found;

			snprintf(line, sizeof(line), "--%s", rows[i].name);
			for (found = strstr(help, line); found; found = strstr(found + 1, line))
				if (strchr(" \n", found[strlen(line)]) && found[-1] == ' ' &&
				    strchr(" ,", found[-2]))
					break;
			cr_expect_eq(found != NULL, (rows[i].commands >> command & 1) != 0, "%s of %s", line,
				     options_command_label((enum command)command));
		}
		free(help);
	}
}

Test(options, letters_are_unique_in_a_command)
{
	static const struct {
		char letter;
		unsigned int commands;
	} rows[] = {
#define AG_OPTION(name, text, letter, kind, argument, commands, help) {letter, commands},
#include "airglow/option.def"
	};

	for (size_t i = 0; i < OPTION_MAX; i++)
		for (size_t j = 0; j < i; j++)
			cr_expect_not(rows[i].letter && rows[i].letter == rows[j].letter &&
					      (rows[i].commands & rows[j].commands),
				      "-%c", rows[i].letter);
}

Test(options, commands_by_label)
{
	cr_expect_eq(options_command("run"), COMMAND_RUN);
	cr_expect_eq(options_command("top"), COMMAND_TOP);
	cr_expect_eq(options_command("ru"), COMMAND_MAX);
	cr_expect_eq(options_command(""), COMMAND_MAX);
}
