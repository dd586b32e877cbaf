// SPDX-License-Identifier: GPL-2.0-only
/*
 * The HTTP side on arbitrary bytes of a client: the very handler and server of user/serve, over a socket pair.
 * Whatever comes, the server answers with a status that it means to give, JSON is JSON, a refusal has a reason,
 * and it goes on serving the next client. Who sends an Authorization meets a server that asks for a password.
 * Corpus: tests/fuzz/corpus/http.
 */
#include "serve/serve.c" /* NOLINT(bugprone-suspicious-include): its handler, without its thread */

#include <jansson.h>
#include <sys/mman.h>
#include <sys/un.h>
#include <unistd.h>

#define TURNS_MAX  2000
#define ANSWER_MAX (1u << 22)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define USERS "basic_auth_users: {admin: $2y$04$c2NeCPkBvLIqBpN3EtSN4.EJvpe3UEWOmfEstY9BVsifDng.3ecjW}\n"

/* One that answers whoever comes, and one that asks for a password, which nobody checks: its thread does not
 * run. */
static struct serve serving, asking;
static char answered[ANSWER_MAX + 1];

static void require(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "http: %s\n", what);
	abort();
}

/* Two sources: 192.0.2.1 asks many for TCP 23 and raises an alert, 2001:db8::1 answers a ping. */
static void publish_sources(void)
{
	struct sources_options options = {.sources_max = 64, .thresholds.scan_destinations = 1};
	struct ag_record records[] = {
		{.src_lo = 0xc0000201,
		 .key = 23 | 6ULL << AG_KEY_PROTOCOL_SHIFT | (__u64)AG_TOOL_MIRAI << AG_KEY_TOOL_SHIFT |
			9ULL << AG_KEY_HITS_SHIFT | 2ULL << AG_KEY_FLAGS_SHIFT,
		 .bytes_last = 360,
		 .destinations = {.bits = 0x1ff},
		 .marks = 1,
		 .packets = 9},
		{.src_hi = 0x20010db800000000,
		 .src_lo = 1,
		 .key = 0x8100 | 58ULL << AG_KEY_PROTOCOL_SHIFT |
			(__u64)AG_CLASS_BACKSCATTER << AG_KEY_CLASS_SHIFT | 1ULL << AG_KEY_V6_SHIFT |
			(__u64)AG_KEY_TOOL_NONE << AG_KEY_TOOL_SHIFT,
		 .bytes_last = 60,
		 .destinations = {.bits = 1},
		 .packets = 1},
	};

	serving.options.sources = sources_new(&options);
	require(serving.options.sources != NULL, "memory");
	sources_add(serving.options.sources, 1, 1, records, sizeof(records) / sizeof(records[0]));
	sources_close(serving.options.sources, 1);
}

/* Figures of every kind, so that each path has something to render. */
static void publish_figures(void)
{
	struct snapshot *s = snapshot_new();

	require(s && !snapshot_box_new(&serving.options.box), "memory");
	s->engine = "kernel";
	s->time_ns = s->start_ns = 1;
	s->totals.received = s->totals.dark = 3;
	s->totals.no_port = 1;
	s->ports.tcp[23] = s->ports.udp[53] = 1;
	s->icmp.v4[0x800] = 1;
	s->scopes_count = s->interfaces_count = s->checks_count = 1;
	snprintf(s->scopes[1].name, sizeof(s->scopes[1].name), "a \"b\"\\");
	snprintf(s->interfaces[0].name, sizeof(s->interfaces[0].name), "eth0");
	snprintf(s->interfaces[0].xdp_mode, sizeof(s->interfaces[0].xdp_mode), "native");
	snprintf(s->checks[0].name, sizeof(s->checks[0].name), "link");
	snapshot_publish(serving.options.box, s);
}

static void start_server(struct serve *serve, const char *web_config)
{
	const struct guard_options options = {
		.web_config = web_config, .requests = 1, .connections = 1, .loopback_connections = 1};
	char why[512];

	require(!guard_new(&serve->guard, &options, why, sizeof(why)), why);
	serve->doors[0].guard = serve->guard;
	serve->daemons[0] = MHD_start_daemon(
		MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0, guard_accept, &serve->doors[0], handle,
		serve, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
		MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL, MHD_OPTION_NOTIFY_CONNECTION, guard_connection,
		&serve->doors[0], MHD_OPTION_NOTIFY_COMPLETED, request_done, NULL, MHD_OPTION_END);
	require(serve->daemons[0] != NULL, "the server starts");
}

static void open_servers(void)
{
	char path[32];
	int fd;

	if (serving.daemons[0])
		return;
	publish_figures();
	publish_sources();
	start_server(&serving, NULL);
	asking.options = serving.options;
	fd = memfd_create("web.yml", MFD_CLOEXEC);
	require(fd >= 0 && write(fd, USERS, sizeof(USERS) - 1) == sizeof(USERS) - 1, "memory");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	start_server(&asking, path);
	close(fd);
}

/* What the server says to these bytes, as one client that then says no more. */
static size_t talk(const struct serve *serve, const uint8_t *data, size_t size)
{
	struct sockaddr_un nobody = {.sun_family = AF_UNIX};
	size_t got = 0, sent = 0;
	int pair[2], room = 1 << 20;

	require(!socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), "socket pair");
	setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	require(MHD_add_connection(serve->daemons[0], pair[0], (struct sockaddr *)&nobody, sizeof(nobody)) ==
			MHD_YES,
		"the server takes a client");
	for (int turn = 0; turn < TURNS_MAX; turn++) {
		ssize_t n = sent < size ? send(pair[1], data + sent, size - sent, MSG_NOSIGNAL) : 0;

		if (n > 0)
			sent += (size_t)n;
		if (sent == size || (n < 0 && errno != EAGAIN))
			shutdown(pair[1], SHUT_WR);
		require(MHD_run(serve->daemons[0]) == MHD_YES, "the server goes on");
		n = recv(pair[1], answered + got, ANSWER_MAX - got, 0);
		if (!n)
			break;
		if (n > 0)
			got += (size_t)n;
	}
	close(pair[1]);
	MHD_run(serve->daemons[0]);
	answered[got] = 0;
	return got;
}

/* The body of the answer that begins here is JSON with a reason, if its header says so. */
static void check_json(const char *head, const char *body, size_t size, int status)
{
	json_t *object;

	if (!memmem(head, (size_t)(body - head), "application/json", 16) ||
	    memmem(head, (size_t)(body - head), "Content-Encoding", 16))
		return;
	object = json_loadb(body, size, JSON_DISABLE_EOF_CHECK, NULL);
	if (size)
		require(object != NULL, "JSON is JSON");
	if (size && status >= 400)
		require(json_is_string(json_object_get(object, "reason")), "a refusal has a reason");
	json_decref(object);
}

static void check_answer(size_t size, bool head_only)
{
	static const int meant[] = {200, 400, 401, 404, 405, 429, 431, 503, /* and libmicrohttpd's own: */ 100,
				    411, 413, 414, 500, 501, 505};
	const char *body;
	int status = 0;
	size_t i;

	if (!size)
		return; /* a client that said nothing whole */
	require(sscanf(answered, "HTTP/1.%*1[01] %d ", &status) == 1, "an answer begins with a status line");
	for (i = 0; i < sizeof(meant) / sizeof(meant[0]) && meant[i] != status; i++)
		;
	if (i == sizeof(meant) / sizeof(meant[0]))
		fprintf(stderr, "status %d\n", status);
	require(i < sizeof(meant) / sizeof(meant[0]), "the status is one that is meant");
	body = strstr(answered, "\r\n\r\n");
	require(body != NULL, "an answer has an end of its header");
	if (!head_only)
		check_json(answered, body + 4, size - (size_t)(body + 4 - answered), status);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char simple[] = "GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

	const struct serve *serve = memmem(data, size, "uthorization", 12) ? &asking : &serving;

	open_servers();
	check_answer(talk(serve, data, size), size >= 4 && !memcmp(data, "HEAD", 4));
	require(serve == &serving || !strstr(answered, "HTTP/1.1 200"),
		"nobody gets in whose password was not checked");
	require(talk(&serving, (const uint8_t *)simple, sizeof(simple) - 1) && strstr(answered, "\"ok\""),
		"the next client is served");
	require(talk(&asking, (const uint8_t *)simple, sizeof(simple) - 1) && strstr(answered, " 401 "),
		"and is asked for his password where it is wanted");
	return 0;
}
