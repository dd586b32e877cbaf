// SPDX-License-Identifier: GPL-2.0-only
/*
 * One examination: gather the facts, ask each check about each of its subjects, report the worst. What the
 * facts mean is the judges' business, what the report is used for the caller's.
 */
#include "doctor/doctor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor/host.h"
#include "doctor/judge.h"

/* Results of one check, the worst first. */
struct findings {
	struct snapshot_check worst[SNAPSHOT_CHECKS_MAX];
	unsigned int count;
	unsigned int unwell; /* subjects with a warning or a fault, also those that found no room */
};

static unsigned int severity(enum snapshot_state state)
{
	static const unsigned int order[] = {
		[SNAPSHOT_OK] = 0, [SNAPSHOT_UNKNOWN] = 1, [SNAPSHOT_WARNING] = 2, [SNAPSHOT_FAULT] = 3};

	return order[state];
}

enum snapshot_state doctor_worst(const struct snapshot_check *checks, unsigned int count)
{
	enum snapshot_state worst = SNAPSHOT_OK;

	for (unsigned int i = 0; i < count; i++)
		if (severity(checks[i].state) > severity(worst))
			worst = checks[i].state;
	return worst;
}

static void note_finding(struct findings *findings, const struct snapshot_check *check)
{
	unsigned int place = findings->count;

	findings->unwell += severity(check->state) >= severity(SNAPSHOT_WARNING);
	while (place && severity(check->state) > severity(findings->worst[place - 1].state))
		place--;
	if (place == SNAPSHOT_CHECKS_MAX)
		return;
	if (findings->count < SNAPSHOT_CHECKS_MAX)
		findings->count++;
	memmove(&findings->worst[place + 1], &findings->worst[place],
		(findings->count - 1 - place) * sizeof(findings->worst[0]));
	findings->worst[place] = *check;
}

static size_t count_subjects(const struct judge_input *in, enum judge_subject subject)
{
	switch (subject) {
	case JUDGE_INTERFACE:
		return in->host->links_count;
	case JUDGE_PREFIX:
		return in->config->prefixes_count;
	case JUDGE_SCOPE:
		return in->config->scopes_count;
	default:
		return 1;
	}
}

static void examine(enum doctor_check check, const struct judge_input *in, struct findings *findings)
{
	enum judge_subject subject = judge_subject_of(check);
	size_t subjects = count_subjects(in, subject);
	struct snapshot_check result;

	findings->count = findings->unwell = 0;
	for (size_t i = 0; i < subjects; i++) {
		if (subject == JUDGE_PREFIX && !in->config->prefixes[i].scope)
			continue; /* a hole, not dark */
		judge_run(check, in, i, &result);
		note_finding(findings, &result);
	}
	if (findings->count)
		return;
	judge_name(check, &result);
	judge_say(&result, SNAPSHOT_UNKNOWN, "nothing is configured to look at");
	note_finding(findings, &result);
}

/* The worst of a check, and others that are unwell while *extra lasts; who is left out is counted in the last
 * value. */
static unsigned int report(const struct findings *findings, struct snapshot_check *checks, unsigned int size,
			   unsigned int *extra)
{
	unsigned int wanted = findings->unwell > 1 ? findings->unwell : 1, count = wanted;
	char *value;
	size_t length;

	if (count > findings->count)
		count = findings->count;
	if (count > 1 + *extra)
		count = 1 + *extra;
	if (count > size)
		count = size;
	if (!count)
		return 0;
	memcpy(checks, findings->worst, count * sizeof(*checks));
	*extra -= count - 1;
	value = checks[count - 1].value;
	length = strlen(value);
	if (wanted > count)
		snprintf(value + length, sizeof(checks->value) - length, " (and %u more)", wanted - count);
	return count;
}

static void remember_scopes(struct doctor_past *past, const struct snapshot *snapshot)
{
	for (unsigned int i = 1; i <= snapshot->scopes_count && i <= AG_SCOPES_MAX; i++) {
		const struct snapshot_scope *scope = &snapshot->scopes[i];
		double rate = JUDGE_PPS_PER_ADDRESS * (double)scope->dark_addresses;
		double expected = rate * (double)(snapshot->time_ns - past->scope_time_ns[i]) / 1e9;

		/* A mark stays until enough packets were expected since to judge by, or a reload moved its
		 * prefixes. */
		if (past->valid && past->scope_time_ns[i] && expected < JUDGE_EXPECTED_AT_LEAST &&
		    past->scope_addresses[i] == scope->dark_addresses)
			continue;
		past->scope_addresses[i] = scope->dark_addresses;
		past->scope_time_ns[i] = snapshot->time_ns;
		past->scope_packets[i] = 0;
		for (size_t j = 0; j < AG_CLASS_MAX; j++)
			past->scope_packets[i] += scope->packets[j];
	}
}

static void remember(struct doctor_past *past, const struct judge_input *in)
{
	const struct snapshot *snapshot = in->snapshot;

	if (!in->past)
		memset(past, 0, sizeof(*past));
	if (snapshot) {
		remember_scopes(past, snapshot);
		past->begin_ns = snapshot->process_start_ns;
		past->dark = snapshot->totals.dark;
		past->arp_dark = snapshot->totals.outcome[AG_OUTCOME_ARP_DARK];
		past->src_dark = snapshot->totals.anomaly[AG_ANOMALY_SRC_DARK];
	}
	for (unsigned int i = 0; i < in->host->links_count; i++) {
		const struct host_link *link = &in->host->links[i];
		bool known;

		memcpy(past->interfaces[i].name, link->name, sizeof(link->name));
		past->interfaces[i].packets = link->packets;
		past->interfaces[i].lost = judge_lost(link->nic, link->nic_count, &known);
	}
	past->valid = true;
}

int doctor_run(const struct doctor_subject *subject, struct snapshot_check *checks, unsigned int size)
{
	struct judge_input in = {
		.config = subject->config, .snapshot = subject->snapshot, .plan = subject->plan};
	unsigned int extra = size > DOCTOR_CHECK_MAX ? size - DOCTOR_CHECK_MAX : 0, count = 0;
	const struct doctor_past *past = subject->past;
	struct host_facts host;
	struct findings *findings;
	int err;

	err = host_read(&host, subject->config, subject->snapshot);
	if (err)
		return err;
	findings = malloc(sizeof(*findings));
	if (!findings) {
		host_free(&host);
		return -ENOMEM;
	}
	in.host = &host;
	if (past && past->valid && (!in.snapshot || past->begin_ns == in.snapshot->process_start_ns))
		in.past = past;
	for (unsigned int i = 0; i < DOCTOR_CHECK_MAX && count < size; i++) {
		examine((enum doctor_check)i, &in, findings);
		count += report(findings, checks + count, size - count, &extra);
	}
	if (subject->past)
		remember(subject->past, &in);
	free(findings);
	host_free(&host);
	return (int)count;
}
