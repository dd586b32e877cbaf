// SPDX-License-Identifier: GPL-2.0-only
/*
 * Streams (stream.h). A connection with nothing to send is suspended; a thread, the pump, looks at all that are
 * when messages come and every second, and resumes those for which there is something: events, a heartbeat, or
 * the news that their client has gone. The lock guards who is suspended; what a stream is about to send belongs
 * to the thread of libmicrohttpd that asks for it.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "base/clock.h"
#include "serve/stream.h"
#include "serve/stream_text.h"

#define HEARTBEAT_NS   (15 * NS)
#define LOOK_EACH_MS   1000
#define GATHER_NS      50000000 /* messages that come together are sent together */
#define STALLED_S      60	/* who takes nothing for so long is cut off */
#define TEXT_BYTES     8192
#define ALERTS_AT_ONCE 4
#define SOCKET_BYTES   16384 /* what waits for a slow client waits in the feed */
#define BLOCK_BYTES    4096

struct stream {
	struct streams *owner; /* NULL: free */
	struct MHD_Connection *connection;
	int fd;
	bool suspended, gone;
	uint64_t cursor;     /* in the feed */
	uint32_t last_alert; /* that was sent */
	int64_t sent_ns;
	size_t used, sent; /* of text */
	char text[TEXT_BYTES];
};

struct streams {
	pthread_mutex_t lock;
	pthread_cond_t opened;
	struct feed *feed;
	struct sources *sources;
	pthread_t pump;
	bool stopping;
	unsigned int count;
	struct stream stream[STREAMS_MAX];
};

/* Alerts are numbered from 1 without a gap. */
static uint32_t newest_alert(struct sources *sources)
{
	__u64 by_kind[AG_ALERT_MAX];
	uint64_t raised = 0;
	unsigned int i;

	sources_alert_counts(sources, by_kind);
	for (i = 0; i < AG_ALERT_MAX; i++)
		raised += by_kind[i];
	return (uint32_t)raised;
}

/* --- what a stream sends -------------------------------------------------------------------------------------
 */

static bool has_room(const struct stream *s, unsigned int events)
{
	return s->used + (size_t)events * STREAM_EVENT_BYTES <= TEXT_BYTES;
}

static void add_lost(struct stream *s, uint64_t messages, uint64_t alerts)
{
	if (messages || alerts)
		s->used += stream_lost(s->text + s->used, messages, alerts);
}

static void add_alerts(struct stream *s)
{
	struct alert alerts[ALERTS_AT_ONCE];
	size_t count = sources_alerts(s->owner->sources, s->last_alert, alerts, ALERTS_AT_ONCE), i;

	if (count)
		add_lost(s, 0, alerts[0].number - s->last_alert - 1);
	for (i = 0; i < count; i++) {
		s->used += stream_alert(s->text + s->used, &alerts[i]);
		s->last_alert = alerts[i].number;
	}
}

/* Each time with room for a word about what was lost. */
static void add_messages(struct stream *s)
{
	struct feed_message message;
	uint64_t lost;

	while (has_room(s, 2) && feed_read(s->owner->feed, &s->cursor, &message, 1, &lost)) {
		add_lost(s, lost, 0);
		s->used += stream_message(s->text + s->used, &message);
	}
}

static void fill(struct stream *s)
{
	static const char heartbeat[] = ": still here\n\n";

	s->used = s->sent = 0;
	add_alerts(s);
	add_messages(s);
	if (!s->used && clock_ns(CLOCK_MONOTONIC) - s->sent_ns >= HEARTBEAT_NS) {
		memcpy(s->text, heartbeat, sizeof(heartbeat) - 1);
		s->used = sizeof(heartbeat) - 1;
	}
	if (s->used)
		s->sent_ns = clock_ns(CLOCK_MONOTONIC);
}

/* Is there something to send, or to be told? */
static bool is_due(const struct stream *s)
{
	return s->gone || s->owner->stopping || feed_end(s->owner->feed) != s->cursor ||
	       newest_alert(s->owner->sources) != s->last_alert ||
	       clock_ns(CLOCK_MONOTONIC) - s->sent_ns >= HEARTBEAT_NS;
}

/* Puts the connection to sleep unless there is something by now. True: it sleeps. */
static bool suspend(struct stream *s)
{
	bool sleeps;

	pthread_mutex_lock(&s->owner->lock);
	sleeps = s->suspended = !is_due(s);
	if (sleeps)
		MHD_suspend_connection(s->connection);
	pthread_mutex_unlock(&s->owner->lock);
	return sleeps; /* by now the pump may have resumed it */
}

static bool has_ended(struct stream *s)
{
	bool ended;

	pthread_mutex_lock(&s->owner->lock);
	ended = s->owner->stopping || s->gone;
	pthread_mutex_unlock(&s->owner->lock);
	return ended;
}

/* Called by libmicrohttpd when the client can take more. */
static ssize_t next_bytes(void *arg, uint64_t position, char *out, size_t room)
{
	struct stream *s = arg;
	size_t n;

	(void)position;
	while (s->sent == s->used) {
		if (has_ended(s))
			return MHD_CONTENT_READER_END_OF_STREAM;
		fill(s);
		if (!s->used && suspend(s))
			return 0;
	}
	n = s->used - s->sent < room ? s->used - s->sent : room;
	memcpy(out, s->text + s->sent, n);
	s->sent += n;
	return (ssize_t)n;
}

/* --- the pump ------------------------------------------------------------------------------------------------
 */

/* libmicrohttpd does not look at a connection that is suspended. What TLS says before its end is not read here.
 */
static bool has_hung_up(const struct stream *s)
{
	struct pollfd fd = {.fd = s->fd, .events = POLLRDHUP};

	return poll(&fd, 1, 0) > 0;
}

static void resume_due(struct streams *streams)
{
	unsigned int i;

	for (i = 0; i < STREAMS_MAX; i++) {
		struct stream *s = &streams->stream[i];

		if (!s->owner || !s->suspended)
			continue;
		s->gone = has_hung_up(s);
		if (!is_due(s))
			continue;
		s->suspended = false;
		MHD_resume_connection(s->connection);
	}
}

static void *run_pump(void *arg)
{
	const struct timespec gather = {.tv_nsec = GATHER_NS};
	struct streams *streams = arg;
	uint64_t seen = 0;

	pthread_setname_np(pthread_self(), "ag-stream");
	pthread_mutex_lock(&streams->lock);
	while (!streams->stopping) {
		if (!streams->count) {
			pthread_cond_wait(&streams->opened, &streams->lock);
			continue;
		}
		seen = feed_end(streams->feed);
		resume_due(streams);
		pthread_mutex_unlock(&streams->lock);
		feed_wait(streams->feed, seen, LOOK_EACH_MS);
		nanosleep(&gather, NULL);
		pthread_mutex_lock(&streams->lock);
	}
	pthread_mutex_unlock(&streams->lock);
	return NULL;
}

/* --- life ----------------------------------------------------------------------------------------------------
 */

int streams_new(struct streams **out, struct feed *feed, struct sources *sources)
{
	struct streams *streams = calloc(1, sizeof(*streams));
	int err;

	if (!streams)
		return -ENOMEM;
	streams->feed = feed;
	streams->sources = sources;
	pthread_mutex_init(&streams->lock, NULL);
	pthread_cond_init(&streams->opened, NULL);
	err = pthread_create(&streams->pump, NULL, run_pump, streams);
	if (err) {
		pthread_cond_destroy(&streams->opened);
		pthread_mutex_destroy(&streams->lock);
		free(streams);
		return -err;
	}
	*out = streams;
	return 0;
}

static struct stream *claim(struct streams *streams)
{
	struct stream *found = NULL;
	unsigned int i;

	pthread_mutex_lock(&streams->lock);
	for (i = 0; i < STREAMS_MAX && !found && !streams->stopping; i++)
		if (!streams->stream[i].owner)
			found = &streams->stream[i];
	if (found) {
		*found = (struct stream){.owner = streams};
		streams->count++;
		pthread_cond_signal(&streams->opened);
	}
	pthread_mutex_unlock(&streams->lock);
	return found;
}

static void release(void *arg)
{
	struct stream *s = arg;
	struct streams *streams = s->owner;

	pthread_mutex_lock(&streams->lock);
	s->owner = NULL;
	streams->count--;
	pthread_mutex_unlock(&streams->lock);
}

/* Where the client goes on; a number that is not known yet is of an earlier sensor. */
static uint32_t first_alert(const char *last_id, uint32_t newest)
{
	unsigned long number;
	char *end;

	if (!last_id || *last_id < '0' || *last_id > '9')
		return newest;
	number = strtoul(last_id, &end, 10);
	if (*end)
		return newest;
	return number > newest ? 0 : (uint32_t)number;
}

struct MHD_Response *streams_open(struct streams *streams, struct MHD_Connection *connection,
				  const char *last_id)
{
	static const char greeting[] = ": airglow\nretry: 5000\n\n";
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct stream *s = info ? claim(streams) : NULL;
	struct MHD_Response *response;
	int bytes = SOCKET_BYTES;

	if (!s)
		return NULL;
	s->connection = connection;
	s->fd = info->connect_fd;
	s->cursor = feed_end(streams->feed);
	s->last_alert = first_alert(last_id, newest_alert(streams->sources));
	s->sent_ns = clock_ns(CLOCK_MONOTONIC);
	s->used = sizeof(greeting) - 1;
	memcpy(s->text, greeting, s->used);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, next_bytes, s, release);
	if (!response) {
		release(s);
		return NULL;
	}
	setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, (unsigned int)STALLED_S);
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
	MHD_add_response_header(response, "X-Accel-Buffering", "no");
	return response;
}

void streams_stop(struct streams *streams)
{
	pthread_mutex_lock(&streams->lock);
	streams->stopping = true;
	resume_due(streams);
	pthread_cond_signal(&streams->opened);
	pthread_mutex_unlock(&streams->lock);
	feed_close(streams->feed);
	pthread_join(streams->pump, NULL);
}

void streams_free(struct streams **streams)
{
	if (!*streams)
		return;
	pthread_cond_destroy(&(*streams)->opened);
	pthread_mutex_destroy(&(*streams)->lock);
	free(*streams);
	*streams = NULL;
}
