// SPDX-License-Identifier: GPL-2.0-only
/*
 * The doctor's judgement, a row a fault and a row its healthy twin: facts in, state and remedy out. What the
 * system says of itself is tests/e2e/test-doctor's business.
 */
#include <criterion/criterion.h>
#include <string.h>

#include <linux/if_arp.h>
#include <linux/rtnetlink.h>

#include "doctor/judge.h"

#define S 1000000000LL

/* A healthy telescope: eth0, feed observe, native; 203.0.113.0/24 and 2001:db8::/32 dark, 203.0.113.8/29 live.
 */
struct patient {
	struct config_interface interface;
	struct config_scope scope;
	struct plan_prefix prefixes[3];
	struct config config;
	struct host_address addresses[2];
	struct host_route routes[3];
	struct host_facts host;
	struct snapshot *snapshot;
	struct doctor_past past;
	struct judge_input in;
};

static char interface_name[] = "eth0", scope_name[] = "lab";

static void make_healthy(struct patient *p)
{
	struct host_link *link = &p->host.links[0];

	memset(p, 0, sizeof(*p));
	p->interface = (struct config_interface){interface_name, AG_FEED_OBSERVE, CONFIG_MODE_AUTO};
	p->scope.name = scope_name;
	p->prefixes[0] = (struct plan_prefix){{4, 24, {203, 0, 113}}, 1};
	p->prefixes[1] = (struct plan_prefix){{4, 29, {203, 0, 113, 8}}, 0};
	p->prefixes[2] = (struct plan_prefix){{6, 32, {0x20, 0x01, 0x0d, 0xb8}}, 1};
	p->config = (struct config){.interfaces = &p->interface,
				    .interfaces_count = 1,
				    .scopes = &p->scope,
				    .scopes_count = 1,
				    .prefixes = p->prefixes,
				    .prefixes_count = 3};
	*link = (struct host_link){
		.name = "eth0",
		.called = "eth0",
		.ifindex = 2,
		.hardware = ARPHRD_ETHER,
		.up = true,
		.carrier = true,
		.mtu = 1500,
		.driver = "igb",
		.xdp = HOST_XDP_NATIVE,
		.xdp_program = 5,
		.xdp_name = "airglow",
		.native_xdp = HOST_UNKNOWN,
		.peer_segments = HOST_UNKNOWN,
		.peer_tags = HOST_UNKNOWN,
		.rx_ring = 4096,
		.rx_ring_max = 4096,
		.rx_queues = 4,
		.queues_combined = true,
		.packets = 1000000,
		.nic = {{"rx_missed", true, 0}, {"no_buffer", true, 0}, {"xdp_drop", false, 0}},
		.nic_count = 3};
	p->addresses[0] = (struct host_address){{4, 24, {192, 0, 2, 2}}, 2, "eth0", true};
	p->addresses[1] = (struct host_address){{6, 64, {0xfe, 0x80}}, 2, "eth0", false};
	p->routes[0] = (struct host_route){{4, 0, {0}}, RTN_UNICAST, RT_TABLE_MAIN, false, false, "eth0"};
	p->routes[1] = (struct host_route){{6, 0, {0}}, RTN_UNICAST, RT_TABLE_MAIN, false, false, "eth0"};
	p->host.links_count = 1;
	p->host.addresses = p->addresses;
	p->host.addresses_count = 2;
	p->host.addresses_known = true;
	p->host.routes = p->routes;
	p->host.routes_count = 2;
	p->host.routes_known = true;
	p->host.clock_synchronised = HOST_YES;
	p->host.cpus_online = 4;
	p->host.cpus[0] = 0xf;
	strcpy(p->host.kernel, "6.1.0-18-amd64");
	p->host.jit = HOST_YES;
	p->snapshot = calloc(1, sizeof(*p->snapshot));
	cr_assert_not_null(p->snapshot);
	p->snapshot->process_start_ns = 1000 * S;
	p->snapshot->time_ns = 1100 * S;
	p->snapshot->slices = 4;
	p->snapshot->booked_cpus[0] = 0xf;
	p->snapshot->interfaces_count = 1;
	strcpy(p->snapshot->interfaces[0].name, "eth0");
	strcpy(p->snapshot->interfaces[0].xdp_mode, "native");
	p->snapshot->scopes_count = 1;
	p->snapshot->scopes[1].dark_addresses = 248;
	p->snapshot->scopes[1].packets[0] = 2000;
	p->snapshot->totals.dark = 2000;
	p->in = (struct judge_input){&p->host, &p->config, p->snapshot, NULL, NULL};
}

typedef void (*damage)(struct patient *p, struct host_link *link);

struct row {
	enum doctor_check check;
	size_t index;
	damage damage;
	enum snapshot_state state;
	const char *remedy; /* part of it; NULL: none */
	int line;
};

/* A row of a table: what is wrong, in C, and what the doctor must say. */
#define ROW(check, index, state, remedy, statement)                                                            \
	{                                                                                                      \
		DOCTOR_##check, index, damage_##statement, SNAPSHOT_##state, remedy, __LINE__                  \
	}

static void expect_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct snapshot_check out;
		struct patient p;

		make_healthy(&p);
		if (rows[i].damage)
			rows[i].damage(&p, &p.host.links[0]);
		judge_run(rows[i].check, &p.in, rows[i].index, &out);
		cr_expect_eq(out.state, rows[i].state, "line %d: %s: state %d: %s", rows[i].line, out.name,
			     out.state, out.value);
		cr_expect(out.value[0], "line %d: says nothing", rows[i].line);
		if (rows[i].remedy)
			cr_expect(strstr(out.remedy, rows[i].remedy), "line %d: remedy %s", rows[i].line,
				  out.remedy);
		else
			cr_expect_str_empty(out.remedy, "line %d: remedy %s", rows[i].line, out.remedy);
		if (out.state == SNAPSHOT_OK)
			cr_expect_str_empty(out.remedy);
		free(p.snapshot);
	}
}

#define DAMAGE(name, ...)                                                                                      \
	static void damage_##name(struct patient *p, struct host_link *link)                                   \
	{                                                                                                      \
		(void)p;                                                                                       \
		(void)link;                                                                                    \
		__VA_ARGS__;                                                                                   \
	}

static void damage_nothing(struct patient *p, struct host_link *link)
{
	(void)p;
	(void)link;
}

Test(doctor, healthy_telescope_is_well)
{
	for (unsigned int i = 0; i < DOCTOR_CHECK_MAX; i++) {
		struct snapshot_check out;
		struct patient p;

		make_healthy(&p);
		judge_run((enum doctor_check)i, &p.in, 0, &out);
		cr_expect_eq(out.state, SNAPSHOT_OK, "%s: %s", out.name, out.value);
		cr_expect_str_empty(out.remedy);
		free(p.snapshot);
	}
}

DAMAGE(no_interface, link->error = -19)
DAMAGE(down, link->up = false; link->carrier = false)
DAMAGE(no_carrier, link->carrier = false)
DAMAGE(peer_down, link->carrier = false; strcpy(link->peer, "veth9"))
DAMAGE(tunnel_device, link->hardware = ARPHRD_NONE)
DAMAGE(loopback, link->hardware = ARPHRD_LOOPBACK)
DAMAGE(altname, strcpy(link->called, "wan9"))
DAMAGE(renamed, damage_altname(p, link); link->renamed = true)
DAMAGE(renamed_taken, damage_renamed(p, link); link->name_taken = true)
DAMAGE(renamed_small_mtu, damage_renamed(p, link); link->mtu = 576)
DAMAGE(taken_off, link->xdp = HOST_XDP_NONE)
DAMAGE(not_started, link->xdp = HOST_XDP_NONE; p->in.snapshot = NULL)
DAMAGE(foreign, strcpy(link->xdp_name, "xdp_filter"); p->in.snapshot = NULL)
DAMAGE(foreign_generic, strcpy(link->xdp_name, "xdp_filter"); link->xdp = HOST_XDP_GENERIC;
       p->in.snapshot = NULL)
DAMAGE(foreign_link, strcpy(link->xdp_name, "xdp_filter"); link->xdp_link = 33; p->in.snapshot = NULL)
DAMAGE(usurped, strcpy(link->xdp_name, "xdp_filter"))
DAMAGE(nameless, link->xdp_name[0] = 0; p->in.snapshot = NULL)
DAMAGE(fell_back, strcpy(p->snapshot->interfaces[0].xdp_mode, "generic"))
DAMAGE(fell_back_lro, damage_fell_back(p, link); link->lro = HOST_YES)
DAMAGE(fell_back_mtu, damage_fell_back(p, link); link->mtu = 9000)
DAMAGE(chosen_generic, damage_fell_back(p, link); p->interface.mode = CONFIG_MODE_GENERIC)
DAMAGE(no_native, damage_not_started(p, link); link->native_xdp = HOST_NO)
DAMAGE(has_native, damage_not_started(p, link); link->native_xdp = HOST_YES)

Test(doctor, link_and_program)
{
	static const struct row rows[] = {
		ROW(LINK, 0, FAULT, "ip -brief link", no_interface),
		ROW(LINK, 0, FAULT, "ip link set dev eth0 up", down),
		ROW(LINK, 0, FAULT, "#", no_carrier),
		ROW(LINK, 0, FAULT, "ip link set dev veth9 up", peer_down),
		ROW(LINK, 0, FAULT, "#", tunnel_device),
		ROW(LINK, 0, OK, NULL, loopback),
		ROW(LINK, 0, OK, NULL, altname),
		ROW(LINK, 0, WARNING, "ip link set dev wan9 name eth0", renamed),
		ROW(LINK, 0, WARNING, "# write wan9 into the configuration", renamed_taken),
		ROW(MTU, 0, WARNING, "ip link set dev wan9 mtu 1500", renamed_small_mtu),
		ROW(XDP_PROGRAM, 0, UNKNOWN, NULL, no_interface),
		ROW(XDP_PROGRAM, 0, FAULT, "start the sensor again", taken_off),
		ROW(XDP_PROGRAM, 0, OK, NULL, not_started),
		ROW(XDP_PROGRAM, 0, FAULT, "ip link set dev eth0 xdpdrv off", foreign),
		ROW(XDP_PROGRAM, 0, FAULT, "ip link set dev eth0 xdpgeneric off", foreign_generic),
		ROW(XDP_PROGRAM, 0, FAULT, "bpftool link detach id 33", foreign_link),
		ROW(XDP_PROGRAM, 0, FAULT, "xdpdrv off", usurped),
		ROW(XDP_PROGRAM, 0, UNKNOWN, NULL, nameless),
		ROW(XDP_MODE, 0, WARNING, "#", fell_back),
		ROW(XDP_MODE, 0, WARNING, "ethtool -K eth0 lro off", fell_back_lro),
		ROW(XDP_MODE, 0, WARNING, "ip link set dev eth0 mtu 1500", fell_back_mtu),
		ROW(XDP_MODE, 0, OK, NULL, chosen_generic),
		ROW(XDP_MODE, 0, UNKNOWN, NULL, not_started),
		ROW(XDP_MODE, 0, WARNING, "#", no_native),
		ROW(XDP_MODE, 0, OK, NULL, has_native),
	};

	expect_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

DAMAGE(mirror, p->interface.feed = AG_FEED_MIRROR)
DAMAGE(mirror_promiscuous, p->interface.feed = AG_FEED_MIRROR; link->promiscuous = true)
DAMAGE(rxvlan, link->vlan_strip = HOST_YES)
DAMAGE(rxvlan_unknown, link->vlan_strip = HOST_UNKNOWN)
DAMAGE(veth, strcpy(link->kind, "veth"); strcpy(link->peer, "veth9"))
DAMAGE(veth_tags, damage_veth(p, link); link->peer_tags = HOST_YES)
DAMAGE(veth_no_tags, damage_veth(p, link); link->peer_tags = HOST_NO; link->vlan_strip = HOST_YES)
DAMAGE(lro, link->lro = HOST_YES)
DAMAGE(gro_hw_native, link->gro_hw = HOST_YES)
DAMAGE(gro_hw_generic, link->gro_hw = HOST_YES; damage_fell_back(p, link))
DAMAGE(gro_hw_open, link->gro_hw = HOST_YES; damage_not_started(p, link))
DAMAGE(gro_hw_has_native, link->gro_hw = HOST_YES; damage_has_native(p, link))
DAMAGE(lro_unknown, link->lro = HOST_UNKNOWN)
DAMAGE(gro_native, link->gro = HOST_YES)
DAMAGE(gro_generic, link->gro = HOST_YES; damage_fell_back(p, link))
DAMAGE(gro_open, link->gro = HOST_YES; damage_not_started(p, link))
DAMAGE(gro_open_native, link->gro = HOST_YES; damage_has_native(p, link))
DAMAGE(no_gro_generic, damage_fell_back(p, link))
DAMAGE(segments_native, damage_veth(p, link); link->peer_segments = HOST_YES)
DAMAGE(segments_generic, damage_segments_native(p, link); damage_fell_back(p, link))
DAMAGE(no_segments_generic, damage_veth(p, link); damage_fell_back(p, link); link->peer_segments = HOST_NO)
DAMAGE(segments_elsewhere, damage_veth(p, link); damage_fell_back(p, link); link->peer_elsewhere = true)

Test(doctor, frames_as_they_were_sent)
{
	static const struct row rows[] = {
		ROW(PROMISCUOUS, 0, FAULT, "ip link set dev eth0 promisc on", mirror),
		ROW(PROMISCUOUS, 0, OK, NULL, mirror_promiscuous),
		ROW(PROMISCUOUS, 0, UNKNOWN, NULL, no_interface),
		ROW(VLAN_STRIP, 0, WARNING, "ethtool -K eth0 rxvlan off", rxvlan),
		ROW(VLAN_STRIP, 0, UNKNOWN, NULL, rxvlan_unknown),
		ROW(VLAN_STRIP, 0, WARNING, "ethtool -K veth9 txvlan off", veth_tags),
		ROW(VLAN_STRIP, 0, OK, NULL, veth_no_tags),
		ROW(VLAN_STRIP, 0, UNKNOWN, "ethtool -K veth9 txvlan off", veth),
		ROW(LRO, 0, FAULT, "ethtool -K eth0 lro off", lro),
		ROW(LRO, 0, OK, NULL, gro_hw_native),
		ROW(LRO, 0, FAULT, "ethtool -K eth0 rx-gro-hw off", gro_hw_generic),
		ROW(LRO, 0, UNKNOWN, "ethtool -K eth0 rx-gro-hw off", gro_hw_open),
		ROW(LRO, 0, OK, NULL, gro_hw_has_native),
		ROW(XDP_MODE, 0, WARNING, "ethtool -K eth0 rx-gro-hw off", gro_hw_generic),
		ROW(LRO, 0, UNKNOWN, NULL, lro_unknown),
		ROW(GRO, 0, OK, NULL, gro_native),
		ROW(GRO, 0, FAULT, "ethtool -K eth0 gro off", gro_generic),
		ROW(GRO, 0, OK, NULL, no_gro_generic),
		ROW(GRO, 0, UNKNOWN, "ethtool -K eth0 gro off", gro_open),
		ROW(GRO, 0, OK, NULL, gro_open_native),
		ROW(VETH_PEER, 0, OK, NULL, segments_native),
		ROW(VETH_PEER, 0, FAULT, "ethtool -K veth9 tso off gso off", segments_generic),
		ROW(VETH_PEER, 0, OK, NULL, no_segments_generic),
		ROW(VETH_PEER, 0, UNKNOWN, "namespace", segments_elsewhere),
	};

	expect_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

DAMAGE(small_ring, link->rx_ring = 256)
DAMAGE(no_ring, link->rx_ring = link->rx_ring_max = 0)
DAMAGE(some_drops, link->nic[0].packets = 10)
DAMAGE(many_drops, link->nic[1].packets = 20000)
DAMAGE(drops_small_ring, damage_some_drops(p, link); link->rx_ring = 256)
DAMAGE(drops_few_queues, damage_some_drops(p, link); link->rx_queues = 1)
DAMAGE(own_drops, link->nic[2] = (struct snapshot_nic_counter){"xdp_drop", true, 500000})
DAMAGE(no_counters, link->nic[0].known = link->nic[1].known = false)
DAMAGE(old_drops, damage_many_drops(p, link); strcpy(p->past.interfaces[0].name, "eth0");
       p->past.interfaces[0].lost = 20000; p->past.interfaces[0].packets = 900000; p->in.past = &p->past)
DAMAGE(new_drops, damage_old_drops(p, link); p->past.interfaces[0].lost = 0)
DAMAGE(driver_reloaded, damage_old_drops(p, link); p->past.interfaces[0].lost = 30000)
DAMAGE(drops_before_start, damage_many_drops(p, link); p->snapshot->interfaces[0].nic_count = 1;
       p->snapshot->interfaces[0].nic[0] = (struct snapshot_nic_counter){"rx_missed", true, 0})
DAMAGE(drops_since_start, damage_drops_before_start(p, link); p->snapshot->interfaces[0].nic_packets = 1000;
       p->snapshot->interfaces[0].nic[0].packets = 5)
DAMAGE(many_queues, link->rx_queues = 8)
DAMAGE(many_cpus, link->rx_queues = 96; p->host.cpus_online = 128; link->queues_combined = false)
DAMAGE(no_queues, link->rx_queues = 0)
DAMAGE(new_cpus, p->snapshot->shared_packets = 7)
DAMAGE(small_mtu, link->mtu = 1400)
DAMAGE(small_own_mtu, damage_small_mtu(p, link); p->interface.feed = AG_FEED_SELF)
DAMAGE(jumbo_native, link->mtu = 9000)
DAMAGE(jumbo_generic, link->mtu = 9000; damage_fell_back(p, link))
DAMAGE(jumbo_chosen, link->mtu = 9000; damage_chosen_generic(p, link))
DAMAGE(jumbo_open, link->mtu = 9000; damage_not_started(p, link))
DAMAGE(jumbo_has_native, link->mtu = 9000; damage_has_native(p, link))

Test(doctor, losses_before_the_program)
{
	static const struct row rows[] = {
		ROW(RX_RING, 0, WARNING, "ethtool -G eth0 rx 4096", small_ring),
		ROW(RX_RING, 0, UNKNOWN, NULL, no_ring),
		ROW(NIC_DROPS, 0, WARNING, "#", some_drops),
		ROW(NIC_DROPS, 0, FAULT, "#", many_drops),
		ROW(NIC_DROPS, 0, WARNING, "ethtool -G eth0 rx 4096", drops_small_ring),
		ROW(NIC_DROPS, 0, WARNING, "ethtool -L eth0 combined 4", drops_few_queues),
		ROW(NIC_DROPS, 0, OK, NULL, own_drops),
		ROW(NIC_DROPS, 0, UNKNOWN, NULL, no_counters),
		ROW(NIC_DROPS, 0, OK, NULL, old_drops),
		ROW(NIC_DROPS, 0, FAULT, "#", new_drops),
		ROW(NIC_DROPS, 0, FAULT, "#", driver_reloaded),
		ROW(NIC_DROPS, 0, OK, NULL, drops_before_start),
		ROW(NIC_DROPS, 0, WARNING, "#", drops_since_start),
		ROW(QUEUES, 0, WARNING, "ethtool -L eth0 combined 4", many_queues),
		ROW(QUEUES, 0, WARNING, "ethtool -L eth0 rx 64", many_cpus),
		ROW(QUEUES, 0, UNKNOWN, NULL, no_queues),
		ROW(QUEUES, 0, WARNING, "start the sensor again", new_cpus),
		ROW(MTU, 0, WARNING, "ip link set dev eth0 mtu 1500", small_mtu),
		ROW(MTU, 0, OK, NULL, small_own_mtu),
		ROW(MTU, 0, OK, NULL, jumbo_native),
		ROW(MTU, 0, WARNING, "ip link set dev eth0 mtu 1500", jumbo_generic),
		ROW(MTU, 0, OK, NULL, jumbo_chosen),
		ROW(MTU, 0, WARNING, "ip link set dev eth0 mtu 1500", jumbo_open),
		ROW(MTU, 0, OK, NULL, jumbo_has_native),
	};

	expect_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

static void add_route(struct patient *p, struct prefix to, uint8_t type, uint32_t table)
{
	struct host_route *route = &p->routes[p->host.routes_count++];

	*route = (struct host_route){.to = to, .type = type, .table = table};
	strcpy(route->interface, "eth0");
}

static void forward(struct host_link *link)
{
	link->forwarding4 = link->forwarding6 = HOST_YES;
}

static const struct prefix dark4 = {4, 24, {203, 0, 113}}, part4 = {4, 25, {203, 0, 113, 128}},
			   hole4 = {4, 30, {203, 0, 113, 8}}, wide4 = {4, 8, {203}},
			   dark6 = {6, 32, {0x20, 0x01, 0x0d, 0xb8}}, beside4 = {4, 24, {203, 0, 112}};

DAMAGE(address_in_dark,
       p->addresses[0].prefix = (struct prefix){.family = 4, .length = 24, .addr = {203, 0, 113, 1}})
DAMAGE(address_in_hole,
       p->addresses[0].prefix = (struct prefix){.family = 4, .length = 24, .addr = {203, 0, 113, 9}})
DAMAGE(address6_in_dark, p->addresses[1].prefix = (struct prefix){6, 64, {0x20, 0x01, 0x0d, 0xb8, 7, 7}})
DAMAGE(address_of_self, damage_address_in_dark(p, link); p->interface.feed = AG_FEED_SELF)
DAMAGE(address_beside_self, damage_address_of_self(p, link); p->addresses[0].ifindex = 3)
DAMAGE(addresses_unread, p->host.addresses_known = false)
DAMAGE(local, add_route(p, dark4, RTN_LOCAL, RT_TABLE_LOCAL))
DAMAGE(local_wide, add_route(p, wide4, RTN_LOCAL, RT_TABLE_LOCAL))
DAMAGE(local_part, add_route(p, part4, RTN_LOCAL, RT_TABLE_LOCAL))
DAMAGE(local_hole, add_route(p, hole4, RTN_LOCAL, RT_TABLE_LOCAL))
DAMAGE(local_beside, add_route(p, beside4, RTN_LOCAL, RT_TABLE_LOCAL))
DAMAGE(local_routed, damage_local(p, link); p->interface.feed = AG_FEED_ROUTED)
DAMAGE(local6, add_route(p, dark6, RTN_LOCAL, RT_TABLE_LOCAL))
DAMAGE(local_own, damage_address_in_dark(p, link);
       add_route(p, (struct prefix){4, 32, {203, 0, 113, 1}}, RTN_LOCAL, RT_TABLE_LOCAL))
DAMAGE(routes_unread, p->host.routes_known = false)

Test(doctor, own_addresses_and_local_routes)
{
	static const struct row rows[] = {
		ROW(OWN_ADDRESS, 0, FAULT, "ip address delete 203.0.113.1/24 dev eth0", address_in_dark),
		ROW(OWN_ADDRESS, 0, OK, NULL, address_in_hole),
		ROW(OWN_ADDRESS, 0, FAULT, "2001:db8:707::/64 dev eth0", address6_in_dark),
		ROW(OWN_ADDRESS, 0, OK, NULL, address_of_self),
		ROW(OWN_ADDRESS, 0, FAULT, "ip address delete", address_beside_self),
		ROW(OWN_ADDRESS, 0, UNKNOWN, NULL, addresses_unread),
		ROW(ROUTE_LOCAL, 0, FAULT, "ip route delete local 203.0.113.0/24 dev eth0 table 255", local),
		ROW(ROUTE_LOCAL, 0, FAULT, "ip route delete local 203.0.0.0/8", local_wide),
		ROW(ROUTE_LOCAL, 0, FAULT, "ip route delete local 203.0.113.128/25", local_part),
		ROW(ROUTE_LOCAL, 0, OK, NULL, local_hole),
		ROW(ROUTE_LOCAL, 0, OK, NULL, local_beside),
		ROW(ROUTE_LOCAL, 0, WARNING, "ip route delete local", local_routed),
		ROW(ROUTE_LOCAL, 2, FAULT, "ip -6 route delete local 2001:db8::/32", local6),
		ROW(ROUTE_LOCAL, 0, OK, NULL, local_own),
		ROW(ROUTE_LOCAL, 0, UNKNOWN, NULL, routes_unread),
	};

	expect_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

/* With the plan in force the doctor knows whether the sensor has taken the address out. */
Test(doctor, own_address_that_was_taken_out)
{
	struct plan_prefix holed[4] = {{.prefix = {.family = 4, .length = 32, .addr = {203, 0, 113, 1}}}};
	struct snapshot_check out;
	struct plan *plan;
	struct patient p;
	char why[128];

	make_healthy(&p);
	memcpy(&holed[1], p.prefixes, 3 * sizeof(holed[0]));
	damage_address_in_dark(&p, &p.host.links[0]);
	p.interface.feed = AG_FEED_ROUTED;
	cr_assert_eq(plan_new(&plan, p.prefixes, 3, false, why, sizeof(why)), 0);
	p.in.plan = plan;
	judge_run(DOCTOR_OWN_ADDRESS, &p.in, 0, &out);
	cr_expect(strstr(out.value, "is dropped"), "%s", out.value);
	plan_free(&plan);
	cr_assert_eq(plan_new(&plan, holed, 4, false, why, sizeof(why)), 0);
	p.in.plan = plan;
	judge_run(DOCTOR_OWN_ADDRESS, &p.in, 0, &out);
	cr_expect_eq(out.state, SNAPSHOT_FAULT);
	cr_expect(strstr(out.value, "not counted as dark"), "%s", out.value);
	plan_free(&plan);
	free(p.snapshot);
}

DAMAGE(loop, forward(link))
DAMAGE(loop_routed, forward(link); p->interface.feed = AG_FEED_ROUTED)
DAMAGE(no_route, forward(link); p->host.routes_count = 0)
DAMAGE(no_route_still, p->host.routes_count = 0)
DAMAGE(no_route_routed, p->host.routes_count = 0; p->interface.feed = AG_FEED_ROUTED)
DAMAGE(blackhole, forward(link); add_route(p, dark4, RTN_BLACKHOLE, RT_TABLE_MAIN))
DAMAGE(blackhole_wide, forward(link); add_route(p, wide4, RTN_BLACKHOLE, RT_TABLE_MAIN))
DAMAGE(blackhole_part, forward(link); add_route(p, part4, RTN_BLACKHOLE, RT_TABLE_MAIN))
DAMAGE(blackhole_holed, damage_blackhole(p, link); p->host.routes_count--; p->routes[0].to = dark4;
       p->routes[0].type = RTN_BLACKHOLE; add_route(p, part4, RTN_UNICAST, RT_TABLE_MAIN))
DAMAGE(blackhole_live, damage_blackhole_holed(p, link); p->host.routes_count--;
       add_route(p, hole4, RTN_UNICAST, RT_TABLE_MAIN))
DAMAGE(unreachable, forward(link); add_route(p, dark4, RTN_UNREACHABLE, RT_TABLE_MAIN))
DAMAGE(unreachable_still, add_route(p, dark4, RTN_UNREACHABLE, RT_TABLE_MAIN))
DAMAGE(exact, forward(link); add_route(p, dark4, RTN_UNICAST, RT_TABLE_MAIN))
DAMAGE(exact_kernel, damage_exact(p, link); p->routes[2].by_kernel = true)
DAMAGE(dummy, damage_exact(p, link); p->routes[2].discards = true)
DAMAGE(other_table, forward(link); add_route(p, dark4, RTN_BLACKHOLE, 100))
DAMAGE(local_first, forward(link); damage_local(p, link))
DAMAGE(blackhole6, forward(link); add_route(p, dark6, RTN_BLACKHOLE, RT_TABLE_MAIN))
DAMAGE(switch_unread, link->forwarding4 = HOST_UNKNOWN)
DAMAGE(dotted, damage_exact_kernel(p, link); strcpy(link->called, "eth0.100"))

Test(doctor, loops_and_unreachables)
{
	static const struct row rows[] = {
		ROW(ROUTE_FORWARD, 0, FAULT, "ip route add blackhole 203.0.113.0/24", loop),
		ROW(ROUTE_FORWARD, 0, WARNING, "ip route add blackhole 203.0.113.0/24", loop_routed),
		ROW(ROUTE_FORWARD, 0, FAULT, "ip route add blackhole 203.0.113.0/24", no_route),
		ROW(ROUTE_FORWARD, 0, OK, NULL, no_route_still),
		ROW(ROUTE_FORWARD, 0, OK, NULL, blackhole),
		ROW(ROUTE_FORWARD, 0, OK, NULL, blackhole_wide),
		ROW(ROUTE_FORWARD, 0, FAULT, "ip route add blackhole 203.0.113.0/24", blackhole_part),
		ROW(ROUTE_FORWARD, 0, FAULT, "ip route replace blackhole 203.0.113.128/25", blackhole_holed),
		ROW(ROUTE_FORWARD, 0, OK, NULL, blackhole_live),
		ROW(ROUTE_FORWARD, 0, FAULT, "ip route replace blackhole 203.0.113.0/24", unreachable),
		ROW(ROUTE_FORWARD, 0, OK, NULL, unreachable_still),
		ROW(ROUTE_FORWARD, 0, FAULT, "ip route replace blackhole 203.0.113.0/24", exact),
		ROW(ROUTE_FORWARD, 0, FAULT, "sysctl -w net.ipv4.conf.eth0.forwarding=0", exact_kernel),
		ROW(ROUTE_FORWARD, 0, FAULT, "sysctl -w net.ipv4.conf.'eth0/100'.forwarding=0", dotted),
		ROW(ROUTE_FORWARD, 0, OK, NULL, dummy),
		ROW(ROUTE_FORWARD, 0, FAULT, "ip route add blackhole", other_table),
		ROW(ROUTE_FORWARD, 0, OK, NULL, local_first),
		ROW(ROUTE_FORWARD, 0, UNKNOWN, NULL, switch_unread),
		ROW(ROUTE_FORWARD, 2, OK, NULL, nothing),
		ROW(ROUTE_FORWARD, 2, FAULT, "ip -6 route add blackhole 2001:db8::/32", loop),
		ROW(ROUTE_FORWARD, 2, FAULT, "ip -6 route add blackhole 2001:db8::/32", no_route_still),
		ROW(ROUTE_FORWARD, 2, WARNING, "ip -6 route add blackhole 2001:db8::/32", no_route_routed),
		ROW(ROUTE_FORWARD, 2, OK, NULL, blackhole6),
	};

	expect_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

DAMAGE(on_link, p->addresses[0].prefix = (struct prefix){.family = 4, .length = 16, .addr = {203, 0, 2, 2}})
DAMAGE(on_link_start, damage_on_link(p, link); p->in.snapshot = NULL)
DAMAGE(on_link_no_packet, damage_on_link(p, link); p->snapshot->totals.dark = 0)
DAMAGE(on_link_mirror, damage_on_link_start(p, link); p->interface.feed = AG_FEED_MIRROR)
DAMAGE(on_link_local, damage_on_link_start(p, link); damage_local(p, link))
DAMAGE(on_link_proxy, damage_on_link_start(p, link); link->proxy_arp = link->forwarding4 = HOST_YES)
DAMAGE(on_link_proxy_still, damage_on_link_start(p, link); link->proxy_arp = HOST_YES)
DAMAGE(asked, damage_on_link(p, link); p->snapshot->totals.outcome[AG_OUTCOME_ARP_DARK] = 3000)
DAMAGE(asked_some, damage_on_link(p, link); p->snapshot->totals.outcome[AG_OUTCOME_ARP_DARK] = 30)
DAMAGE(asked_even, damage_on_link(p, link); p->snapshot->totals.outcome[AG_OUTCOME_ARP_DARK] = 2000)
DAMAGE(asked_before, damage_asked(p, link); p->past.arp_dark = 3000; p->past.dark = 1000; p->in.past = &p->past)
DAMAGE(asked_unseen, p->snapshot->totals.outcome[AG_OUTCOME_ARP_DARK] = 3000)

Test(doctor, questions_that_nobody_answers)
{
	static const struct row rows[] = {
		ROW(NEIGHBOUR, 0, OK, NULL, on_link),
		ROW(NEIGHBOUR, 0, WARNING, "ip route add 203.0.113.0/24 via 203.0.2.2", on_link_start),
		ROW(NEIGHBOUR, 0, WARNING, "ip route add 203.0.113.0/24 via 203.0.2.2", on_link_no_packet),
		ROW(NEIGHBOUR, 0, OK, NULL, on_link_mirror),
		ROW(NEIGHBOUR, 0, OK, NULL, on_link_local),
		ROW(NEIGHBOUR, 0, OK, NULL, on_link_proxy),
		ROW(NEIGHBOUR, 0, WARNING, "on the router", on_link_proxy_still),
		ROW(NEIGHBOUR, 0, FAULT, "ip route add 203.0.113.0/24 via 203.0.2.2", asked),
		ROW(NEIGHBOUR, 0, WARNING, "ip route add 203.0.113.0/24 via 203.0.2.2", asked_some),
		ROW(NEIGHBOUR, 0, WARNING, "on the router", asked_even),
		ROW(NEIGHBOUR, 0, OK, NULL, asked_before),
		ROW(NEIGHBOUR, 0, FAULT, "ip route add 203.0.113.0/24 via 192.0.2.2", asked_unseen),
		ROW(NEIGHBOUR, 2, OK, NULL, asked_unseen),
	};

	expect_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

/* 248 addresses: 19.7 packets a second. */
DAMAGE(silent, p->snapshot->scopes[1].packets[0] = 0)
DAMAGE(silent_self, damage_silent(p, link); p->config.prefixes_count = 0; p->config.self_scope = 1)
DAMAGE(silent_early, damage_silent(p, link); p->snapshot->time_ns = 1001 * S)
DAMAGE(silent_soon, damage_silent(p, link); p->snapshot->time_ns = 1002 * S)
DAMAGE(thin, p->snapshot->scopes[1].packets[0] = 150)
DAMAGE(thin_enough, p->snapshot->scopes[1].packets[0] = 250)
DAMAGE(one_early, p->snapshot->scopes[1].packets[0] = 1; p->snapshot->time_ns = 1002 * S)
DAMAGE(only_v6, damage_silent(p, link); p->snapshot->scopes[1].dark_addresses = 0)
DAMAGE(stopped, p->past.scope_addresses[1] = p->snapshot->scopes[1].dark_addresses;
       p->past.scope_time_ns[1] = 1080 * S; p->past.scope_packets[1] = 2000; p->in.past = &p->past)
DAMAGE(stopped_just_now, p->past.scope_addresses[1] = p->snapshot->scopes[1].dark_addresses;
       p->past.scope_time_ns[1] = 1099 * S + S / 2; p->past.scope_packets[1] = 2000; p->in.past = &p->past)
DAMAGE(no_sensor, p->in.snapshot = NULL)
DAMAGE(forged, p->snapshot->totals.anomaly[AG_ANOMALY_SRC_DARK] = 9)
DAMAGE(live, p->snapshot->totals.anomaly[AG_ANOMALY_SRC_DARK] = 10)
DAMAGE(lively, p->snapshot->totals.anomaly[AG_ANOMALY_SRC_DARK] = 20)
DAMAGE(live_before, damage_lively(p, link); p->past.src_dark = 20; p->past.dark = 1000; p->in.past = &p->past)
DAMAGE(live_drowned, damage_lively(p, link); p->snapshot->totals.dark = 300000)

Test(doctor, silence_and_life)
{
	static const struct row rows[] = {
		ROW(SILENT, 0, FAULT, "tcpdump -n -c 10 -i eth0 dst net 203.0.113.0/24", silent),
		ROW(SILENT, 0, FAULT, "tcpdump -n -c 10 -i eth0 inbound", silent_self),
		ROW(SILENT, 0, UNKNOWN, NULL, silent_early),
		ROW(SILENT, 0, FAULT, "tcpdump", silent_soon),
		ROW(SILENT, 0, WARNING, "tcpdump", thin),
		ROW(SILENT, 0, OK, NULL, thin_enough),
		ROW(SILENT, 0, OK, NULL, one_early),
		ROW(SILENT, 0, OK, NULL, only_v6),
		ROW(SILENT, 0, FAULT, "tcpdump", stopped),
		ROW(SILENT, 0, OK, NULL, stopped_just_now),
		ROW(SILENT, 0, UNKNOWN, NULL, no_sensor),
		ROW(LIVE_HOSTS, 0, OK, NULL, forged),
		ROW(LIVE_HOSTS, 0, WARNING, "src net 203.0.113.0/24", live),
		ROW(LIVE_HOSTS, 0, FAULT, "tcpdump", lively),
		ROW(LIVE_HOSTS, 0, OK, NULL, live_before),
		ROW(LIVE_HOSTS, 0, OK, NULL, live_drowned),
		ROW(LIVE_HOSTS, 0, UNKNOWN, NULL, no_sensor),
	};

	expect_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

DAMAGE(clock_unread, p->host.clock_synchronised = HOST_UNKNOWN)
DAMAGE(clock_free, p->host.clock_synchronised = HOST_NO)
DAMAGE(clock_far, p->host.clock_error_us = 5000000)
DAMAGE(clock_by_file, p->host.clock_error_us = -1)
DAMAGE(realtime, p->host.realtime = HOST_YES)
DAMAGE(old_kernel, strcpy(p->host.kernel, "5.10.0-28-amd64"))
DAMAGE(new_kernel, strcpy(p->host.kernel, "10.0.1"))
DAMAGE(strange_kernel, strcpy(p->host.kernel, "custom"))
DAMAGE(interpreted, p->host.jit = HOST_NO)
DAMAGE(jit_unread, p->host.jit = HOST_UNKNOWN)

DAMAGE(cpu_came, p->host.cpus[0] = 0x1f; p->host.cpus_online = 5)
DAMAGE(cpu_went, p->host.cpus[0] = 0xb; p->host.cpus_online = 3)
DAMAGE(cpu_came_for_another, p->host.cpus[0] = 0x17; p->host.cpus_online = 4)
DAMAGE(cpus_unread, p->host.cpus[0] = 0)
DAMAGE(more_than_64, p->snapshot->slices = 64; p->snapshot->booked_cpus[0] = ~0ULL; p->host.cpus[0] = ~0ULL;
       p->host.cpus[1] = 0xff; p->host.cpus_online = 72)
DAMAGE(no_slices, p->snapshot->slices = 0)

Test(doctor, cpus_and_their_books)
{
	static const struct row rows[] = {
		ROW(CPUS, 0, WARNING, "start the sensor again", cpu_came),
		ROW(CPUS, 0, OK, NULL, cpu_went),
		ROW(CPUS, 0, WARNING, "start the sensor again", cpu_came_for_another),
		ROW(CPUS, 0, UNKNOWN, NULL, cpus_unread),
		ROW(CPUS, 0, OK, NULL, more_than_64),
		ROW(CPUS, 0, UNKNOWN, NULL, no_slices),
		ROW(CPUS, 0, UNKNOWN, NULL, no_sensor),
	};

	expect_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(doctor, clock_and_kernel)
{
	static const struct row rows[] = {
		ROW(CLOCK, 0, UNKNOWN, NULL, clock_unread),
		ROW(CLOCK, 0, OK, NULL, clock_by_file),
		ROW(CLOCK, 0, WARNING, "timedatectl set-ntp true", clock_free),
		ROW(CLOCK, 0, WARNING, "timedatectl set-ntp true", clock_far),
		ROW(KERNEL, 0, FAULT, "PREEMPT_RT", realtime),
		ROW(KERNEL, 0, FAULT, "apt-get", old_kernel),
		ROW(KERNEL, 0, OK, NULL, new_kernel),
		ROW(KERNEL, 0, UNKNOWN, NULL, strange_kernel),
		ROW(KERNEL, 0, WARNING, "sysctl -w net.core.bpf_jit_enable=1", interpreted),
		ROW(KERNEL, 0, OK, NULL, jit_unread),
	};

	expect_rows(rows, sizeof(rows) / sizeof(rows[0]));
}

Test(doctor, worst_puts_a_fault_before_the_unknown)
{
	struct snapshot_check checks[3] = {
		{.state = SNAPSHOT_OK}, {.state = SNAPSHOT_UNKNOWN}, {.state = SNAPSHOT_OK}};

	cr_assert(doctor_worst(checks, 0) == SNAPSHOT_OK && doctor_worst(checks, 1) == SNAPSHOT_OK);
	cr_assert_eq(doctor_worst(checks, 3), SNAPSHOT_UNKNOWN);
	checks[2].state = SNAPSHOT_WARNING;
	cr_assert_eq(doctor_worst(checks, 3), SNAPSHOT_WARNING);
	checks[0].state = SNAPSHOT_FAULT;
	cr_assert_eq(doctor_worst(checks, 3), SNAPSHOT_FAULT);
}

Test(doctor, prefixes_overlap_either_way)
{
	cr_assert(host_prefix_overlaps(&part4, &dark4));
	cr_assert(host_prefix_overlaps(&dark4, &part4));
	cr_assert(!host_prefix_overlaps(&beside4, &dark4) && !host_prefix_overlaps(&dark6, &dark4));
}

Test(doctor, runs_on_this_host_with_any_room)
{
	static struct config_interface interface = {interface_name, AG_FEED_OBSERVE, CONFIG_MODE_AUTO};
	static struct plan_prefix prefix = {{4, 24, {203, 0, 113}}, 1};
	struct config config = {
		.interfaces = &interface, .interfaces_count = 1, .prefixes = &prefix, .prefixes_count = 1};
	struct doctor_past past = {0};
	struct doctor_subject subject = {.config = &config, .past = &past};
	struct snapshot_check checks[SNAPSHOT_CHECKS_MAX];

	cr_assert(doctor_run(&subject, checks, 0) == 0 && doctor_run(&subject, checks, 3) == 3);
	cr_assert_str_eq(checks[0].name, "link");
	cr_assert_geq(doctor_run(&subject, checks, SNAPSHOT_CHECKS_MAX), DOCTOR_CHECK_MAX);
	cr_assert(past.valid);
}
