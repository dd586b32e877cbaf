// SPDX-License-Identifier: GPL-2.0-only
/*
 * Basic authentication (auth.h): bcrypt by libxcrypt, keyed hashes by GnuTLS.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <crypt.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

#include "serve/auth.h"

#define QUEUE_MAX	16
#define REMEMBERED_MAX	256 /* of each kind, right and wrong: neither drives the other out */
#define DIGEST_BYTES	32  /* SHA-256 */
#define NICENESS	5
#define BASIC_BYTES_MAX (WEB_NAME_BYTES_MAX + 1 + AUTH_PASSWORD_BYTES_MAX)
/* Of nobody: what an unknown name is held against. Its cost is put in place of the two digits. */
#define NOBODY_HASH "$2b$10$GAmsErWSl4Nkt51mspcd0eCy6fqpYANqLvFNGc7WvDeqdvEYZKHRu"
#define COST_AT	    4

_Static_assert(sizeof(NOBODY_HASH) == WEB_HASH_BYTES + 1, "a hash like those of users");

struct digest {
	unsigned char bytes[DIGEST_BYTES];
};

struct memory {
	struct digest digest[REMEMBERED_MAX];
	unsigned int count, next;
};

struct check {
	struct auth_credentials credentials;
	void (*done)(void *arg, enum auth_verdict verdict);
	void *arg;
};

struct auth {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool started, stopping;
	struct web_user *users;
	size_t users_count;
	char nobody[WEB_HASH_BYTES + 1];
	unsigned char key[DIGEST_BYTES];
	struct memory right, wrong;
	struct check queue[QUEUE_MAX];
	unsigned int first, waiting;
	struct crypt_data crypt; /* of the thread: 32 KiB */
};

/* --- the header ----------------------------------------------------------------------------------------------
 */

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Number of bytes, or -1: not base64, or more than size. Padding may be left out, as some clients do. */
static int decode_base64(unsigned char *out, size_t size, const char *text)
{
	size_t length = strcspn(text, "="), used = 0;
	uint32_t bits = 0;

	if (length % 4 == 1 || strspn(text + length, "=") != strlen(text + length) ||
	    (text[length] && (length + strlen(text + length)) % 4))
		return -1;
	for (size_t i = 0; i < length; i++) {
		int value = base64_value(text[i]);

		if (value < 0)
			return -1;
		bits = bits << 6 | (uint32_t)value;
		if (i % 4 == 0)
			continue;
		if (used == size)
			return -1;
		out[used++] = (unsigned char)(bits >> (6 - 2 * (i % 4)));
	}
	return (int)used;
}

bool auth_read(struct auth_credentials *out, const char *header)
{
	unsigned char plain[BASIC_BYTES_MAX + 1];
	const unsigned char *colon;
	size_t name, password;
	int length;
	bool good;

	*out = (struct auth_credentials){};
	if (!header || strncasecmp(header, "Basic ", 6))
		return false;
	header += 6;
	header += strspn(header, " ");
	length = decode_base64(plain, BASIC_BYTES_MAX, header);
	colon = length > 0 ? memchr(plain, ':', (size_t)length) : NULL;
	good = colon && !memchr(plain, 0, (size_t)length);
	if (good) {
		name = (size_t)(colon - plain);
		password = (size_t)length - name - 1;
		good = name <= WEB_NAME_BYTES_MAX && password <= AUTH_PASSWORD_BYTES_MAX;
	}
	if (good) {
		memcpy(out->name, plain, name);
		memcpy(out->password, colon + 1, password);
	}
	explicit_bzero(plain, sizeof(plain));
	return good;
}

/* --- what is remembered --------------------------------------------------------------------------------------
 */

static bool is_in(const struct memory *memory, const struct digest *digest)
{
	bool found = false;

	for (unsigned int i = 0; i < memory->count; i++)
		found |= !gnutls_memcmp(memory->digest[i].bytes, digest->bytes, DIGEST_BYTES);
	return found;
}

/* In place of the oldest, if there is no room. */
static void remember(struct memory *memory, const struct digest *digest)
{
	if (is_in(memory, digest))
		return;
	memory->digest[memory->next] = *digest;
	memory->next = (memory->next + 1) % REMEMBERED_MAX;
	if (memory->count < REMEMBERED_MAX)
		memory->count++;
}

/* The hash that a password must have, in a time that does not tell whether there is such a name. Is there? */
static bool find_hash(const struct auth *auth, char *hash, const char *name)
{
	unsigned char known = 0;

	memcpy(hash, auth->nobody, WEB_HASH_BYTES + 1);
	for (size_t i = 0; i < auth->users_count; i++) {
		const struct web_user *user = &auth->users[i];
		unsigned char same = gnutls_memcmp(user->name, name, sizeof(user->name)) ? 0x00 : 0xff;

		for (unsigned int n = 0; n < WEB_HASH_BYTES; n++)
			hash[n] = (char)((user->hash[n] & same) | (hash[n] & ~same));
		known |= same;
	}
	return known;
}

/* Of credentials and of the hash that they were held against: a changed password is another one. */
static bool make_digest(const struct auth *auth, struct digest *digest,
			const struct auth_credentials *credentials, const char *hash)
{
	unsigned char text[sizeof(*credentials) + WEB_HASH_BYTES];
	bool made;

	memcpy(text, credentials, sizeof(*credentials));
	memcpy(text + sizeof(*credentials), hash, WEB_HASH_BYTES);
	made = gnutls_hmac_fast(GNUTLS_MAC_SHA256, auth->key, sizeof(auth->key), text, sizeof(text),
				digest->bytes) >= 0;
	explicit_bzero(text, sizeof(text));
	return made;
}

enum auth_verdict auth_remembered(struct auth *auth, const struct auth_credentials *credentials)
{
	enum auth_verdict verdict = AUTH_UNKNOWN;
	char hash[WEB_HASH_BYTES + 1];
	struct digest digest;

	pthread_mutex_lock(&auth->lock);
	find_hash(auth, hash, credentials->name);
	if (make_digest(auth, &digest, credentials, hash)) {
		if (is_in(&auth->right, &digest))
			verdict = AUTH_RIGHT;
		else if (is_in(&auth->wrong, &digest))
			verdict = AUTH_WRONG;
	}
	pthread_mutex_unlock(&auth->lock);
	return verdict;
}

/* --- checking ------------------------------------------------------------------------------------------------
 */

int auth_check(struct auth *auth, const struct auth_credentials *credentials,
	       void (*done)(void *arg, enum auth_verdict verdict), void *arg)
{
	struct check *check;
	int err = 0;

	pthread_mutex_lock(&auth->lock);
	if (auth->stopping || !auth->started) {
		err = -ESHUTDOWN;
	} else if (auth->waiting == QUEUE_MAX) {
		err = -EBUSY;
	} else {
		check = &auth->queue[(auth->first + auth->waiting++) % QUEUE_MAX];
		*check = (struct check){*credentials, done, arg};
		pthread_cond_signal(&auth->changed);
	}
	pthread_mutex_unlock(&auth->lock);
	return err;
}

/* Takes the first one that waits. */
static void take_check(struct auth *auth, struct check *check)
{
	*check = auth->queue[auth->first];
	explicit_bzero(&auth->queue[auth->first], sizeof(*check));
	auth->first = (auth->first + 1) % QUEUE_MAX;
	auth->waiting--;
}

/* Called with the lock, which is open while bcrypt works. */
static enum auth_verdict make_check(struct auth *auth, const struct auth_credentials *credentials)
{
	char hash[WEB_HASH_BYTES + 1];
	struct digest digest;
	const char *made;
	bool known = find_hash(auth, hash, credentials->name), right;

	pthread_mutex_unlock(&auth->lock);
	made = crypt_r(credentials->password, hash, &auth->crypt);
	right = known && made && strlen(made) == WEB_HASH_BYTES && !gnutls_memcmp(made, hash, WEB_HASH_BYTES);
	explicit_bzero(&auth->crypt, sizeof(auth->crypt));
	pthread_mutex_lock(&auth->lock);
	if (make_digest(auth, &digest, credentials, hash))
		remember(right ? &auth->right : &auth->wrong, &digest);
	return right ? AUTH_RIGHT : AUTH_WRONG;
}

static void *run_checks(void *arg)
{
	struct auth *auth = arg;
	struct check check;

	pthread_setname_np(pthread_self(), "ag-auth");
	/* Packets come first; where that is not allowed, it is checked as fast as anything else. */
	setpriority(PRIO_PROCESS, (id_t)gettid(), NICENESS);
	pthread_mutex_lock(&auth->lock);
	for (;;) {
		enum auth_verdict verdict = AUTH_UNCHECKED;

		if (!auth->waiting && auth->stopping)
			break;
		if (!auth->waiting) {
			pthread_cond_wait(&auth->changed, &auth->lock);
			continue;
		}
		take_check(auth, &check);
		if (!auth->stopping)
			verdict = make_check(auth, &check.credentials);
		pthread_mutex_unlock(&auth->lock);
		check.done(check.arg, verdict);
		explicit_bzero(&check, sizeof(check));
		pthread_mutex_lock(&auth->lock);
	}
	pthread_mutex_unlock(&auth->lock);
	return NULL;
}

/* --- life ----------------------------------------------------------------------------------------------------
 */

int auth_set_users(struct auth *auth, const struct web_user *users, size_t count)
{
	struct web_user *copy = calloc(count + 1, sizeof(*copy)), *old;

	if (!copy)
		return -ENOMEM;
	if (count)
		memcpy(copy, users, count * sizeof(*copy));
	pthread_mutex_lock(&auth->lock);
	old = auth->users;
	auth->users = copy;
	auth->users_count = count;
	if (count)
		memcpy(auth->nobody + COST_AT, copy[0].hash + COST_AT, 2);
	pthread_mutex_unlock(&auth->lock);
	free(old);
	return 0;
}

int auth_new(struct auth **out)
{
	struct auth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return -ENOMEM;
	if (getrandom(auth->key, sizeof(auth->key), 0) != (ssize_t)sizeof(auth->key)) {
		free(auth);
		return -EIO;
	}
	memcpy(auth->nobody, NOBODY_HASH, sizeof(NOBODY_HASH));
	pthread_mutex_init(&auth->lock, NULL);
	pthread_cond_init(&auth->changed, NULL);
	*out = auth;
	return 0;
}

int auth_start(struct auth *auth)
{
	int err;

	pthread_mutex_lock(&auth->lock);
	err = pthread_create(&auth->thread, NULL, run_checks, auth);
	auth->started = !err;
	pthread_mutex_unlock(&auth->lock);
	return -err;
}

void auth_stop(struct auth *auth)
{
	bool started;

	pthread_mutex_lock(&auth->lock);
	started = auth->started;
	auth->stopping = true;
	pthread_cond_signal(&auth->changed);
	pthread_mutex_unlock(&auth->lock);
	if (started)
		pthread_join(auth->thread, NULL);
	auth->started = false;
}

void auth_free(struct auth **auth)
{
	struct auth *a = *auth;

	if (!a)
		return;
	auth_stop(a);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	explicit_bzero(a->key, sizeof(a->key));
	free(a->users);
	free(a);
	*auth = NULL;
}
