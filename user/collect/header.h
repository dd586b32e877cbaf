/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sampled header, read by the pipeline's own parser: no second opinion on what a packet is. No payload.
 */
#ifndef AIRGLOW_COLLECT_HEADER_H
#define AIRGLOW_COLLECT_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "airglow/abi.h"

/* Addresses as in the records. What was cut off or is not there is not set. */
struct header {
	uint64_t src_hi, src_lo, dst_hi, dst_lo;
	bool v6, has_ports, has_flags, has_icmp;
	uint8_t protocol, flags;
	uint8_t icmp_type, icmp_code;
	uint16_t sport, dport;
	uint32_t length; /* announced IP length */
};

/* caplen bytes of a frame of wirelen; settings: which tunnels are opened. False: no IP header could be read. */
bool header_read(struct header *out, const uint8_t *bytes, uint32_t caplen, uint32_t wirelen,
		 const struct ag_settings *settings);

#endif
