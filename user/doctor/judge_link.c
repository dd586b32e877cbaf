// SPDX-License-Identifier: GPL-2.0-only
/*
 * Judgements on one interface: does every frame of the wire come before the program, one by one and as it was
 * sent? Pure, see judge.h.
 */
#include "doctor/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <linux/if_arp.h>

/*
 * Above this a page does not hold the frame with XDP's headroom and the kernel's tail (4096 - 256 - 320 - 22):
 * the driver has to support fragments in native mode. The program does.
 */
#define ONE_PAGE_MTU 3498
#define USUAL_MTU    1500
#define DROPS_FAULT  0.01 /* share of the interface's packets lost before XDP that makes the figures useless */

/* Sets the subject; true (and the answer given) when there is no interface to judge. */
static bool absent(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_link *link = &in->host->links[index];

	snprintf(out->subject, sizeof(out->subject), "%s", link->name);
	if (link->error)
		judge_say(out, SNAPSHOT_UNKNOWN, "there is no interface %s", link->name);
	return link->error;
}

/* The program sits on the interface, not on its name: counting goes on. */
static void judge_renamed(const struct host_link *link, struct snapshot_check *out)
{
	char word[JUDGE_WORD_TEXT], wanted[JUDGE_WORD_TEXT];

	judge_say(out, SNAPSHOT_WARNING,
		  "called %s now, and counted on; %s is %s now, so that a restart would %s", link->called,
		  link->name, link->name_taken ? "another interface" : "no interface",
		  link->name_taken ? "count there" : "not find it");
	if (link->name_taken)
		judge_cure(out, "# write %s into the configuration", link->called);
	else
		judge_cure(out, "ip link set dev %s name %s  # or write %s into the configuration",
			   judge_word(link->called, word), judge_word(link->name, wanted), link->called);
}

void judge_link(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_link *link = &in->host->links[index];
	char word[JUDGE_WORD_TEXT], peer[JUDGE_WORD_TEXT];

	judge_word(link->called, word);
	if (absent(in, index, out)) {
		judge_say(out, SNAPSHOT_FAULT, "there is no interface %s in this network namespace",
			  link->name);
		judge_cure(out, "ip -brief link  # lists those there are");
	} else if (link->hardware != ARPHRD_ETHER && link->hardware != ARPHRD_LOOPBACK) {
		judge_say(out, SNAPSHOT_FAULT, "frames of %s have no Ethernet header (hardware type %u)",
			  link->name, link->hardware);
		judge_cure(out, "# capture on the interface below it, or use a tap or gretap interface");
	} else if (!link->up) {
		judge_say(out, SNAPSHOT_FAULT, "down");
		judge_cure(out, "ip link set dev %s up", word);
	} else if (!link->carrier && link->peer[0]) {
		judge_say(out, SNAPSHOT_FAULT, "up, but no carrier: the other end %s is down", link->peer);
		judge_cure(out, "ip link set dev %s up%s", judge_word(link->peer, peer),
			   link->peer_elsewhere ? "  # in the other end's network namespace" : "");
	} else if (!link->carrier) {
		judge_say(out, SNAPSHOT_FAULT, "up, but no carrier");
		judge_cure(out, "# plug in the cable, or enable the switch port");
	} else if (link->renamed) {
		judge_renamed(link, out);
	} else {
		judge_say(out, SNAPSHOT_OK, "up, with carrier, driver %s",
			  link->driver[0] ? link->driver : "unknown");
	}
}

static bool is_ours(const struct host_link *link)
{
	return !strncmp(link->xdp_name, "airglow", strlen("airglow"));
}

static void cure_holder(const struct host_link *link, struct snapshot_check *out)
{
	const char *hook = link->xdp == HOST_XDP_GENERIC ? "xdpgeneric" : "xdpdrv";
	char word[JUDGE_WORD_TEXT];

	judge_word(link->called, word);
	if (link->xdp_link)
		judge_cure(out, "bpftool link detach id %" PRIu32, link->xdp_link);
	else
		judge_cure(out, "ip link set dev %s %s off", word, hook);
}

void judge_xdp_program(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_link *link = &in->host->links[index];
	const struct snapshot_interface *running = judge_interface(in, link->name);

	if (absent(in, index, out))
		return;
	if (link->xdp == HOST_XDP_NONE && running && running->xdp_mode[0]) {
		judge_say(out, SNAPSHOT_FAULT, "the sensor's program was taken off %s: nothing is counted",
			  link->name);
		judge_cure(out, "# start the sensor again");
	} else if (link->xdp == HOST_XDP_NONE) {
		judge_say(out, SNAPSHOT_OK, "none attached");
	} else if (!link->xdp_name[0] && !running) {
		judge_say(out, SNAPSHOT_UNKNOWN, "program %" PRIu32 "; its name needs privileges",
			  link->xdp_program);
	} else if (running || is_ours(link)) {
		judge_say(out, SNAPSHOT_OK, "airglow's, program %" PRIu32, link->xdp_program);
	} else {
		judge_say(out, SNAPSHOT_FAULT, "program %" PRIu32 " \"%s\" holds %s; only one can",
			  link->xdp_program, link->xdp_name, link->name);
		cure_holder(link, out);
	}
	/* With privileges the name is proof, whatever the sensor believes. */
	if (link->xdp != HOST_XDP_NONE && running && link->xdp_name[0] && !is_ours(link)) {
		judge_say(out, SNAPSHOT_FAULT, "program %" PRIu32 " \"%s\" has taken the sensor's place",
			  link->xdp_program, link->xdp_name);
		cure_holder(link, out);
	}
}

static void cure_fallback(const struct host_link *link, struct snapshot_check *out)
{
	char word[JUDGE_WORD_TEXT];

	judge_word(link->called, word);
	if (link->lro == HOST_YES)
		judge_cure(out, "ethtool -K %s lro off  # then start the sensor again", word);
	else if (link->gro_hw == HOST_YES)
		judge_cure(out, "ethtool -K %s rx-gro-hw off  # then start the sensor again", word);
	else if (link->mtu > ONE_PAGE_MTU && !link->loopback)
		judge_cure(out, "ip link set dev %s mtu %d  # then start the sensor again", word, USUAL_MTU);
	else
		judge_cure(out, "# mode: generic, if the driver %s cannot do better, and offloads off",
			   link->driver[0] ? link->driver : "(unknown)");
}

void judge_xdp_mode(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_link *link = &in->host->links[index];
	bool wanted = in->config->interfaces[index].mode == CONFIG_MODE_GENERIC;
	bool attached = link->xdp != HOST_XDP_NONE || judge_interface(in, link->name);

	if (absent(in, index, out))
		return;
	switch (judge_mode_of(in, index)) {
	case JUDGE_MODE_NATIVE:
		judge_say(out, SNAPSHOT_OK, attached ? "native" : "native is asked for");
		break;
	case JUDGE_MODE_GENERIC:
		if (wanted) {
			judge_say(out, SNAPSHOT_OK, "generic, as configured");
			break;
		}
		judge_say(out, SNAPSHOT_WARNING, "generic: slower, and behind the stack's offloads%s",
			  attached ? "" : " (the driver has no native XDP)");
		cure_fallback(link, out);
		break;
	default:
		if (link->native_xdp == HOST_YES)
			judge_say(out, SNAPSHOT_OK, "native, says the driver; decided at start");
		else
			judge_say(out, SNAPSHOT_UNKNOWN, "decided at start: native, else generic");
	}
}

void judge_promiscuous(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_link *link = &in->host->links[index];
	char word[JUDGE_WORD_TEXT];

	if (absent(in, index, out))
		return;
	if (link->promiscuous) {
		judge_say(out, SNAPSHOT_OK, "on");
	} else if (in->config->interfaces[index].feed != AG_FEED_MIRROR) {
		judge_say(out, SNAPSHOT_OK, "off; only a mirror feed needs it");
	} else {
		judge_say(out, SNAPSHOT_FAULT, "off: the interface throws away frames to other MAC addresses");
		judge_cure(out, "ip link set dev %s promisc on", judge_word(link->called, word));
	}
}

/* A veth does not strip: the tag travels beside the frame if the other end hands it over so. */
static void judge_veth_tags(const struct host_link *link, struct snapshot_check *out)
{
	char peer[JUDGE_WORD_TEXT];

	judge_word(link->peer[0] ? link->peer : "PEER", peer);
	if (link->peer_tags == HOST_NO) {
		judge_say(out, SNAPSHOT_OK, "the other end %s writes tags into the frame", link->peer);
	} else if (link->peer_tags == HOST_YES) {
		judge_say(out, SNAPSHOT_WARNING,
			  "the other end %s hands VLAN tags over beside the frame: XDP cannot "
			  "see them",
			  link->peer);
		judge_cure(out, "ethtool -K %s txvlan off", peer);
	} else {
		judge_say(out, SNAPSHOT_UNKNOWN, "depends on the other end%s%s, in another network namespace",
			  link->peer[0] ? " " : "", link->peer);
		judge_cure(out, "ethtool -K %s txvlan off  # in the other end's network namespace", peer);
	}
}

void judge_vlan_strip(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_link *link = &in->host->links[index];
	char word[JUDGE_WORD_TEXT];

	if (absent(in, index, out))
		return;
	if (!strcmp(link->kind, "veth")) {
		judge_veth_tags(link, out);
	} else if (link->vlan_strip == HOST_UNKNOWN) {
		judge_say(out, SNAPSHOT_UNKNOWN, "the driver does not tell");
	} else if (link->vlan_strip == HOST_NO) {
		judge_say(out, SNAPSHOT_OK, "rxvlan off: tags stay in the frame");
	} else {
		judge_say(out, SNAPSHOT_WARNING, "rxvlan on: tags are taken out before XDP can see them");
		judge_cure(out, "ethtool -K %s rxvlan off", judge_word(link->called, word));
	}
}

/*
 * LRO and native XDP exclude each other: a driver refuses one of them. Hardware GRO it stops while a native
 * program runs, though virtio_net goes on showing the feature as on.
 */
void judge_lro(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_link *link = &in->host->links[index];
	enum judge_mode mode = judge_mode_of(in, index);
	char word[JUDGE_WORD_TEXT];

	if (absent(in, index, out))
		return;
	judge_word(link->called, word);
	if (link->lro == HOST_YES) {
		judge_say(out, SNAPSHOT_FAULT,
			  "lro on: the hardware merges packets, the program would count the sums");
		judge_cure(out, "ethtool -K %s lro off%s", word,
			   link->gro_hw == HOST_YES ? " rx-gro-hw off" : "");
	} else if (link->gro_hw == HOST_YES &&
		   (mode == JUDGE_MODE_GENERIC || (mode == JUDGE_MODE_OPEN && link->native_xdp != HOST_YES))) {
		judge_say(out, mode == JUDGE_MODE_GENERIC ? SNAPSHOT_FAULT : SNAPSHOT_UNKNOWN,
			  "rx-gro-hw on: in generic mode packets are merged before the program counts them%s",
			  mode == JUDGE_MODE_GENERIC ? "" : "; in native mode the driver stops it");
		judge_cure(out, "ethtool -K %s rx-gro-hw off", word);
	} else if (link->lro == HOST_UNKNOWN) {
		judge_say(out, SNAPSHOT_UNKNOWN, "the driver does not tell");
	} else {
		judge_say(out, SNAPSHOT_OK,
			  link->gro_hw == HOST_YES ? "the driver stops it in native mode" : "off");
	}
}

void judge_gro(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_link *link = &in->host->links[index];
	enum judge_mode mode = judge_mode_of(in, index);
	char word[JUDGE_WORD_TEXT];

	if (absent(in, index, out))
		return;
	if (link->gro == HOST_NO) {
		judge_say(out, SNAPSHOT_OK, "off");
	} else if (mode == JUDGE_MODE_NATIVE) {
		judge_say(out, SNAPSHOT_OK, "native mode: the program runs before it");
	} else if (link->gro == HOST_UNKNOWN) {
		judge_say(out, SNAPSHOT_UNKNOWN, "the driver does not tell");
	} else if (mode == JUDGE_MODE_OPEN && link->native_xdp == HOST_YES) {
		judge_say(out, SNAPSHOT_OK, "on; harmless in native mode, which the driver has");
	} else {
		judge_say(out, mode == JUDGE_MODE_GENERIC ? SNAPSHOT_FAULT : SNAPSHOT_UNKNOWN,
			  "on: in generic mode packets are merged before the program counts them%s",
			  mode == JUDGE_MODE_GENERIC ? "" : "; in native mode harmless");
		judge_cure(out, "ethtool -K %s gro off", judge_word(link->called, word));
	}
}

void judge_veth_peer(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_link *link = &in->host->links[index];
	enum judge_mode mode = judge_mode_of(in, index);
	char peer[JUDGE_WORD_TEXT];
	enum snapshot_state state = SNAPSHOT_UNKNOWN;

	if (absent(in, index, out))
		return;
	if (strcmp(link->kind, "veth")) {
		judge_say(out, SNAPSHOT_OK, "not a veth");
	} else if (mode == JUDGE_MODE_NATIVE) {
		judge_say(out, SNAPSHOT_OK, "native mode: the kernel segments before handing over");
	} else if (link->peer_segments == HOST_NO) {
		judge_say(out, SNAPSHOT_OK, "the other end %s segments before handing over", link->peer);
	} else if (mode == JUDGE_MODE_OPEN) {
		judge_say(out, SNAPSHOT_OK, "harmless in native mode, which a veth has");
	} else {
		if (link->peer_segments == HOST_YES)
			state = SNAPSHOT_FAULT;
		judge_say(out, state,
			  "generic mode, and the other end%s%s %s unsegmented packets: one frame is counted "
			  "for many",
			  link->peer[0] ? " " : "", link->peer,
			  state == SNAPSHOT_FAULT ? "hands over"
						  : "(in another network namespace) may hand over");
		judge_cure(out,
			   "ethtool -K %s tso off gso off tx-udp-segmentation off tx-sctp-segmentation off "
			   "tx-gso-list off%s",
			   judge_word(link->peer[0] ? link->peer : "PEER", peer),
			   link->peer_elsewhere ? "  # in the other end's network namespace" : "");
	}
}

void judge_rx_ring(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_link *link = &in->host->links[index];
	char word[JUDGE_WORD_TEXT];

	if (absent(in, index, out))
		return;
	if (!link->rx_ring_max) {
		judge_say(out, SNAPSHOT_UNKNOWN, "the driver %s tells no ring size",
			  link->driver[0] ? link->driver : "(unknown)");
	} else if (link->rx_ring >= link->rx_ring_max) {
		judge_say(out, SNAPSHOT_OK, "%" PRIu32 " packets, the maximum", link->rx_ring);
	} else {
		judge_say(out, SNAPSHOT_WARNING, "%" PRIu32 " packets of at most %" PRIu32, link->rx_ring,
			  link->rx_ring_max);
		judge_cure(out, "ethtool -G %s rx %" PRIu32, judge_word(link->called, word), link->rx_ring_max);
	}
}

static void cure_drops(const struct judge_input *in, const struct host_link *link, struct snapshot_check *out)
{
	char word[JUDGE_WORD_TEXT];

	judge_word(link->called, word);
	if (link->rx_ring < link->rx_ring_max)
		judge_cure(out, "ethtool -G %s rx %" PRIu32, word, link->rx_ring_max);
	else if (link->rx_queues && link->rx_queues < in->host->cpus_online)
		judge_cure(out, "ethtool -L %s %s %" PRIu32, word, link->queues_combined ? "combined" : "rx",
			   in->host->cpus_online);
	else
		judge_cure(out, "# give the sensor a faster host, or less traffic per interface");
}

/* Packets and losses since the last look, else since the sensor's start, else since the driver was loaded. */
static uint64_t count_lost(const struct judge_input *in, size_t index, uint64_t *packets, const char **since,
			   bool *known)
{
	const struct host_link *link = &in->host->links[index];
	const struct snapshot_interface *running = judge_interface(in, link->name);
	uint64_t lost = judge_lost(link->nic, link->nic_count, known);

	*packets = link->packets;
	/* A driver that was loaded anew begins at 0. */
	if (in->past && !strcmp(in->past->interfaces[index].name, link->name) &&
	    in->past->interfaces[index].lost <= lost && in->past->interfaces[index].packets <= *packets) {
		*since = "since the last look";
		*packets -= in->past->interfaces[index].packets;
		return lost - in->past->interfaces[index].lost;
	}
	if (running && running->nic_count) {
		*since = "since the sensor's start";
		*packets = running->nic_packets;
		return judge_lost(running->nic, running->nic_count, known);
	}
	*since = "since the driver was loaded";
	return lost;
}

void judge_nic_drops(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_link *link = &in->host->links[index];
	uint64_t lost, packets;
	const char *since;
	double share;
	bool known;

	if (absent(in, index, out))
		return;
	lost = count_lost(in, index, &packets, &since, &known);
	if (!known) {
		judge_say(out, SNAPSHOT_UNKNOWN, "the driver %s tells no loss before XDP",
			  link->driver[0] ? link->driver : "(unknown)");
		return;
	}
	if (!lost) {
		judge_say(out, SNAPSHOT_OK, "no packet lost before XDP %s", since);
		return;
	}
	share = (double)lost / ((double)packets + (double)lost);
	judge_say(out, share >= DROPS_FAULT ? SNAPSHOT_FAULT : SNAPSHOT_WARNING,
		  "%" PRIu64 " packets (%.3g %%) lost before XDP %s", lost, 100 * share, since);
	cure_drops(in, link, out);
}

/* Queues beyond the CPUs share one; CPUs beyond the slices share books. */
static uint32_t useful_queues(uint32_t cpus)
{
	return cpus < AG_SLICES_MAX ? cpus : AG_SLICES_MAX;
}

void judge_queues(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_link *link = &in->host->links[index];
	uint32_t cpus = in->host->cpus_online, useful = useful_queues(cpus);
	char word[JUDGE_WORD_TEXT];

	if (absent(in, index, out))
		return;
	if (in->snapshot && in->snapshot->shared_packets) {
		judge_say(out, SNAPSHOT_WARNING,
			  "%" PRIu64 " packets came on CPUs that have no books of their own",
			  in->snapshot->shared_packets);
		judge_cure(out, "# start the sensor again: it gives each CPU online then its own books");
	} else if (!cpus || !link->rx_queues) {
		judge_say(out, SNAPSHOT_UNKNOWN, "the driver does not tell how many queues it uses");
	} else if (link->rx_queues <= useful) {
		judge_say(out, SNAPSHOT_OK, "%" PRIu32 " receive queues, %" PRIu32 " CPUs", link->rx_queues,
			  cpus);
	} else {
		judge_say(out, SNAPSHOT_WARNING, "receive queues: %" PRIu32 ", but CPUs: %" PRIu32 "%s",
			  link->rx_queues, cpus,
			  cpus > useful ? " (the sensor keeps separate books for 64)" : "");
		judge_cure(out, "ethtool -L %s %s %" PRIu32, judge_word(link->called, word),
			   link->queues_combined ? "combined" : "rx", useful);
	}
}

void judge_mtu(const struct judge_input *in, size_t index, struct snapshot_check *out)
{
	const struct host_link *link = &in->host->links[index];
	enum judge_mode mode = judge_mode_of(in, index);
	bool wanted = in->config->interfaces[index].mode == CONFIG_MODE_GENERIC;
	/* A host's own packets are as long as its MTU, which many clouds set below the usual one. */
	bool own = in->config->interfaces[index].feed == AG_FEED_SELF;
	char word[JUDGE_WORD_TEXT];

	if (absent(in, index, out))
		return;
	if (link->mtu < USUAL_MTU && !own) {
		judge_say(out, SNAPSHOT_WARNING, "%" PRIu32 ": full-sized packets may not arrive", link->mtu);
	} else if (link->mtu > ONE_PAGE_MTU && !link->loopback && !wanted &&
		   (mode == JUDGE_MODE_GENERIC || (mode == JUDGE_MODE_OPEN && link->native_xdp != HOST_YES))) {
		judge_say(out, SNAPSHOT_WARNING, "%" PRIu32 ": above %d many drivers refuse native XDP",
			  link->mtu, ONE_PAGE_MTU);
	} else {
		judge_say(out, SNAPSHOT_OK, "%" PRIu32, link->mtu);
		return;
	}
	judge_cure(out, "ip link set dev %s mtu %d", judge_word(link->called, word), USUAL_MTU);
}
