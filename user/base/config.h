/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration of one sensor, as read from YAML and the command line. Plain data; who reads it does not
 * write it. tools/airglow.yaml documents every key.
 */
#ifndef AIRGLOW_BASE_CONFIG_H
#define AIRGLOW_BASE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "airglow/abi.h"
#include "engine/plan.h"

enum config_mode { CONFIG_MODE_AUTO, CONFIG_MODE_NATIVE, CONFIG_MODE_GENERIC };

struct config_interface {
	char *name;
	enum ag_feed feed;
	enum config_mode mode;
};

struct config_scope {
	char *name; /* [a-z0-9_-], unique; scope id = index + 1 */
};

struct config_watch {
	uint8_t protocol; /* 6 or 17 */
	uint16_t port;
};

/* Sources that are studied together: their destinations are exact. Slot: index + 1. */
struct config_promoted {
	char *name;	     /* like a scope's, unique */
	uint32_t *addresses; /* host order */
	size_t addresses_count;
};

/* Ports of feed self that are served without a socket of this host. */
struct config_live_ports {
	uint8_t protocol; /* 6 or 17 */
	uint16_t first, last;
};

/* A row of `signatures` as the file has it: mask, offset and min_payload may be NULL. */
struct config_signature_text {
	char *service, *port, *bytes, *mask, *offset, *min_payload;
	int direction; /* enum ag_direction */
};

#define CONFIG_LIVE_PORTS_MAX 64

struct config {
	unsigned int references; /* beyond the first */
	struct config_interface *interfaces;
	size_t interfaces_count;
	struct config_scope *scopes;
	size_t scopes_count;
	struct plan_prefix *prefixes; /* dark and live together, scope 0 = live */
	size_t prefixes_count;
	unsigned int self_scope; /* of this host's own addresses, which stand nowhere else: the word `self`; 0:
				    none */
	struct config_live_ports live_ports[CONFIG_LIVE_PORTS_MAX];
	size_t live_ports_count;
	struct ag_signature signatures[AG_SIGNATURES_MAX];
	size_t signatures_count;
	struct ag_decap *decaps;
	size_t decaps_count;
	struct config_watch *watch; /* sorted; default: the built-in watch list */
	size_t watch_count;
	struct config_promoted *promoted;
	size_t promoted_count;
	char *listen;				      /* "127.0.0.1:10023"; several with commas between them */
	bool listen_open;			      /* beyond loopback without a password too */
	char *web_config;			      /* file with certificate and users; may be NULL */
	uint64_t client_requests, client_connections; /* of one address: a second, at once */
	char *state;				      /* directory, may be NULL */
	char *pins;				      /* directory of the pins, used with keep */
	char *user;	       /* who the sensor is once it counts; NULL: airglow or nobody */
	char *netns;	       /* name under /run/netns or path: interfaces are looked up there; may be NULL */
	uint64_t memory_bytes; /* bound for all maps together */
	uint64_t interval_ms;  /* of the flow cache */
	uint64_t samples;      /* headers for the live views, at most so many a second and CPU; 0: none */
	struct ag_thresholds thresholds;
	uint64_t addresses;	/* replay: N when there is no dark prefix (0: unknown) */
	bool replay, own_flows; /* replay: interfaces are not looked at; own_flows: feed self by --own-flows */
	bool keep;		/* program and books outlive the process */
};

#define CONFIG_WATCH_MAX	  AG_WATCH_MAX
#define CONFIG_LISTEN		  "127.0.0.1:10023"
#define CONFIG_PINS		  "/run/airglow/bpf"
#define CONFIG_SAMPLES		  10
#define CONFIG_CLIENT_REQUESTS	  100
#define CONFIG_CLIENT_CONNECTIONS 100
#define CONFIG_INTERVAL		  10000

/* All-default configuration, with one reference. config_free drops one; the last one frees. Any thread. */
int config_new(struct config **out);
struct config *config_ref(struct config *config);
void config_free(struct config **config);

/*
 * Reads a YAML file into config. Unknown keys and bad values are refused: 0 or -errno, why = one sentence with
 * file, line and reason. config_read_text does the same with a text; name stands for the file.
 */
int config_read(struct config *config, const char *path, char *why, size_t why_size);
int config_read_text(struct config *config, const char *text, size_t length, const char *name, char *why,
		     size_t why_size);
/* The keys that a file may have, one after the other; NULL behind the last. */
const char *config_key(size_t index);
/* The configuration as YAML that config_read_text takes, malloc'ed; NULL without memory. */
char *config_print(const struct config *config);

/*
 * Adds from the command line: prefixes separated by commas, into the scope named `scope` ("dark" if NULL). Each
 * refuses what is wrong in itself or there already.
 */
int config_add_dark(struct config *config, const char *list, const char *scope, char *why, size_t why_size);
int config_add_live(struct config *config, const char *list, char *why, size_t why_size);
/* "tcp/80,udp/51820,tcp/30000-32767" */
int config_add_live_ports(struct config *config, const char *list, char *why, size_t why_size);
/* *key: the value at fault, NULL: the row as a whole. */
int config_add_signature(struct config *config, const struct config_signature_text *text, const char **key,
			 char *why, size_t why_size);
/* feed observe, mode auto; the new one is the last of config->interfaces. */
int config_add_interface(struct config *config, const char *name, char *why, size_t why_size);
/* "type=gre,from=PREFIX[,to=ADDRESS][,key=N]" */
int config_add_decap(struct config *config, const char *text, char *why, size_t why_size);
/* to and key may be NULL: not compared. */
int config_add_tunnel(struct config *config, enum ag_decap_type type, const char *from, const char *to,
		      const char *key, char *why, size_t why_size);
int config_add_watch(struct config *config, uint8_t protocol, const char *port, char *why, size_t why_size);
/* May a scope be called so, or promoted sources? */
bool config_is_name(const char *name);
/* An IPv4 source into the slot of a name, which is made if new. */
int config_add_promoted(struct config *config, const char *name, const char *address, char *why,
			size_t why_size);

/* What a reload may change of it, into a side of the settings: tunnels, thresholds, sampler, promoted sources,
 * signatures, live ports.
 */
void config_write(const struct config *config, struct ag_settings *settings);

/* Is the feed self in use? Then some alerts are off: the thresholds in force. */
bool config_uses_self(const struct config *config);
struct ag_thresholds config_thresholds(const struct config *config);

/* Labels of feed.def and decap.def. The feed named so, or AG_FEED_MAX. */
enum ag_feed config_feed(const char *label);
const char *config_feed_label(enum ag_feed feed);
bool config_feed_drops(enum ag_feed feed);
enum ag_decap_type config_decap_type(const char *label);
const char *config_decap_label(enum ag_decap_type type);

/* The scope of an address (its length is the family's whole) by the longest prefix; 0: live, or in none. */
unsigned int config_scope_of(const struct config *config, const struct prefix *address);

/* Checks what only the whole shows (overlaps, limits, needed keys). live: a sensor that runs, not a replay. */
int config_check(const struct config *config, bool live, char *why, size_t why_size);

/* Parts of config_add_dark, config_write and config_check that are config_own.c's. */
int config_add_self(struct config *config, unsigned int scope, char *why, size_t why_size);
void config_write_live_ports(const struct config *config, struct ag_live_ports *out);
int config_check_self(const struct config *config, char *why, size_t why_size);

#endif
