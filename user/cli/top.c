// SPDX-License-Identifier: GPL-2.0-only
/*
 * `airglow top`: rates of a running sensor, from two summaries and the time between them. Plain ANSI sequences,
 * on the alternate screen, so that the terminal is as it was when we leave.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/top_sources.h"
#include "cli/view.h"

#define EVERY_MS 1000
#define ROWS_MAX 64

enum view { VIEW_FIGURES, VIEW_SOURCES }; /* in the order of the words of --by */

/* Two summaries and the seconds between them. */
struct pair {
	json_t *before, *now;
	struct timespec asked;
	double seconds;
};

/* A line of a table: a name and its rate. */
struct row {
	char name[40];
	double rate;
	uint64_t count;
};

static double rate_of(const struct pair *pair, uint64_t before, uint64_t now)
{
	return now > before && pair->seconds > 0 ? (double)(now - before) / pair->seconds : 0;
}

static const json_t *walk(const json_t *object, const char *outer, const char *inner)
{
	object = json_object_get(object, outer);
	return inner ? json_object_get(object, inner) : object;
}

static int compare_rows(const void *a, const void *b)
{
	const struct row *left = a, *right = b;

	if (left->rate != right->rate)
		return left->rate < right->rate ? 1 : -1;
	return left->count < right->count   ? 1
	       : left->count > right->count ? -1
					    : strcmp(left->name, right->name);
}

/* Keeps the busiest `size` rows. */
static void keep_row(struct row *rows, unsigned int *used, unsigned int size, const struct row *row)
{
	if (*used == size && compare_rows(row, &rows[size - 1]) > 0)
		return;
	if (*used < size)
		(*used)++;
	rows[*used - 1] = *row;
	qsort(rows, *used, sizeof(*rows), compare_rows);
}

/* The busiest names of a map of counts. */
static unsigned int busiest(struct row *rows, unsigned int size, const struct pair *pair, const char *outer,
			    const char *inner, const char *prefix)
{
	const json_t *before = walk(pair->before, outer, inner);
	json_t *now = (json_t *)(uintptr_t)walk(pair->now, outer, inner), *value;
	unsigned int used = 0;
	const char *name;

	json_object_foreach(now, name, value)
	{
		struct row row = {.count = view_integer(now, name)};

		if (!row.count)
			continue;
		snprintf(row.name, sizeof(row.name), "%s%.30s", prefix, name);
		row.rate = rate_of(pair, view_integer(before, name), row.count);
		keep_row(rows, &used, size, &row);
	}
	return used;
}

static void print_rows(FILE *out, const char *title, const struct row *rows, unsigned int count)
{
	char rate[28], total[28];

	fprintf(out, "%s\n", title);
	for (unsigned int i = 0; i < count; i++)
		fprintf(out, "  %-20s %10s/s %18s\n", rows[i].name, view_rate(rate, sizeof(rate), rows[i].rate),
			view_count(total, sizeof(total), rows[i].count));
	if (!count)
		fprintf(out, "  (none yet)\n");
}

/* TCP and UDP ports in one list. */
static void print_ports(FILE *out, const struct pair *pair, unsigned int size)
{
	struct row rows[2 * ROWS_MAX];
	unsigned int used = busiest(rows, size, pair, "ports", "tcp", "tcp ");

	used += busiest(rows + used, size, pair, "ports", "udp", "udp ");
	qsort(rows, used, sizeof(*rows), compare_rows);
	print_rows(out, "ports", rows, used < size ? used : size);
}

static uint64_t sum_scope(const json_t *scopes, size_t index)
{
	json_t *packets = json_object_get(json_array_get(scopes, index), "packets");
	const char *class;
	uint64_t sum = 0;
	json_t *value;

	json_object_foreach(packets, class, value) sum += view_integer(packets, class);
	return sum;
}

static void print_scopes(FILE *out, const struct pair *pair, unsigned int size)
{
	const json_t *before = json_object_get(pair->before, "scopes"),
		     *now = json_object_get(pair->now, "scopes");
	struct row rows[ROWS_MAX] = {};
	unsigned int used = 0;

	for (size_t i = 0; i < json_array_size(now); i++) {
		const char *name = json_string_value(json_object_get(json_array_get(now, i), "scope"));
		struct row row = {.count = sum_scope(now, i)};

		snprintf(row.name, sizeof(row.name), "%.32s", name ? name : "?");
		row.rate = rate_of(pair, sum_scope(before, i), row.count);
		keep_row(rows, &used, size, &row);
	}
	print_rows(out, "scopes", rows, used);
}

static void print_ledger(FILE *out, const struct pair *pair)
{
	json_t *ledger = json_object_get(pair->now, "ledger"), *value;
	const char *law;

	fprintf(out, "ledger ");
	json_object_foreach(ledger, law, value)
		fprintf(out, " %s %s%" JSON_INTEGER_FORMAT, law, json_integer_value(value) ? "OUT BY " : "",
			json_integer_value(value));
	fprintf(out, "\n");
}

static void print_figures(FILE *out, const struct pair *pair, unsigned int lines)
{
	unsigned int ports = lines > 34 ? lines - 26 : 8;
	struct row rows[ROWS_MAX] = {};

	print_rows(out, "classes", rows, busiest(rows, 5, pair, "classes", NULL, ""));
	print_ports(out, pair, ports > ROWS_MAX ? ROWS_MAX : ports);
	print_rows(out, "tools", rows, busiest(rows, 5, pair, "tools", NULL, ""));
	print_scopes(out, pair, 4);
}

static void print_frame(FILE *out, const struct client *client, const struct pair *pair, enum view view,
			unsigned int lines)
{
	char received[28], dark[28], sources[28];

	fprintf(out, "airglow at %s: received %s/s, dark %s/s, about %s sources\n", client_address(client),
		view_rate(received, sizeof(received),
			  rate_of(pair, view_integer(pair->before, "received"),
				  view_integer(pair->now, "received"))),
		view_rate(dark, sizeof(dark),
			  rate_of(pair, view_integer(pair->before, "dark"), view_integer(pair->now, "dark"))),
		view_count(sources, sizeof(sources), view_integer(pair->now, "sources")));
	print_ledger(out, pair);
	if (view == VIEW_SOURCES)
		top_sources_print(out, pair->before, pair->now, pair->seconds, lines > 4 ? lines - 3 : 1);
	else
		print_figures(out, pair, lines);
}

/* The next summary becomes `now`. */
static int advance(struct client *client, struct pair *pair, char *why, size_t why_size)
{
	struct timespec asked;
	json_t *next;
	int err = client_get(client, "/api/v1/summary", &next, why, why_size);

	if (err)
		return err;
	clock_gettime(CLOCK_MONOTONIC, &asked);
	pair->seconds = (double)(asked.tv_sec - pair->asked.tv_sec) +
			(double)(asked.tv_nsec - pair->asked.tv_nsec) / 1e9;
	pair->asked = asked;
	json_decref(pair->before);
	pair->before = pair->now;
	pair->now = next;
	return 0;
}

static unsigned int terminal_lines(void)
{
	struct winsize size;

	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || !size.ws_row ? 40 : size.ws_row;
}

/* A frame in one write, cut to the screen, each line cleared to its end. */
static void show_frame(const struct client *client, const struct pair *pair, enum view view)
{
	CLEANUP(cleanup_free) char *text = NULL;
	unsigned int left = terminal_lines() - 1;
	size_t size = 0;
	FILE *frame = open_memstream(&text, &size);

	if (!frame)
		return;
	print_frame(frame, client, pair, view, left);
	fclose(frame);
	fputs("\033[H", stdout);
	for (const char *line = text; *line && left--;) {
		size_t length = strcspn(line, "\n");

		printf("%.*s\033[K\n", (int)length, line);
		line += length + (line[length] == '\n');
	}
	fputs("\033[J", stdout);
	fflush(stdout);
}

/* Keys come one by one and unseen; false: there is no terminal to read them from. */
static bool take_keyboard(struct termios *before)
{
	struct termios now;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, before))
		return false;
	now = *before;
	now.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	now.c_cc[VMIN] = 1;
	now.c_cc[VTIME] = 0;
	return !tcsetattr(STDIN_FILENO, TCSANOW, &now);
}

/* s: the other view. False: q, or the keyboard is gone. */
static bool obey_keys(enum view *view)
{
	char keys[16];
	ssize_t count = read(STDIN_FILENO, keys, sizeof(keys)), i;

	for (i = 0; i < count; i++) {
		if (keys[i] == 'q')
			return false;
		if (keys[i] == 's')
			*view = *view == VIEW_SOURCES ? VIEW_FIGURES : VIEW_SOURCES;
	}
	return count > 0;
}

/* Until a signal, q, or the sensor ends: a frame each second, and one for each key. */
static int show_frames(struct client *client, struct pair *pair, enum view view, int signals, bool keyboard,
		       char *why, size_t why_size)
{
	int err = 0;

	while (!err) {
		struct pollfd ready[] = {{.fd = signals, .events = POLLIN},
					 {.fd = keyboard ? STDIN_FILENO : -1, .events = POLLIN}};

		show_frame(client, pair, view);
		if (!poll(ready, 2, EVERY_MS))
			err = advance(client, pair, why, why_size);
		else if (ready[0].revents || (ready[1].revents && !obey_keys(&view)))
			break;
	}
	return err;
}

static int refresh(struct client *client, struct pair *pair, enum view view, char *why, size_t why_size)
{
	CLEANUP(cleanup_fd) int signals = -1;
	struct termios before;
	bool keyboard;
	sigset_t wanted;
	int err;

	sigemptyset(&wanted);
	sigaddset(&wanted, SIGINT);
	sigaddset(&wanted, SIGTERM);
	sigprocmask(SIG_BLOCK, &wanted, NULL);
	signals = signalfd(-1, &wanted, SFD_CLOEXEC);
	if (signals < 0) {
		err = -errno;
		snprintf(why, why_size, "cannot wait for signals: %s", strerror(-err));
		return err;
	}
	keyboard = take_keyboard(&before);
	fputs("\033[?1049h\033[?25l", stdout); /* alternate screen, no cursor */
	err = show_frames(client, pair, view, signals, keyboard, why, why_size);
	fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	if (keyboard)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
	return err;
}

int top_main(int argc, char **argv)
{
	struct options options;
	struct client *client = NULL;
	struct pair pair = {};
	enum view view;
	char why[512];
	int status, err;

	if (!cli_parse(&options, COMMAND_TOP, argc, argv, &status))
		return status;
	view = (enum view)options_number(&options, OPTION_BY, VIEW_FIGURES);
	err = client_new(&client, &options, why, sizeof(why));
	status = CLI_USAGE;
	if (!err) {
		status = CLI_NO_SENSOR;
		err = advance(client, &pair, why, sizeof(why));
	}
	if (!err) {
		poll(NULL, 0, EVERY_MS);
		err = advance(client, &pair, why, sizeof(why));
	}
	if (!err && options_has(&options, OPTION_ONCE))
		print_frame(stdout, client, &pair, view, 40);
	else if (!err)
		err = refresh(client, &pair, view, why, sizeof(why));
	if (err)
		log_warnx("%s", why);
	else
		status = fflush(stdout) ? CLI_FAILED : CLI_OK;
	json_decref(pair.before);
	json_decref(pair.now);
	client_free(&client);
	options_fini(&options);
	return status;
}
