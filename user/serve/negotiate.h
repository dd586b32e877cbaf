/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a client prefers, read from its headers (RFC 9110, 12.4 and 12.5), and how a path is written (RFC 3986).
 * Pure functions on untrusted text; a header that is not well-formed counts for what of it is.
 */
#ifndef AIRGLOW_SERVE_NEGOTIATE_H
#define AIRGLOW_SERVE_NEGOTIATE_H

#include <stdbool.h>
#include <stddef.h>

/* The weight of an item in a list with weights, in thousandths: 0 refused .. 1000; -1: not named. NULL: no
 * header. */
int negotiate_weight(const char *header, const char *item);

/* Accept: OpenMetrics rather than the Prometheus text format? Only where it is named and preferred. */
bool negotiate_openmetrics(const char *accept);

/* Accept: is HTML named? Whoever names nothing (curl) reads text. */
bool negotiate_html(const char *accept);

/* Accept-Encoding: may the body be gzip? */
bool negotiate_gzip(const char *accept_encoding);

/*
 * Undoes percent-encoding in place; returns the new length. What is no encoding, and %00, stays as it is
 * written, so that nothing can end a name early.
 */
size_t negotiate_unescape(char *text);

#endif
