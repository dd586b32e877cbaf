/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who is connected, and how much each may ask: requests a second, connections, checks of passwords, by address
 * (IPv6: by /64), and how long a request may take to come. Knows addresses and times, no HTTP.
 */
#ifndef AIRGLOW_SERVE_CLIENTS_H
#define AIRGLOW_SERVE_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define CLIENTS_TEXT_BYTES 64
#define CLIENTS_HEAD_S	   20 /* for a request to come, TLS included */
#define CLIENTS_STREAMS	   4  /* of one address, so that it cannot take all that there are */

struct clients;
struct client; /* one address */

/* One connection; the caller keeps what is his in `owner`. */
struct client_connection {
	struct clients *clients;
	struct client *client; /* NULL: a unix socket, which has no address and no limit */
	struct client_connection *next, *previous;
	int fd;
	int64_t deadline_ns; /* 0: none */
	bool streams;
	void *owner;
};

/* Who asks: somebody, or somebody whose credentials were right. Each has a limit of its own. */
enum clients_who { CLIENTS_ANYBODY, CLIENTS_KNOWN };

/*
 * requests: a second, of one address, after a burst of twice as many; connections: at once. The loopback
 * address, behind which a proxy may stand, may make 100 times as many requests and have loopback_connections. 0
 * or -ENOMEM.
 */
int clients_new(struct clients **out, uint64_t requests, uint64_t connections, uint64_t loopback_connections);
void clients_free(struct clients **clients); /* nobody is connected any more */

/* May this address connect? Not above its connections, nor twice as often a second as it may ask. */
bool clients_accept(struct clients *clients, const struct sockaddr *address);

/* A connection begins, with the time that a request may take to come; NULL without memory. */
struct client_connection *clients_connect(struct clients *clients, int fd, const struct sockaddr *address);
void clients_disconnect(struct client_connection **connection);

/* May this request be answered? If not, how many seconds to wait. */
bool clients_request(struct client_connection *connection, enum clients_who who, unsigned int *wait_s);

/*
 * May a password be checked for this client? Then clients_checked is due. Wrong ones are what is limited, and
 * how many are under way.
 */
bool clients_check(struct client_connection *connection, unsigned int *wait_s);
void clients_checked(struct client_connection *connection, bool right);

/* May it be answered without end? Then it counts as a stream of its address until that is over. */
bool clients_stream(struct client_connection *connection);
void clients_stream_over(struct client_connection *connection);

/* From now on the connection may take so long; 0: as long as it likes. */
void clients_deadline(struct client_connection *connection, unsigned int seconds);

/* Shuts the sockets of those whose time is over; their server then closes them. Call it every second. */
void clients_expire(struct clients *clients);

size_t clients_connected(struct clients *clients);

/* "192.0.2.1", "2001:db8::/64" or "a unix socket". */
const char *clients_text(const struct client_connection *connection, char *buffer, size_t size);

#endif
