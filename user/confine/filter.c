// SPDX-License-Identifier: GPL-2.0-only
/*
 * The filter of system calls (syscall.def), by libseccomp. It holds for every thread and every child, and
 * cannot be taken off. Another architecture's calls, which have other numbers, end the process.
 */
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <seccomp.h>

#include "confine/internal.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif

#define NAMESPACES                                                                                             \
	(CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUSER |          \
	 CLONE_NEWUTS)
#define SOCKET_TYPE		    0xfu	/* beside it: SOCK_CLOEXEC, SOCK_NONBLOCK */
#define REQUEST_MASK		    0xffffffffu /* an ioctl's number has 32 bits, its argument more */
#define CONDITIONS_MAX		    2

#define IS(argument, value)	    SCMP_CMP(argument, SCMP_CMP_EQ, value)
#define BITS(argument, mask, value) SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, value)
#define REQUEST(number)		    BITS(1, REQUEST_MASK, (uint32_t)(number))

/* -errno. */
static int add_rule(scmp_filter_ctx filter, uint32_t action, const char *name, unsigned int count,
		    const struct scmp_arg_cmp *conditions)
{
	int number = seccomp_syscall_resolve_name(name);

	return number < 0 ? 0 : seccomp_rule_add_array(filter, action, number, count, conditions);
}

#define UNPACK(...) __VA_ARGS__
#define ADD(action, name, ...)                                                                                 \
	do {                                                                                                   \
		const struct scmp_arg_cmp conditions[] = {__VA_ARGS__};                                        \
                                                                                                               \
		if (!err)                                                                                      \
			err = add_rule(filter, action, #name, sizeof(conditions) / sizeof(conditions[0]),      \
				       conditions);                                                            \
	} while (0);

static int add_rules(scmp_filter_ctx filter)
{
	int err = 0;

#define SYSCALL_ALLOW(name)		   ADD(SCMP_ACT_ALLOW, name, )
#define SYSCALL_ALLOW_IF(name, conditions) ADD(SCMP_ACT_ALLOW, name, UNPACK conditions)
#define SYSCALL_MISSING(name)		   ADD(SCMP_ACT_ERRNO(ENOSYS), name, )
#define SYSCALL_KILL(name)		   ADD(SCMP_ACT_KILL_PROCESS, name, )
#define SYSCALL_KILL_IF(name, conditions)  ADD(SCMP_ACT_KILL_PROCESS, name, UNPACK conditions)
#include "confine/syscall.def"
	return err;
}

int filter_enter(void)
{
	scmp_filter_ctx filter;
	int err;

	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) < 0)
		return -ENOSYS;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return -ENOMEM;
	err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	/* A tree of comparisons instead of a list: every call walks it. */
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	/* The kernel's own errno instead of libseccomp's ECANCELED. */
	if (!err)
		err = seccomp_attr_set(filter, SCMP_FLTATR_API_SYSRAWRC, 1);
	if (!err)
		err = add_rules(filter);
	if (!err)
		err = seccomp_load(filter);
	seccomp_release(filter);
	return err;
}
