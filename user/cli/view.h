/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the commands show a person: one wording for the sensor's start, status and doctor.
 */
#ifndef AIRGLOW_CLI_VIEW_H
#define AIRGLOW_CLI_VIEW_H

#include <stdio.h>

#include <jansson.h>

#include "collect/snapshot.h"

/* "What can I see?": what a telescope of this size can see, beside what it sees (left out while seen_pps < 0).
 */
void view_reach(FILE *out, const struct snapshot_reach *reach);
/* The object "reach" of /api/v1/summary; false when it is not there or incomplete. */
bool view_read_reach(struct snapshot_reach *reach, const json_t *summary);

/* A warning or fault of the doctor as one log line. */
void view_log_check(const struct snapshot_check *check);
/* The report of /api/v1/doctor, or of our own examination, a check a line and its remedy below. */
void view_checks(FILE *out, const struct snapshot_check *checks, unsigned int count);
/* Reads the object of /api/v1/doctor; how many checks. */
unsigned int view_read_checks(struct snapshot_check *checks, unsigned int size, const json_t *report);
const char *view_state(enum snapshot_state state);

/* 1234567 -> "1,234,567". buffer: at least 28 bytes; returned. */
char *view_count(char *buffer, size_t size, uint64_t count);
/* 1.5e6 -> "1.5 M"; seconds -> "4.3 h". */
char *view_rate(char *buffer, size_t size, double rate);
char *view_duration(char *buffer, size_t size, double seconds);

/* Integer of an object, 0 where there is none. */
uint64_t view_integer(const json_t *object, const char *key);

#endif
