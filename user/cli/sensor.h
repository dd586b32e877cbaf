/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a running sensor holds. Private to user/cli/: run.c starts and ends it, inherit.c gives it what earlier
 * processes left, refresh.c its own addresses as they change, reload.c another
 * configuration.
 */
#ifndef AIRGLOW_CLI_SENSOR_H
#define AIRGLOW_CLI_SENSOR_H

#include "base/options.h"
#include "cli/beat.h"
#include "cli/own.h"
#include "cli/watch.h"
#include "collect/carry.h"
#include "collect/collect.h"
#include "confine/confine.h"
#include "doctor/doctor.h"
#include "engine/attach.h"
#include "engine/engine.h"
#include "serve/serve.h"

/* In the order in which it is made. */
struct sensor {
	bool once;
	const struct options *options; /* of the command line, for a reload */
	struct config *config;
	struct confine_user user; /* who it is once it counts */
	int state_lock;
	struct layout *layout;
	struct pins *pins; /* with keep */
	bool pins_were_empty;
	struct carry *carry; /* what is gone on from; until the books have it */
	bool carry_is_pinned;
	unsigned int slots[AG_INTERFACES_MAX];		   /* of config->interfaces */
	struct ag_kept_interface known[AG_INTERFACES_MAX]; /* by slot, before anything of this sensor counted */
	/* By config->interfaces: the reason of the gap, if a program that should count there does not; or NULL.
	 */
	const char *gap_reasons[AG_INTERFACES_MAX];
	struct ag_interface links[AG_INTERFACES_MAX]; /* by slot */
	struct own_prefixes own;
	struct plan *plan;
	struct engine *engine;
	struct snapshot_box *box;
	struct feed *feed;
	struct attachment *attachments[AG_INTERFACES_MAX];
	struct collector *collector;
	struct serve *serve;
	struct doctor_past past;
	struct snapshot_check checks[SNAPSHOT_CHECKS_MAX]; /* the doctor's last report */
	unsigned int checks_count;
	struct watch *watch;
	int signal_fd, timer_fd, epoll_fd;
	uint64_t seconds;
	struct beat beat;
	bool refused; /* what changed under it could not be put in force */
	bool leave;   /* program and books stay when this process ends */
	char why[512];
};

/*
 * Before the plan is made: locks the state directory, opens the pins, finds out what totals are gone on from,
 * and numbers scopes and interfaces as they are numbered there. 0 or -errno with a sentence in s->why.
 */
int inherit_open(struct sensor *s);
/* The engine's: books that are begun where none are pinned begin with what was found. */
void inherit_begin(void *sensor, struct books *books);
/* Once the program writes the engine's books: what is gone on from is in them, and older books are gone. */
int inherit_finish(struct sensor *s);
/*
 * The state directory's file, if there is such a directory. clean: nothing is counted any more. False: it could
 * not be written, which is told in the log.
 */
bool inherit_save(struct sensor *s, bool clean);
/* The program is pinned no more; nor are the books. What a start that failed attached and pinned. */
void inherit_detach(struct sensor *s);
void inherit_clear(struct sensor *s);
void inherit_give_up(struct sensor *s);
/* The locks go. */
void inherit_close(struct sensor *s);

/* Once everything is open that needs rights, and before a thread runs. Told in the log. */
int give_up_rights(struct sensor *s);

/* Prefixes in force, with the addresses that the sensor's interfaces have now. */
int sensor_own(struct own_prefixes *out, const struct sensor *s, const struct config *config, char *why,
	       size_t why_size);
/* Prefixes in force to a plan with this sensor's interfaces as they are. */
int sensor_plan(struct plan **out, const struct sensor *s, const struct config *config,
		const struct own_prefixes *prefixes, char *why, size_t why_size);

/*
 * Own addresses and MACs as they are now come into force, if they differ or the interfaces changed. What is
 * refused is told once, and tried again the next time. 0, or the exit status to end with.
 */
int refresh(struct sensor *s, bool changed);

/* Reads the configuration again and puts in force what may change while the sensor runs. Told in the log. */
void reload(struct sensor *s);
/* The keys that differ and cannot change while the sensor runs, separated by commas. */
#define RELOAD_KEYS_BYTES 256
void reload_fixed(char keys[RELOAD_KEYS_BYTES], const struct config *a, const struct config *b);

#endif
