/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may ask: the web configuration in force, followed while it changes, users and certificate from it, limits
 * of clients. Between libmicrohttpd, whose callbacks come here, and tls.h, auth.h and clients.h. Knows nothing
 * of what is answered.
 */
#ifndef AIRGLOW_SERVE_GUARD_H
#define AIRGLOW_SERVE_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gnutls/abstract.h>
#include <microhttpd.h>

struct guard;

struct guard_options {
	const char *web_config;				      /* path, or NULL: no TLS, no users */
	uint64_t requests, connections, loopback_connections; /* clients.h */
};

/* Reads the web configuration and what it names. 0, or -errno and a sentence. */
int guard_new(struct guard **out, const struct guard_options *options, char *why, size_t why_size);
/*
 * The files that are read again when they change, and those that they name now: the web configuration,
 * certificate, key, CA. In any order, with NULL for what is not given; count: how many to ask for.
 */
#define GUARD_FILES 4
const char *guard_file(const struct guard *guard, unsigned int i);

/* Begins and ends what runs beside: passwords are checked, files looked at, slow clients sent away. */
int guard_start(struct guard *guard, char *why, size_t why_size);
/* Before the daemons end: nobody's password is waited for any more. */
void guard_stop(struct guard *guard);
/* After the daemons have ended. */
void guard_free(struct guard **guard);

bool guard_has_tls(const struct guard *guard);
/* Is anybody but who has a password or a certificate kept out? */
bool guard_asks(const struct guard *guard);

/* The daemons' callbacks; the argument of the first two is a door. */
struct guard_door {
	struct guard *guard;
	bool local, tls; /* local: a unix socket; its mode guards it */
};
enum MHD_Result guard_accept(void *door, const struct sockaddr *address, socklen_t length);
void guard_connection(void *door, struct MHD_Connection *connection, void **context,
		      enum MHD_ConnectionNotificationCode code);

/* A daemon wants a certificate of its own; sessions are given theirs when they begin, or fail by this. */
gnutls_certificate_retrieve_function3 guard_no_certificate;

enum guard_verdict {
	GUARD_ADMIT,
	GUARD_LATER,	/* the connection sleeps; libmicrohttpd will ask again */
	GUARD_UNKNOWN,	/* 401 */
	GUARD_TOO_MANY, /* 429 */
	GUARD_BUSY,	/* 503 */
};

/* May this request, which has come to its end, be answered? With GUARD_TOO_MANY the seconds to wait. */
enum guard_verdict guard_admit(struct MHD_Connection *connection, unsigned int *wait_s);
/* May it be answered by one more stream? (clients_stream) */
bool guard_stream(struct MHD_Connection *connection);
/* The answer may take `seconds`, 0: as long as the client likes; and is done, so that the next request may
 * come. */
void guard_answering(struct MHD_Connection *connection, unsigned int seconds);
void guard_answered(struct MHD_Connection *connection);

/* Headers that the web configuration adds to every answer. */
void guard_add_headers(struct guard *guard, struct MHD_Response *response);

#endif
