/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * socket (kernel only): does this host hold a socket for a flow? Asked in the network namespace of the
 * interface, as the stack will ask a moment later; every reference is given back. In replay the replayer's word
 * stands for it.
 */
#ifndef AIRGLOW_BPF_SOCKET_H
#define AIRGLOW_BPF_SOCKET_H

#include "bpf/maps.bpf.h"
#include "bpf/parse_transport.h"

#define COPY_BYTES(to, off, h, at)                                                                             \
	(*(__u64 *)((__u8 *)(to) + (off)) =                                                                    \
		 *(const __u64 *)((h)->bytes + ag_bounded((at) + (off), AG_HEAD_BYTES)))

AG_INLINE __be32 address_word(__u64 half, __u32 shift)
{
	return (ag_force __be32)bpf_htonl((__u32)(half >> shift));
}

AG_INLINE __be16 port_word(__u32 ports, __u32 shift)
{
	return (ag_force __be16)bpf_htons((__u16)(ports >> shift));
}

/* As a packet of the flow would come in. Returns the tuple's size. */
AG_INLINE __u32 tuple_fill(struct bpf_sock_tuple *tuple, __u32 family, const struct address *from,
			   const struct address *to, __u32 ports)
{
	if (family == 4) {
		tuple->ipv4.saddr = address_word(from->lo, 0);
		tuple->ipv4.daddr = address_word(to->lo, 0);
		tuple->ipv4.sport = port_word(ports, 16);
		tuple->ipv4.dport = port_word(ports, 0);
		return sizeof(tuple->ipv4);
	}
	tuple->ipv6.saddr[0] = address_word(from->hi, 32);
	tuple->ipv6.saddr[1] = address_word(from->hi, 0);
	tuple->ipv6.saddr[2] = address_word(from->lo, 32);
	tuple->ipv6.saddr[3] = address_word(from->lo, 0);
	tuple->ipv6.daddr[0] = address_word(to->hi, 32);
	tuple->ipv6.daddr[1] = address_word(to->hi, 0);
	tuple->ipv6.daddr[2] = address_word(to->lo, 32);
	tuple->ipv6.daddr[3] = address_word(to->lo, 0);
	tuple->ipv6.sport = port_word(ports, 16);
	tuple->ipv6.dport = port_word(ports, 0);
	return sizeof(tuple->ipv6);
}

/*
 * The answer to a SYN cookie: of such a connection the listening socket knows nothing until its ACK comes. The
 * kernel's own check: it says no where no cookie was sent of late.
 */
AG_INLINE bool answers_cookie(struct bpf_sock *listener, const struct packet *p, const struct head *h)
{
	__u64 ip[5] = {}, tcp[3] = {};

	if (!p->has_tcp || (p->tcp_flags & (TCP_SYN | TCP_RST | TCP_ACK)) != TCP_ACK)
		return false;
	COPY_BYTES(ip, 0, h, p->l3);
	COPY_BYTES(ip, 8, h, p->l3);
	COPY_BYTES(ip, 16, h, p->l3);
	if (p->family == 6) {
		COPY_BYTES(ip, 24, h, p->l3);
		COPY_BYTES(ip, 32, h, p->l3);
	}
	COPY_BYTES(tcp, 0, h, p->l4);
	COPY_BYTES(tcp, 8, h, p->l4);
	COPY_BYTES(tcp, 16, h, p->l4);
	return !bpf_tcp_check_syncookie(listener, (void *)ip, sizeof(ip), (void *)tcp, TCP_HEADER);
}

AG_INLINE enum own_flow socket_tcp(struct xdp_md *ctx, struct bpf_sock_tuple *tuple, __u32 size,
				   const struct packet *p, const struct head *h)
{
	struct bpf_sock *socket = bpf_skc_lookup_tcp(ctx, tuple, size, (__u64)BPF_F_CURRENT_NETNS, 0);
	enum own_flow flow = OWN_FLOW;

	if (!socket)
		return OWN_NOTHING;
	if (socket->state == BPF_TCP_LISTEN)
		flow = !p->quoted && answers_cookie(socket, p, h) ? OWN_FLOW : OWN_LISTENS;
	bpf_sk_release(socket);
	return flow;
}

AG_INLINE enum own_flow socket_udp(struct xdp_md *ctx, struct bpf_sock_tuple *tuple, __u32 size)
{
	struct bpf_sock *socket = bpf_sk_lookup_udp(ctx, tuple, size, (__u64)BPF_F_CURRENT_NETNS, 0);

	if (!socket)
		return OWN_NOTHING;
	bpf_sk_release(socket);
	return OWN_FLOW;
}

/* The flow of the packet; of an error the one that it quotes, the other way round. */
AG_INLINE enum own_flow socket_of(struct xdp_md *ctx, const struct packet *p, const struct head *h)
{
	__u32 protocol = p->quoted ? p->quoted & 0xff : p->protocol, ports, size;
	struct bpf_sock_tuple tuple = {};

	if (p->quoted) {
		if (!p->quoted_ports)
			return OWN_NOTHING;
		ports = p->quoted_ports >> 16 | p->quoted_ports << 16;
		size = tuple_fill(&tuple, p->family, &p->quoted_dst, &p->quoted_src, ports);
	} else {
		if (!p->has_ports)
			return OWN_NOTHING;
		size = tuple_fill(&tuple, p->family, &p->src, &p->dst, p->sport << 16 | p->dport);
	}
	if (protocol == PROTO_TCP)
		return socket_tcp(ctx, &tuple, size, p, h);
	return protocol == PROTO_UDP ? socket_udp(ctx, &tuple, size) : OWN_NOTHING;
}

AG_INLINE enum own_flow bind_flow(struct xdp_md *ctx, const struct packet *p, const struct head *h)
{
	if (!rodata.replay)
		return socket_of(ctx, p, h);
	if (h->own & AG_REPLAY_FLOW)
		return OWN_FLOW;
	return h->own & AG_REPLAY_LISTENS ? OWN_LISTENS : OWN_NOTHING;
}

#endif
