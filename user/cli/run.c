// SPDX-License-Identifier: GPL-2.0-only
/*
 * `airglow run`: the sensor's life. Start is a straight line, stop its mirror; between them one loop over
 * signals, a timer and changes of interfaces. Everything that can be refused is refused before the first
 * interface is touched.
 */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "base/notify.h"
#include "cli/cli.h"
#include "cli/sensor.h"
#include "cli/view.h"

#define DOCTOR_EVERY_S 20
#define DOCTOR_EARLY_S 5
#define SAVE_EVERY_S   60 /* totals, to the state directory */

static int check_kernel(struct sensor *s)
{
	CLEANUP(cleanup_file) FILE *file = fopen("/sys/kernel/realtime", "re");

	if (!file || fgetc(file) != '1')
		return 0;
	snprintf(
		s->why, sizeof(s->why),
		"this is a PREEMPT_RT kernel, where two packets may be booked at once on one CPU and counts be lost; "
		"run the sensor on a kernel without PREEMPT_RT");
	/* cppcheck-suppress resourceLeak ; it has a cleanup */
	return -EOPNOTSUPP;
}

int sensor_plan(struct plan **out, const struct sensor *s, const struct config *config,
		const struct own_prefixes *prefixes, char *why, size_t why_size)
{
	int err = plan_new(out, prefixes->list, prefixes->count, false, why, why_size);

	if (err)
		return err;
	memcpy((*out)->settings.interfaces, s->links, sizeof(s->links));
	config_write(config, &(*out)->settings);
	return 0;
}

int sensor_own(struct own_prefixes *out, const struct sensor *s, const struct config *config, char *why,
	       size_t why_size)
{
	uint32_t ifindex[AG_INTERFACES_MAX] = {};

	for (size_t i = 0; i < config->interfaces_count; i++)
		ifindex[i] = s->links[s->slots[i]].ifindex;
	return own_prefixes(out, config, ifindex, why, why_size);
}

/* As one that runs and whose host gets more addresses than fit. */
static int plan_what_fits(struct sensor *s)
{
	int err = -ENOSPC;
	size_t had = s->own.count;

	while (err == -ENOSPC && own_drop_last(&s->own, s->config))
		err = sensor_plan(&s->plan, s, s->config, &s->own, s->why, sizeof(s->why));
	if (!err)
		log_warnx("this host has too many addresses: %zu of them are not counted", had - s->own.count);
	return err;
}

/* The first plan, of the interfaces as they are now. */
static int make_plan(struct sensor *s)
{
	const struct config *config = s->config;
	struct own_prefixes none = {};
	/* As one that runs: an address that came meanwhile is taken out of what is dark. */
	bool goes_on = s->carry_is_pinned || s->carry->kept.id;
	int err = goes_on ? 0 : own_check(config, s->why, sizeof(s->why));

	for (size_t i = 0; i < config->interfaces_count && !err; i++)
		err = attach_describe(&s->links[s->slots[i]], config->interfaces[i].name,
				      config->interfaces[i].feed, s->why, sizeof(s->why));
	if (!err)
		err = sensor_own(&s->own, s, config, s->why, sizeof(s->why));
	if (err)
		return err;
	err = sensor_plan(&s->plan, s, config, &s->own, s->why, sizeof(s->why));
	if (err == -ENOSPC && goes_on)
		err = plan_what_fits(s);
	if (!err)
		own_tell(&none, &s->own, config);
	return err;
}

/* One that is refused must not find the others taken over already. */
static int check_interfaces(struct sensor *s)
{
	int err = 0;

	for (size_t i = 0; i < s->config->interfaces_count && !err; i++)
		err = attach_check(s->config->interfaces[i].name, s->pins, s->why, sizeof(s->why));
	return err;
}

static int open_engine(struct sensor *s)
{
	struct engine_options engine = {.kind = ENGINE_KERNEL,
					.plan = s->plan,
					.memory_bytes = s->config->memory_bytes,
					.pins = s->pins,
					.begin = inherit_begin,
					.begin_arg = s};
	int err = engine_open(&s->engine, &engine, s->why, sizeof(s->why));

	if (err)
		return err;
	s->feed = feed_new(&s->plan->settings);
	if (!s->feed || snapshot_box_new(&s->box)) {
		snprintf(s->why, sizeof(s->why), "not enough memory for the snapshots");
		return -ENOMEM;
	}
	return 0;
}

static int attach_one(struct sensor *s, size_t i)
{
	const struct config_interface *interface = &s->config->interfaces[i];
	const char *fallback;
	int err = attach_interface(&s->attachments[i], engine_program_fd(s->engine), interface->name,
				   interface->mode, s->pins, s->why, sizeof(s->why));

	if (err)
		return err;
	fallback = attach_fallback_reason(s->attachments[i]);
	if (fallback)
		log_warnx("%s; counting behind the driver (generic mode)", fallback);
	log_info("counting on %s, feed %s, %s mode", interface->name, config_feed_label(interface->feed),
		 attach_mode(s->attachments[i]));
	if (attach_ifindex(s->attachments[i]) == s->links[s->slots[i]].ifindex)
		return 0;
	snprintf(s->why, sizeof(s->why), "%s was replaced while the sensor started; start again",
		 interface->name);
	return -EAGAIN;
}

/* First what may be refused and can be undone, then the interfaces on which a kept program counts. */
static int attach_all(struct sensor *s)
{
	const struct config *config = s->config;
	int err = 0;

	for (size_t i = 0; i < config->interfaces_count && !err; i++)
		if (!attach_will_take_over(config->interfaces[i].name, config->interfaces[i].mode, s->pins))
			err = attach_one(s, i);
	for (size_t i = 0; i < config->interfaces_count && !err; i++)
		if (!s->attachments[i])
			err = attach_one(s, i);
	return err;
}

static int open_collector(struct sensor *s)
{
	struct collector_options options = {.engine = s->engine,
					    .plan = s->plan,
					    .config = s->config,
					    .box = s->box,
					    .feed = s->feed,
					    .live = true};
	int err = collector_new(&s->collector, &options, s->why, sizeof(s->why));

	for (size_t i = 0; i < s->config->interfaces_count && !err; i++) {
		const struct config_interface *interface = &s->config->interfaces[i];

		err = collector_add_interface(s->collector, interface->name, s->slots[i], interface->feed,
					      attach_mode(s->attachments[i]));
		if (err)
			snprintf(s->why, sizeof(s->why), "cannot watch %s: %s", interface->name,
				 strerror(-err));
	}
	return err;
}

static bool is_unwell(const struct snapshot_check *check)
{
	return check->state == SNAPSHOT_WARNING || check->state == SNAPSHOT_FAULT;
}

/* Was the same said in the last report? */
static bool was_told(const struct sensor *s, const struct snapshot_check *check)
{
	for (unsigned int i = 0; i < s->checks_count; i++) {
		const struct snapshot_check *before = &s->checks[i];

		if (!strcmp(before->name, check->name) && !strcmp(before->subject, check->subject))
			return before->state == check->state;
	}
	return false;
}

/* A check that is ok is so for each of its subjects: then nothing else is reported of it. */
static bool is_well_again(const struct snapshot_check *before, const struct snapshot_check *checks,
			  unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (!strcmp(checks[i].name, before->name))
			return checks[i].state == SNAPSHOT_OK;
	return false;
}

/* What has become unwell, and what is well again: once. */
static void tell_changes(const struct sensor *s, const struct snapshot_check *checks, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		if (is_unwell(&checks[i]) && !was_told(s, &checks[i]))
			view_log_check(&checks[i]);
	for (unsigned int i = 0; i < s->checks_count; i++)
		if (is_unwell(&s->checks[i]) && is_well_again(&s->checks[i], checks, count))
			log_info("doctor: %s%s%s: well again", s->checks[i].name,
				 *s->checks[i].subject ? " " : "", s->checks[i].subject);
}

/* Regularly; also early, since the report made at the start has seen no packet yet. */
static bool is_doctor_due(uint64_t before, uint64_t now)
{
	return (before < DOCTOR_EARLY_S && now >= DOCTOR_EARLY_S) ||
	       before / DOCTOR_EVERY_S != now / DOCTOR_EVERY_S;
}

/* The doctor's report into the snapshots; what has become unwell into the log. */
static void examine(struct sensor *s, const struct snapshot *snapshot)
{
	struct snapshot_check checks[SNAPSHOT_CHECKS_MAX];
	struct doctor_subject subject = {
		.config = s->config, .plan = s->plan, .snapshot = snapshot, .past = &s->past};
	int count = doctor_run(&subject, checks, SNAPSHOT_CHECKS_MAX);

	if (count < 0) {
		log_warnx("the doctor could not look at this host: %s", strerror(-count));
		return;
	}
	tell_changes(s, checks, (unsigned int)count);
	memcpy(s->checks, checks, (size_t)count * sizeof(checks[0]));
	s->checks_count = (unsigned int)count;
	collector_set_checks(s->collector, checks, (unsigned int)count);
}

/* The first snapshot is the doctor's, made before the collector's thread begins. */
static int start_collecting(struct sensor *s)
{
	struct snapshot *first = collector_snapshot(s->collector);
	int err;

	if (!first) {
		snprintf(s->why, sizeof(s->why), "not enough memory for a snapshot");
		return -ENOMEM;
	}
	first->time_ns = first->process_start_ns; /* attaching took time in which nothing could be expected */
	first->reach.seen_pps = -1;
	examine(s, first);
	if (!s->once)
		view_reach(stderr, &first->reach);
	snapshot_unref(&first);
	err = collector_start(s->collector);
	if (err)
		snprintf(s->why, sizeof(s->why), "cannot start the collector: %s", strerror(-err));
	return err;
}

static int start_serving(struct sensor *s)
{
	struct serve_options options = {
		.box = s->box, .sources = collector_sources(s->collector), .feed = s->feed};

	return s->once ? 0 : serve_start(s->serve, &options, s->why, sizeof(s->why));
}

static int add_fd(struct sensor *s, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (fd < 0)
		return fd;
	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

/* Signals are blocked before the first thread exists, so that the loop gets them all. */
static int open_loop(struct sensor *s)
{
	struct itimerspec second = {.it_value.tv_sec = 1, .it_interval.tv_sec = 1};
	sigset_t signals;
	int err = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	s->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	s->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->signal_fd < 0 || s->timer_fd < 0 || s->epoll_fd < 0 ||
	    timerfd_settime(s->timer_fd, 0, &second, NULL))
		err = -errno;
	if (!err)
		err = add_fd(s, s->signal_fd);
	if (!err)
		err = add_fd(s, s->timer_fd);
	if (err)
		snprintf(s->why, sizeof(s->why), "cannot watch signals and time: %s", strerror(-err));
	if (!err)
		err = watch_open(&s->watch, s->why, sizeof(s->why));
	return err ? err : add_fd(s, watch_fd(s->watch));
}

static void begin_watch(struct sensor *s)
{
	watch_begin(s->watch, &(struct watch_options){.config = s->config,
						      .links = s->links,
						      .slots = s->slots,
						      .collector = s->collector,
						      .attachments = s->attachments});
}

static int open_notify(struct sensor *s)
{
	int err = notify_open();

	if (err)
		snprintf(s->why, sizeof(s->why), "cannot reach the service manager at NOTIFY_SOCKET: %s",
			 strerror(-err));
	return err;
}

static int start(struct sensor *s)
{
	int err = check_kernel(s);

	if (!err)
		err = open_notify(s);
	if (!err)
		err = confine_user(&s->user, s->config->user, s->why, sizeof(s->why));
	if (!err && !s->once)
		err = serve_open(&s->serve, s->config, s->why, sizeof(s->why));
	if (!err)
		err = inherit_open(s);
	if (!err && s->config->netns)
		err = cli_enter_netns(s->config->netns, s->why, sizeof(s->why));
	if (!err)
		err = make_plan(s);
	if (!err)
		err = open_loop(s);
	if (!err)
		err = check_interfaces(s);
	if (!err)
		err = open_engine(s);
	if (!err)
		err = attach_all(s);
	if (!err)
		err = inherit_finish(s);
	if (!err)
		err = open_collector(s);
	if (!err)
		begin_watch(s);
	if (!err)
		err = give_up_rights(s);
	if (!err)
		err = start_collecting(s);
	if (!err)
		err = start_serving(s);
	if (!err)
		notify_ready();
	return err;
}

/* The mirror of start, also of a start that was given up half-way: first nothing counts any more, then it goes.
 */
static void stop(struct sensor *s)
{
	const int fds[] = {s->epoll_fd, s->timer_fd, s->signal_fd};

	if (s->serve)
		serve_stop(&s->serve);
	watch_free(&s->watch);
	for (size_t i = AG_INTERFACES_MAX; i > 0; i--)
		attach_free(&s->attachments[i - 1]);
	if (s->collector)
		collector_stop(s->collector);
	collector_free(&s->collector);
	snapshot_box_free(&s->box);
	feed_free(&s->feed);
	engine_free(&s->engine);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	plan_free(&s->plan);
	own_free(&s->own);
	inherit_close(s);
	config_free(&s->config);
	notify_close();
}

/*
 * The last word of a sensor that ran: what it counted, from its last snapshot. Its books go only once their
 * totals are safe; false: they are not.
 */
static bool tell_end(struct sensor *s)
{
	struct snapshot *last;
	bool safe;

	notify_stopping();
	if (!s->leave) {
		inherit_detach(s);
		for (size_t i = AG_INTERFACES_MAX; i > 0; i--)
			attach_free(&s->attachments[i - 1]);
	}
	collector_stop(s->collector);
	safe = inherit_save(s, !s->leave);
	if (!s->leave && safe)
		inherit_clear(s);
	else if (!s->leave && s->pins)
		log_warnx(
			"the books stay in %s, for their totals could not be saved; nothing is counted any more",
			s->config->pins);
	last = snapshot_latest(s->box);
	if (!last)
		return safe || s->leave;
	log_info(s->leave ? "stopped, the program goes on counting: "
			    "%llu packets received, %llu dark; imbalance L1 %llu, L2 %llu, L3 %llu"
			  : "stopped: %llu packets received, %llu dark; imbalance L1 %llu, L2 %llu, L3 %llu",
		 last->totals.received, last->totals.dark, last->imbalance[AG_LAW_L1],
		 last->imbalance[AG_LAW_L2], last->imbalance[AG_LAW_L3]);
	snapshot_unref(&last);
	return safe || s->leave;
}

static int print_once(struct sensor *s)
{
	struct snapshot *latest = snapshot_latest(s->box);
	json_t *summary = latest ? serve_summary(latest, collector_sources(s->collector), SOURCES_TOP) : NULL;
	int err = summary ? 0 : -ENOMEM;

	if (!err && (json_dumpf(summary, stdout, JSON_INDENT(1)) || putchar('\n') == EOF || fflush(stdout)))
		err = -EIO;
	if (err)
		log_warnx("cannot print the summary: %s", strerror(-err));
	json_decref(summary);
	snapshot_unref(&latest);
	return err;
}

/* -1: go on; else the exit status. */
static int on_signal(struct sensor *s)
{
	struct signalfd_siginfo info;

	if (read(s->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return -1;
	if (info.ssi_signo == SIGHUP) {
		notify_reloading();
		reload(s);
		notify_ready();
		return -1;
	}
	/* Ctrl-C is a person's, who wants nothing left. */
	s->leave = s->config->keep && info.ssi_signo != SIGINT;
	return CLI_OK;
}

static int look(struct sensor *s)
{
	bool changed = false;
	int status = watch_look(s->watch, &changed);

	return status ? status : refresh(s, changed);
}

static int on_second(struct sensor *s)
{
	uint64_t ticks;
	int status;

	if (read(s->timer_fd, &ticks, sizeof(ticks)) != (ssize_t)sizeof(ticks))
		return -1;
	s->seconds += ticks;
	if (s->once)
		return print_once(s) ? CLI_FAILED : CLI_OK;
	beat_second(&s->beat, s->seconds, s->box);
	if (s->seconds / SAVE_EVERY_S != (s->seconds - ticks) / SAVE_EVERY_S) {
		inherit_save(s, false);
		/* A summary of all ports takes 40 MB to write, which the allocator else keeps, once an arena.
		 */
		malloc_trim(0);
	}
	status = look(s);
	if (status)
		return status;
	/* Not in the first seconds, when the silence of a scope means nothing yet. */
	if ((s->seconds > DOCTOR_EARLY_S && watch_has_news(s->watch, s->seconds)) ||
	    is_doctor_due(s->seconds - ticks, s->seconds)) {
		struct snapshot *latest = snapshot_latest(s->box);

		if (latest)
			examine(s, latest);
		snapshot_unref(&latest);
	}
	return -1;
}

static int on_change(struct sensor *s)
{
	int status = look(s);

	return status ? status : -1;
}

/* Until something ends it: the exit status. */
static int loop(struct sensor *s)
{
	int status = -1;

	while (status < 0) {
		struct epoll_event event;
		int ready = epoll_wait(s->epoll_fd, &event, 1, -1);

		if (ready < 0 && errno != EINTR) {
			log_warn("cannot wait for events");
			return CLI_FAILED;
		}
		if (ready < 1)
			continue;
		if (event.data.fd == s->signal_fd)
			status = on_signal(s);
		else if (event.data.fd == s->timer_fd)
			status = on_second(s);
		else
			status = on_change(s);
	}
	return status;
}

static int run_sensor(struct config *config, const struct options *options)
{
	struct sensor *s = calloc(1, sizeof(*s));
	int status = CLI_FAILED;

	if (!s) {
		log_warn("cannot start");
		return CLI_FAILED;
	}
	s->config = config_ref(config);
	s->options = options;
	s->once = options_has(options, OPTION_ONCE);
	s->leave = config->keep; /* when an interface that is back asks for a new start */
	s->state_lock = s->signal_fd = s->timer_fd = s->epoll_fd = -1;
	if (start(s)) {
		log_warnx("%s", s->why);
		inherit_give_up(s);
	} else {
		inherit_save(s, false);
		status = loop(s);
		if (!tell_end(s) && status == CLI_OK)
			status = CLI_FAILED;
	}
	stop(s);
	free(s);
	return status;
}

static int print_config(const struct config *config)
{
	CLEANUP(cleanup_free) char *text = config_print(config);

	if (text && fputs(text, stdout) != EOF && !fflush(stdout))
		return CLI_OK;
	log_warnx("cannot print the configuration: %s", text ? "stdout takes no more" : "not enough memory");
	return CLI_FAILED;
}

int run_main(int argc, char **argv)
{
	struct options options;
	struct config *config = NULL;
	char why[512];
	int status, err;

	if (!cli_parse(&options, COMMAND_RUN, argc, argv, &status))
		return status;
	err = cli_config(&config, &options, why, sizeof(why));
	if (!err)
		err = config_check(config, true, why, sizeof(why));
	if (!err && options_has(&options, OPTION_CONFIG_CHECK))
		err = serve_check(config, why, sizeof(why));
	if (err) {
		log_warnx("%s", why);
		status = err == -ENOMEM ? CLI_FAILED : CLI_USAGE;
	} else if (options_has(&options, OPTION_PRINT_CONFIG)) {
		status = print_config(config);
	} else if (options_has(&options, OPTION_CONFIG_CHECK)) {
		log_info("the configuration is good: interfaces %zu, prefixes %zu, scopes %zu",
			 config->interfaces_count, config->prefixes_count, config->scopes_count);
		status = CLI_OK;
	} else {
		status = run_sensor(config, &options);
	}
	config_free(&config);
	options_fini(&options);
	return status;
}
