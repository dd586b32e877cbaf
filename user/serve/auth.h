/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names and passwords of HTTP's basic authentication, against bcrypt hashes. A check costs 50 ms of a CPU and
 * more, so a thread of low priority makes them, a bounded number waits, and what was right or wrong is
 * remembered: by a keyed hash, never by the password. Knows no connection.
 */
#ifndef AIRGLOW_SERVE_AUTH_H
#define AIRGLOW_SERVE_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "serve/web_config.h"

#define AUTH_PASSWORD_BYTES_MAX 256

struct auth;

/* Zero behind the end of both. */
struct auth_credentials {
	char name[WEB_NAME_BYTES_MAX + 1];
	char password[AUTH_PASSWORD_BYTES_MAX + 1];
};

/*
 * Reads an Authorization header; false: it is none of the kind "Basic", not well formed, or longer than a name
 * and a password here can be.
 */
bool auth_read(struct auth_credentials *out, const char *header);

/* Without users: none is right. */
int auth_new(struct auth **out);
/* Replaces the users; the array is copied. What was remembered of others than these is of no use from then on.
 */
int auth_set_users(struct auth *auth, const struct web_user *users, size_t count);

enum auth_verdict { AUTH_UNKNOWN, AUTH_RIGHT, AUTH_WRONG, AUTH_UNCHECKED };

/* What is remembered: right, wrong, or unknown. */
enum auth_verdict auth_remembered(struct auth *auth, const struct auth_credentials *credentials);

/*
 * Has them checked, and done(arg, verdict) called by the checking thread: right, wrong, or AUTH_UNCHECKED when
 * the server ends. An unknown name costs as much as a known one. 0, -EBUSY: too many wait; -ESHUTDOWN.
 */
int auth_check(struct auth *auth, const struct auth_credentials *credentials,
	       void (*done)(void *arg, enum auth_verdict verdict), void *arg);

/* Begins and ends the thread that checks; who still waits is told AUTH_UNCHECKED. 0 or -errno. */
int auth_start(struct auth *auth);
void auth_stop(struct auth *auth);
void auth_free(struct auth **auth);

#endif
