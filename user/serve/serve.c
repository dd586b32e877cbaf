// SPDX-License-Identifier: GPL-2.0-only
/*
 * HTTP by libmicrohttpd (serve.h): a daemon for each listening socket; methods, negotiation, compression,
 * errors. What a path answers is endpoint.c; who may ask is guard.c. Connections are many and poor: idle ones
 * are closed after CONNECTION_IDLE_S, and there is room for thousands, so that a crowd of slow clients does not
 * keep a scrape out.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <microhttpd.h>
#include <zlib.h>

#include "base/address.h"
#include "base/log.h"
#include "serve/clients.h"
#include "serve/endpoint.h"
#include "serve/guard.h"
#include "serve/listen.h"
#include "serve/negotiate.h"
#include "serve/serve.h"
#include "serve/stream.h"

#define THREADS		     2	  /* for each socket of TCP; a unix socket has one */
#define CONNECTIONS_MAX	     4096 /* of all sockets of TCP together */
#define UNIX_CONNECTIONS_MAX 256
#define LOOPBACK_CONNECTIONS (CONNECTIONS_MAX / 4 * 3)
#define CONNECTION_IDLE_S    10
#define CONNECTION_BYTES     49152 /* of one request; mapped, touched as needed */
#define ANSWER_S	     60	   /* for a client to take its answer */
#define HEADERS_BYTES_MAX    8192
#define COMPRESS_BYTES_MIN   1024
#define HTML_POLICY	     "default-src 'self'; style-src 'self' 'unsafe-inline'; frame-ancestors 'none'"
#define GZIP_WINDOW	     (15 + 16) /* zlib: largest window, gzip wrapper */
#define DESCRIPTORS	     (CONNECTIONS_MAX + LISTEN_MAX * UNIX_CONNECTIONS_MAX)

struct serve {
	struct guard *guard;
	struct listeners listeners;
	struct guard_door doors[LISTEN_MAX];
	struct MHD_Daemon *daemons[LISTEN_MAX];
	struct serve_options options;
	struct streams *streams;
};

/* What the headers and parameters of a request said. */
struct reading {
	const struct endpoint *endpoint;
	struct request request;
	char reason[ENDPOINT_REASON_BYTES];
	bool bad;
	size_t header_bytes;
};

static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= DESCRIPTORS)
		return;
	limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static enum MHD_Result read_header(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct reading *reading = arg;

	(void)kind;
	reading->header_bytes += strlen(name) + (value ? strlen(value) : 0) + 4;
	return MHD_YES;
}

static enum MHD_Result read_parameter(void *arg, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct reading *reading = arg;

	(void)kind;
	if (endpoint_parameter(reading->endpoint, &reading->request, name, value, reading->reason)) {
		reading->bad = true;
		return MHD_NO;
	}
	return MHD_YES;
}

/* Replaces the body by its gzip, when that works and helps. */
static bool compress_answer(struct answer *answer)
{
	z_stream z = {};
	unsigned char *out;
	uLong bound;
	bool done;

	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return false;
	bound = deflateBound(&z, answer->size);
	out = malloc(bound);
	z.next_in = (unsigned char *)answer->body;
	z.avail_in = (uInt)answer->size;
	z.next_out = out;
	z.avail_out = (uInt)bound;
	done = out && deflate(&z, Z_FINISH) == Z_STREAM_END;
	if (done) {
		free(answer->body);
		answer->body = (char *)out;
		answer->size = z.total_out;
	} else {
		free(out);
	}
	deflateEnd(&z);
	return done;
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
	MHD_add_response_header(response, name, value);
}

/* What every answer carries. No CORS: pages of other sites may not read the figures. */
static void add_common_headers(const struct serve *serve, struct MHD_Response *response)
{
	add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	add_header(response, "X-Content-Type-Options", "nosniff");
	guard_add_headers(serve->guard, response);
}

/* What a status says more. */
static void add_status_headers(struct MHD_Response *response, const struct answer *answer, unsigned int wait_s)
{
	char seconds[16];

	if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		add_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	if (answer->status == MHD_HTTP_UNAUTHORIZED)
		add_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
			   "Basic realm=\"airglow\", charset=\"UTF-8\"");
	if (!wait_s)
		return;
	snprintf(seconds, sizeof(seconds), "%u", wait_s);
	add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
}

/* Takes the body. wait_s: when the client may come again, if not 0. */
static enum MHD_Result send_answer(const struct serve *serve, struct MHD_Connection *connection,
				   struct answer *answer, unsigned int wait_s)
{
	const char *encodings =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT_ENCODING);
	bool zipped =
		answer->size >= COMPRESS_BYTES_MIN && negotiate_gzip(encodings) && compress_answer(answer);
	struct MHD_Response *response =
		MHD_create_response_from_buffer(answer->size, answer->body, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response) {
		free(answer->body);
		return MHD_NO;
	}
	add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
	add_header(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
	if (!strncmp(answer->type, "text/html", 9))
		add_header(response, "Content-Security-Policy", HTML_POLICY);
	if (zipped)
		add_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	add_common_headers(serve, response);
	add_status_headers(response, answer, wait_s);
	guard_answering(connection, ANSWER_S);
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_stream(const struct serve *serve, struct MHD_Connection *connection,
				   struct MHD_Response *response)
{
	enum MHD_Result result;

	add_common_headers(serve, response);
	guard_answering(connection, 0);
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

static int refuse(struct answer *answer, unsigned int status, const char *error, const char *reason)
{
	return endpoint_error(answer, status, error, reason);
}

#define DIGITS(number) #number
#define NUMBER(macro)  DIGITS(macro)

/* A stream in *stream, or the reason why there is none. */
static int begin_stream(struct answer *answer, struct MHD_Response **stream, struct MHD_Connection *connection,
			const struct serve *serve)
{
	const char *last_id = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Last-Event-ID");

	if (!guard_stream(connection))
		return refuse(answer, MHD_HTTP_TOO_MANY_REQUESTS, "too many streams",
			      "this address has " NUMBER(
				      CLIENTS_STREAMS) " streams, as many as one may have; close one");
	if (serve->streams)
		*stream = streams_open(serve->streams, connection, last_id);
	if (*stream)
		return 0;
	return refuse(answer, MHD_HTTP_SERVICE_UNAVAILABLE, "too many streams",
		      "this sensor serves " NUMBER(
			      STREAMS_MAX) " streams at once, and all are taken; close one or try again later");
}

/* Decides what a request is answered: by *stream, if that is set, else by *answer. */
static int answer_request(struct answer *answer, struct MHD_Response **stream,
			  struct MHD_Connection *connection, const struct serve *serve, const char *url,
			  const char *method, const char *version)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	struct reading reading = {};
	struct snapshot *snapshot;
	int err;

	MHD_get_connection_values(connection, MHD_HEADER_KIND, read_header, &reading);
	if (reading.header_bytes > HEADERS_BYTES_MAX)
		return refuse(answer, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, "headers too large",
			      "the headers of a request may have 8192 bytes");
	if (!strcmp(version, MHD_HTTP_VERSION_1_1) &&
	    !MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST))
		return refuse(answer, MHD_HTTP_BAD_REQUEST, "no host", "a request of HTTP/1.1 names a Host");
	reading.endpoint = endpoint_find(url, &reading.request.operand);
	reading.request.sources = serve->options.sources;
	if (!reading.endpoint)
		return refuse(answer, MHD_HTTP_NOT_FOUND, "not found",
			      "there is no such path; / lists those there are");
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return refuse(answer, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed", "use GET or HEAD");
	reading.request.openmetrics = negotiate_openmetrics(accept);
	reading.request.plain = !negotiate_html(accept);
	MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, read_parameter, &reading);
	if (reading.bad)
		return refuse(answer, MHD_HTTP_BAD_REQUEST, "bad parameter", reading.reason);
	if (!reading.endpoint->render)
		return begin_stream(answer, stream, connection, serve);
	snapshot = snapshot_latest(serve->options.box);
	if (!snapshot && reading.endpoint->needs_snapshot)
		return refuse(answer, MHD_HTTP_SERVICE_UNAVAILABLE, "not ready", "no figures yet");
	err = reading.endpoint->render(answer, snapshot, &reading.request);
	snapshot_unref(&snapshot);
	return err;
}

/* The refusal of the guard. */
static int turn_away(struct answer *answer, enum guard_verdict verdict)
{
	if (verdict == GUARD_UNKNOWN)
		return refuse(answer, MHD_HTTP_UNAUTHORIZED, "unauthorized",
			      "this sensor asks for a name and a password");
	if (verdict == GUARD_TOO_MANY)
		return refuse(answer, MHD_HTTP_TOO_MANY_REQUESTS, "too many requests",
			      "this address asks more often than this sensor allows; come again later");
	return refuse(answer, MHD_HTTP_SERVICE_UNAVAILABLE, "busy",
		      "this sensor has too much to do to check who asks; come again later");
}

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct answer answer = {.status = MHD_HTTP_OK};
	struct MHD_Response *stream = NULL;
	const struct serve *serve = arg;
	enum guard_verdict verdict;
	unsigned int wait_s = 0;
	int err;

	(void)upload;
	/* A body, where one comes against all advice, is read to its end and thrown away. */
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	/* Who answers at the first call, before the request is read to its end, ends the connection with it. */
	if (!*state) {
		*state = connection;
		return MHD_YES;
	}
	verdict = guard_admit(connection, &wait_s);
	if (verdict == GUARD_LATER)
		return MHD_YES;
	if (verdict == GUARD_ADMIT)
		err = answer_request(&answer, &stream, connection, serve, url, method, version);
	else
		err = turn_away(&answer, verdict);
	if (err) {
		free(answer.body);
		return MHD_NO;
	}
	if (stream)
		return send_stream(serve, connection, stream);
	return send_answer(serve, connection, &answer,
			   verdict == GUARD_TOO_MANY || verdict == GUARD_BUSY ? wait_s : 0);
}

static void request_done(void *arg, struct MHD_Connection *connection, void **state,
			 enum MHD_RequestTerminationCode code)
{
	(void)arg;
	(void)state;
	(void)code;
	guard_answered(connection);
}

static size_t unescape(void *arg, struct MHD_Connection *connection, char *text)
{
	(void)arg;
	(void)connection;
	return negotiate_unescape(text);
}

/* --- sockets and their daemons -------------------------------------------------------------------------------
 */

/* Beyond this host the figures are shown to who is known, unless told otherwise. */
static int check_beyond(const struct config *config, const struct guard *guard, const char *address, char *why,
			size_t why_size)
{
	if (config->listen_open || guard_asks(guard))
		return 0;
	snprintf(
		why, why_size,
		"other hosts can reach the listen address %.200s, and nobody is asked for a password there: give users "
		"with --web-config, or say --listen-open (listen_open: true)",
		address);
	return -EPERM;
}

static int read_guard(struct guard **out, const struct config *config, char *why, size_t why_size)
{
	struct guard_options options = {
		.web_config = config->web_config,
		.requests = config->client_requests,
		.connections = config->client_connections,
		.loopback_connections = LOOPBACK_CONNECTIONS,
	};

	return guard_new(out, &options, why, why_size);
}

struct checking {
	const struct config *config;
	const struct guard *guard;
};

static int check_address(void *arg, const char *address, char *why, size_t why_size)
{
	const struct checking *checking = arg;

	if (listen_unix_path(address) || listen_is_loopback(address))
		return 0;
	return check_beyond(checking->config, checking->guard, address, why, why_size);
}

int serve_check(const struct config *config, char *why, size_t why_size)
{
	struct checking checking = {.config = config};
	struct guard *guard;
	int err = read_guard(&guard, config, why, why_size);

	if (err)
		return err;
	checking.guard = guard;
	err = list_each(config->listen, check_address, &checking, why, why_size);
	guard_free(&guard);
	return err;
}

int serve_open(struct serve **out, const struct config *config, char *why, size_t why_size)
{
	struct serve *serve = calloc(1, sizeof(*serve));
	int err;

	if (!serve) {
		snprintf(why, why_size, "not enough memory for the HTTP server");
		return -ENOMEM;
	}
	err = read_guard(&serve->guard, config, why, why_size);
	if (!err)
		err = listeners_open(&serve->listeners, config->listen, why, why_size);
	for (unsigned int i = 0; i < serve->listeners.count && !err; i++) {
		const struct listener *listener = &serve->listeners.listener[i];

		if (!listener->beyond)
			continue;
		err = check_beyond(config, serve->guard, listener->address, why, why_size);
		if (!err && guard_asks(serve->guard) && !guard_has_tls(serve->guard))
			log_warnx(
				"passwords come to %s unencrypted: the web configuration has no tls_server_config",
				listener->address);
	}
	if (err)
		serve_stop(&serve);
	else
		*out = serve;
	return err;
}

static struct MHD_Daemon *start_daemon(struct serve *serve, const struct listener *listener,
				       struct guard_door *door, unsigned int connections)
{
	unsigned int flags =
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | (door->tls ? MHD_USE_TLS : 0);
	struct MHD_OptionItem tls[] = {
		{MHD_OPTION_HTTPS_CERT_CALLBACK2, 0, (void *)(uintptr_t)guard_no_certificate},
		{MHD_OPTION_END, 0, NULL},
	};

	return MHD_start_daemon(flags, 0, guard_accept, door, handle, serve, MHD_OPTION_LISTEN_SOCKET,
				listener->fd, MHD_OPTION_THREAD_POOL_SIZE,
				door->local ? 0u : (unsigned int)THREADS, MHD_OPTION_CONNECTION_LIMIT,
				connections, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)CONNECTION_IDLE_S,
				MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
				MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_NOTIFY_CONNECTION,
				guard_connection, door, MHD_OPTION_NOTIFY_COMPLETED, request_done, NULL,
				MHD_OPTION_ARRAY, tls + !door->tls, MHD_OPTION_END);
}

static int start_daemons(struct serve *serve, char *why, size_t why_size)
{
	unsigned int of_tcp = 0;

	for (unsigned int i = 0; i < serve->listeners.count; i++)
		of_tcp += !serve->listeners.listener[i].local;
	for (unsigned int i = 0; i < serve->listeners.count; i++) {
		struct listener *listener = &serve->listeners.listener[i];
		struct guard_door *door = &serve->doors[i];

		*door = (struct guard_door){.guard = serve->guard,
					    .local = listener->local,
					    .tls = guard_has_tls(serve->guard) && !listener->local};
		serve->daemons[i] = start_daemon(serve, listener, door,
						 door->local ? UNIX_CONNECTIONS_MAX
							     : CONNECTIONS_MAX / (of_tcp ? of_tcp : 1));
		if (!serve->daemons[i]) {
			snprintf(why, why_size, "the HTTP server cannot start on %.200s: %s", listener->address,
				 strerror(errno));
			return -EIO;
		}
		listener->fd = -1;
		log_info("serving %s%s%s",
			 door->local ? ""
			 : door->tls ? "https://"
				     : "http://",
			 listener->address, door->local ? "" : "/metrics");
	}
	return 0;
}

int serve_start(struct serve *serve, const struct serve_options *options, char *why, size_t why_size)
{
	int err;

	raise_descriptors();
	serve->options = *options;
	err = streams_new(&serve->streams, options->feed, options->sources);
	if (err) {
		snprintf(why, why_size, "the HTTP server cannot start: %s", strerror(-err));
		return err;
	}
	err = guard_start(serve->guard, why, why_size);
	return err ? err : start_daemons(serve, why, why_size);
}

/* Nobody sleeps any more when a daemon ends, as libmicrohttpd wants it. */
void serve_stop(struct serve **serve)
{
	struct serve *s = *serve;

	if (!s)
		return;
	if (s->guard)
		guard_stop(s->guard);
	if (s->streams)
		streams_stop(s->streams);
	for (unsigned int i = 0; i < LISTEN_MAX; i++)
		if (s->daemons[i])
			MHD_stop_daemon(s->daemons[i]);
	listeners_close(&s->listeners);
	streams_free(&s->streams);
	guard_free(&s->guard);
	free(s);
	*serve = NULL;
}

int serve_own(const struct serve *serve, uid_t user, gid_t group)
{
	return listeners_own(&serve->listeners, user, group);
}

const char *serve_file(const struct serve *serve, unsigned int i)
{
	for (unsigned int at = 0; at < GUARD_FILES; at++) {
		const char *file = guard_file(serve->guard, at);

		if (file && !i--)
			return file;
	}
	return NULL;
}

const char *serve_socket(const struct serve *serve, unsigned int i)
{
	for (unsigned int at = 0; at < serve->listeners.count; at++) {
		const char *path = listen_unix_path(serve->listeners.listener[at].address);

		if (path && !i--)
			return path;
	}
	return NULL;
}
