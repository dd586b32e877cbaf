// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration on arbitrary bytes: it must neither crash nor leak; what is refused is refused with one
 * sentence, and what is taken can be printed, read again and printed the same. Corpus:
 * tests/fuzz/corpus/config.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "promise of config.h broken: %s\n", what);
	abort();
}

static struct config *read_text(const char *text, size_t length, bool *good)
{
	struct config *config;
	char why[512] = "";

	require(!config_new(&config), "there is memory");
	*good = !config_read_text(config, text, length, "fuzz", why, sizeof(why));
	require(*good || !strncmp(why, "fuzz:", 5), "a refusal names the file");
	require(*good || !strchr(why, '\n'), "a refusal is one line");
	return config;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *first, *second;
	char *printed, *again;
	char why[512] = "";
	bool good;

	first = read_text((const char *)data, size, &good);
	if (good) {
		require(!config_check(first, true, why, sizeof(why)) || *why, "a refusal has a sentence");
		printed = config_print(first);
		require(printed != NULL, "what was read can be printed");
		second = read_text(printed, strlen(printed), &good);
		require(good, "what was printed can be read");
		again = config_print(second);
		require(again && !strcmp(printed, again), "what was read again prints the same");
		free(printed);
		free(again);
		config_free(&second);
	}
	config_free(&first);
	return 0;
}
