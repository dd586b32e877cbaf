// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guard (guard.h). A thread looks at the files of the web configuration every second and replaces users and
 * certificate as a whole when they have changed and are good; if they are not, those in force stay. A
 * connection keeps the certificate that it began with. While a password is checked its connection sleeps.
 */
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/clock.h"
#include "base/log.h"
#include "serve/auth.h"
#include "serve/clients.h"
#include "serve/guard.h"
#include "serve/tls.h"

#define BROKEN_AFTER_S 5 /* files are replaced one after the other: so long they may not fit together */
#define TELL_EACH_S    60
#define WARN_DAYS      14
#define CROWD	       256 /* connections; when they have gone, their memory is given back */

/* A file as it was: what changes when it is replaced or written. */
struct mark {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written, changed;
};

struct visit {
	struct guard *guard;
	struct client_connection *client;
	struct MHD_Connection *connection;
	struct tls *tls;
	bool local;
	enum auth_verdict verdict; /* of this request, when its password was checked */
};

struct guard {
	char *path;
	pthread_mutex_t lock; /* of config and tls */
	struct web_config *config;
	struct tls *tls;
	struct auth *auth;
	struct clients *clients;
	pthread_t thread;
	pthread_cond_t stopped;
	bool started, stopping;
	/* of the thread */
	struct mark mark[GUARD_FILES], broken[GUARD_FILES];
	unsigned int broken_s;
	time_t expiry_told;
	size_t most_connected;
	unsigned int seconds;
	/* under the lock */
	uint64_t refused;
	char last_refused[CLIENTS_TEXT_BYTES];
};

/* --- files ---------------------------------------------------------------------------------------------------
 */

static void mark_file(struct mark *mark, const char *path)
{
	struct stat file;

	memset(mark, 0, sizeof(*mark));
	if (!path || stat(path, &file))
		return;
	mark->device = file.st_dev;
	mark->inode = file.st_ino;
	mark->size = file.st_size;
	mark->written = file.st_mtim;
	mark->changed = file.st_ctim;
}

static void mark_named(struct mark *marks, const struct web_config *config)
{
	mark_file(&marks[1], config->cert_file);
	mark_file(&marks[2], config->key_file);
	mark_file(&marks[3], config->client_ca_file);
}

const char *guard_file(const struct guard *guard, unsigned int i)
{
	const char *const files[GUARD_FILES] = {guard->path, guard->config ? guard->config->cert_file : NULL,
						guard->config ? guard->config->key_file : NULL,
						guard->config ? guard->config->client_ca_file : NULL};

	return i < GUARD_FILES ? files[i] : NULL;
}

static bool asks(const struct web_config *config)
{
	return config->users_count || config->client_auth == WEB_CLIENT_VERIFY;
}

/* A configuration and its certificate, whole and good; marks: of the files as they were before they were read.
 */
static int load(struct web_config **config, struct tls **tls, struct mark *marks, const char *path, char *why,
		size_t why_size)
{
	int err;

	*tls = NULL;
	mark_file(&marks[0], path);
	err = web_config_read(config, path, why, why_size);
	if (err)
		return err;
	mark_named(marks, *config);
	if ((*config)->tls)
		err = tls_load(tls, *config, why, why_size);
	if (err)
		web_config_free(config);
	return err;
}

/* What cannot be changed while the server runs. */
static int check_change(const struct guard *guard, const struct web_config *config, char *why, size_t why_size)
{
	if (config->tls != guard->config->tls) {
		snprintf(why, why_size,
			 "%s: TLS cannot be switched %s while the sensor runs; restart it for that",
			 guard->path, config->tls ? "on" : "off");
		return -EBUSY;
	}
	if (asks(config) || !asks(guard->config))
		return 0;
	snprintf(why, why_size,
		 "%s: the last user cannot be taken out while the sensor runs; restart it for that",
		 guard->path);
	return -EBUSY;
}

static int take_change(struct guard *guard, char *why, size_t why_size)
{
	struct web_config *config = NULL;
	struct mark marks[GUARD_FILES];
	struct tls *tls;
	int err = load(&config, &tls, marks, guard->path, why, why_size);

	if (!err)
		err = check_change(guard, config, why, why_size);
	if (!err && auth_set_users(guard->auth, config->users, config->users_count)) {
		snprintf(why, why_size, "not enough memory for the web configuration");
		err = -ENOMEM;
	}
	if (!err) {
		struct web_config *old_config = guard->config;
		struct tls *old_tls = guard->tls;

		pthread_mutex_lock(&guard->lock);
		guard->config = config;
		guard->tls = tls;
		pthread_mutex_unlock(&guard->lock);
		config = old_config;
		tls = old_tls;
		memcpy(guard->mark, marks, sizeof(marks));
	}
	web_config_free(&config);
	tls_unref(&tls);
	return err;
}

/* Reads what has changed. What does not fit together for a while is told, once, and read again at its next
 * change. */
static void follow_files(struct guard *guard)
{
	struct mark marks[GUARD_FILES];
	char why[512];

	mark_file(&marks[0], guard->path);
	mark_named(marks, guard->config);
	if (!memcmp(marks, guard->mark, sizeof(marks))) {
		guard->broken_s = 0;
		return;
	}
	if (!memcmp(marks, guard->broken, sizeof(marks)) && guard->broken_s > BROKEN_AFTER_S)
		return;
	if (memcmp(marks, guard->broken, sizeof(marks)))
		guard->broken_s = 0;
	memcpy(guard->broken, marks, sizeof(marks));
	if (!take_change(guard, why, sizeof(why))) {
		guard->broken_s = 0;
		guard->expiry_told = 0;
		log_info("the web configuration %s has changed and is in force", guard->path);
	} else if (++guard->broken_s > BROKEN_AFTER_S) {
		log_warnx("%s; the certificate and the users that were read before stay in force", why);
	}
}

/* --- the thread beside ---------------------------------------------------------------------------------------
 */

static void tell_expiry(struct guard *guard)
{
	time_t now = time(NULL), expires;

	if (!guard->tls || now - guard->expiry_told < DAY_S)
		return;
	expires = tls_expires(guard->tls);
	if (expires - now > WARN_DAYS * DAY_S)
		return;
	guard->expiry_told = now;
	if (expires <= now)
		log_warnx("the certificate %s has expired: clients refuse it; renew it",
			  guard->config->cert_file);
	else
		log_warnx("the certificate %s expires in %ld days; renew it", guard->config->cert_file,
			  (long)((expires - now) / DAY_S));
}

static void tell_refused(struct guard *guard)
{
	char last[CLIENTS_TEXT_BYTES];
	uint64_t refused;

	pthread_mutex_lock(&guard->lock);
	refused = guard->refused;
	memcpy(last, guard->last_refused, sizeof(last));
	guard->refused = 0;
	pthread_mutex_unlock(&guard->lock);
	if (refused)
		log_warnx("%llu requests with a wrong name or password in the last minute, the last from %s",
			  (unsigned long long)refused, last);
}

/* What a crowd took from the heap stays with the process otherwise. */
static void give_back_memory(struct guard *guard)
{
	size_t connected = clients_connected(guard->clients);

	if (connected > guard->most_connected)
		guard->most_connected = connected;
	if (guard->most_connected < CROWD || connected > guard->most_connected / 4)
		return;
	malloc_trim(0);
	guard->most_connected = connected;
}

static void look_around(struct guard *guard)
{
	clients_expire(guard->clients);
	give_back_memory(guard);
	if (!guard->path)
		return;
	follow_files(guard);
	tell_expiry(guard);
	if (++guard->seconds % TELL_EACH_S == 0)
		tell_refused(guard);
}

static void *run_beside(void *arg)
{
	struct guard *guard = arg;
	struct timespec until;

	pthread_setname_np(pthread_self(), "ag-guard");
	clock_gettime(CLOCK_MONOTONIC, &until);
	pthread_mutex_lock(&guard->lock);
	while (!guard->stopping) {
		until.tv_sec++;
		while (!guard->stopping && !pthread_cond_timedwait(&guard->stopped, &guard->lock, &until))
			;
		if (guard->stopping)
			break;
		pthread_mutex_unlock(&guard->lock);
		look_around(guard);
		pthread_mutex_lock(&guard->lock);
	}
	pthread_mutex_unlock(&guard->lock);
	return NULL;
}

/* --- connections ---------------------------------------------------------------------------------------------
 */

enum MHD_Result guard_accept(void *door, const struct sockaddr *address, socklen_t length)
{
	const struct guard_door *d = door;

	(void)length;
	return d->local || clients_accept(d->guard->clients, address) ? MHD_YES : MHD_NO;
}

/* A session keeps the certificate in force now; without one, its handshake fails. */
static void use_tls(struct visit *visit)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(visit->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	pthread_mutex_lock(&visit->guard->lock);
	visit->tls = tls_ref(visit->guard->tls);
	pthread_mutex_unlock(&visit->guard->lock);
	if (info)
		tls_use(visit->tls, info->tls_session);
}

static struct visit *begin_visit(const struct guard_door *door, struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *address =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const union MHD_ConnectionInfo *fd =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct visit *visit = fd ? calloc(1, sizeof(*visit)) : NULL;

	if (!visit)
		return NULL;
	visit->client = clients_connect(door->guard->clients, fd->connect_fd,
					address && !door->local ? address->client_addr : NULL);
	if (!visit->client) {
		free(visit);
		return NULL;
	}
	visit->guard = door->guard;
	visit->connection = connection;
	visit->local = door->local;
	if (door->tls)
		use_tls(visit);
	return visit;
}

void guard_connection(void *door, struct MHD_Connection *connection, void **context,
		      enum MHD_ConnectionNotificationCode code)
{
	struct visit *visit = *context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		*context = begin_visit(door, connection);
		return;
	}
	if (!visit)
		return;
	clients_disconnect(&visit->client);
	tls_unref(&visit->tls);
	free(visit);
	*context = NULL;
}

int guard_no_certificate(gnutls_session_t session, const struct gnutls_cert_retr_st *info,
			 gnutls_pcert_st **certificates, unsigned int *count, gnutls_ocsp_data_st **ocsp,
			 unsigned int *ocsp_count, gnutls_privkey_t *key, unsigned int *flags)
{
	(void)session, (void)info, (void)certificates, (void)count, (void)ocsp, (void)ocsp_count, (void)key;
	(void)flags;
	return -1;
}

static struct visit *visit_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info ? info->socket_context : NULL;
}

/* --- requests ------------------------------------------------------------------------------------------------
 */

static bool needs_password(struct visit *visit)
{
	struct guard *guard = visit->guard;
	bool needs;

	if (visit->local)
		return false;
	pthread_mutex_lock(&guard->lock);
	needs = guard->config && guard->config->users_count;
	pthread_mutex_unlock(&guard->lock);
	return needs;
}

static enum guard_verdict refuse_credentials(struct visit *visit)
{
	struct guard *guard = visit->guard;

	pthread_mutex_lock(&guard->lock);
	guard->refused++;
	clients_text(visit->client, guard->last_refused, sizeof(guard->last_refused));
	pthread_mutex_unlock(&guard->lock);
	return GUARD_UNKNOWN;
}

/* The checking thread has come to an end. */
static void take_verdict(void *arg, enum auth_verdict verdict)
{
	struct visit *visit = arg;

	clients_checked(visit->client, verdict != AUTH_WRONG);
	visit->verdict = verdict;
	MHD_resume_connection(visit->connection);
}

/* The connection sleeps before its check begins, which may be over before this function is. */
static enum guard_verdict begin_check(struct visit *visit, const struct auth_credentials *credentials,
				      unsigned int *wait_s)
{
	if (!clients_check(visit->client, wait_s))
		return GUARD_TOO_MANY;
	MHD_suspend_connection(visit->connection);
	if (auth_check(visit->guard->auth, credentials, take_verdict, visit))
		take_verdict(visit, AUTH_UNCHECKED);
	return GUARD_LATER;
}

static enum guard_verdict judge(struct visit *visit, const struct auth_credentials *credentials, bool given,
				unsigned int *wait_s)
{
	enum auth_verdict verdict = visit->verdict;

	if (verdict == AUTH_UNKNOWN && given)
		verdict = auth_remembered(visit->guard->auth, credentials);
	/* Whose password is known has a limit of his own: others behind his address do not keep him out. */
	if (verdict == AUTH_RIGHT)
		return clients_request(visit->client, CLIENTS_KNOWN, wait_s) ? GUARD_ADMIT : GUARD_TOO_MANY;
	if (visit->verdict == AUTH_UNCHECKED)
		return GUARD_BUSY;
	if (visit->verdict == AUTH_WRONG)
		return refuse_credentials(visit);
	if (!clients_request(visit->client, CLIENTS_ANYBODY, wait_s))
		return GUARD_TOO_MANY;
	if (!given)
		return GUARD_UNKNOWN;
	if (verdict == AUTH_WRONG)
		return refuse_credentials(visit);
	return begin_check(visit, credentials, wait_s);
}

enum guard_verdict guard_admit(struct MHD_Connection *connection, unsigned int *wait_s)
{
	struct visit *visit = visit_of(connection);
	struct auth_credentials credentials;
	enum guard_verdict verdict;
	bool given;

	*wait_s = 1;
	if (!visit)
		return GUARD_BUSY;
	if (!needs_password(visit))
		return clients_request(visit->client, CLIENTS_ANYBODY, wait_s) ? GUARD_ADMIT : GUARD_TOO_MANY;
	given = auth_read(&credentials, MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
								    MHD_HTTP_HEADER_AUTHORIZATION));
	verdict = judge(visit, &credentials, given, wait_s);
	explicit_bzero(&credentials, sizeof(credentials));
	return verdict;
}

bool guard_stream(struct MHD_Connection *connection)
{
	struct visit *visit = visit_of(connection);

	return visit && clients_stream(visit->client);
}

void guard_answering(struct MHD_Connection *connection, unsigned int seconds)
{
	struct visit *visit = visit_of(connection);

	if (visit)
		clients_deadline(visit->client, seconds);
}

void guard_answered(struct MHD_Connection *connection)
{
	struct visit *visit = visit_of(connection);

	if (!visit)
		return;
	visit->verdict = AUTH_UNKNOWN;
	clients_stream_over(visit->client);
	clients_deadline(visit->client, CLIENTS_HEAD_S);
}

void guard_add_headers(struct guard *guard, struct MHD_Response *response)
{
	pthread_mutex_lock(&guard->lock);
	for (unsigned int i = 0; guard->config && i < WEB_HEADER_MAX; i++) {
		const char *name = web_header_name((enum web_header)i);

		if (!guard->config->headers[i])
			continue;
		if (MHD_get_response_header(response, name))
			MHD_del_response_header(response, name, MHD_get_response_header(response, name));
		MHD_add_response_header(response, name, guard->config->headers[i]);
	}
	pthread_mutex_unlock(&guard->lock);
}

/* --- life ----------------------------------------------------------------------------------------------------
 */

bool guard_has_tls(const struct guard *guard)
{
	return guard->tls;
}

bool guard_asks(const struct guard *guard)
{
	return guard->config && asks(guard->config);
}

static int read_first(struct guard *guard, const char *path, char *why, size_t why_size)
{
	int err;

	guard->path = strdup(path);
	if (!guard->path) {
		snprintf(why, why_size, "not enough memory for the web configuration");
		return -ENOMEM;
	}
	err = load(&guard->config, &guard->tls, guard->mark, path, why, why_size);
	if (!err)
		err = auth_set_users(guard->auth, guard->config->users, guard->config->users_count);
	return err;
}

static void init_waiting(struct guard *guard)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&guard->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&guard->stopped, &attributes);
	pthread_condattr_destroy(&attributes);
}

int guard_new(struct guard **out, const struct guard_options *options, char *why, size_t why_size)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	int err = -ENOMEM;

	snprintf(why, why_size, "not enough memory for the HTTP server");
	if (!guard)
		return -ENOMEM;
	init_waiting(guard);
	if (!auth_new(&guard->auth) && !clients_new(&guard->clients, options->requests, options->connections,
						    options->loopback_connections))
		err = 0;
	if (!err && options->web_config)
		err = read_first(guard, options->web_config, why, why_size);
	if (err)
		guard_free(&guard);
	else
		*out = guard;
	return err;
}

int guard_start(struct guard *guard, char *why, size_t why_size)
{
	int err = auth_start(guard->auth);

	if (!err) {
		err = -pthread_create(&guard->thread, NULL, run_beside, guard);
		guard->started = !err;
	}
	if (err)
		snprintf(why, why_size, "the HTTP server cannot start: %s", strerror(-err));
	return err;
}

void guard_stop(struct guard *guard)
{
	auth_stop(guard->auth);
	if (!guard->started)
		return;
	pthread_mutex_lock(&guard->lock);
	guard->stopping = true;
	pthread_cond_signal(&guard->stopped);
	pthread_mutex_unlock(&guard->lock);
	pthread_join(guard->thread, NULL);
	guard->started = false;
}

void guard_free(struct guard **guard)
{
	struct guard *g = *guard;

	if (!g)
		return;
	auth_free(&g->auth);
	clients_free(&g->clients);
	tls_unref(&g->tls);
	web_config_free(&g->config);
	pthread_cond_destroy(&g->stopped);
	pthread_mutex_destroy(&g->lock);
	free(g->path);
	free(g);
	*guard = NULL;
}
