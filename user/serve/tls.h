/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The TLS side by GnuTLS: a certificate with its key and the rules of a web configuration, as one thing that is
 * replaced as a whole. Connections hold the one that they began with.
 */
#ifndef AIRGLOW_SERVE_TLS_H
#define AIRGLOW_SERVE_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <gnutls/gnutls.h>

#include "serve/web_config.h"

struct tls;

/*
 * Reads the files of a web configuration that has a certificate. 0, or -errno with one sentence: unreadable, no
 * certificate, no key, a key that does not belong to it, expired.
 */
int tls_load(struct tls **out, const struct web_config *config, char *why, size_t why_size);
struct tls *tls_ref(struct tls *tls);
void tls_unref(struct tls **tls);

/* Makes a session, before its handshake, one by these rules. tls must outlive it. */
bool tls_use(const struct tls *tls, gnutls_session_t session);

time_t tls_expires(const struct tls *tls);

#endif
