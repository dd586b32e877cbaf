// SPDX-License-Identifier: GPL-2.0-only
/*
 * Clients (clients.h). A limit is kept as the moment at which all that was asked would have been allowed,
 * evenly spread (GCRA): one number, no tick. The table of addresses is bounded; who is connected stays in it,
 * and of the others the one that has not been seen for longest goes first.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "serve/clients.h"

#define CLIENTS_MAX	8192
#define CHAINS		4096
#define BURST_NS	(2 * NS) /* of requests: so far ahead of its rate may a client be */
#define CHECK_BURST_NS	(10 * NS)
#define CHECK_COST_NS	(2 * NS) /* of a wrong password: 5 at once, then one in 2 seconds */
#define CHECKS_MAX	2	 /* of one address under way */
#define LOOPBACK_FACTOR 100
#define LOOPBACK_CHECKS 2
#define V4_MAPPED	(0xffffULL << 32)

struct client {
	struct client *chain;	      /* of the same hash */
	struct client *newer, *older; /* by last use */
	uint64_t hi, lo;	      /* of the address, IPv4 mapped, IPv6 without its lower half */
	bool loopback;
	uint32_t connections, streams, checks;
	int64_t ahead_ns[CLIENTS_KNOWN + 1]; /* the moment of the comment above */
	int64_t connects_ahead_ns, checks_ahead_ns;
};

struct clients {
	pthread_mutex_t lock;
	uint64_t seed, connections_max, loopback_connections;
	int64_t cost_ns;
	struct client *chains[CHAINS];
	struct client *newest, *oldest;
	size_t known, connected;
	struct client_connection *first;
	struct client client[CLIENTS_MAX];
};

/* False: no address of IP. */
static bool read_address(uint64_t *hi, uint64_t *lo, const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	const uint8_t *bytes;

	*hi = *lo = 0;
	if (address->sa_family == AF_INET) {
		*lo = V4_MAPPED | ntohl(v4->sin_addr.s_addr);
		return true;
	}
	if (address->sa_family != AF_INET6)
		return false;
	bytes = v6->sin6_addr.s6_addr;
	for (unsigned int i = 0; i < 8; i++)
		*hi = *hi << 8 | bytes[i];
	for (unsigned int i = 8; i < 16; i++)
		*lo = *lo << 8 | bytes[i];
	if (!IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && !IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr))
		*lo = 0;
	return true;
}

static bool is_loopback(uint64_t hi, uint64_t lo)
{
	return !hi && (lo == 1 || lo >> 24 == (V4_MAPPED >> 24 | IN_LOOPBACKNET));
}

/* The seed keeps who chooses his addresses from choosing his chain. */
static unsigned int chain_of(const struct clients *c, uint64_t hi, uint64_t lo)
{
	uint64_t x = (hi ^ c->seed) * 0x9e3779b97f4a7c15ULL + lo;

	x = (x ^ x >> 31) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27 ^ c->seed) * 0x94d049bb133111ebULL;
	return (unsigned int)(x >> 40) % CHAINS;
}

static void unlink_use(struct clients *c, struct client *client)
{
	*(client->newer ? &client->newer->older : &c->newest) = client->older;
	*(client->older ? &client->older->newer : &c->oldest) = client->newer;
}

static void put_newest(struct clients *c, struct client *client)
{
	client->newer = NULL;
	client->older = c->newest;
	*(c->newest ? &c->newest->newer : &c->oldest) = client;
	c->newest = client;
}

static void unlink_chain(struct clients *c, const struct client *client)
{
	struct client **at = &c->chains[chain_of(c, client->hi, client->lo)];

	while (*at != client)
		at = &(*at)->chain;
	*at = client->chain;
}

/* A free entry, or that of the address not seen for longest; NULL: all are connected. */
static struct client *claim(struct clients *c)
{
	struct client *client = c->oldest;

	if (c->known < CLIENTS_MAX)
		return &c->client[c->known++];
	while (client && client->connections)
		client = client->newer;
	if (client) {
		unlink_use(c, client);
		unlink_chain(c, client);
	}
	return client;
}

/* The entry of an address, made if new; NULL: there is no room. */
static struct client *find(struct clients *c, uint64_t hi, uint64_t lo)
{
	struct client **chain = &c->chains[chain_of(c, hi, lo)], *client = *chain;

	while (client && (client->hi != hi || client->lo != lo))
		client = client->chain;
	if (client) {
		unlink_use(c, client);
		put_newest(c, client);
		return client;
	}
	client = claim(c);
	if (!client)
		return NULL;
	/* claim may have changed this very chain */
	*client = (struct client){.hi = hi, .lo = lo, .loopback = is_loopback(hi, lo), .chain = *chain};
	*chain = client;
	put_newest(c, client);
	return client;
}

/*
 * One more of cost_ns, if that is not more than burst_ns ahead of now. *ahead_ns changes then only. Otherwise
 * the seconds to wait.
 */
static unsigned int spend(int64_t *ahead_ns, int64_t now, int64_t cost_ns, int64_t burst_ns)
{
	int64_t begin = *ahead_ns > now ? *ahead_ns : now, over = begin + cost_ns - now - burst_ns;

	if (over > 0)
		return (unsigned int)(over / NS) + 1;
	*ahead_ns = begin + cost_ns;
	return 0;
}

static int64_t request_cost(const struct clients *c, const struct client *client)
{
	return client->loopback ? c->cost_ns / LOOPBACK_FACTOR : c->cost_ns;
}

bool clients_accept(struct clients *c, const struct sockaddr *address)
{
	struct client *client;
	uint64_t hi, lo;
	bool may;

	if (!read_address(&hi, &lo, address))
		return true;
	pthread_mutex_lock(&c->lock);
	client = find(c, hi, lo);
	may = client &&
	      client->connections < (client->loopback ? c->loopback_connections : c->connections_max) &&
	      !spend(&client->connects_ahead_ns, clock_ns(CLOCK_MONOTONIC), request_cost(c, client) / 2,
		     BURST_NS);
	pthread_mutex_unlock(&c->lock);
	return may;
}

struct client_connection *clients_connect(struct clients *c, int fd, const struct sockaddr *address)
{
	struct client_connection *connection = calloc(1, sizeof(*connection));
	uint64_t hi, lo;

	if (!connection)
		return NULL;
	connection->clients = c;
	connection->fd = fd;
	connection->deadline_ns = clock_ns(CLOCK_MONOTONIC) + CLIENTS_HEAD_S * NS;
	pthread_mutex_lock(&c->lock);
	if (address && read_address(&hi, &lo, address)) {
		connection->client = find(c, hi, lo);
		if (!connection->client) {
			pthread_mutex_unlock(&c->lock);
			free(connection);
			return NULL;
		}
		connection->client->connections++;
	}
	connection->next = c->first;
	if (c->first)
		c->first->previous = connection;
	c->first = connection;
	c->connected++;
	pthread_mutex_unlock(&c->lock);
	return connection;
}

void clients_disconnect(struct client_connection **connection)
{
	struct client_connection *gone = *connection;
	struct clients *c = gone->clients;

	pthread_mutex_lock(&c->lock);
	*(gone->previous ? &gone->previous->next : &c->first) = gone->next;
	if (gone->next)
		gone->next->previous = gone->previous;
	if (gone->client) {
		gone->client->connections--;
		gone->client->streams -= gone->streams;
	}
	c->connected--;
	pthread_mutex_unlock(&c->lock);
	free(gone);
	*connection = NULL;
}

bool clients_request(struct client_connection *connection, enum clients_who who, unsigned int *wait_s)
{
	struct clients *c = connection->clients;
	struct client *client = connection->client;

	*wait_s = 0;
	if (!client)
		return true;
	pthread_mutex_lock(&c->lock);
	*wait_s = spend(&client->ahead_ns[who], clock_ns(CLOCK_MONOTONIC), request_cost(c, client), BURST_NS);
	pthread_mutex_unlock(&c->lock);
	return !*wait_s;
}

static int64_t check_cost(const struct client *client)
{
	return client->loopback ? CHECK_COST_NS / LOOPBACK_CHECKS : CHECK_COST_NS;
}

bool clients_check(struct client_connection *connection, unsigned int *wait_s)
{
	struct clients *c = connection->clients;
	struct client *client = connection->client;
	uint32_t most;

	*wait_s = 0;
	if (!client)
		return true;
	most = client->loopback ? CHECKS_MAX * LOOPBACK_CHECKS : CHECKS_MAX;
	pthread_mutex_lock(&c->lock);
	if (client->checks >= most)
		*wait_s = 1;
	else
		*wait_s = spend(&client->checks_ahead_ns, clock_ns(CLOCK_MONOTONIC), check_cost(client),
				CHECK_BURST_NS);
	if (!*wait_s)
		client->checks++;
	pthread_mutex_unlock(&c->lock);
	return !*wait_s;
}

void clients_checked(struct client_connection *connection, bool right)
{
	struct clients *c = connection->clients;
	struct client *client = connection->client;

	if (!client)
		return;
	pthread_mutex_lock(&c->lock);
	client->checks--;
	if (right)
		client->checks_ahead_ns -= check_cost(client);
	pthread_mutex_unlock(&c->lock);
}

bool clients_stream(struct client_connection *connection)
{
	struct clients *c = connection->clients;
	struct client *client = connection->client;
	bool may;

	if (!client)
		return true;
	pthread_mutex_lock(&c->lock);
	may = connection->streams || client->loopback || client->streams < CLIENTS_STREAMS;
	if (may && !connection->streams) {
		connection->streams = true;
		client->streams++;
	}
	pthread_mutex_unlock(&c->lock);
	return may;
}

void clients_stream_over(struct client_connection *connection)
{
	struct clients *c = connection->clients;

	pthread_mutex_lock(&c->lock);
	if (connection->streams)
		connection->client->streams--;
	connection->streams = false;
	pthread_mutex_unlock(&c->lock);
}

void clients_deadline(struct client_connection *connection, unsigned int seconds)
{
	struct clients *c = connection->clients;

	pthread_mutex_lock(&c->lock);
	connection->deadline_ns = seconds ? clock_ns(CLOCK_MONOTONIC) + seconds * NS : 0;
	pthread_mutex_unlock(&c->lock);
}

void clients_expire(struct clients *c)
{
	int64_t now = clock_ns(CLOCK_MONOTONIC);

	pthread_mutex_lock(&c->lock);
	for (struct client_connection *at = c->first; at; at = at->next) {
		if (!at->deadline_ns || at->deadline_ns > now)
			continue;
		shutdown(at->fd, SHUT_RDWR);
		at->deadline_ns = 0;
	}
	pthread_mutex_unlock(&c->lock);
}

size_t clients_connected(struct clients *c)
{
	size_t connected;

	pthread_mutex_lock(&c->lock);
	connected = c->connected;
	pthread_mutex_unlock(&c->lock);
	return connected;
}

const char *clients_text(const struct client_connection *connection, char *buffer, size_t size)
{
	const struct client *client = connection->client;
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address = {};

	if (!client) {
		snprintf(buffer, size, "a unix socket");
		return buffer;
	}
	for (unsigned int i = 0; i < 8; i++) {
		address.s6_addr[i] = (uint8_t)(client->hi >> (56 - 8 * i));
		address.s6_addr[8 + i] = (uint8_t)(client->lo >> (56 - 8 * i));
	}
	if (IN6_IS_ADDR_V4MAPPED(&address))
		snprintf(buffer, size, "%s", inet_ntop(AF_INET, &address.s6_addr[12], text, sizeof(text)));
	else
		snprintf(buffer, size, "%s%s", inet_ntop(AF_INET6, &address, text, sizeof(text)),
			 client->loopback ? "" : "/64");
	return buffer;
}

int clients_new(struct clients **out, uint64_t requests, uint64_t connections, uint64_t loopback_connections)
{
	struct clients *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	if (getrandom(&c->seed, sizeof(c->seed), 0) != sizeof(c->seed))
		c->seed = (uint64_t)clock_ns(CLOCK_MONOTONIC);
	pthread_mutex_init(&c->lock, NULL);
	c->cost_ns = NS / (int64_t)requests;
	c->connections_max = connections;
	c->loopback_connections = connections > loopback_connections ? connections : loopback_connections;
	*out = c;
	return 0;
}

void clients_free(struct clients **clients)
{
	if (!*clients)
		return;
	pthread_mutex_destroy(&(*clients)->lock);
	free(*clients);
	*clients = NULL;
}
