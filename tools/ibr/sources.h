/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sources.h - the truth about sources: per source what it sent, and how many there were.
 */
#ifndef IBR_SOURCES_H
#define IBR_SOURCES_H

#include "verdict.h"

#include <jansson.h>
#include <stdio.h>

struct sources;

/* Lists at most `most` sources; if there are more, none is listed, and only their number is kept. */
struct sources *sources_new(uint64_t most);
void sources_free(struct sources *s);
/* What could be read of a packet; ports as protocol number << 16 | port, or -1. */
struct source_packet {
	int port;    /* destination */
	int service; /* the same of requests; of answers the port that answers */
	enum class class;
	bool syn; /* without ACK, FIN, RST */
};

int sources_add(struct sources *s, const struct verdict *v, const struct source_packet *p);
uint64_t sources_count(struct sources *s);
/* The same with IPv6 addresses of one /64 taken as one. */
uint64_t sources_hosts(struct sources *s);
bool sources_listed(const struct sources *s);
/* Writes the elements of a JSON array, one source a line. */
int sources_write(const struct sources *s, FILE *out);

#endif
