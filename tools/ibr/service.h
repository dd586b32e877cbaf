/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * service.h - requests and answers of the UDP services that are used for amplification.
 * Knows bytes of application protocols, nothing of packets.
 */
#ifndef IBR_SERVICE_H
#define IBR_SERVICE_H

#include "base.h"

#define SERVICE_BYTES_MAX 600

struct service {
	const char *name;
	uint16_t port;
	const char *request;
	uint16_t request_len;
	const char *abuse; /* the request that attackers prefer, NULL = the same */
	uint16_t abuse_len;
	const char *answer; /* NULL: this service's answers are not made */
	uint16_t answer_len;
	uint16_t answer_bytes; /* the answer is repeated up to so many bytes */
	uint8_t random_at;     /* bytes of the request that differ each time: offset … */
	uint8_t random_len;    /* … and how many */
};

extern const struct service services[];
extern const int services_n;

int service_find(const char *name);
size_t service_request(const struct service *s, bool abuse, struct rng *r, uint8_t out[SERVICE_BYTES_MAX]);
size_t service_answer(const struct service *s, struct rng *r, uint8_t out[SERVICE_BYTES_MAX]);

#endif
