/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * replay --own-flows: which flows the host held that captured, from what it sent; what a running sensor asks
 * its sockets (bpf/socket.h). Two passes over the same frames: the first learns on which ports the host
 * answers, since a SYN comes before the SYN-ACK that shows it; the second judges frame by frame.
 */
#ifndef AIRGLOW_ENGINE_OWN_FLOWS_H
#define AIRGLOW_ENGINE_OWN_FLOWS_H

#include <stdint.h>

#include "engine/capture.h"
#include "engine/plan.h"

struct own_flows;

/* plan: borrowed; its dark addresses are the host's own. NULL without memory. */
struct own_flows *own_flows_new(const struct plan *plan);
void own_flows_free(struct own_flows **own);

void own_flows_learn(struct own_flows *own, const struct capture_frame *frame);
/* Between the passes: the ports stay known, the flows begin anew. */
void own_flows_rewind(struct own_flows *own);
/* AG_REPLAY_* of the frame. */
uint16_t own_flows_judge(struct own_flows *own, const struct capture_frame *frame);

/* Flows and ports that made room for others before their time: what came for them later is judged as unasked.
 */
uint64_t own_flows_forgotten(const struct own_flows *own);

#endif
