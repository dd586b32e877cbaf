/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The figures that a sensor's books stand for, away from their maps: from books that another program left
 * behind in any layout, from the file in the state directory, and into new books, which go on from there.
 * Totals never go back; what nobody can tell any more is in told.lost[AG_LOST_RESTART].
 */
#ifndef AIRGLOW_COLLECT_CARRY_H
#define AIRGLOW_COLLECT_CARRY_H

#include <stdbool.h>
#include <stdint.h>

#include "airglow/keep.h"
#include "engine/books.h"
#include "engine/layout.h"
#include "engine/pins.h"

struct carry {
	struct ag_carried carried;
	struct ag_told told;
	struct ag_kept kept;
};

/* All zero; NULL without memory. free() it. */
struct carry *carry_new(void);

/*
 * What the books stand for now: what they carried and what they counted. The packets of intervals that are not
 * closed become lost{restart} in it, for no later reader will find their records.
 */
void carry_of_books(struct carry *out, const struct books *books);
/* New books begin with it; they may be in use already. */
void carry_into_books(const struct carry *carry, struct books *books);

/*
 * What pinned books before `set` stand for, all of them together; nobody may write them any more. -ENOENT:
 * there are none. own: this program's layout.
 */
int carry_of_pins(struct carry *out, const struct pins *pins, unsigned int set, const struct layout *own);
/* Of the newest books too: what `detach` saves. */
int carry_of_all_pins(struct carry *out, const struct pins *pins, const struct layout *own);

/*
 * The file DIRECTORY/books.json. clean: the sensor ended and did not leave its program counting. 0 or -errno
 * with a sentence in why.
 */
int carry_save(const struct carry *carry, const char *directory, const struct layout *own, bool clean,
	       char *why, size_t why_size);
/*
 * Reads it, and adds the time since it was written as a gap. -ENOENT: there is none. -EINVAL: it is damaged or
 * of a later format.
 */
int carry_load(struct carry *out, const char *directory, const struct layout *own, char *why, size_t why_size);
/* The text of the file, for carry_load. */
int carry_parse(struct carry *out, const struct layout *own, const char *text, size_t length);

/* Notes a gap that is over: subject an interface or "" (everything). */
void carry_add_gap(struct ag_kept *kept, const char *subject, const char *reason, int64_t from_ns,
		   int64_t to_ns);

#endif
