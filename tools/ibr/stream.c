// SPDX-License-Identifier: GPL-2.0-only
/*
 * stream.c - draws the actors without replacement from rounds in which each has its exact number of
 * packets, and sets the times (a Poisson process).  Must not know any packet.
 */
#include "stream.h"

#include <math.h>

#define ROUND_FOREVER 1000000ULL /* packets of a round in a run without end */

/* Actors that send to a family without dark prefixes stay silent. */
static void settle_families(struct stream *s)
{
	const struct prefix_list *dark = &s->scenario->dark;

	for (int i = 0; i < s->scenario->actors; i++) {
		struct actor *a = &s->scenario->actor[i];

		if (a->to != TO_DARK)
			continue;
		if (a->family == 0 && !dark->v6_count)
			a->family = 4;
		if (a->family == 0 && !dark->v4_total)
			a->family = 6;
		s->left_out[i] = a->family == 6 ? !dark->v6_count : !dark->v4_total;
	}
}

/* Shares of `packets`, rounded so that their sum is exact. */
static void split_shares(struct stream *s, double shares, uint64_t packets)
{
	double upto = 0;
	uint64_t given = 0;

	for (int i = 0; i < s->scenario->actors; i++) {
		const struct actor *a = &s->scenario->actor[i];
		uint64_t next;

		if (s->left_out[i] || a->packets)
			continue;
		upto += a->share;
		next = (uint64_t)llround((double)packets * (upto / shares));
		if (next > packets)
			next = packets;
		s->quota[i] = next - given;
		given = next;
	}
}

static int plan_round(struct stream *s)
{
	const struct scenario *c = s->scenario;
	uint64_t exact = 0, round = s->limit;
	double shares = 0;

	for (int i = 0; i < c->actors; i++) {
		if (s->left_out[i])
			continue;
		exact += c->actor[i].packets;
		shares += c->actor[i].packets ? 0 : c->actor[i].share;
		s->quota[i] = c->actor[i].packets;
	}
	if (exact == 0 && shares <= 0)
		return complain("no actor of scenario %s has a dark prefix of its family", c->name);
	if (round == STREAM_FOREVER)
		round = ROUND_FOREVER;
	if (shares <= 0 || round < exact)
		round = exact;
	if (shares > 0)
		split_shares(s, shares, round - exact);
	if (round > UINT32_MAX)
		return complain("a run has at most 2^32 - 1 packets, not %llu", (unsigned long long)round);
	s->round = round;
	for (int i = 0; i < c->actors; i++) {
		int at = i;

		for (; at > 0 && s->quota[s->order[at - 1]] < s->quota[i]; at--)
			s->order[at] = s->order[at - 1];
		s->order[at] = (uint8_t)i;
	}
	return round ? 0 : complain("scenario %s has no packets to send", c->name);
}

int stream_start(struct stream *s, struct scenario *scenario, uint64_t rate_pps, uint64_t limit)
{
	memset(s, 0, sizeof(*s));
	s->scenario = scenario;
	s->stage.scenario = scenario;
	s->stage.now_ns = scenario->start_s * NS_PER_S;
	s->limit = limit;
	s->gap_ns = NS_PER_S / rate_pps;
	rng_seed(&s->rng, mix64(scenario->seed ^ 0x73747265616dULL));
	/* rounded to whole numbers, so that no machine's logarithm shows */
	for (size_t i = 0; i < ARRAY_LEN(s->exponential); i++)
		s->exponential[i] = (uint32_t)lround(-log(1 - ((double)i + 0.5) / 1024) * 4096) * 16;
	settle_families(s);
	if (plan_round(s))
		return -1;
	for (int i = 0; i < scenario->actors; i++)
		actor_start(&scenario->actor[i], scenario->seed);
	return 0;
}

static struct actor *draw_actor(struct stream *s)
{
	uint64_t r;
	int i = 0;

	if (s->remaining == 0) {
		memcpy(s->left, s->quota, sizeof(s->left));
		s->remaining = s->round;
	}
	r = rng_below(&s->rng, (uint32_t)s->remaining);
	while (r >= s->left[s->order[i]])
		r -= s->left[s->order[i++]];
	s->left[s->order[i]]--;
	s->remaining--;
	return &s->scenario->actor[s->order[i]];
}

bool stream_next(struct stream *s, struct frame *f)
{
	struct actor *a;

	if (s->made == s->limit)
		return false;
	if (s->made++)
		s->stage.now_ns += s->gap_ns * s->exponential[rng_u32(&s->rng) & 1023] >> 16;
	a = draw_actor(s);
	a->kind->emit(a, &s->stage, f);
	f->v.actor = (uint8_t)(a - s->scenario->actor);
	if (a->class >= 0)
		f->v.class = (uint8_t)a->class;
	if (a->tool >= 0)
		f->v.tool = (uint8_t)a->tool;
	if (a->outcome >= 0)
		f->v.outcome = (uint8_t)a->outcome;
	return true;
}

void stream_stop(struct stream *s)
{
	for (int i = 0; i < s->scenario->actors; i++)
		actor_stop(&s->scenario->actor[i]);
}
