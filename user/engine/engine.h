/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One packet pipeline with its books, run by the kernel (BPF) or in this process (native). Both are compiled
 * from the same headers in bpf/. An engine does not know where frames come from, nor what the figures mean.
 */
#ifndef AIRGLOW_ENGINE_ENGINE_H
#define AIRGLOW_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "airglow/abi.h"
#include "engine/books.h"
#include "engine/pins.h"
#include "engine/plan.h"

struct engine;

enum engine_kind { ENGINE_NATIVE, ENGINE_KERNEL };

struct engine_options {
	enum engine_kind kind;
	bool replay;	       /* frames come from engine_run(), one slice, packet time */
	struct plan *plan;     /* what is dark; sizes follow from it. Pages are given anew in pinned books */
	uint64_t memory_bytes; /* bound for all maps together; 0: none */
	struct pins *pins; /* where the books are pinned, and gone on with; NULL: they end with the engine */
	/* What new books begin with when none are pinned; before these are: who finds them finds it in them. */
	void (*begin)(void *arg, struct books *books);
	void *begin_arg;
};

/*
 * Opens an engine and puts the plan in force. Returns 0 or -errno with one sentence in why (naming the thing
 * and the remedy). The plan is not kept.
 */
int engine_open(struct engine **out, const struct engine_options *options, char *why, size_t why_size);
void engine_free(struct engine **engine);

/* The label of JSON: "native" or "kernel". */
const char *engine_name(const struct engine *engine);
struct books *engine_books(struct engine *engine);
/* The CPUs that have a slice of their own, a bit each; none in replay. */
void engine_booked_cpus(const struct engine *engine, uint64_t bits[AG_CPUS_MAX / 64]);

/*
 * Runs one frame (replay engines only). bytes has caplen bytes, wirelen is its length on the wire.
 * Returns the XDP verdict or -errno.
 */
int engine_run(struct engine *engine, const struct ag_replay *replay, const uint8_t *bytes);

/*
 * Puts another plan in force by the other side of the settings; its pages become those that the tables have for
 * the same addresses. -ENOSPC: the plan needs larger tables. A packet sees the old plan or the new one, whole.
 */
int engine_apply(struct engine *engine, struct plan *plan, char *why, size_t why_size);

/*
 * With pins: does the engine go on with pinned books (true), or were new ones begun, perhaps beside older ones?
 * Its set in the pins. Once the program is attached, engine_inherit_seen takes over which addresses the older
 * books saw; their counts are carry_inherit's (collect/carry.h).
 */
/* The plan that was in force when the engine found pinned books is so again: of a start that was given up. */
void engine_put_back(struct engine *engine);
bool engine_is_resumed(const struct engine *engine);
unsigned int engine_set(const struct engine *engine);
void engine_inherit_seen(struct engine *engine, const struct plan *plan, struct pins *pins);
/* When a process last began an interval in pinned books that this engine found, CLOCK_MONOTONIC; 0: never. */
uint64_t engine_read_ns(const struct engine *engine);

/*
 * Waits up to timeout_ms for messages of the program (enum ag_message_kind, the first word of each) and hands
 * them on one by one; handler may be NULL. Returns how many there were, or -errno.
 */
typedef void engine_message_fn(void *arg, const void *message, size_t bytes);
int engine_wait(struct engine *engine, int timeout_ms, engine_message_fn *handler, void *arg);

/* File descriptor of the BPF program, or -1 (native). Owned by the engine. */
int engine_program_fd(const struct engine *engine);

/* How often the kernel ran the program, if statistics were on (engine_count_runs before the first frame). */
int engine_count_runs(struct engine *engine);
int engine_runs(const struct engine *engine, uint64_t *runs);

#endif
