// SPDX-License-Identifier: GPL-2.0-only
/*
 * One interface over the two engines (engine.h).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/backend.h"

struct engine {
	enum engine_kind kind;
	struct native *native;
	struct kernel *kernel;
	struct tables *tables;
	struct books books;
};

/* One slice for every CPU that is online now; the CPUs beyond the bound share one. */
static unsigned int count_slices(const struct engine_options *options)
{
	long online = sysconf(_SC_NPROCESSORS_ONLN);

	if (options->replay || online < 1)
		return 1;
	return online > AG_SLICES_MAX ? AG_SLICES_MAX : (unsigned int)online;
}

static int open_backend(struct engine *engine, const struct engine_options *options,
			const struct table_sizes *sizes, char *why, size_t why_size)
{
	int err;

	if (options->kind == ENGINE_KERNEL) {
		err = kernel_new(&engine->kernel, sizes, options->replay, why, why_size);
		if (!err)
			engine->tables = kernel_tables(engine->kernel);
		return err;
	}
	err = native_new(&engine->native, sizes);
	if (err)
		snprintf(why, why_size, "not enough memory for the books");
	else
		engine->tables = native_tables(engine->native);
	return err;
}

int engine_open(struct engine **out, const struct engine_options *options, char *why, size_t why_size)
{
	struct table_sizes sizes = tables_size(options->plan, count_slices(options), options->memory_bytes);
	struct engine *engine;
	int err = tables_check(&sizes, options->memory_bytes, why, why_size);

	if (err)
		return err;
	engine = calloc(1, sizeof(*engine));
	if (!engine) {
		snprintf(why, why_size, "not enough memory");
		return -ENOMEM;
	}
	engine->kind = options->kind;
	err = open_backend(engine, options, &sizes, why, why_size);
	if (err) {
		engine_free(&engine);
		return err;
	}
	err = tables_write(engine->tables, 0, options->plan);
	if (err) {
		snprintf(why, why_size, "the tables are too small for the plan");
		engine_free(&engine);
		return err;
	}
	engine->tables->control->side = 0;
	engine->tables->control->epoch = 1;
	engine->books = tables_books(engine->tables);
	*out = engine;
	return 0;
}

void engine_free(struct engine **engine)
{
	if (!*engine)
		return;
	native_free(&(*engine)->native);
	kernel_free(&(*engine)->kernel);
	free(*engine);
	*engine = NULL;
}

const char *engine_name(const struct engine *engine)
{
	return engine->kind == ENGINE_KERNEL ? "kernel" : "native";
}

struct books *engine_books(struct engine *engine)
{
	return &engine->books;
}

void engine_booked_cpus(const struct engine *engine, uint64_t bits[AG_CPUS_MAX / 64])
{
	memset(bits, 0, AG_CPUS_MAX / 8);
	if (engine->kind == ENGINE_KERNEL)
		kernel_booked_cpus(engine->kernel, bits);
}

int engine_run(struct engine *engine, const struct ag_replay *replay, const uint8_t *bytes)
{
	if (engine->kind == ENGINE_KERNEL)
		return kernel_run(engine->kernel, replay, bytes);
	return native_run(engine->native, replay, bytes);
}

int engine_apply(struct engine *engine, const struct plan *plan, char *why, size_t why_size)
{
	unsigned int side = !engine->tables->control->side;
	int err = tables_write(engine->tables, side, plan);

	if (err) {
		snprintf(
			why, why_size,
			"the new dark prefixes need larger tables than were made at start; restart to use them");
		return err;
	}
	__atomic_store_n(&engine->tables->control->side, side, __ATOMIC_RELEASE);
	return 0;
}

int engine_wait(struct engine *engine, int timeout_ms, engine_message_fn *handler, void *arg)
{
	const struct timespec pause = {timeout_ms / 1000, timeout_ms % 1000 * 1000000L};

	if (engine->kind == ENGINE_KERNEL)
		return kernel_wait(engine->kernel, timeout_ms, handler, arg);
	if (nanosleep(&pause, NULL))
		return -errno;
	return native_wait(engine->native, handler, arg);
}

int engine_program_fd(const struct engine *engine)
{
	return engine->kind == ENGINE_KERNEL ? kernel_program_fd(engine->kernel) : -1;
}

int engine_count_runs(struct engine *engine)
{
	return engine->kind == ENGINE_KERNEL ? kernel_count_runs(engine->kernel) : -EOPNOTSUPP;
}

int engine_runs(const struct engine *engine, uint64_t *runs)
{
	return engine->kind == ENGINE_KERNEL ? kernel_runs(engine->kernel, runs) : -EOPNOTSUPP;
}
