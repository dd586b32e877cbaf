/* SPDX-License-Identifier: GPL-2.0-only */
/* driver.h - the ring of frames that the driver program and live_xdp.c share. */
#ifndef IBR_DRIVER_H
#define IBR_DRIVER_H

#define DRIVER_SLOTS 4096 /* a power of two; what is in use of them stays in the cache */
#define DRIVER_BYTES 2040

struct driver_slot {
	unsigned int len;
	unsigned int dropped; /* set by the kernel's side: the interface did not take it */
	unsigned char bytes[DRIVER_BYTES];
};

#endif
