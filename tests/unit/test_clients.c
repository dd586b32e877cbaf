// SPDX-License-Identifier: GPL-2.0-only
/*
 * Limits of clients: by address, by /64 of IPv6, none for unix sockets, more for the loopback address; each for
 * itself.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "serve/clients.h"

static const struct sockaddr *address_of(const char *text)
{
	static struct sockaddr_storage storage[2];
	static unsigned int turn;
	struct sockaddr_storage *into = &storage[++turn % 2];
	struct sockaddr_in *v4 = (struct sockaddr_in *)into;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)into;

	memset(into, 0, sizeof(*into));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
	} else {
		cr_assert_eq(inet_pton(AF_INET6, text, &v6->sin6_addr), 1, "%s", text);
		v6->sin6_family = AF_INET6;
	}
	return (const struct sockaddr *)into;
}

static struct clients *new_clients(unsigned int requests, unsigned int connections)
{
	struct clients *clients;

	cr_assert_eq(clients_new(&clients, requests, connections, 3000), 0);
	return clients;
}

static struct client_connection *begin(struct clients *clients, const char *address)
{
	struct client_connection *connection =
		clients_connect(clients, -1, address ? address_of(address) : NULL);

	cr_assert_not_null(connection);
	return connection;
}

/* How many requests of so many are answered at once. */
static unsigned int answered(struct client_connection *connection, enum clients_who who, unsigned int asked)
{
	unsigned int count = 0, wait_s;

	for (unsigned int i = 0; i < asked; i++) {
		bool good = clients_request(connection, who, &wait_s);

		count += good;
		cr_expect_eq(!good, wait_s > 0, "who is refused is told when to come again");
		cr_expect_leq(wait_s, 3);
	}
	return count;
}

Test(clients, requests_have_a_burst_of_two_seconds)
{
	struct clients *clients = new_clients(1, 10);
	struct client_connection *one = begin(clients, "192.0.2.1"), *same = begin(clients, "192.0.2.1"),
				 *other = begin(clients, "192.0.2.2");

	cr_expect_eq(answered(one, CLIENTS_ANYBODY, 10), 2);
	cr_expect_eq(answered(same, CLIENTS_ANYBODY, 10), 0, "it is the address that counts");
	cr_expect_eq(answered(other, CLIENTS_ANYBODY, 10), 2, "another address is another client");
	cr_expect_eq(answered(same, CLIENTS_KNOWN, 10), 2, "who is known has a limit of his own");
	clients_disconnect(&one);
	one = begin(clients, "192.0.2.1");
	cr_expect_eq(answered(one, CLIENTS_ANYBODY, 10), 0, "a new connection is no new client");
	clients_disconnect(&one);
	clients_disconnect(&same);
	clients_disconnect(&other);
	clients_free(&clients);
	cr_expect_null(clients);
	clients_free(&clients);
}

Test(clients, addresses)
{
	static const struct {
		const char *one, *other;
		bool same;
	} rows[] = {
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"::ffff:192.0.2.1", "192.0.2.1", true},
		{"::ffff:192.0.2.1", "192.0.2.2", false},
		{"::2", "192.0.2.1", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct clients *clients = new_clients(1, 10);
		struct client_connection *one = begin(clients, rows[i].one),
					 *other = begin(clients, rows[i].other);

		cr_expect_eq(answered(one, CLIENTS_ANYBODY, 3), 2);
		cr_expect_eq(answered(other, CLIENTS_ANYBODY, 3), rows[i].same ? 0 : 2, "%s and %s",
			     rows[i].one, rows[i].other);
		clients_disconnect(&one);
		clients_disconnect(&other);
		clients_free(&clients);
	}
}

Test(clients, this_host_may_ask_more_and_a_unix_socket_what_it_likes)
{
	static const char *const loopbacks[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"};
	struct clients *clients = new_clients(1, 10);
	struct client_connection *local = begin(clients, NULL);
	char text[CLIENTS_TEXT_BYTES];

	for (unsigned int i = 0; i < 3; i++) {
		struct client_connection *one = begin(clients, loopbacks[i]);
		unsigned int got = answered(one, CLIENTS_ANYBODY, 1000);

		/* 100 a second, and the second may turn while they come. */
		cr_expect(got >= 200 && got < 1000, "%s: %u", loopbacks[i], got);
		clients_disconnect(&one);
	}
	cr_expect_eq(answered(local, CLIENTS_ANYBODY, 5000), 5000);
	cr_expect_str_eq(clients_text(local, text, sizeof(text)), "a unix socket");
	clients_disconnect(&local);
	clients_free(&clients);
}

Test(clients, connections_are_bounded_by_address)
{
	struct clients *clients = new_clients(1000, 3);
	struct client_connection *connection[4] = {};

	for (unsigned int i = 0; i < 3; i++) {
		cr_expect(clients_accept(clients, address_of("192.0.2.1")));
		connection[i] = begin(clients, "192.0.2.1");
	}
	cr_expect_not(clients_accept(clients, address_of("192.0.2.1")));
	cr_expect(clients_accept(clients, address_of("192.0.2.2")));
	cr_expect_eq(clients_connected(clients), 3);
	clients_disconnect(&connection[1]);
	cr_expect_null(connection[1]);
	cr_expect(clients_accept(clients, address_of("192.0.2.1")), "there is room again");
	clients_disconnect(&connection[0]);
	clients_disconnect(&connection[2]);
	cr_expect_eq(clients_connected(clients), 0);
	clients_free(&clients);
}

Test(clients, connecting_at_speed_is_bounded)
{
	struct clients *clients = new_clients(1, 1000);
	unsigned int taken = 0;

	for (unsigned int i = 0; i < 100; i++)
		taken += clients_accept(clients, address_of("192.0.2.1"));
	cr_expect(taken >= 4 && taken < 10, "twice as many as requests, after a burst: %u", taken);
	clients_free(&clients);
}

Test(clients, wrong_passwords_are_bounded)
{
	struct clients *clients = new_clients(1000, 10);
	struct client_connection *one = begin(clients, "192.0.2.1"), *other = begin(clients, "192.0.2.2");
	unsigned int wait_s, right = 0, wrong = 0;

	cr_expect(clients_check(other, &wait_s));
	cr_expect(clients_check(other, &wait_s));
	cr_expect_not(clients_check(other, &wait_s), "two at once");
	cr_expect_eq(wait_s, 1);
	clients_checked(other, true);
	cr_expect(clients_check(other, &wait_s));
	clients_checked(other, true);
	clients_checked(other, true);
	for (unsigned int i = 0; i < 100; i++) {
		if (clients_check(one, &wait_s)) {
			clients_checked(one, false);
			wrong++;
		}
		if (clients_check(other, &wait_s)) {
			clients_checked(other, true);
			right++;
		}
	}
	cr_expect(wrong >= 5 && wrong < 10, "5, then one in two seconds: %u", wrong);
	cr_expect_eq(right, 100, "right ones cost nothing");
	clients_disconnect(&one);
	clients_disconnect(&other);
	clients_free(&clients);
}

Test(clients, the_table_of_addresses_is_bounded)
{
	struct clients *clients = new_clients(1, 10);
	struct client_connection *kept = begin(clients, "192.0.2.1"), *again;
	char text[32];

	cr_expect_eq(answered(kept, CLIENTS_ANYBODY, 3), 2);
	for (unsigned int i = 0; i < 20000; i++) {
		struct client_connection *one;

		snprintf(text, sizeof(text), "10.%u.%u.%u", i >> 16, i >> 8 & 255, i & 255);
		one = begin(clients, text);
		clients_disconnect(&one);
	}
	again = begin(clients, "192.0.2.1");
	cr_expect_eq(answered(again, CLIENTS_ANYBODY, 1), 0, "who is connected is not forgotten");
	clients_disconnect(&again);
	clients_disconnect(&kept);
	clients_free(&clients);
}

Test(clients, texts)
{
	static const char *const rows[][2] = {{"192.0.2.1", "192.0.2.1"},
					      {"::ffff:192.0.2.1", "192.0.2.1"},
					      {"2001:db8::7", "2001:db8::/64"},
					      {"::1", "::1"}};
	struct clients *clients = new_clients(1, 10);
	char text[CLIENTS_TEXT_BYTES];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct client_connection *one = begin(clients, rows[i][0]);

		cr_expect_str_eq(clients_text(one, text, sizeof(text)), rows[i][1]);
		clients_disconnect(&one);
	}
	clients_free(&clients);
}

Test(clients, one_address_cannot_take_all_streams)
{
	struct clients *clients = new_clients(1000, 100);
	struct client_connection *streams[CLIENTS_STREAMS], *more, *other, *local[4 * CLIENTS_STREAMS];

	for (unsigned int i = 0; i < CLIENTS_STREAMS; i++) {
		streams[i] = begin(clients, "2001:db8::1");
		cr_expect(clients_stream(streams[i]));
		cr_expect(clients_stream(streams[i]), "it has one already");
	}
	more = begin(clients, "2001:db8::2");
	other = begin(clients, "192.0.2.2");
	cr_expect(!clients_stream(more), "of the same /64");
	cr_expect(clients_stream(other));
	clients_disconnect(&streams[0]);
	cr_expect(clients_stream(more));
	clients_stream_over(more);
	clients_stream_over(more);
	cr_expect(clients_stream(more), "it was over");
	cr_expect(!clients_stream(streams[0] = begin(clients, "2001:db8::3")));
	clients_disconnect(&streams[0]);
	for (unsigned int i = 1; i < CLIENTS_STREAMS; i++)
		clients_disconnect(&streams[i]);
	clients_disconnect(&more);
	clients_disconnect(&other);
	for (unsigned int i = 0; i < 4 * CLIENTS_STREAMS; i++) {
		local[i] = begin(clients, "127.0.0.1");
		cr_expect(clients_stream(local[i]), "a proxy may stand there");
	}
	for (unsigned int i = 0; i < 4 * CLIENTS_STREAMS; i++)
		clients_disconnect(&local[i]);
	clients_free(&clients);
}

Test(clients, who_takes_too_long_is_shut_out)
{
	struct clients *clients = new_clients(1, 10);
	struct client_connection *one, *stream;
	int pair[2], other[2];
	char byte;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, other), 0);
	one = clients_connect(clients, pair[0], NULL);
	stream = clients_connect(clients, other[0], NULL);
	cr_assert(one && stream);
	clients_deadline(one, 1);
	clients_deadline(stream, 0);
	clients_expire(clients);
	cr_expect_lt(recv(pair[1], &byte, 1, 0), 0, "not yet");
	sleep(1);
	clients_expire(clients);
	cr_expect_eq(recv(pair[1], &byte, 1, 0), 0, "its end has come");
	cr_expect_lt(recv(other[1], &byte, 1, 0), 0, "a stream has none");
	clients_disconnect(&one);
	clients_disconnect(&stream);
	clients_free(&clients);
	close(pair[0]);
	close(pair[1]);
	close(other[0]);
	close(other[1]);
}
