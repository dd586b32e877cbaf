/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a service manager is told (the protocol of sd_notify(3)): datagrams to the socket that it names in
 * NOTIFY_SOCKET. Where none is named every call does nothing. One thread.
 */
#ifndef AIRGLOW_BASE_NOTIFY_H
#define AIRGLOW_BASE_NOTIFY_H

#include <stdint.h>

/*
 * Before rights are given up, since the socket is the manager's, and before threads run, since the environment
 * is taken. 0 or -errno: a manager that waits for us cannot be reached.
 */
int notify_open(void);
void notify_close(void);

void notify_ready(void);
/* Behind it notify_ready again, when it is done. */
void notify_reloading(void);
void notify_stopping(void);

/* One line of a person's words about what goes on. */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Seconds after which the manager takes silence for death; 0: it does not watch. */
uint64_t notify_watchdog_s(void);
void notify_alive(void);

#endif
