/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an engine has to provide behind engine.h. Private to user/engine/.
 */
#ifndef AIRGLOW_ENGINE_BACKEND_H
#define AIRGLOW_ENGINE_BACKEND_H

#include "engine/engine.h"
#include "engine/layout.h"
#include "engine/pins.h"
#include "engine/tables.h"

struct native;
struct kernel;
struct head; /* bpf/packet.h */

/* Plain memory and the stages in this process; one slice, replay only. */
int native_new(struct native **out, const struct table_sizes *sizes);
void native_free(struct native **native);
struct tables *native_tables(struct native *native);
int native_run(struct native *native, const struct ag_replay *replay, const uint8_t *bytes);
/* The pipeline of one frame whose head the caller filled (caplen, wirelen, bytes): the fuzzers bring their own.
 */
int native_pipeline(struct native *native, struct head *head);

/* What the program is told; a test may change it before the first frame. */
struct ag_rodata *native_rodata(struct native *native);
/* Hands on the messages of the frames so far. Returns how many there were. */
int native_wait(struct native *native, engine_message_fn *handler, void *arg);

/* Pinned books that a program is to go on with: a set, and what its map `abi` says. */
struct kernel_books {
	struct pins *pins;
	unsigned int set;
	struct ag_abi abi;
};

/* The BPF object, its maps mapped into this process: new ones, or those of pinned books (of the same sizes). */
int kernel_new(struct kernel **out, const struct table_sizes *sizes, bool replay,
	       const struct kernel_books *books, char *why, size_t why_size);
/* Pins the books as a new set; all or nothing. 0 or -errno. */
int kernel_pin(struct kernel *kernel, struct pins *pins, unsigned int set);
/* How many of the CPUs that are online have no slice in such books, and cannot get one. */
unsigned int kernel_slices_missing(const struct ag_abi *abi);
/* The layout of this program's own books. */
int kernel_layout(struct layout **out);
void kernel_free(struct kernel **kernel);
struct tables *kernel_tables(struct kernel *kernel);
int kernel_run(struct kernel *kernel, const struct ag_replay *replay, const uint8_t *bytes);
int kernel_wait(struct kernel *kernel, int timeout_ms, engine_message_fn *handler, void *arg);
void kernel_booked_cpus(const struct kernel *kernel, uint64_t bits[AG_CPUS_MAX / 64]);
int kernel_program_fd(const struct kernel *kernel);
int kernel_count_runs(struct kernel *kernel);
int kernel_runs(const struct kernel *kernel, uint64_t *runs);

#endif
