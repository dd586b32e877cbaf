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
/* `port` as protocol number << 16 | port, or -1. */
int sources_add(struct sources *s, const struct verdict *v, int port, enum class class);
uint64_t sources_count(struct sources *s);
/* The same with IPv6 addresses of one /64 taken as one. */
uint64_t sources_hosts(struct sources *s);
bool sources_listed(const struct sources *s);
/* Writes the elements of a JSON array, one source a line. */
int sources_write(const struct sources *s, FILE *out);

#endif
