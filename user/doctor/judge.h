/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The judgement on the facts: each function looks at one check and one subject, and writes state, value and
 * remedy. Pure: no system call, so that every fault can be made in a table of tests.
 *
 * A remedy is a shell command, as it can be pasted; what no command can do stands behind a '#'.
 */
#ifndef AIRGLOW_DOCTOR_JUDGE_H
#define AIRGLOW_DOCTOR_JUDGE_H

#include <stddef.h>
#include <stdint.h>

#include "doctor/doctor.h"
#include "doctor/host.h"

struct judge_input {
	const struct host_facts *host;
	const struct config *config;
	const struct snapshot *snapshot; /* NULL: no sensor runs, or not ours to ask */
	const struct plan *plan;	 /* what is dark now; NULL: no sensor of this process */
	const struct doctor_past *past;	 /* valid, of the same sensor; else NULL */
};

/* What a check is asked about, once each. */
enum judge_subject { JUDGE_HOST, JUDGE_INTERFACE, JUDGE_PREFIX, JUDGE_SCOPE };

/* index: of the interface in the facts, of the prefix in the configuration, of the scope from 0; 0 for the
 * host. */
typedef void judge_function(const struct judge_input *in, size_t index, struct snapshot_check *out);

enum judge_subject judge_subject_of(enum doctor_check check);
/* A result with nothing but the check's label in it. */
void judge_name(enum doctor_check check, struct snapshot_check *out);
/* Judges one check of one subject; out is cleared first. */
void judge_run(enum doctor_check check, const struct judge_input *in, size_t index, struct snapshot_check *out);

/* Packets that an address gets a second: NICTER 2025 (domain.md). */
#define JUDGE_PPS_PER_ADDRESS 0.0794
/* None of so many expected packets is no chance (e^-20). */
#define JUDGE_EXPECTED_AT_LEAST 20.0

/* For the judge_*.c files: the mode a program runs in, or will. */
enum judge_mode { JUDGE_MODE_OPEN, JUDGE_MODE_NATIVE, JUDGE_MODE_GENERIC };
enum judge_mode judge_mode_of(const struct judge_input *in, size_t interface);
const struct snapshot_interface *judge_interface(const struct judge_input *in, const char *name);
bool judge_feed_drops(enum ag_feed feed);
/* Is an address dark by the configuration: does the longest prefix that covers it have a scope? */
bool judge_is_dark(const struct config *config, const struct prefix *address);
/* An address without its length. text: PREFIX_TEXT_BYTES. */
const char *judge_address_text(const struct prefix *address, char *text);
/* A name as a word of a shell command: quoted if it has to be. word: JUDGE_WORD_TEXT bytes. */
#define JUDGE_WORD_TEXT 40
const char *judge_word(const char *name, char *word);

void judge_say(struct snapshot_check *out, enum snapshot_state state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void judge_cure(struct snapshot_check *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Lost before XDP, by the counters that are known; *known: there is such a counter. */
uint64_t judge_lost(const struct snapshot_nic_counter *counters, unsigned int count, bool *known);

judge_function judge_link, judge_xdp_program, judge_xdp_mode, judge_promiscuous, judge_vlan_strip, judge_lro,
	judge_gro, judge_veth_peer, judge_rx_ring, judge_nic_drops, judge_queues, judge_mtu;
judge_function judge_own_address, judge_route_local, judge_route_forward, judge_neighbour;
judge_function judge_silent, judge_live_hosts, judge_clock, judge_kernel, judge_cpus;

#endif
