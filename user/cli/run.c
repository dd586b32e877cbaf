// SPDX-License-Identifier: GPL-2.0-only
/*
 * `airglow run`: the sensor's life. Start is a straight line, stop its mirror; between them one loop over
 * signals, a timer and changes of interfaces. Everything that can be refused is refused before the first
 * interface is touched.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <net/if.h>
#include <netinet/in.h>
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
#include "cli/beat.h"
#include "cli/cli.h"
#include "cli/links.h"
#include "cli/view.h"
#include "collect/collect.h"
#include "confine/confine.h"
#include "doctor/doctor.h"
#include "engine/attach.h"
#include "engine/engine.h"
#include "serve/serve.h"

#define DOCTOR_EVERY_S 20
#define DOCTOR_EARLY_S 5

/* What a sensor holds, in the order in which it is made. */
struct sensor {
	bool once;
	const struct config *config;
	const char *config_file; /* NULL: none */
	struct confine_user user;
	int listen_fd;
	struct plan *plan;
	struct engine *engine;
	struct snapshot_box *box;
	struct feed *feed;
	struct collector *collector;
	struct attachment *attachments[AG_INTERFACES_MAX];
	bool gone[AG_INTERFACES_MAX]; /* vanished while we ran */
	struct serve *serve;
	struct doctor_past past;
	struct snapshot_check checks[SNAPSHOT_CHECKS_MAX]; /* the doctor's last report */
	unsigned int checks_count;
	int signal_fd, timer_fd, links_fd, epoll_fd;
	uint64_t seconds;
	struct beat beat;
	bool links_changed; /* since the last second */
	char why[512];
};

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

static int check_state(struct sensor *s)
{
	int err;

	if (!s->config->state)
		return 0;
	err = confine_own_directory(s->config->state, &s->user, s->why, sizeof(s->why));
	if (err)
		return err;
	log_warnx("%s: this version does not write records yet, the figures last as long as the sensor runs",
		  s->config->state);
	return 0;
}

/* A dropping feed takes what is sent to dark addresses away from this host: its own must not be among them. */
static int check_own_addresses(struct sensor *s)
{
	struct ifaddrs *list = NULL;
	char address[INET6_ADDRSTRLEN];
	uint32_t index;
	bool drops = false;
	int err = 0;

	for (size_t i = 0; i < s->config->interfaces_count; i++)
		drops = drops || config_feed_drops(s->config->interfaces[i].feed);
	if (!drops || getifaddrs(&list))
		return 0;
	for (const struct ifaddrs *at = list; at && !err; at = at->ifa_next) {
		const struct sockaddr_in *v4 = (const void *)at->ifa_addr;
		const struct sockaddr_in6 *v6 = (const void *)at->ifa_addr;
		bool dark = false;

		if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET)
			dark = plan_lookup4(s->plan, ntohl(v4->sin_addr.s_addr), &index);
		else if (at->ifa_addr && at->ifa_addr->sa_family == AF_INET6)
			dark = plan_lookup6(s->plan, v6->sin6_addr.s6_addr);
		if (!dark)
			continue;
		if (at->ifa_addr->sa_family == AF_INET)
			inet_ntop(AF_INET, &v4->sin_addr, address, sizeof(address));
		else
			inet_ntop(AF_INET6, &v6->sin6_addr, address, sizeof(address));
		snprintf(
			s->why, sizeof(s->why),
			"%s is an address of this host (%s) inside a dark prefix, and the feed would drop its packets; "
			"take it out with --live %s or use --feed observe",
			address, at->ifa_name, address);
		err = -EADDRINUSE;
	}
	freeifaddrs(list);
	return err;
}

static int make_plan(struct sensor *s)
{
	const struct config *config = s->config;
	int err = plan_new(&s->plan, config->prefixes, config->prefixes_count, false, s->why, sizeof(s->why));

	if (err)
		return err;
	for (size_t i = 0; i < config->interfaces_count && !err; i++)
		err = attach_describe(&s->plan->settings.interfaces[i], config->interfaces[i].name,
				      config->interfaces[i].feed, s->why, sizeof(s->why));
	if (err)
		return err;
	config_write(config, &s->plan->settings);
	return check_own_addresses(s);
}

static int open_engine(struct sensor *s)
{
	struct engine_options engine = {
		.kind = ENGINE_KERNEL, .plan = s->plan, .memory_bytes = s->config->memory_bytes};
	struct collector_options collector = {.plan = s->plan, .config = s->config, .live = true};
	int err = engine_open(&s->engine, &engine, s->why, sizeof(s->why));

	if (err)
		return err;
	s->feed = feed_new(&s->plan->settings);
	if (!s->feed || snapshot_box_new(&s->box)) {
		snprintf(s->why, sizeof(s->why), "not enough memory for the snapshots");
		return -ENOMEM;
	}
	collector.engine = s->engine;
	collector.box = s->box;
	collector.feed = s->feed;
	return collector_new(&s->collector, &collector, s->why, sizeof(s->why));
}

static int attach_all(struct sensor *s)
{
	for (size_t i = 0; i < s->config->interfaces_count; i++) {
		const struct config_interface *interface = &s->config->interfaces[i];
		const char *fallback, *mode;
		int err = attach_interface(&s->attachments[i], engine_program_fd(s->engine), interface->name,
					   interface->mode, s->why, sizeof(s->why));

		if (err)
			return err;
		mode = attach_mode(s->attachments[i]);
		fallback = attach_fallback_reason(s->attachments[i]);
		if (fallback)
			log_warnx("%s; counting behind the driver (generic mode)", fallback);
		log_info("counting on %s, feed %s, %s mode", interface->name,
			 config_feed_label(interface->feed), mode);
		err = collector_add_interface(s->collector, interface->name, interface->feed, mode);
		if (err) {
			snprintf(s->why, sizeof(s->why), "cannot watch %s: %s", interface->name,
				 strerror(-err));
			return err;
		}
	}
	return 0;
}

/* Everything is open that needs rights, and no thread runs yet. What is read again is read as the user. */
static int give_up_rights(struct sensor *s)
{
	struct confine_directories directories = {};
	char done[256];
	int err;

	confine_add_writable(&directories, s->config->state);
	confine_add_readable(&directories, s->config_file);
	err = confine_enter(&s->user, &directories, done, sizeof(done), s->why, sizeof(s->why));
	if (err)
		return err;
	log_info("%s", done);
	if (s->config_file && access(s->config_file, R_OK))
		log_warn("the user %s cannot read %s: it will not be read again", s->user.name, s->config_file);
	return 0;
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
	for (int i = 0; i < count; i++)
		if (is_unwell(&checks[i]) && !was_told(s, &checks[i]))
			view_log_check(&checks[i]);
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
	first->time_ns = first->start_ns; /* attaching took time in which nothing could be expected */
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
	int fd = s->listen_fd, err;

	if (s->once)
		return 0;
	s->listen_fd = -1;
	err = serve_start(&s->serve, fd, &options, s->why, sizeof(s->why));
	if (!err)
		log_info("serving http://%s/metrics", s->config->listen);
	return err;
}

static int watch_fd(struct sensor *s, int fd)
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
	s->links_fd = links_watch();
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->signal_fd < 0 || s->timer_fd < 0 || s->epoll_fd < 0 ||
	    timerfd_settime(s->timer_fd, 0, &second, NULL))
		err = -errno;
	if (!err)
		err = watch_fd(s, s->signal_fd);
	if (!err)
		err = watch_fd(s, s->timer_fd);
	if (!err)
		err = watch_fd(s, s->links_fd);
	if (err)
		snprintf(s->why, sizeof(s->why), "cannot watch signals, time and interfaces: %s",
			 strerror(-err));
	return err;
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
	if (!err)
		err = check_state(s);
	if (!err && !s->once)
		err = serve_listen(&s->listen_fd, s->config->listen, s->why, sizeof(s->why));
	if (!err && s->config->netns)
		err = cli_enter_netns(s->config->netns, s->why, sizeof(s->why));
	if (!err)
		err = make_plan(s);
	if (!err)
		err = open_loop(s);
	if (!err)
		err = open_engine(s);
	if (!err)
		err = attach_all(s);
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
	const int fds[] = {s->epoll_fd, s->links_fd, s->timer_fd, s->signal_fd, s->listen_fd};

	if (s->serve)
		serve_stop(&s->serve);
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
	notify_close();
}

/* The last word of a sensor that ran: what it counted, from its last snapshot. */
static void tell_end(struct sensor *s)
{
	struct snapshot *last;

	notify_stopping();
	for (size_t i = AG_INTERFACES_MAX; i > 0; i--)
		attach_free(&s->attachments[i - 1]);
	collector_stop(s->collector);
	last = snapshot_latest(s->box);
	if (!last)
		return;
	log_info("stopped: %llu packets received, %llu dark; imbalance L1 %llu, L2 %llu, L3 %llu",
		 last->totals.received, last->totals.dark, last->imbalance[AG_LAW_L1],
		 last->imbalance[AG_LAW_L2], last->imbalance[AG_LAW_L3]);
	snapshot_unref(&last);
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
	if (info.ssi_signo != SIGHUP)
		return CLI_OK;
	log_warnx(
		"SIGHUP: this version does not read its configuration again while it runs; restart it to use a changed one");
	return -1;
}

/* `looped` compares with the interface's own MAC: one that was changed is put in force by the other side. */
static void follow_macs(struct sensor *s)
{
	bool changed = false;

	for (size_t i = 0; i < s->config->interfaces_count; i++) {
		const struct config_interface *interface = &s->config->interfaces[i];
		struct ag_interface *slot = &s->plan->settings.interfaces[i], now = *slot;

		if (s->gone[i] ||
		    attach_describe(&now, interface->name, interface->feed, s->why, sizeof(s->why)) ||
		    now.ifindex != slot->ifindex || !memcmp(&now, slot, sizeof(now)))
			continue;
		*slot = now;
		changed = true;
		log_info("%s has another MAC address now", interface->name);
	}
	if (changed && engine_apply(s->engine, s->plan, s->why, sizeof(s->why)))
		log_warnx("%s", s->why);
}

static int on_second(struct sensor *s)
{
	uint64_t ticks;

	if (read(s->timer_fd, &ticks, sizeof(ticks)) != (ssize_t)sizeof(ticks))
		return -1;
	s->seconds += ticks;
	beat_second(&s->beat, s->seconds, s->box);
	if (s->once)
		return print_once(s) ? CLI_FAILED : CLI_OK;
	if (s->links_changed)
		follow_macs(s);
	/* Not in the first seconds, when the silence of a scope means nothing yet. */
	if ((s->links_changed && s->seconds > DOCTOR_EARLY_S) ||
	    is_doctor_due(s->seconds - ticks, s->seconds)) {
		struct snapshot *latest = snapshot_latest(s->box);

		if (latest)
			examine(s, latest);
		snapshot_unref(&latest);
		s->links_changed = false;
	}
	return -1;
}

/*
 * An interface that goes takes its program along: its coverage has a gap. When its name is there again, the
 * service manager is to start us anew; also when nothing is left to count on.
 */
static int on_links(struct sensor *s)
{
	size_t left = 0;

	links_drain(s->links_fd);
	s->links_changed = true;
	for (size_t i = 0; i < s->config->interfaces_count; i++) {
		const char *name = s->config->interfaces[i].name;
		char now[IF_NAMESIZE];

		if (s->gone[i] && if_nametoindex(name)) {
			log_warnx("%s is back; exit status %d asks to be started again", name, CLI_RESTART);
			return CLI_RESTART;
		}
		if (!s->gone[i] && !if_indextoname(attach_ifindex(s->attachments[i]), now)) {
			log_warnx("%s is gone: nothing is counted there until it is back", name);
			s->gone[i] = true;
			collector_set_present(s->collector, name, false);
		}
		left += !s->gone[i];
	}
	if (left)
		return -1;
	log_warnx("no interface is left; exit status %d asks to be started again", CLI_RESTART);
	return CLI_RESTART;
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
			status = on_links(s);
	}
	return status;
}

static int run_sensor(const struct config *config, const char *config_file, bool once)
{
	struct sensor *s = calloc(1, sizeof(*s));
	int status = CLI_FAILED;

	if (!s) {
		log_warn("cannot start");
		return CLI_FAILED;
	}
	s->config = config;
	s->config_file = config_file;
	s->once = once;
	s->listen_fd = s->signal_fd = s->timer_fd = s->links_fd = s->epoll_fd = -1;
	if (start(s)) {
		log_warnx("%s", s->why);
	} else {
		status = loop(s);
		tell_end(s);
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
		status = run_sensor(config, options_text(&options, OPTION_CONFIG, NULL),
				    options_has(&options, OPTION_ONCE));
	}
	config_free(&config);
	options_fini(&options);
	return status;
}
