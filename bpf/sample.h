/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * sample: now and then the header of a dark packet goes to the live views, at most one a slice and
 * settings.sample_ns.
 */
#ifndef AIRGLOW_BPF_SAMPLE_H
#define AIRGLOW_BPF_SAMPLE_H

#include "bpf/account.h"

AG_LAYER int sample_packet(const struct packet *p, const struct head *h, struct ag_interval *interval)
{
	struct ag_message_sample sample;
	__u32 i;

	if (!p || !h || !interval)
		return 0;
	sample.message = AG_MESSAGE_SAMPLE;
	sample.wirelen = h->wirelen;
	sample.caplen = h->caplen < AG_SAMPLE_BYTES ? h->caplen : AG_SAMPLE_BYTES;
	sample.class = p->class;
	for (i = 0; i < AG_SAMPLE_BYTES / sizeof(__u64); i++) /* what lies behind caplen says nothing */
		sample.words[i] = ((const __u64 *)h->bytes)[i];
	if (bind_emit(&sample, sizeof(sample)))
		interval->lost[AG_LOST_RING]++;
	return 0;
}

AG_INLINE void sample(const struct ledger *l, const struct packet *p, const struct head *h,
		      const struct ag_settings *s)
{
	struct ag_interval *interval;
	struct ag_log *log;

	if (bind_rodata()->replay || !s->sample_ns || p->outcome != AG_OUTCOME_DARK || l->shared)
		return;
	log = bind_log(l->slice);
	interval = bind_interval(l->slice, h->epoch & 1);
	if (!log || !interval || h->now_ns < log->next_sample_ns)
		return;
	log->next_sample_ns = h->now_ns + s->sample_ns;
	sample_packet(p, h, interval);
}

#endif
