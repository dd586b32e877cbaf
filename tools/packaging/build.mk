# SPDX-License-Identifier: GPL-2.0-only
# make install, uninstall and deb. Included by the root Makefile; paths count from there.
prefix     ?= $(or $(PREFIX),/usr/local)
bindir     ?= $(prefix)/bin
datadir    ?= $(prefix)/share
mandir     ?= $(datadir)/man
unitdir    ?= $(prefix)/lib/systemd/system
sysusersdir ?= $(prefix)/lib/sysusers.d
tmpfilesdir ?= $(prefix)/lib/tmpfiles.d
sysconfdir ?= /etc
completiondir ?= $(datadir)/bash-completion/completions

# What is installed, once: KIND:SOURCE:TARGET. tools/packaging/place knows the kinds.
into = $(foreach file,$(wildcard $(2)),$(1):$(file):$(3)/$(notdir $(file)))
EXAMPLES := $(shell find tools/grafana tools/prometheus -type f 2>/dev/null | sort)
PLACED = tools/prometheus/prometheus.yml tools/grafana/provisioning/dashboards/airglow.yml
INSTALLED = program:$(BUILD)/airglow:$(bindir)/airglow \
	config:tools/packaging/airglow.yaml:$(sysconfdir)/airglow/airglow.yaml \
	data:$(BUILD)/airglow.completion:$(completiondir)/airglow \
	data:tools/airglow.yaml:$(datadir)/doc/airglow/examples/airglow.yaml \
	$(foreach page,$(wildcard user/man/*.8),page:$(page):$(mandir)/man8/$(notdir $(page)).gz) \
	$(foreach page,$(wildcard user/man/*.5),page:$(page):$(mandir)/man5/$(notdir $(page)).gz) \
	$(call into,unit,tools/systemd/*.service tools/systemd/*.mount,$(unitdir)) \
	$(foreach file,$(wildcard tools/systemd/*.sysusers),unit:$(file):$(sysusersdir)/$(basename $(notdir $(file))).conf) \
	$(foreach file,$(wildcard tools/systemd/*.tmpfiles),unit:$(file):$(tmpfilesdir)/$(basename $(notdir $(file))).conf) \
	$(foreach file,$(EXAMPLES),$(if $(filter $(PLACED),$(file)),unit,data):$(file):$(datadir)/airglow/$(file:tools/%=%))

.PHONY: install uninstall deb

install: $(BUILD)/airglow $(BUILD)/airglow.completion
	$(Q)bindir='$(bindir)' datadir='$(datadir)' sysconfdir='$(sysconfdir)' tools/packaging/place install '$(DESTDIR)' $(INSTALLED)

uninstall:
	$(Q)tools/packaging/place uninstall '$(DESTDIR)' $(INSTALLED)

# --- completion of bash --------------------------------------------------------------------------------------
$(BUILD)/completion: tools/packaging/completion.c | $(PACKAGES)
	@mkdir -p $(@D)
	$(call msg,CC,$@)
	$(Q)$(CC) -std=gnu17 $(CFLAGS) $(WARN) -Iinclude -MD -MP -MF $@.d $< -o $@

$(BUILD)/airglow.completion: $(BUILD)/completion tools/packaging/completion.bash
	$(call msg,GEN,$@)
	$(Q){ $(BUILD)/completion && sed 1,2d tools/packaging/completion.bash; } > $@

# --- the Debian package --------------------------------------------------------------------------------------
deb: $(PACKAGES) $(BUILD)/packages.debian
	$(Q)MAKE='$(MAKE)' BUILD='$(BUILD)' VERSION='$(VERSION)' COMMIT='$(COMMIT)' LINTIAN='$(LINTIAN)' tools/packaging/make-deb
