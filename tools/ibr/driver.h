/* SPDX-License-Identifier: GPL-2.0-only */
/* driver.h - the ring of frames that the driver program and live_xdp.c share. */
#ifndef IBR_DRIVER_H
#define IBR_DRIVER_H

#define DRIVER_SLOTS 16384 /* a power of two */
#define DRIVER_BYTES 2040

struct driver_slot {
	unsigned int len;
	unsigned int dropped; /* set by the kernel's side: the interface did not take it */
	unsigned char bytes[DRIVER_BYTES];
};

#endif
