// SPDX-License-Identifier: GPL-2.0-only
/*
 * Judgements on what the sensor counts, and on the clock and kernel it stands on. Pure, see judge.h.
 */
#include "doctor/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/address.h"

#define EXPECTED_THIN	   200.0 /* packets; a tenth of so many is no chance either */
#define THIN_SHARE	   0.1
#define LIVE_AT_LEAST	   10	/* packets from dark sources: below, spoofing by chance */
#define LIVE_WARNING	   1e-4 /* share of dark packets */
#define LIVE_FAULT	   1e-2
#define CLOCK_ERROR_MAX_US 1000000 /* of a synchronised clock */
#define OLDEST_KERNEL	   6001	   /* 6.1 */

static uint64_t sum_scope(const struct snapshot_scope *scope)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < AG_CLASS_MAX; i++)
		sum += scope->packets[i];
	return sum;
}

/* Packets of a scope and the seconds they took: since the mark of the last looks if that is long enough, else
 * all. */
static double expected_since(const struct judge_input *in, size_t scope, uint64_t *seen)
{
	const struct snapshot_scope *figures = &in->snapshot->scopes[scope];
	double rate = JUDGE_PPS_PER_ADDRESS * (double)figures->dark_addresses;

	*seen = sum_scope(figures);
	/* Since a reload gave it other prefixes, nothing can be said yet. */
	if (in->past && in->past->scope_addresses[scope] != figures->dark_addresses)
		return 0;
	if (in->past && in->past->scope_time_ns[scope]) {
		double expected = rate * (double)(in->snapshot->time_ns - in->past->scope_time_ns[scope]) / 1e9;
		if (expected >= JUDGE_EXPECTED_AT_LEAST && in->past->scope_packets[scope] <= *seen) {
			*seen -= in->past->scope_packets[scope];
			return expected;
		}
	}
	return rate * (double)(in->snapshot->time_ns - in->snapshot->process_start_ns) / 1e9;
}

/*
 * A look at what comes for a prefix of a scope (0: of any). tcpdump stands behind the program: it sees what the
 * program does not drop, so nothing that a dropping feed counts as dark.
 */
static void cure_by_looking(const struct judge_input *in, size_t scope, const char *options,
			    const char *direction, const char *then, struct snapshot_check *out)
{
	char text[PREFIX_TEXT_BYTES], word[JUDGE_WORD_TEXT];

	for (size_t i = 0; i < in->config->prefixes_count && in->config->interfaces_count; i++) {
		const struct plan_prefix *candidate = &in->config->prefixes[i];

		if (!candidate->scope || (scope && candidate->scope != scope))
			continue;
		prefix_format(text, sizeof(text), &candidate->prefix);
		judge_word(in->config->interfaces[0].name, word);
		judge_cure(out, "tcpdump -n %s -i %s %s net %s  # %s", options, word, direction, text, then);
		return;
	}
	if (in->config->self_scope && in->config->interfaces_count &&
	    (!scope || in->config->self_scope == scope))
		judge_cure(out, "tcpdump -n %s -i %s inbound  # %s", options,
			   judge_word(in->config->interfaces[0].name, word), then);
}

static void cure_silence(const struct judge_input *in, size_t scope, struct snapshot_check *out)
{
	cure_by_looking(in, scope, "-c 10", "dst", "nothing? the route to here is missing upstream", out);
}

void judge_silent(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	size_t scope = index + 1;
	double expected;
	uint64_t seen;

	snprintf(out->subject, sizeof(out->subject), "%.31s", in->config->scopes[index].name);
	if (!in->snapshot || scope > AG_SCOPES_MAX) {
		judge_say(out, SNAPSHOT_UNKNOWN, "only a running sensor can tell");
		return;
	}
	expected = expected_since(in, scope, &seen);
	if (!in->snapshot->scopes[scope].dark_addresses) {
		judge_say(out, SNAPSHOT_OK,
			  "no IPv4 address in it: nothing is expected, %" PRIu64 " packets seen", seen);
	} else if (!seen && expected >= JUDGE_EXPECTED_AT_LEAST) {
		judge_say(out, SNAPSHOT_FAULT, "not one packet; about %.0f expected from its size", expected);
		cure_silence(in, scope, out);
	} else if (expected >= EXPECTED_THIN && (double)seen < THIN_SHARE * expected) {
		judge_say(out, SNAPSHOT_WARNING, "%" PRIu64 " packets; about %.0f expected from its size", seen,
			  expected);
		cure_silence(in, scope, out);
	} else if (!seen) {
		judge_say(out, SNAPSHOT_UNKNOWN, "no packet yet; about %.1f expected so far", expected);
	} else {
		judge_say(out, SNAPSHOT_OK, "%" PRIu64 " packets; about %.0f expected from its size", seen,
			  expected);
	}
}

void judge_live_hosts(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	uint64_t from_dark, dark;
	double share;

	(void)index;
	if (!in->snapshot) {
		judge_say(out, SNAPSHOT_UNKNOWN, "only a running sensor can tell");
		return;
	}
	from_dark = in->snapshot->totals.anomaly[AG_ANOMALY_SRC_DARK];
	dark = in->snapshot->totals.dark;
	if (in->past) {
		from_dark -= in->past->src_dark;
		dark -= in->past->dark;
	}
	share = dark ? (double)from_dark / (double)dark : 0;
	if (from_dark < LIVE_AT_LEAST || share < LIVE_WARNING) {
		judge_say(out, SNAPSHOT_OK, "%" PRIu64 " of %" PRIu64 " dark packets from dark addresses",
			  from_dark, dark);
		return;
	}
	judge_say(out, share >= LIVE_FAULT ? SNAPSHOT_FAULT : SNAPSHOT_WARNING,
		  "%" PRIu64 " of %" PRIu64
		  " dark packets from dark addresses: hosts live there, or somebody forges them",
		  from_dark, dark);
	cure_by_looking(in, 0, "-e -c 20", "src", "declare the addresses that live: live", out);
}

void judge_clock(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	(void)index;
	if (in->host->clock_synchronised == HOST_UNKNOWN) {
		judge_say(out, SNAPSHOT_UNKNOWN,
			  "cannot be asked here: the kernel or systemd (ProtectClock) refuses it");
		return;
	}
	if (in->host->clock_synchronised == HOST_YES && in->host->clock_error_us < 0) {
		judge_say(out, SNAPSHOT_OK,
			  "synchronised within the last two hours, as systemd-timesyncd says");
		return;
	}
	if (in->host->clock_synchronised == HOST_YES && in->host->clock_error_us <= CLOCK_ERROR_MAX_US) {
		judge_say(out, SNAPSHOT_OK, "synchronised, at most %.3g s off",
			  (double)in->host->clock_error_us / 1e6);
		return;
	}
	if (in->host->clock_synchronised == HOST_YES)
		judge_say(out, SNAPSHOT_WARNING, "synchronised, but perhaps %.3g s off",
			  (double)in->host->clock_error_us / 1e6);
	else
		judge_say(out, SNAPSHOT_WARNING,
			  "not synchronised: days and hours of the figures may be wrong");
	judge_cure(out, "timedatectl set-ntp true");
}

/* 6001 for "6.1.0-18-amd64"; 0 when it does not begin with a version. */
static int kernel_version(const char *release)
{
	int major, minor;

	return sscanf(release, "%4d.%3d", &major, &minor) == 2 ? major * 1000 + minor : 0;
}

void judge_kernel(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	int version = kernel_version(in->host->kernel);

	(void)index;
	if (in->host->realtime == HOST_YES) {
		judge_say(out, SNAPSHOT_FAULT,
			  "%s is PREEMPT_RT: programs may be preempted, counts would be lost",
			  in->host->kernel);
		judge_cure(out, "apt-get install linux-image-amd64  # or another kernel without PREEMPT_RT");
	} else if (!version) {
		judge_say(out, SNAPSHOT_UNKNOWN, "the version could not be read");
	} else if (version < OLDEST_KERNEL) {
		judge_say(out, SNAPSHOT_FAULT, "%s; the oldest that works is 6.1", in->host->kernel);
		judge_cure(out, "apt-get install linux-image-amd64  # of Debian 12 or later");
	} else if (in->host->jit == HOST_NO) {
		judge_say(out, SNAPSHOT_WARNING, "%s, BPF is interpreted: several times slower",
			  in->host->kernel);
		judge_cure(out, "sysctl -w net.core.bpf_jit_enable=1");
	} else {
		judge_say(out, SNAPSHOT_OK, "%s", in->host->kernel);
	}
}

/* CPUs of one set that are not in the other, and the first of them. */
static unsigned int count_missing(const uint64_t of[AG_CPUS_MAX / 64], const uint64_t in[AG_CPUS_MAX / 64],
				  unsigned int *first)
{
	unsigned int count = 0;

	for (unsigned int cpu = AG_CPUS_MAX; cpu > 0; cpu--)
		if ((of[(cpu - 1) / 64] & ~in[(cpu - 1) / 64]) >> ((cpu - 1) % 64) & 1) {
			*first = cpu - 1;
			count++;
		}
	return count;
}

void judge_cpus(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_facts *host = in->host;
	unsigned int cpu = 0, without, offline;

	(void)index;
	if (!in->snapshot || !in->snapshot->slices) {
		judge_say(out, SNAPSHOT_UNKNOWN, "only a running sensor can tell");
		return;
	}
	if (!host->cpus_online || !count_missing(host->cpus, (uint64_t[AG_CPUS_MAX / 64]){0}, &cpu)) {
		judge_say(out, SNAPSHOT_UNKNOWN, "the kernel does not tell which CPUs are online");
		return;
	}
	offline = count_missing(in->snapshot->booked_cpus, host->cpus, &cpu);
	without = count_missing(host->cpus, in->snapshot->booked_cpus, &cpu);
	if (without && in->snapshot->slices < AG_SLICES_MAX) {
		judge_say(
			out, SNAPSHOT_WARNING,
			"CPU %u%s came online after the start and shares books by atomics: slower, and no record "
			"tells of its packets (lost, stage cpu)",
			cpu, without > 1 ? " (and others)" : "");
		judge_cure(out, "# start the sensor again: it gives each CPU online then its own books");
	} else {
		judge_say(out, SNAPSHOT_OK, "%" PRIu32 " online, separate books for %u%s", host->cpus_online,
			  in->snapshot->slices, offline ? "; those of CPUs offline are kept" : "");
	}
}
