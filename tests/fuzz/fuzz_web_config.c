// SPDX-License-Identifier: GPL-2.0-only
/*
 * The web configuration on arbitrary bytes: it must neither crash nor leak; what is refused is refused with one
 * sentence, and what is taken is whole: a certificate has a key, a user a hash that bcrypt takes. Corpus:
 * tests/fuzz/corpus/web_config.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <crypt.h>

#include "serve/web_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "promise of web_config.h broken: %s\n", what);
	abort();
}

static void check_user(const struct web_user *user)
{
	require(*user->name && !strchr(user->name, ':'), "a name can stand in a header");
	require(strlen(user->hash) == WEB_HASH_BYTES, "a hash is whole");
	require(crypt_checksalt(user->hash) == CRYPT_SALT_OK, "a hash is one that bcrypt takes");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct web_config *config = NULL;
	char why[512] = "";

	if (web_config_read_text(&config, (const char *)data, size, "d/fuzz", why, sizeof(why))) {
		require(!config, "what is refused gives nothing");
		require(!strncmp(why, "d/fuzz:", 7) && !strchr(why, '\n'),
			"a refusal is one line and names the file");
		return 0;
	}
	require(config->tls == !!config->cert_file && config->tls == !!config->key_file,
		"a certificate has a key");
	require((config->client_auth == WEB_CLIENT_VERIFY) == !!config->client_ca_file,
		"clients are vouched for by somebody");
	require(config->min_version <= config->max_version, "some version is spoken");
	for (size_t i = 0; i < config->users_count; i++)
		check_user(&config->users[i]);
	web_config_free(&config);
	return 0;
}
