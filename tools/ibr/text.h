/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * text.h - values as users write them: numbers, ports, TCP options, MACs, bytes.  Each function
 * gives 0, or -1 with *why saying what is wrong.
 */
#ifndef IBR_TEXT_H
#define IBR_TEXT_H

#include "scenario.h"

int text_u64(const char *text, uint64_t max, uint64_t *out, const char **why);
int text_double(const char *text, double *out, const char **why);
int text_bool(const char *text, bool *out, const char **why);
int text_mac(const char *text, uint8_t mac[6], const char **why);
/* "23", "1-1024", either with a weight behind a colon: "23:9" */
int text_ports(const char *text, struct port_set *set, const char **why);
/* letters of FSRPAUEC, or "-" for none */
int text_flags(const char *text, int32_t *flags, const char **why);
/* "mss=1460,nop,ws=8,sack,ts,eol", padded with EOL to whole words */
int text_options(const char *text, uint8_t out[40], uint16_t *len, const char **why);
/* hexadecimal bytes, spaces allowed; or "text:…" taken as it stands */
int text_payload(const char *text, uint8_t *out, uint16_t *len, const char **why);
/* index of a word in a list of labels, -1 if it is none of them */
int text_label(const char *text, const char *const *labels, int n);

#endif
