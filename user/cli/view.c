// SPDX-License-Identifier: GPL-2.0-only
/*
 * Figures in words (view.h).
 */
#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "cli/view.h"

static const char *const STATES[] = {[SNAPSHOT_OK] = "ok",
				     [SNAPSHOT_WARNING] = "warning",
				     [SNAPSHOT_FAULT] = "fault",
				     [SNAPSHOT_UNKNOWN] = "unknown"};

#define STATES_COUNT (sizeof(STATES) / sizeof(STATES[0]))

const char *view_state(enum snapshot_state state)
{
	return STATES[state];
}

char *view_count(char *buffer, size_t size, uint64_t count)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%" PRIu64, count);
	size_t used = 0;

	for (int i = 0; i < length && used + 2 < size; i++) {
		if (i && (length - i) % 3 == 0)
			buffer[used++] = ',';
		buffer[used++] = digits[i];
	}
	buffer[used] = '\0';
	return buffer;
}

char *view_rate(char *buffer, size_t size, double rate)
{
	static const char *const units[] = {"", " k", " M", " G"};
	unsigned int unit = 0;

	while (rate >= (unit ? 999.5 : 9999.5) && unit < 3) {
		rate /= 1000;
		unit++;
	}
	snprintf(buffer, size, rate < 10 ? "%.2g%s" : "%.0f%s", rate, units[unit]);
	return buffer;
}

char *view_duration(char *buffer, size_t size, double seconds)
{
	static const struct {
		double seconds;
		const char *unit;
	} units[] = {{365.25 * 86400, "years"}, {86400, "days"}, {3600, "h"}, {60, "min"}};

	for (unsigned int i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (seconds < 2 * units[i].seconds)
			continue;
		snprintf(buffer, size, "%.1f %s", seconds / units[i].seconds, units[i].unit);
		return buffer;
	}
	snprintf(buffer, size, seconds < 10 ? "%.1f s" : "%.0f s", seconds);
	return buffer;
}

void view_reach(FILE *out, const struct snapshot_reach *reach)
{
	char count[28], rate[28], seen[28], touch[28], flood[28];

	fprintf(out, "What can I see?  %s dark IPv4 addresses\n",
		view_count(count, sizeof(count), reach->addresses));
	if (reach->addresses) {
		fprintf(out, "  expected       %s packets a second (0.0794 an address, NICTER 2025)",
			view_rate(rate, sizeof(rate), reach->expected_pps));
		if (reach->seen_pps >= 0)
			fprintf(out, "; seen %s", view_rate(seen, sizeof(seen), reach->seen_pps));
		fprintf(out,
			"\n  a scanner      of all IPv4 at 100 packets a second touches this telescope every %s\n"
			"  a flood        with random spoofed sources is seen from %s packets a second on\n",
			view_duration(touch, sizeof(touch), reach->scanner_touch_s),
			view_rate(flood, sizeof(flood), reach->smallest_flood_pps));
	}
	for (unsigned int i = 0; i < reach->blind_count; i++)
		fprintf(out, "  blind to       %s\n", reach->blind[i]);
}

static bool read_number(double *out, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	*out = json_number_value(value);
	return json_is_number(value);
}

bool view_read_reach(struct snapshot_reach *reach, const json_t *summary)
{
	const json_t *object = json_object_get(summary, "reach"), *blind = json_object_get(object, "blind"),
		     *text;
	double addresses;
	bool complete;
	size_t i;

	memset(reach, 0, sizeof(*reach));
	complete = read_number(&addresses, object, "addresses") &&
		   read_number(&reach->expected_pps, object, "expected_pps") &&
		   read_number(&reach->seen_pps, object, "seen_pps") &&
		   read_number(&reach->scanner_touch_s, object, "scanner_touch_seconds") &&
		   read_number(&reach->smallest_flood_pps, object, "smallest_flood_pps");
	reach->addresses = complete ? (uint64_t)addresses : 0;
	json_array_foreach(blind, i, text)
	{
		if (!json_is_string(text) ||
		    reach->blind_count == sizeof(reach->blind) / sizeof(reach->blind[0]))
			break;
		snprintf(reach->blind[reach->blind_count++], sizeof(reach->blind[0]), "%s",
			 json_string_value(text));
	}
	return complete;
}

void view_log_check(const struct snapshot_check *check)
{
	log_warnx("doctor: %s: %s%s%s: %s%s%s", STATES[check->state], check->name, *check->subject ? " " : "",
		  check->subject, check->value, *check->remedy ? "; cure: " : "", check->remedy);
}

void view_checks(FILE *out, const struct snapshot_check *checks, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		const struct snapshot_check *check = &checks[i];

		fprintf(out, "%-8s %-14s %s%s%s\n", STATES[check->state], check->name, check->subject,
			*check->subject ? ": " : "", check->value);
		if (*check->remedy)
			fprintf(out, "%-8s %-14s cure: %s\n", "", "", check->remedy);
	}
}

static void read_text(char *out, size_t size, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	snprintf(out, size, "%s", text ? text : "");
}

unsigned int view_read_checks(struct snapshot_check *checks, unsigned int size, const json_t *report)
{
	const json_t *list = json_object_get(report, "checks"), *one;
	unsigned int count = 0;
	size_t index;

	json_array_foreach(list, index, one)
	{
		const char *state = json_string_value(json_object_get(one, "state"));
		struct snapshot_check *check = &checks[count];
		unsigned int known = 0;

		if (count == size)
			break;
		while (state && known < STATES_COUNT && strcmp(STATES[known], state))
			known++;
		check->state = state && known < STATES_COUNT ? (enum snapshot_state)known : SNAPSHOT_UNKNOWN;
		read_text(check->name, sizeof(check->name), one, "check");
		read_text(check->subject, sizeof(check->subject), one, "subject");
		read_text(check->value, sizeof(check->value), one, "value");
		read_text(check->remedy, sizeof(check->remedy), one, "remedy");
		count++;
	}
	return count;
}

uint64_t view_integer(const json_t *object, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(object, key));

	return value > 0 ? (uint64_t)value : 0;
}
