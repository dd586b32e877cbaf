// SPDX-License-Identifier: GPL-2.0-only
/*
 * TLS by GnuTLS (tls.h).
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gnutls/x509.h>

#include "base/cleanup.h"
#include "serve/tls.h"

#define FILE_BYTES_MAX 1048576
#define DATE_BYTES     24

struct tls {
	atomic_uint references;
	gnutls_certificate_credentials_t credentials;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key; /* its own: no session outlives the rules by which it was opened */
	bool verify_client;
	time_t expires;
};

/* A whole file; the caller frees and forgets its bytes. */
static int read_file(gnutls_datum_t *out, const char *path, const char *what, char *why, size_t why_size)
{
	CLEANUP(cleanup_file) FILE *file = fopen(path, "re");
	unsigned char *bytes = malloc(FILE_BYTES_MAX + 1);
	int err = file ? 0 : -errno;
	size_t length = 0;

	if (!bytes)
		err = -ENOMEM;
	if (!err) {
		errno = 0;
		length = fread(bytes, 1, FILE_BYTES_MAX + 1, file);
		if (ferror(file))
			err = errno ? -errno : -EIO;
		else if (length > FILE_BYTES_MAX)
			err = -EFBIG;
	}
	if (err) {
		snprintf(why, why_size, "cannot read the %s %s: %s", what, path, strerror(-err));
		free(bytes);
		/* cppcheck-suppress resourceLeak ; it has a cleanup */
		return err;
	}
	out->data = bytes;
	out->size = (unsigned int)length;
	/* cppcheck-suppress resourceLeak ; it has a cleanup */
	return 0;
}

static void forget(gnutls_datum_t *bytes)
{
	if (bytes->data)
		explicit_bzero(bytes->data, bytes->size);
	free(bytes->data);
	*bytes = (gnutls_datum_t){};
}

/* The files by themselves: what GnuTLS says of both together would not name the one that is wrong. */
static int check_files(const gnutls_datum_t *certificate, const gnutls_datum_t *key,
		       const struct web_config *config, char *why, size_t why_size)
{
	gnutls_x509_crt_t *chain = NULL;
	gnutls_x509_privkey_t private = NULL;
	unsigned int count = 0;
	int code = gnutls_x509_crt_list_import2(&chain, &count, certificate, GNUTLS_X509_FMT_PEM, 0);
	int err = 0;

	for (unsigned int i = 0; code >= 0 && i < count; i++)
		gnutls_x509_crt_deinit(chain[i]);
	gnutls_free(chain);
	if (code < 0) {
		snprintf(why, why_size, "%s holds no certificate in PEM: %s", config->cert_file,
			 gnutls_strerror(code));
		return -EINVAL;
	}
	if (gnutls_x509_privkey_init(&private) < 0)
		return -ENOMEM;
	code = gnutls_x509_privkey_import2(private, key, GNUTLS_X509_FMT_PEM, NULL, 0);
	gnutls_x509_privkey_deinit(private);
	if (code == GNUTLS_E_DECRYPTION_FAILED) {
		snprintf(why, why_size,
			 "the key %s is encrypted; give one without a passphrase, readable for this user alone",
			 config->key_file);
		err = -EINVAL;
	} else if (code < 0) {
		snprintf(why, why_size, "%s holds no private key in PEM: %s", config->key_file,
			 gnutls_strerror(code));
		err = -EINVAL;
	}
	return err;
}

static const char *format_date(char *buffer, time_t time)
{
	struct tm tm;

	strftime(buffer, DATE_BYTES, "%Y-%m-%d %H:%M UTC", gmtime_r(&time, &tm));
	return buffer;
}

static int check_time(struct tls *tls, const struct web_config *config, char *why, size_t why_size)
{
	gnutls_x509_crt_t certificate;
	gnutls_datum_t der;
	char date[DATE_BYTES];
	int code;

	if (gnutls_x509_crt_init(&certificate) < 0)
		return -ENOMEM;
	code = gnutls_certificate_get_crt_raw(tls->credentials, 0, 0, &der);
	if (code >= 0)
		code = gnutls_x509_crt_import(certificate, &der, GNUTLS_X509_FMT_DER);
	if (code >= 0)
		tls->expires = gnutls_x509_crt_get_expiration_time(certificate);
	gnutls_x509_crt_deinit(certificate);
	if (code < 0 || tls->expires == (time_t)-1) {
		snprintf(why, why_size, "the certificate %s does not say until when it is valid",
			 config->cert_file);
		return -EINVAL;
	}
	if (tls->expires < time(NULL)) {
		snprintf(why, why_size, "the certificate %s expired on %s; renew it", config->cert_file,
			 format_date(date, tls->expires));
		return -EKEYEXPIRED;
	}
	return 0;
}

static int take_certificate(struct tls *tls, const struct web_config *config, char *why, size_t why_size)
{
	gnutls_datum_t certificate = {}, key = {};
	int err = read_file(&certificate, config->cert_file, "certificate", why, why_size), code;

	if (!err)
		err = read_file(&key, config->key_file, "key", why, why_size);
	if (!err)
		err = check_files(&certificate, &key, config, why, why_size);
	if (!err) {
		code = gnutls_certificate_set_x509_key_mem2(tls->credentials, &certificate, &key,
							    GNUTLS_X509_FMT_PEM, NULL, 0);
		if (code == GNUTLS_E_CERTIFICATE_KEY_MISMATCH)
			snprintf(why, why_size, "the key %s does not belong to the certificate %s",
				 config->key_file, config->cert_file);
		else if (code < 0)
			snprintf(why, why_size, "cannot use the certificate %s with the key %s: %s",
				 config->cert_file, config->key_file, gnutls_strerror(code));
		if (code < 0)
			err = -EINVAL;
	}
	forget(&key);
	forget(&certificate);
	return err ? err : check_time(tls, config, why, why_size);
}

static int take_authorities(struct tls *tls, const struct web_config *config, char *why, size_t why_size)
{
	gnutls_datum_t authorities = {};
	int err, count;

	tls->verify_client = config->client_auth == WEB_CLIENT_VERIFY;
	if (!tls->verify_client)
		return 0;
	err = read_file(&authorities, config->client_ca_file, "certificates of client_ca_file", why, why_size);
	if (err)
		return err;
	count = gnutls_certificate_set_x509_trust_mem(tls->credentials, &authorities, GNUTLS_X509_FMT_PEM);
	forget(&authorities);
	if (count > 0)
		return 0;
	snprintf(why, why_size, "%s holds no certificate in PEM%s%s", config->client_ca_file, count ? ": " : "",
		 count ? gnutls_strerror(count) : "");
	return -EINVAL;
}

static int take_rules(struct tls *tls, const struct web_config *config, char *why, size_t why_size)
{
	char rules[128];

	snprintf(rules, sizeof(rules), "NORMAL:-VERS-ALL%s%s%s",
		 config->max_version == WEB_TLS13 ? ":+VERS-TLS1.3" : "",
		 config->min_version == WEB_TLS12 ? ":+VERS-TLS1.2" : "",
		 config->server_preference ? ":%SERVER_PRECEDENCE" : "");
	if (gnutls_priority_init(&tls->priority, rules, NULL) >= 0 &&
	    gnutls_session_ticket_key_generate(&tls->ticket_key) >= 0 &&
	    gnutls_certificate_set_known_dh_params(tls->credentials, GNUTLS_SEC_PARAM_MEDIUM) >= 0)
		return 0;
	snprintf(why, why_size, "GnuTLS does not take the rules \"%s\"", rules);
	return -EINVAL;
}

int tls_load(struct tls **out, const struct web_config *config, char *why, size_t why_size)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	int err;

	if (!tls || gnutls_certificate_allocate_credentials(&tls->credentials) < 0) {
		snprintf(why, why_size, "not enough memory for TLS");
		free(tls);
		return -ENOMEM;
	}
	atomic_init(&tls->references, 1);
	err = take_certificate(tls, config, why, why_size);
	if (!err)
		err = take_authorities(tls, config, why, why_size);
	if (!err)
		err = take_rules(tls, config, why, why_size);
	if (err)
		tls_unref(&tls);
	else
		*out = tls;
	return err;
}

struct tls *tls_ref(struct tls *tls)
{
	atomic_fetch_add(&tls->references, 1);
	return tls;
}

void tls_unref(struct tls **tls)
{
	struct tls *t = *tls;

	*tls = NULL;
	if (!t || atomic_fetch_sub(&t->references, 1) > 1)
		return;
	gnutls_certificate_free_credentials(t->credentials);
	if (t->priority)
		gnutls_priority_deinit(t->priority);
	if (t->ticket_key.data)
		gnutls_memset(t->ticket_key.data, 0, t->ticket_key.size);
	gnutls_free(t->ticket_key.data);
	free(t);
}

bool tls_use(const struct tls *tls, gnutls_session_t session)
{
	/* Of the client's certificate: made for a client. The vector is read during the handshake. */
	static gnutls_typed_vdata_st purpose = {.type = GNUTLS_DT_KEY_PURPOSE_OID,
						.data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};

	if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, tls->credentials) < 0 ||
	    gnutls_priority_set(session, tls->priority) < 0 ||
	    gnutls_session_ticket_enable_server(session, &tls->ticket_key) < 0)
		return false;
	if (tls->verify_client) {
		gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUIRE);
		gnutls_session_set_verify_cert2(session, &purpose, 1, 0);
	}
	return true;
}

time_t tls_expires(const struct tls *tls)
{
	return tls->expires;
}
