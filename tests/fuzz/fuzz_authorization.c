// SPDX-License-Identifier: GPL-2.0-only
/*
 * An Authorization header of arbitrary bytes: what is taken are a name and a password that encode to the same
 * bytes again, zero behind their end; what is not leaves nothing. Corpus: tests/fuzz/corpus/authorization.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <gnutls/gnutls.h>

#include "serve/auth.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "promise of auth.h broken: %s\n", what);
	abort();
}

static bool is_zero(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (bytes[i])
			return false;
	return true;
}

/* The same by another maker's hand. */
static void check_encoding(const struct auth_credentials *got, const char *header)
{
	char plain[sizeof(*got)];
	size_t length = (size_t)snprintf(plain, sizeof(plain), "%s:%s", got->name, got->password), digits;
	gnutls_datum_t bytes = {(unsigned char *)plain, (unsigned int)length}, text;

	header += 6 + strspn(header + 6, " ");
	digits = strcspn(header, "=");
	require(gnutls_base64_encode2(&bytes, &text) >= 0, "memory");
	require(digits <= text.size && strcspn((const char *)text.data, "=") == digits, "as many digits");
	/* The last digit may carry bits that nobody reads. */
	require(digits < 1 || !memcmp(header, text.data, digits - 1), "the same digits");
	gnutls_free(text.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct auth_credentials got;
	char *header = malloc(size + 1);

	require(header != NULL, "memory");
	memcpy(header, data, size);
	header[size] = 0;
	memset(&got, 'x', sizeof(got));
	if (auth_read(&got, header)) {
		size_t name = strnlen(got.name, sizeof(got.name)),
		       password = strnlen(got.password, sizeof(got.password));

		require(!strncasecmp(header, "Basic ", 6), "it is Basic");
		require(name < sizeof(got.name) && password < sizeof(got.password), "both have an end");
		require(is_zero(got.name + name, sizeof(got.name) - name) &&
				is_zero(got.password + password, sizeof(got.password) - password),
			"zero behind their end");
		require(!strchr(got.name, ':'), "the first colon ends the name");
		check_encoding(&got, header);
	} else {
		require(is_zero((const char *)&got, sizeof(got)), "what is refused leaves nothing");
	}
	free(header);
	return 0;
}
