// SPDX-License-Identifier: GPL-2.0-only
/*
 * One interface over the two engines (engine.h).
 */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine/backend.h"
#include "engine/grace.h"
#include "engine/resume.h"

struct engine {
	enum engine_kind kind;
	struct native *native;
	struct kernel *kernel;
	struct tables *tables;
	struct books books;
	bool replay;
	bool resumed;	       /* on books that were pinned */
	bool beside;	       /* these were begun beside pinned ones */
	unsigned int set;      /* of the pins */
	uint32_t epoch_before; /* of the newest of those */
	uint64_t read_ns;      /* engine_read_ns */
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
			const struct table_sizes *sizes, const struct kernel_books *books, char *why,
			size_t why_size)
{
	int err;

	if (options->kind == ENGINE_KERNEL) {
		err = kernel_new(&engine->kernel, sizes, options->replay, books, why, why_size);
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

/* What the plan needs; room for reloads only where the memory allows it. */
static int choose_sizes(struct table_sizes *sizes, const struct engine_options *options, char *why,
			size_t why_size)
{
	unsigned int slices = count_slices(options);

	if (!options->replay) {
		*sizes = tables_size(options->plan, slices, options->memory_bytes, true);
		if (!tables_check(sizes, options->memory_bytes, why, why_size))
			return 0;
	}
	*sizes = tables_size(options->plan, slices, options->memory_bytes, false);
	return tables_check(sizes, options->memory_bytes, why, why_size);
}

static void clear_page(void *arg, uint32_t page)
{
	struct tables *t = arg;
	unsigned int i;

	memset(&t->seen[page], 0, sizeof(t->seen[page]));
	for (i = 0; i < 2 * t->sizes.promoted; i++)
		memset(&t->reached[(size_t)i * t->sizes.pages + page], 0, sizeof(t->reached[0]));
}

static struct plan *plan_in_force(const struct tables *t)
{
	unsigned int side = t->control->side & 1;

	return plan_of_tables(&t->settings[side], &t->scope16[side], &t->blocks[(size_t)side * t->sizes.blocks],
			      t->sizes.blocks, &t->splits[(size_t)side * t->sizes.splits], t->sizes.splits);
}

int engine_apply(struct engine *engine, struct plan *plan, char *why, size_t why_size)
{
	struct tables *t = engine->tables;
	struct plan *before = plan_in_force(t);
	unsigned int side = !t->control->side;
	int err = before ? 0 : -ENOMEM;

	/* First: what is refused leaves the pages of the plan in force as they are. */
	if (!err && !tables_fit(t, plan))
		err = -ENOSPC;
	if (!err)
		err = plan_keep_pages(plan, before, t->sizes.pages, clear_page, t);
	plan_free(&before);
	if (!err && engine->kind == ENGINE_KERNEL && !engine->replay)
		grace_wait(); /* for who still reads this side since the apply before */
	if (!err)
		err = tables_write(t, side, plan);
	if (err == -ENOMEM)
		snprintf(why, why_size, "not enough memory to change the dark prefixes");
	else if (err)
		snprintf(
			why, why_size,
			"the new dark prefixes need larger tables than were made at start; restart to use them");
	if (err)
		return err;
	__atomic_store_n(&t->control->side, side, __ATOMIC_RELEASE);
	return 0;
}

/* New books begin with the plan in force, and an epoch that earlier ones have not reached. */
static int begin_books(struct engine *engine, const struct engine_options *options, char *why, size_t why_size)
{
	struct tables *t = engine->tables;
	int err = tables_write(t, 0, options->plan);

	if (err) {
		snprintf(why, why_size, "the tables are too small for the plan");
		return err;
	}
	t->control->side = 0;
	t->control->epoch = engine->beside ? engine->epoch_before + 2 : 1;
	t->collected->told[0].epoch = t->control->epoch - 1;
	t->abi->complete = !engine->beside;
	if (options->begin && !engine->beside) {
		struct books books = tables_books(t);

		options->begin(options->begin_arg, &books);
	}
	if (options->pins) {
		err = kernel_pin(engine->kernel, options->pins, engine->set);
		if (err)
			snprintf(why, why_size, "cannot pin the books in %s: %s", pins_directory(options->pins),
				 strerror(-err));
	}
	return err;
}

static bool is_same_promotion(const struct ag_settings *a, const struct ag_settings *b)
{
	return a->promoted_slots == b->promoted_slots &&
	       !memcmp(&a->promoted, &b->promoted, sizeof(a->promoted));
}

/*
 * Can the books that are pinned go on as they are? Else new ones are begun beside them, and what the old ones
 * counted is carried over once the program writes the new ones. Where that was not finished the newest go on,
 * too, and it is done then: starts that fail do not pile up books.
 */
static bool goes_on(const struct resume *r, const struct table_sizes *wanted, const struct plan *plan)
{
	const struct ag_abi *abi = &r->abi;

	return r->usable && abi->blocks >= plan->blocks_used && abi->splits >= plan->splits_used &&
	       abi->pages >= plan->pages_used && abi->flow_sets == wanted->flow_sets &&
	       abi->visits == wanted->visits && abi->promoted == wanted->promoted &&
	       is_same_promotion(&r->settings, &plan->settings) && !kernel_slices_missing(abi);
}

/* Nobody has read books whose carry is not done: those before them tell. */
static uint64_t older_read_ns(struct pins *pins, const struct resume *newest)
{
	struct resume *r = malloc(sizeof(*r));
	uint64_t read_ns = 0;
	char why[256];

	if (!r)
		return 0;
	*r = *newest;
	while (!read_ns && !resume_look(r, pins, r->set, why, sizeof(why)) && r->found)
		read_ns = r->began_ns;
	free(r);
	return read_ns;
}

static int open_pinned(struct engine *engine, const struct engine_options *options, struct table_sizes *sizes,
		       char *why, size_t why_size)
{
	struct resume *r = calloc(1, sizeof(*r));
	int err = r ? resume_look(r, options->pins, UINT_MAX, why, why_size) : -ENOMEM;

	if (!r)
		snprintf(why, why_size, "not enough memory");
	if (err)
		goto out;
	engine->set = r->set;
	engine->read_ns = r->began_ns;
	if (r->found && !r->abi.complete)
		engine->read_ns = older_read_ns(options->pins, r);
	if (r->found && goes_on(r, sizes, options->plan)) {
		struct kernel_books books = {.pins = options->pins, .set = r->set, .abi = r->abi};

		*sizes = resume_sizes(&r->abi);
		engine->resumed = true;
		err = open_backend(engine, options, sizes, &books, why, why_size);
		if (!err)
			err = engine_apply(engine, options->plan, why, why_size);
		goto out;
	}
	if (r->found) {
		engine->set = r->set + 1;
		engine->beside = true;
		engine->epoch_before = r->epoch;
	}
	err = open_backend(engine, options, sizes, NULL, why, why_size);
	if (!err)
		err = begin_books(engine, options, why, why_size);
out:
	free(r);
	return err;
}

int engine_open(struct engine **out, const struct engine_options *options, char *why, size_t why_size)
{
	struct table_sizes sizes;
	struct engine *engine;
	int err = choose_sizes(&sizes, options, why, why_size);

	if (err)
		return err;
	engine = calloc(1, sizeof(*engine));
	if (!engine) {
		snprintf(why, why_size, "not enough memory");
		return -ENOMEM;
	}
	engine->kind = options->kind;
	engine->replay = options->replay;
	if (options->pins) {
		err = open_pinned(engine, options, &sizes, why, why_size);
	} else {
		err = open_backend(engine, options, &sizes, NULL, why, why_size);
		if (!err)
			err = begin_books(engine, options, why, why_size);
	}
	if (err) {
		engine_free(&engine);
		return err;
	}
	engine->books = tables_books(engine->tables);
	*out = engine;
	return 0;
}

void engine_put_back(struct engine *engine)
{
	struct ag_control *control = engine->tables->control;

	if (engine->resumed)
		__atomic_store_n(&control->side, !control->side, __ATOMIC_RELEASE);
}

bool engine_is_resumed(const struct engine *engine)
{
	return engine->resumed;
}

unsigned int engine_set(const struct engine *engine)
{
	return engine->set;
}

uint64_t engine_read_ns(const struct engine *engine)
{
	return engine->read_ns;
}

void engine_inherit_seen(struct engine *engine, const struct plan *plan, struct pins *pins)
{
	struct resume *r = calloc(1, sizeof(*r));
	unsigned int below = engine->set;
	char why[256];

	/* Newest first: what is known already is later. */
	while (r && !resume_look(r, pins, below, why, sizeof(why)) && r->found) {
		if (r->usable)
			resume_seen(r, pins, engine->tables, plan);
		below = r->set;
	}
	free(r);
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
