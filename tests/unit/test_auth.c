// SPDX-License-Identifier: GPL-2.0-only
/*
 * Basic authentication: headers as clients write them and as they should not, hashes of other makers' tools,
 * what is remembered, and the bound of what waits.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "serve/auth.h"

static const struct {
	const char *header, *name, *password; /* NULL: refused */
} HEADERS[] = {
	{"Basic YWRtaW46c2VjcmV0", "admin", "secret"},
	{"basic  YWRtaW46c2VjcmV0", "admin", "secret"},
	{"BASIC YTpi", "a", "b"},
	{"Basic YTo=", "a", ""},
	{"Basic YTo", "a", ""},
	{"Basic Og==", "", ""},
	{"Basic OnNlY3JldA==", "", "secret"},
	{"Basic YWRtaW46YTpiOmM=", "admin", "a:b:c"},
	{"Basic YWRtaW46w7w=", "admin", "\xc3\xbc"},
	{"Basic YWRtaW4=", NULL, NULL},	 /* no colon */
	{"Basic YQBiOmM=", NULL, NULL},	 /* a NUL in the name */
	{"Basic YTpiAGM=", NULL, NULL},	 /* in the password */
	{"Basic YTpiYw=", NULL, NULL},	 /* wrong padding */
	{"Basic YTo==", NULL, NULL},	 /* wrong padding */
	{"Basic Y=", NULL, NULL},	 /* 6 bits are no byte */
	{"Basic YTpi=YTpi", NULL, NULL}, /* padding in the middle */
	{"Basic YTpi YTpi", NULL, NULL}, /* a space */
	{"Basic YTp%", NULL, NULL},	 /* not of base64 */
	{"Basic YT-_", NULL, NULL},	 /* of another base64 */
	{"Basic ", NULL, NULL},
	{"Basic", NULL, NULL},
	{"", NULL, NULL},
	{NULL, NULL, NULL},
	{"BasicYTpi", NULL, NULL},
	{"Bearer YTpi", NULL, NULL},
	{"Digest username=\"a\"", NULL, NULL},
};

Test(auth, reads_headers)
{
	for (size_t i = 0; i < sizeof(HEADERS) / sizeof(HEADERS[0]); i++) {
		struct auth_credentials got;
		bool good = auth_read(&got, HEADERS[i].header);

		cr_expect_eq(good, !!HEADERS[i].name, "%s", HEADERS[i].header);
		if (!good || !HEADERS[i].name)
			continue;
		cr_expect_str_eq(got.name, HEADERS[i].name, "%s", HEADERS[i].header);
		cr_expect_str_eq(got.password, HEADERS[i].password, "%s", HEADERS[i].header);
	}
}

/* "Basic " and 4 characters for each of n times three bytes "aa:" */
static const char *long_header(size_t name, size_t password)
{
	static char header[4096], plain[2048];
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t length = name + 1 + password, used = 6;

	memset(plain, 0, sizeof(plain));
	memset(plain, 'n', name);
	plain[name] = ':';
	memset(plain + name + 1, 'p', password);
	memcpy(header, "Basic ", 6);
	for (size_t i = 0; i < length; i += 3) {
		unsigned int bits = (unsigned int)plain[i] << 16 | (unsigned int)plain[i + 1] << 8 |
				    (unsigned int)plain[i + 2];

		for (unsigned int n = 0; n < 4; n++)
			header[used++] = i + n > length ? '=' : digits[bits >> (18 - 6 * n) & 63];
	}
	header[used] = '\0';
	return header;
}

Test(auth, bounds_what_it_reads)
{
	struct auth_credentials got;

	cr_expect(auth_read(&got, long_header(WEB_NAME_BYTES_MAX, AUTH_PASSWORD_BYTES_MAX)));
	cr_expect_eq(strlen(got.name), WEB_NAME_BYTES_MAX);
	cr_expect_eq(strlen(got.password), AUTH_PASSWORD_BYTES_MAX);
	cr_expect_not(auth_read(&got, long_header(WEB_NAME_BYTES_MAX + 1, 1)));
	cr_expect_not(auth_read(&got, long_header(1, AUTH_PASSWORD_BYTES_MAX + 1)));
	cr_expect_not(auth_read(&got, long_header(900, 900)));
	cr_expect_eq(got.name[0], '\0', "nothing is left of what was refused");
}

/* Made by htpasswd of Apache, and by crypt of Python. */
static const struct web_user USERS[] = {
	{"admin", "$2y$04$c2NeCPkBvLIqBpN3EtSN4.EJvpe3UEWOmfEstY9BVsifDng.3ecjW"}, /* secret */
	{"old", "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"},   /* secret */
	{"other", "$2b$05$abcdefghijklmnopqrstuuZVEMa1pjhlynBQ1qXmSvGBJpN9h1w8G"}, /* pässwörd */
};

struct told {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	unsigned int count, by[AUTH_UNCHECKED + 1];
};

static struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static void tell(void *arg, enum auth_verdict verdict)
{
	struct told *t = arg;

	pthread_mutex_lock(&t->lock);
	t->count++;
	t->by[verdict]++;
	pthread_cond_signal(&t->changed);
	pthread_mutex_unlock(&t->lock);
}

static void wait_for(unsigned int count)
{
	pthread_mutex_lock(&told.lock);
	while (told.count < count)
		pthread_cond_wait(&told.changed, &told.lock);
	pthread_mutex_unlock(&told.lock);
}

static struct auth_credentials make(const char *name, const char *password)
{
	struct auth_credentials c = {};

	snprintf(c.name, sizeof(c.name), "%s", name);
	snprintf(c.password, sizeof(c.password), "%s", password);
	return c;
}

static enum auth_verdict verdict_of(struct auth *auth, const char *name, const char *password)
{
	struct auth_credentials c = make(name, password);

	cr_assert_eq(auth_remembered(auth, &c), AUTH_UNKNOWN, "%s", name);
	told.count = 0;
	memset(told.by, 0, sizeof(told.by));
	cr_assert_eq(auth_check(auth, &c, tell, &told), 0);
	wait_for(1);
	cr_expect_eq(auth_remembered(auth, &c), told.by[AUTH_RIGHT] ? AUTH_RIGHT : AUTH_WRONG, "%s", name);
	return told.by[AUTH_RIGHT] ? AUTH_RIGHT : AUTH_WRONG;
}

static struct auth *new_auth(size_t users)
{
	struct auth *auth;

	cr_assert_eq(auth_new(&auth), 0);
	cr_assert_eq(auth_set_users(auth, USERS, users), 0);
	return auth;
}

Test(auth, checks_hashes_of_other_makers)
{
	struct auth *auth = new_auth(3);

	cr_assert_eq(auth_start(auth), 0);
	cr_expect_eq(verdict_of(auth, "admin", "secret"), AUTH_RIGHT);
	cr_expect_eq(verdict_of(auth, "old", "secret"), AUTH_RIGHT);
	cr_expect_eq(verdict_of(auth, "other", "p\xc3\xa4ssw\xc3\xb6rd"), AUTH_RIGHT);
	cr_expect_eq(verdict_of(auth, "admin", "Secret"), AUTH_WRONG);
	cr_expect_eq(verdict_of(auth, "admin", ""), AUTH_WRONG);
	cr_expect_eq(verdict_of(auth, "admin2", "secret"), AUTH_WRONG);
	cr_expect_eq(verdict_of(auth, "admi", "secret"), AUTH_WRONG);
	cr_expect_eq(verdict_of(auth, "", ""), AUTH_WRONG);
	auth_free(&auth);
	cr_expect_null(auth);
	auth_free(&auth);
}

Test(auth, forgets_what_the_users_no_longer_say)
{
	struct auth_credentials admin = make("admin", "secret");
	struct web_user changed = {"admin", "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"};
	struct auth *auth = new_auth(1);

	cr_assert_eq(auth_start(auth), 0);
	cr_expect_eq(verdict_of(auth, "admin", "secret"), AUTH_RIGHT);
	cr_assert_eq(auth_set_users(auth, &changed, 1), 0);
	cr_expect_eq(auth_remembered(auth, &admin), AUTH_UNKNOWN,
		     "another hash, the same password: checked anew");
	cr_assert_eq(auth_set_users(auth, NULL, 0), 0);
	cr_expect_eq(verdict_of(auth, "admin", "secret"), AUTH_WRONG, "no users: nobody is right");
	auth_free(&auth);
}

Test(auth, what_was_wrong_does_not_drive_out_what_was_right)
{
	struct auth_credentials admin = make("admin", "secret"), first = make("x0", "y");
	struct auth *auth = new_auth(1);
	char name[16];

	cr_assert_eq(auth_start(auth), 0);
	cr_expect_eq(verdict_of(auth, "admin", "secret"), AUTH_RIGHT);
	for (unsigned int i = 0; i <= 256; i++) {
		snprintf(name, sizeof(name), "x%u", i);
		cr_expect_eq(verdict_of(auth, name, "y"), AUTH_WRONG);
	}
	cr_expect_eq(auth_remembered(auth, &admin), AUTH_RIGHT);
	cr_expect_eq(auth_remembered(auth, &first), AUTH_UNKNOWN, "the oldest of the wrong ones has gone");
	auth_free(&auth);
}

Test(auth, bounds_what_waits_and_tells_everybody_at_the_end)
{
	struct auth_credentials c = make("admin", "no");
	struct auth *auth = new_auth(1);
	unsigned int taken = 0;
	int err;

	cr_expect_eq(auth_check(auth, &c, tell, &told), -ESHUTDOWN, "nobody checks yet");
	cr_assert_eq(auth_start(auth), 0);
	do {
		snprintf(c.password, sizeof(c.password), "no%u", taken);
		err = auth_check(auth, &c, tell, &told);
		taken += !err;
	} while (!err && taken < 100000);
	cr_expect_eq(err, -EBUSY, "more comes than is checked");
	auth_stop(auth);
	cr_expect_eq(told.count, taken, "each is told once");
	cr_expect_eq(told.by[AUTH_WRONG] + told.by[AUTH_UNCHECKED], taken);
	cr_expect_eq(auth_check(auth, &c, tell, &told), -ESHUTDOWN);
	auth_free(&auth);
}
