// SPDX-License-Identifier: GPL-2.0-only
/*
 * HTTP by libmicrohttpd (serve.h): methods, negotiation, compression, errors. What a path answers is
 * endpoint.c. Connections are many and poor: idle ones are closed after CONNECTION_IDLE_S, and there is room
 * for thousands, so that a crowd of slow clients does not keep a scrape out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>
#include <zlib.h>

#include "serve/endpoint.h"
#include "serve/negotiate.h"
#include "serve/serve.h"
#include "serve/stream.h"

#define THREADS		   2
#define CONNECTIONS_MAX	   4096
#define CONNECTION_IDLE_S  10
#define CONNECTION_BYTES   49152 /* of one request; mapped, touched as needed */
#define HEADERS_BYTES_MAX  8192
#define BACKLOG		   1024
#define COMPRESS_BYTES_MIN 1024
#define GZIP_WINDOW	   (15 + 16) /* zlib: largest window, gzip wrapper */

struct serve {
	struct MHD_Daemon *daemon;
	struct serve_options options;
	struct streams *streams;
	int fd;
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

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= CONNECTIONS_MAX + 256)
		return;
	limit.rlim_cur = limit.rlim_max < CONNECTIONS_MAX + 256 ? limit.rlim_max : CONNECTIONS_MAX + 256;
	setrlimit(RLIMIT_NOFILE, &limit);
}

/* getaddrinfo takes any number and keeps its low 16 bits. */
static bool is_port(const char *text)
{
	unsigned int number = 0;

	for (; *text >= '0' && *text <= '9' && number <= UINT16_MAX; text++)
		number = number * 10 + (unsigned int)(*text - '0');
	return !*text && number && number <= UINT16_MAX;
}

/* "host:port" or "[v6]:port" in two. */
static int split_address(const char *address, char *host, size_t host_size, const char **port)
{
	const char *colon = strrchr(address, ':'), *begin = address;
	size_t len;

	if (!colon || !is_port(colon + 1) || colon == address)
		return -EINVAL;
	len = (size_t)(colon - address);
	if (*begin == '[') {
		if (len < 3 || begin[len - 1] != ']')
			return -EINVAL;
		begin++;
		len -= 2;
	} else if (memchr(address, ':', len)) {
		return -EINVAL;
	}
	if (len >= host_size)
		return -EINVAL;
	memcpy(host, begin, len);
	host[len] = 0;
	*port = colon + 1;
	return 0;
}

static int bind_address(const struct addrinfo *info)
{
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, err;

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, info->ai_addr, info->ai_addrlen) || listen(fd, BACKLOG)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

int serve_listen(int *fd_out, const char *address, char *why, size_t why_size)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
				 .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
	struct addrinfo *info;
	const char *port;
	char host[128];
	int fd;

	if (split_address(address, host, sizeof(host), &port) || getaddrinfo(host, port, &hints, &info)) {
		snprintf(why, why_size,
			 "listen address %s is not ADDRESS:PORT, such as 127.0.0.1:10023 or [::1]:10023",
			 address);
		return -EINVAL;
	}
	fd = bind_address(info);
	freeaddrinfo(info);
	if (fd == -EADDRINUSE)
		snprintf(why, why_size,
			 "cannot listen on %s: another program does; stop it or give another port (listen)",
			 address);
	else if (fd < 0)
		snprintf(why, why_size, "cannot listen on %s: %s", address, strerror(-fd));
	if (fd < 0)
		return fd;
	*fd_out = fd;
	return 0;
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

/* Takes the body. */
static enum MHD_Result send_answer(struct MHD_Connection *connection, struct answer *answer)
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
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, answer->type);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, MHD_HTTP_HEADER_VARY, "Accept, Accept-Encoding");
	if (zipped)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip");
	if (answer->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result send_stream(struct MHD_Connection *connection, struct MHD_Response *response)
{
	enum MHD_Result result;

	MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	result = MHD_queue_response(connection, MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

static int refuse(struct answer *answer, unsigned int status, const char *error, const char *reason)
{
	return endpoint_error(answer, status, error, reason);
}

/* A stream in *stream, or the reason why there is none. */
static int begin_stream(struct answer *answer, struct MHD_Response **stream, struct MHD_Connection *connection,
			const struct serve *serve)
{
	const char *last_id = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Last-Event-ID");

	if (serve->streams)
		*stream = streams_open(serve->streams, connection, last_id);
	if (*stream)
		return 0;
	return refuse(answer, MHD_HTTP_SERVICE_UNAVAILABLE, "too many streams",
		      "this sensor serves 16 streams at once, and all are taken; close one or try again later");
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

static enum MHD_Result handle(void *arg, struct MHD_Connection *connection, const char *url, const char *method,
			      const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct answer answer = {.status = MHD_HTTP_OK};
	struct MHD_Response *stream = NULL;

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
	if (answer_request(&answer, &stream, connection, arg, url, method, version)) {
		free(answer.body);
		return MHD_NO;
	}
	if (stream)
		return send_stream(connection, stream);
	return send_answer(connection, &answer);
}

static size_t unescape(void *arg, struct MHD_Connection *connection, char *text)
{
	(void)arg;
	(void)connection;
	return negotiate_unescape(text);
}

static void free_serve(struct serve **serve)
{
	if ((*serve)->streams)
		streams_stop((*serve)->streams);
	if ((*serve)->daemon)
		MHD_stop_daemon((*serve)->daemon);
	streams_free(&(*serve)->streams);
	free(*serve);
	*serve = NULL;
}

int serve_start(struct serve **out, int listen_fd, const struct serve_options *options, char *why,
		size_t why_size)
{
	struct serve *serve = calloc(1, sizeof(*serve));
	int err = serve ? 0 : -ENOMEM;

	if (!err) {
		raise_descriptors();
		serve->options = *options;
		serve->fd = listen_fd;
		err = streams_new(&serve->streams, options->feed, options->sources);
	}
	if (err) {
		snprintf(why, why_size, "the HTTP server cannot start: %s", strerror(-err));
		close(listen_fd);
		free(serve);
		return err;
	}
	serve->daemon = MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, serve,
		MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_THREAD_POOL_SIZE, (unsigned int)THREADS,
		MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)CONNECTION_IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_END);
	if (!serve->daemon) {
		snprintf(why, why_size, "the HTTP server cannot start: %s", strerror(errno));
		close(listen_fd);
		free_serve(&serve);
		return -EIO;
	}
	*out = serve;
	return 0;
}

void serve_stop(struct serve **serve)
{
	if (*serve)
		free_serve(serve);
}
