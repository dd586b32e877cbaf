/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way out of the kernel: per-slice logs of records and touches, single producer and single consumer in
 * shared memory, and the ring buffer for what should wake somebody. A log that is full is counted as lost, with
 * the packets that could not be told.
 */
#ifndef AIRGLOW_BPF_LOG_H
#define AIRGLOW_BPF_LOG_H

#include "bpf/bind.h"

/* Publishes what was written before it. Clang 14 has no release store for BPF; an exchange is a full barrier.
 */
AG_INLINE void log_publish(__u64 *head, __u64 value)
{
#ifdef __bpf__
	__sync_lock_test_and_set(head, value);
#else
	__atomic_store_n(head, value, __ATOMIC_RELEASE);
#endif
}

/* How many entries the consumer has not read. */
AG_INLINE __u64 log_filled(__u64 head, __u64 *tail)
{
	return head - *(volatile __u64 *)tail;
}

/* Wakes the reader when a log gets half full; losing the message loses nothing. */
AG_INLINE void log_wake(__u64 filled, __u32 size, __u32 slice)
{
	struct ag_message_log_half message = {.message = AG_MESSAGE_LOG_HALF, .slice = slice};

	if (filled == size / 2 && !bind_rodata()->replay)
		bind_emit(&message, sizeof(message));
}

AG_INLINE void log_record(struct ag_interval *interval, const struct ag_record *r, __u32 slice)
{
	const volatile struct ag_rodata *ro = bind_rodata();
	struct ag_log *log = bind_log(slice);
	struct ag_record *to = NULL;
	__u64 head = 0, filled = 0;

	if (log) {
		head = log->records_head;
		filled = log_filled(head, &log->records_tail);
		if (filled < ro->log_records)
			to = bind_log_record(slice, (__u32)head & (ro->log_records - 1));
	}
	if (!to) {
		interval->lost[AG_LOST_RECORD_LOG] += r->packets;
		return;
	}
	*to = *r;
	log_publish(&log->records_head, head + 1);
	interval->evicted++;
	log_wake(filled, ro->log_records, slice);
}

AG_INLINE void log_touch(struct ag_interval *interval, __u64 touch, __u32 slice)
{
	const volatile struct ag_rodata *ro = bind_rodata();
	struct ag_log *log = bind_log(slice);
	__u64 head = 0, filled = 0, *to = NULL;

	if (log) {
		head = log->touches_head;
		filled = log_filled(head, &log->touches_tail);
		if (filled < ro->log_touches)
			to = bind_log_touch(slice, (__u32)head & (ro->log_touches - 1));
	}
	if (!to) {
		interval->lost[AG_LOST_TOUCH_LOG]++;
		return;
	}
	*to = touch;
	log_publish(&log->touches_head, head + 1);
	log_wake(filled, ro->log_touches, slice);
}

#endif
