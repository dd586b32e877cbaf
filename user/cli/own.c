// SPDX-License-Identifier: GPL-2.0-only
/*
 * This host's addresses and the prefixes in force (own.h). The kernel is asked for all of them each time: a
 * message about one may be lost when many come at once.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include "base/address.h"
#include "base/log.h"
#include "cli/own.h"
#include "collect/netlink.h"

/* Calls visit for each address of this host. */
struct own_reader {
	int (*visit)(struct own_reader *reader, const struct prefix *address, const struct ifaddrmsg *info,
		     uint32_t flags);
	const struct config *config;
	struct own_prefixes *out;
	uint32_t ifindex[AG_INTERFACES_MAX]; /* of the interfaces with the feed self; 0: none */
	char *why;
	size_t why_size;
	int err;
};

static bool config_drops(const struct config *config)
{
	for (size_t i = 0; i < config->interfaces_count; i++)
		if (config_feed_drops(config->interfaces[i].feed))
			return true;
	return false;
}

static int note_address(const struct nlmsghdr *message, void *arg)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attrs[IFA_MAX + 1], *local;
	struct own_reader *reader = arg;
	struct prefix prefix = {};
	uint32_t flags;

	if (message->nlmsg_type != RTM_NEWADDR || (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return MNL_CB_OK;
	netlink_attributes(message, sizeof(*info), attrs, IFA_MAX + 1);
	/* On a point-to-point interface IFA_ADDRESS is the other side's. */
	local = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	flags = attrs[IFA_FLAGS] ? mnl_attr_get_u32(attrs[IFA_FLAGS]) : info->ifa_flags;
	prefix.family = info->ifa_family == AF_INET ? 4 : 6;
	prefix.length = prefix.family == 4 ? 32 : 128;
	if (!local || mnl_attr_get_payload_len(local) != prefix.length / 8u)
		return MNL_CB_OK;
	memcpy(prefix.addr, mnl_attr_get_payload(local), prefix.length / 8u);
	reader->err = reader->visit(reader, &prefix, info, flags);
	return reader->err ? MNL_CB_STOP : MNL_CB_OK;
}

static int read_addresses(struct own_reader *reader)
{
	char buffer[128];
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	int err;

	header->ifa_family = AF_UNSPEC;
	err = netlink_ask(NETLINK_ROUTE, request, note_address, reader);
	return reader->err ? reader->err : err;
}

static int refuse_dark(struct own_reader *reader, const struct prefix *address, const struct ifaddrmsg *info,
		       uint32_t flags)
{
	char text[PREFIX_TEXT_BYTES], name[IF_NAMESIZE] = "an interface";

	(void)flags;
	if (!config_scope_of(reader->config, address))
		return 0;
	prefix_format(text, sizeof(text), address);
	*strchr(text, '/') = 0;
	if_indextoname(info->ifa_index, name);
	snprintf(
		reader->why, reader->why_size,
		"%s is an address of this host (%s) inside a dark prefix, and the feed would drop its packets; "
		"take it out with --live %s or use --feed observe",
		text, name, text);
	return -EADDRINUSE;
}

int own_check(const struct config *config, char *why, size_t why_size)
{
	struct own_reader reader = {.visit = refuse_dark, .config = config, .why = why, .why_size = why_size};

	if (!config_drops(config))
		return 0;
	return read_addresses(&reader) == -EADDRINUSE ? -EADDRINUSE : 0;
}

bool own_drop_last(struct own_prefixes *prefixes, const struct config *config)
{
	if (prefixes->count <= config->prefixes_count || !config->self_scope ||
	    prefixes->list[prefixes->count - 1].scope != config->self_scope)
		return false;
	prefixes->count--;
	return true;
}

static bool is_known(const struct own_prefixes *prefixes, const struct prefix *prefix)
{
	for (size_t i = 0; i < prefixes->count; i++)
		if (!prefix_compare(&prefixes->list[i].prefix, prefix))
			return true;
	return false;
}

static int add_prefix(struct own_prefixes *prefixes, const struct prefix *prefix, unsigned int scope)
{
	struct plan_prefix *grown = reallocarray(prefixes->list, prefixes->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	prefixes->list = grown;
	prefixes->list[prefixes->count++] = (struct plan_prefix){*prefix, scope};
	return 0;
}

static bool has_self(const struct own_reader *reader, uint32_t ifindex)
{
	for (unsigned int i = 0; i < AG_INTERFACES_MAX; i++)
		if (reader->ifindex[i] && reader->ifindex[i] == ifindex)
			return true;
	return false;
}

static int take_address(struct own_reader *reader, const struct prefix *address, const struct ifaddrmsg *info,
			uint32_t flags)
{
	const struct config *config = reader->config;
	bool self =
		config->self_scope && has_self(reader, info->ifa_index) && netlink_is_reachable(info, flags);

	reader->out->selves += self;
	for (size_t i = 0; i < reader->out->count; i++) {
		struct plan_prefix *known = &reader->out->list[i];

		if (prefix_compare(&known->prefix, address))
			continue;
		if (i < config->prefixes_count && config_drops(config))
			known->scope = 0; /* configured as just this address */
		return 0;
	}
	if (self)
		return add_prefix(reader->out, address, config->self_scope);
	return config_drops(config) && config_scope_of(config, address) ? add_prefix(reader->out, address, 0)
									: 0;
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct plan_prefix *left = a, *right = b;

	return prefix_compare(&left->prefix, &right->prefix);
}

int own_prefixes(struct own_prefixes *out, const struct config *config,
		 const uint32_t ifindex[AG_INTERFACES_MAX], char *why, size_t why_size)
{
	struct own_reader reader = {.visit = take_address, .config = config, .out = out};
	size_t configured = config->prefixes_count;
	int err = 0;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < configured && !err; i++)
		err = add_prefix(out, &config->prefixes[i].prefix, config->prefixes[i].scope);
	for (size_t i = 0; i < config->interfaces_count && i < AG_INTERFACES_MAX; i++)
		if (config->interfaces[i].feed == AG_FEED_SELF)
			reader.ifindex[i] = ifindex[i];
	if (!err && (config->self_scope || config_drops(config)))
		err = read_addresses(&reader);
	if (err) {
		snprintf(why, why_size, "cannot read this host's addresses: %s", strerror(-err));
		own_free(out);
		return err;
	}
	if (out->count > configured)
		qsort(out->list + configured, out->count - configured, sizeof(*out->list), compare_prefixes);
	return 0;
}

void own_free(struct own_prefixes *prefixes)
{
	free(prefixes->list);
	memset(prefixes, 0, sizeof(*prefixes));
}

bool own_same(const struct own_prefixes *a, const struct own_prefixes *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (a->list[i].scope != b->list[i].scope ||
		    prefix_compare(&a->list[i].prefix, &b->list[i].prefix))
			return false;
	return true;
}

static const char now_live[] = "is an address of this host now: it is not dark for as long as that lasts";
static const char dark_again[] = "is no address of this host any more: it is dark again";

/* An own address that is configured as just that. */
static void tell_configured(const struct plan_prefix *before, const struct plan_prefix *now)
{
	char text[PREFIX_TEXT_BYTES];

	if (!before->scope == !now->scope)
		return;
	prefix_format(text, sizeof(text), &now->prefix);
	*strchr(text, '/') = 0;
	if (now->scope)
		log_info("%s %s", text, dark_again);
	else
		log_warnx("%s %s", text, now_live);
}

/* Those of `in` that `out` does not have. */
static void tell_new(const struct own_prefixes *in, const struct own_prefixes *out, size_t from,
		     const char *dark, const char *live)
{
	char text[PREFIX_TEXT_BYTES];

	for (size_t i = from; i < in->count; i++) {
		if (is_known(out, &in->list[i].prefix))
			continue;
		prefix_format(text, sizeof(text), &in->list[i].prefix);
		*strchr(text, '/') = 0;
		if (in->list[i].scope)
			log_info("%s %s", text, dark);
		else
			log_warnx("%s %s", text, live);
	}
}

void own_tell(const struct own_prefixes *before, const struct own_prefixes *now, const struct config *config)
{
	size_t configured = config->prefixes_count;

	for (size_t i = 0; i < configured && i < before->count && i < now->count; i++)
		tell_configured(&before->list[i], &now->list[i]);
	tell_new(before, now, configured, "is no address of this host any more: it is not dark", dark_again);
	tell_new(now, before, configured, "is an address of this host: it is dark", now_live);
	if (config->self_scope && !now->selves && (before->selves || !before->count))
		log_warnx(
			"feed self: no interface has an address that other hosts send to; nothing is dark there "
			"until one comes (airglow doctor)");
}
