/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the doctor knows of the host: plain facts, read from rtnetlink, ethtool, sysctl and the clock. Reading
 * changes nothing and works without privileges; what could not be read says so. Judging them is judge.h's.
 */
#ifndef AIRGLOW_DOCTOR_HOST_H
#define AIRGLOW_DOCTOR_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/config.h"
#include "collect/snapshot.h"
#include "engine/plan.h"

/* A yes or no that may be unreadable. */
enum host_answer { HOST_UNKNOWN = -1, HOST_NO = 0, HOST_YES = 1 };

/* Who runs on the interface's XDP hook. */
enum host_xdp { HOST_XDP_NONE, HOST_XDP_NATIVE, HOST_XDP_GENERIC };

struct host_link {
	char name[32];	 /* as configured: what it goes by in reports */
	char called[32]; /* now: what a command needs; an interface may be renamed while it is counted on */
	bool renamed;	 /* the configured name is none of its own any more, not even an alternative one */
	bool name_taken; /* another interface has the configured name now */
	int error;	 /* 0: found; else -errno of the question, and nothing below is filled in */
	uint32_t ifindex;
	uint16_t hardware; /* ARPHRD_* */
	bool up, carrier, promiscuous, loopback;
	uint32_t mtu;
	char kind[16];	 /* rtnetlink's: "veth", "bond", …; empty for hardware */
	char driver[32]; /* ethtool's; empty: not told */
	enum host_xdp xdp;
	uint32_t xdp_program;	     /* id, 0: none */
	uint32_t xdp_link;	     /* BPF link that holds it; 0: none or not readable */
	char xdp_name[16];	     /* empty: not readable (needs privileges) */
	enum host_answer native_xdp; /* the driver says it can (kernel 6.3 or later) */
	enum host_answer vlan_strip, lro, gro, gro_hw;
	char master[32];     /* bridge, bond or team that it is a port of, and that has its addresses */
	char peer[32];	     /* veth: name of the other end; empty: not readable */
	bool peer_elsewhere; /* veth: the other end is in another network namespace */
	enum host_answer peer_segments,
		peer_tags;	       /* veth: it hands over unsegmented packets, tags beside the frame */
	uint32_t rx_ring, rx_ring_max; /* packets; 0: not told */
	uint32_t rx_queues;	       /* in use; 0: not told */
	bool queues_combined;	       /* ethtool counts them as "combined" */
	enum host_answer forwarding4, forwarding6, proxy_arp;
	uint64_t packets; /* received, says the interface */
	struct snapshot_nic_counter nic[SNAPSHOT_NIC_COUNTERS_MAX];
	unsigned int nic_count;
};

/* An address of this host; prefix.addr keeps its host bits, prefix.length is the subnet's. */
struct host_address {
	struct prefix prefix;
	uint32_t ifindex;
	char interface[16];
	bool reachable; /* other hosts send to it: neither link-local nor still being tried out */
};

/* A route that has to do with a dark prefix: it covers one, or lies in one. */
struct host_route {
	struct prefix to;
	uint8_t type; /* RTN_* */
	uint32_t table;
	bool by_kernel;	    /* made by the kernel for an address: not to be replaced */
	bool discards;	    /* leads into a dummy interface */
	char interface[16]; /* empty: none, or several */
};

struct host_facts {
	struct host_link links[AG_INTERFACES_MAX]; /* in the order of the configuration */
	unsigned int links_count;
	struct host_address *addresses;
	size_t addresses_count;
	bool addresses_known;
	struct host_route *routes;
	size_t routes_count;
	bool routes_known;
	enum host_answer policy_rules; /* routing rules beside the three of every host */
	enum host_answer clock_synchronised;
	int64_t clock_error_us; /* the kernel's bound of the clock's error; -1: not told */
	uint32_t cpus_online;
	uint64_t cpus[AG_CPUS_MAX / 64]; /* those online, a bit each; all 0: not told */
	char kernel[64];		 /* release */
	enum host_answer realtime, jit;
};

/*
 * Reads everything that concerns the configuration's interfaces and prefixes. A running sensor's interfaces are
 * those that it is attached to, whatever they are called now; snapshot NULL: by name. 0 or -errno.
 */
int host_read(struct host_facts *facts, const struct config *config, const struct snapshot *snapshot);
void host_free(struct host_facts *facts);

/* The parts of host_read, one a source. */
/* ifindex 0: the interface that has the name. */
void host_read_link(struct host_link *link, const char *name, uint32_t ifindex);
void host_read_features(struct host_link *link);
void host_read_xdp_holder(struct host_link *link);
void host_read_cpus(struct host_facts *facts);
int host_read_addresses(struct host_facts *facts);
int host_read_routes(struct host_facts *facts, const struct config *config);

/* Do two prefixes share addresses? */
bool host_prefix_overlaps(const struct prefix *a, const struct prefix *b);

#endif
