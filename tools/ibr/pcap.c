// SPDX-License-Identifier: GPL-2.0-only
/*
 * pcap.c - the capture writer: one large buffer, so that it is never what the generator waits for.
 * libpcap's pcap_dump would need a stdio call each packet.  Must not know packets.
 */
#include "pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUFFER_BYTES (1U << 20)

struct pcap {
	char *name, *part; /* part: NULL if the name is written to directly (a pipe, a device) */
	int fd;
	uint32_t snaplen;
	size_t used;
	uint8_t buffer[BUFFER_BYTES];
};

static void free_pcap(struct pcap *p)
{
	if (p->fd > STDERR_FILENO)
		close(p->fd);
	free(p->name);
	free(p->part);
	free(p);
}

static int open_target(struct pcap *p)
{
	struct stat st;

	if (strcmp(p->name, "-") == 0) {
		p->fd = STDOUT_FILENO;
		return 0;
	}
	if (stat(p->name, &st) == 0 && !S_ISREG(st.st_mode)) {
		p->fd = open(p->name, O_WRONLY | O_CLOEXEC);
		return p->fd < 0 ? -1 : 0;
	}
	if (asprintf(&p->part, "%s.part", p->name) < 0) {
		p->part = NULL;
		errno = ENOMEM;
		return -1;
	}
	p->fd = open(p->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return p->fd < 0 ? -1 : 0;
}

struct pcap *pcap_open(const char *file, uint32_t snaplen)
{
	/* magic, version 2.4, no zone, no accuracy, length, Ethernet: in this machine's order */
	uint32_t header[6] = {0xa1b2c3d4, 0, 0, 0, snaplen, 1};
	uint16_t version[2] = {2, 4};
	struct pcap *p = calloc(1, sizeof(*p));

	if (p)
		p->name = strdup(file);
	if (!p || !p->name) {
		free(p);
		complain("no memory for the capture");
		return NULL;
	}
	p->fd = -1;
	p->snaplen = snaplen;
	if (open_target(p)) {
		complain("cannot write capture %s: %s", file, strerror(errno));
		free_pcap(p);
		return NULL;
	}
	memcpy(&header[1], version, 4);
	memcpy(p->buffer, header, sizeof(header));
	p->used = sizeof(header);
	return p;
}

static int flush_buffer(struct pcap *p)
{
	size_t done = 0;

	while (done < p->used) {
		ssize_t n = write(p->fd, p->buffer + done, p->used - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return complain("cannot write capture %s: %s", p->name, strerror(errno));
		done += (size_t)n;
	}
	p->used = 0;
	return 0;
}

int pcap_write(struct pcap *p, uint64_t time_ns, const uint8_t *frame, uint32_t len)
{
	uint32_t caplen = len < p->snaplen ? len : p->snaplen;
	uint32_t record[4] = {(uint32_t)(time_ns / NS_PER_S), (uint32_t)(time_ns % NS_PER_S / 1000), caplen,
			      len};

	if (p->used + sizeof(record) + caplen > BUFFER_BYTES && flush_buffer(p))
		return -1;
	memcpy(p->buffer + p->used, record, sizeof(record));
	memcpy(p->buffer + p->used + sizeof(record), frame, caplen);
	p->used += sizeof(record) + caplen;
	return 0;
}

int pcap_close(struct pcap *p)
{
	int err = flush_buffer(p);

	if (!err && p->part && rename(p->part, p->name))
		err = complain("cannot name capture %s: %s", p->name, strerror(errno));
	if (err) {
		pcap_abandon(p);
		return err;
	}
	free_pcap(p);
	return 0;
}

void pcap_abandon(struct pcap *p)
{
	if (p->part)
		unlink(p->part);
	free_pcap(p);
}
