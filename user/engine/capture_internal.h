/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the capture reader share: the byte source (capture_source.c), the two formats
 * (capture_pcap.c, capture_pcapng.c), the link layers (capture_link.c) and the sentences
 * (capture.c). Nobody outside user/engine/capture*.c includes this.
 */
#ifndef AIRGLOW_ENGINE_CAPTURE_INTERNAL_H
#define AIRGLOW_ENGINE_CAPTURE_INTERNAL_H

#include <pcap/pcap.h>
#include <zlib.h>

#include "capture.h"

#define CAPTURE_NAME_BYTES     4096u /* file name in messages; longer ones are cut */
#define CAPTURE_SENTENCE_BYTES (CAPTURE_NAME_BYTES + 256u)
#define CAPTURE_NOTES_MAX      16u

/* Bytes of the file after decompression, through a window that shows any run up to its size. */
struct capture_source {
	int fd;
	bool gzip;
	bool member_open; /* gzip: inside a member, not between two of them */
	bool eof;	  /* of the descriptor */
	int err;	  /* 0, or the -errno that ended it: -ENODATA cut off, -EBADMSG damaged */
	z_stream z;
	uint8_t *raw; /* as read from the descriptor: compressed, or the first bytes of a plain file */
	size_t raw_begin, raw_end;
	uint8_t *window;
	size_t begin, end;
	uint64_t offset; /* of window[begin] in the decompressed file */
};

/* One record as the file has it, before its link header is normalised. */
struct capture_record {
	uint64_t time_ns;
	const uint8_t *data;
	uint64_t offset;
	uint32_t caplen;
	uint32_t wirelen;
	uint32_t link_type;
	bool *link_noted; /* the file's or the interface's: its link type has been complained about */
	bool outgoing;
};

struct capture_interface {
	/* Decimal resolution: ns a tick; where tick_divides ticks a ns, 0: none fills one. */
	uint64_t tick_scale;
	int64_t offset_s;
	uint32_t snaplen; /* 0: none */
	uint32_t link_type;
	uint8_t tick_shift; /* binary resolution: ticks of 2^-shift s; used where tick_binary */
	bool tick_binary;
	bool tick_divides;
	bool link_noted;
};

struct capture_pcapng {
	struct capture_interface *interfaces;
	size_t interface_count, interface_room;
	bool big_endian; /* of the section being read */
};

struct capture_pcap {
	pcap_t *handle;
	uint64_t offset; /* of the next record */
	uint32_t link_type;
	uint32_t record_header_bytes;
	uint32_t tick_ns;
	bool link_noted;
};

struct capture {
	struct capture_source source;
	int (*read_record)(struct capture *c, struct capture_record *r); /* 1, 0 or -errno */
	struct capture_pcap pcap;
	struct capture_pcapng pcapng;
	uint64_t packets; /* records met so far, handed on or not */
	uint64_t skipped;
	uint64_t last_time_ns;
	bool ended;
	int end;	/* what capture_next answers once ended */
	uint8_t *frame; /* frames whose header is made up */
	char *notes[CAPTURE_NOTES_MAX + 1];
	size_t note_count, note_next;
	uint64_t notes_lost;
	char problem[CAPTURE_SENTENCE_BYTES];
	char name[CAPTURE_NAME_BYTES];
};

/* capture.c. A note, or the problem that ends the reading (answers `err`, to be passed on). */
void capture_add_note(struct capture *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
int capture_set_problem(struct capture *c, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same from the state of the source, for the record at `offset` of which `got` bytes came. */
int capture_cut_off(struct capture *c, uint64_t offset, uint64_t got, uint64_t wanted);
/* Counts a record (the one after `packets`) that is left out. */
void capture_skip_record(struct capture *c);

/* capture_source.c */
#define CAPTURE_WINDOW_BYTES (1u << 20)
int capture_source_open(struct capture_source *s, int fd); /* takes fd only on success */
void capture_source_close(struct capture_source *s);
/* At least `n` (<= CAPTURE_WINDOW_BYTES) bytes at `*bytes` if there are as many; how many. */
size_t capture_source_peek(struct capture_source *s, size_t n, uint8_t **bytes);
/* Steps over `n` bytes, shown or not; how many there were. */
uint64_t capture_source_skip(struct capture_source *s, uint64_t n);
/* Copies out and steps over, without the window where it can. */
size_t capture_source_read(struct capture_source *s, uint8_t *to, size_t n);

/* capture_pcap.c, capture_pcapng.c: does the file begin like this? Then read its header. */
bool capture_pcap_begins(const uint8_t *bytes, size_t have);
int capture_pcap_open(struct capture *c, char *why, size_t why_size);
void capture_pcap_close(struct capture_pcap *p);
bool capture_pcapng_begins(const uint8_t *bytes, size_t have);
int capture_pcapng_open(struct capture *c, char *why, size_t why_size);
void capture_pcapng_close(struct capture_pcapng *p);

/* capture_link.c */
#define CAPTURE_ETHERNET 1u
bool capture_link_known(uint32_t link_type);
/* Fills the bytes and lengths of `f`; `scratch` holds CAPTURE_FRAME_BYTES_MAX + 14. */
void capture_link_normalise(const struct capture_record *r, uint8_t *scratch, struct capture_frame *f);

#endif
