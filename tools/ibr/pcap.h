/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * pcap.h - writes a capture (classic pcap, microseconds, Ethernet).  The file appears under its name
 * only when it is whole.
 */
#ifndef IBR_PCAP_H
#define IBR_PCAP_H

#include "base.h"

struct pcap;

struct pcap *pcap_open(const char *file, uint32_t snaplen);
int pcap_write(struct pcap *p, uint64_t time_ns, const uint8_t *frame, uint32_t len);
/* Ends the file and gives it its name; 0 or -1, said.  Frees in both cases. */
int pcap_close(struct pcap *p);
/* Throws away what was written. */
void pcap_abandon(struct pcap *p);

#endif
