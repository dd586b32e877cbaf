// SPDX-License-Identifier: GPL-2.0-only
/*
 * This host's addresses as prefixes (own.h).
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
#include "collect/collect.h"
#include "collect/netlink.h"
#include "engine/engine.h"

struct own_reader {
	struct own_prefixes *out;
	unsigned int scope;
	uint32_t ifindex[AG_INTERFACES_MAX]; /* of the interfaces with the feed self; 0: none */
	int err;
};

static bool is_ours(const struct own_reader *reader, uint32_t ifindex)
{
	for (unsigned int i = 0; i < AG_INTERFACES_MAX; i++)
		if (reader->ifindex[i] && reader->ifindex[i] == ifindex)
			return true;
	return false;
}

/* An address that other hosts send to. One that is being tried out (DAD) is not there yet. */
static bool is_reachable(const struct ifaddrmsg *info, uint32_t flags)
{
	if (info->ifa_scope == RT_SCOPE_LINK || info->ifa_scope == RT_SCOPE_HOST)
		return false;
	if (flags & IFA_F_DADFAILED)
		return false;
	return !(flags & IFA_F_TENTATIVE) || flags & IFA_F_OPTIMISTIC;
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

static int note_address(const struct nlmsghdr *message, void *arg)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(message);
	const struct nlattr *attrs[IFA_MAX + 1], *local;
	struct own_reader *reader = arg;
	struct prefix prefix = {};
	uint32_t flags;

	if (message->nlmsg_type != RTM_NEWADDR || !is_ours(reader, info->ifa_index) ||
	    (info->ifa_family != AF_INET && info->ifa_family != AF_INET6))
		return MNL_CB_OK;
	netlink_attributes(message, sizeof(*info), attrs, IFA_MAX + 1);
	/* On a point-to-point interface IFA_ADDRESS is the other side's. */
	local = attrs[IFA_LOCAL] ? attrs[IFA_LOCAL] : attrs[IFA_ADDRESS];
	flags = attrs[IFA_FLAGS] ? mnl_attr_get_u32(attrs[IFA_FLAGS]) : info->ifa_flags;
	prefix.family = info->ifa_family == AF_INET ? 4 : 6;
	prefix.length = prefix.family == 4 ? 32 : 128;
	if (!local || mnl_attr_get_payload_len(local) != prefix.length / 8u || !is_reachable(info, flags))
		return MNL_CB_OK;
	memcpy(prefix.addr, mnl_attr_get_payload(local), prefix.length / 8u);
	if (!is_known(reader->out, &prefix))
		reader->err = add_prefix(reader->out, &prefix, reader->scope);
	return reader->err ? MNL_CB_STOP : MNL_CB_OK;
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct plan_prefix *left = a, *right = b;

	return prefix_compare(&left->prefix, &right->prefix);
}

static int read_addresses(struct own_reader *reader, const struct config *config)
{
	char buffer[128];
	struct nlmsghdr *request = netlink_begin(buffer, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	int err;

	header->ifa_family = AF_UNSPEC;
	reader->scope = config->self_scope;
	for (size_t i = 0; i < config->interfaces_count && i < AG_INTERFACES_MAX; i++)
		if (config->interfaces[i].feed == AG_FEED_SELF)
			reader->ifindex[i] = if_nametoindex(config->interfaces[i].name);
	err = netlink_ask(NETLINK_ROUTE, request, note_address, reader);
	return err ? err : reader->err;
}

int own_prefixes(struct own_prefixes *out, const struct config *config, char *why, size_t why_size)
{
	struct own_reader reader = {.out = out};
	size_t configured = config->prefixes_count;
	int err = 0;

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < configured && !err; i++)
		err = add_prefix(out, &config->prefixes[i].prefix, config->prefixes[i].scope);
	if (!err && config->self_scope)
		err = read_addresses(&reader, config);
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

void own_tell(const char *what, const struct own_prefixes *prefixes, const struct config *config)
{
	char list[512] = "none yet", text[PREFIX_TEXT_BYTES];
	size_t used = 0;

	for (size_t i = config->prefixes_count; i < prefixes->count && used < sizeof(list); i++) {
		prefix_format(text, sizeof(text), &prefixes->list[i].prefix);
		*strchr(text, '/') = '\0';
		used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", text);
	}
	log_info("%s: %s", what, list);
}

int own_plan(struct plan **out, const struct own_prefixes *prefixes, const struct config *config, char *why,
	     size_t why_size)
{
	int err = plan_new(out, prefixes->list, prefixes->count, false, why, why_size);

	if (!err && config->self_scope)
		(*out)->spare = OWN_SPARE;
	return err;
}

int own_follow(struct own_prefixes *prefixes, struct plan *plan, const struct config *config,
	       struct engine *engine, struct collector *collector, char *why, size_t why_size)
{
	struct own_prefixes now;
	struct plan *with = NULL;
	int err = config->self_scope ? own_prefixes(&now, config, why, why_size) : 0;

	if (err || !config->self_scope)
		return err;
	if (own_same(prefixes, &now)) {
		own_free(&now);
		return 0;
	}
	err = own_plan(&with, &now, config, why, why_size);
	if (!err) {
		/* Interfaces, tunnels and the rest stay as they are. */
		memcpy(with->settings.interfaces, plan->settings.interfaces, sizeof(with->settings.interfaces));
		config_write(config, &with->settings);
		err = engine_apply(engine, with, why, why_size);
	}
	if (err) {
		plan_free(&with);
		own_free(&now);
		return err;
	}
	collector_swap_plan(collector, plan, with);
	plan_free(&with);
	own_tell("the addresses of this host have changed; dark are now", &now, config);
	own_free(prefixes);
	*prefixes = now;
	return 1;
}
