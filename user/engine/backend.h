/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an engine has to provide behind engine.h. Private to user/engine/.
 */
#ifndef AIRGLOW_ENGINE_BACKEND_H
#define AIRGLOW_ENGINE_BACKEND_H

#include "engine/engine.h"
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

/* The BPF object, its maps mapped into this process. */
int kernel_new(struct kernel **out, const struct table_sizes *sizes, bool replay, char *why, size_t why_size);
void kernel_free(struct kernel **kernel);
struct tables *kernel_tables(struct kernel *kernel);
int kernel_run(struct kernel *kernel, const struct ag_replay *replay, const uint8_t *bytes);
int kernel_wait(struct kernel *kernel, int timeout_ms, engine_message_fn *handler, void *arg);
void kernel_booked_cpus(const struct kernel *kernel, uint64_t bits[AG_CPUS_MAX / 64]);
int kernel_program_fd(const struct kernel *kernel);
int kernel_count_runs(struct kernel *kernel);
int kernel_runs(const struct kernel *kernel, uint64_t *runs);

#endif
