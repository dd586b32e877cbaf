/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Capture files as a stream of Ethernet frames.
 *
 * Owns: opening a pcap or pcapng file (plain or gzip, told apart by what is in them, never by
 * name), walking its records, and giving each frame an Ethernet header whatever its link type.
 * Must not know: configuration, engines, where messages go. It never prints: what is to be told is
 * kept as whole sentences for the caller to fetch.
 */
#ifndef AIRGLOW_ENGINE_CAPTURE_H
#define AIRGLOW_ENGINE_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct capture;

/* Longest frame a record may hold; a record that claims more is damage. BIG TCP stays below. */
#define CAPTURE_FRAME_BYTES_MAX 262144u

/*
 * One frame, valid until the next call for the same capture. A link type without Ethernet header
 * gets one of 14 bytes (addresses 0, EtherType as the capture tells it); where the capture ends
 * before it tells the EtherType, the frame ends before it too (caplen 12).
 */
struct capture_frame {
	uint64_t time_ns;     /* unix epoch; a record without time takes that of the one before */
	const uint8_t *bytes; /* starts with the Ethernet header */
	uint32_t caplen;      /* bytes present at `bytes`; may be 0 */
	uint32_t wirelen;     /* bytes on the wire, same normalised form; never below caplen */
	uint64_t index;	      /* packet number in its file, from 1, skipped ones counted too */
	uint64_t offset;      /* of the record in the (decompressed) file */
	bool outgoing;	      /* the capture says that the capturing host sent it */
};

/*
 * Opens `path` ("-": standard input) and reads the file header. 0, or -errno and in `why` one
 * sentence that names the file and what is wrong with it; `*out` is then untouched.
 */
int capture_open(struct capture **out, const char *path, char *why, size_t why_size);

/* The same for an open descriptor, which it takes over (also on failure); `name` is for messages. */
int capture_open_fd(struct capture **out, int fd, const char *name, char *why, size_t why_size);

/*
 * Next frame: 1 = `f` is filled, 0 = the file has come to its end, or, with capture_problem() set,
 * -ENODATA (cut off in the middle of a record or of the compressed data), -EBADMSG (damaged: the
 * next record cannot be found), another -errno (cannot be read on). The answer stays the same
 * from then on. Records that have to be left out are counted in capture_skipped() and noted.
 */
int capture_next(struct capture *c, struct capture_frame *f);

/* Why reading stopped early: a sentence with file, packet number and byte offset; else NULL. */
const char *capture_problem(const struct capture *c);

/*
 * The oldest note not fetched yet, NULL when there is none: what was odd but did not stop the
 * reading (version number, link type, a record left out). Ask after opening and after the end; in
 * between is allowed. Notes are bounded, the last one tells how many were not kept. The string is
 * valid until the capture is freed.
 */
const char *capture_note(struct capture *c);

/* Records that could not be handed on. Not 0 means: the figures do not cover the whole file. */
uint64_t capture_skipped(const struct capture *c);

void capture_free(struct capture **c);

#endif
