# SPDX-License-Identifier: GPL-2.0-only
# build/bench/stages, which times the packet program stage by stage, and build/bench/collector, what comes after it. Included by the root Makefile; its rules for
# BPF objects do not fit here (other directory), its flags do.
BENCH := $(BUILD)/bench

$(BENCH)/stages.bpf.o: tools/bench/stages.bpf.c | $(PACKAGES)
	@mkdir -p $(@D)
	$(call msg,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(BPF_EXTRA) -MMD -MP -MT $@ -MF $@.d -c $< -o $@

$(BENCH)/stages.skel.h: $(BENCH)/stages.bpf.o
	$(call msg,SKEL,$@)
	$(Q)bpftool gen skeleton $< name stages_bpf > $@

$(BENCH)/stages: tools/bench/stages.c $(BENCH)/stages.skel.h $(BUILD)/libairglow.a
	$(call msg,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -isystem $(BENCH) $(LDFLAGS) -MMD -MP -MF $@.d $< $(BUILD)/libairglow.a $(LDLIBS) -o $@

$(BENCH)/collector: tools/bench/collector.c $(BUILD)/libairglow.a
	@mkdir -p $(@D)
	$(call msg,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -MMD -MP -MF $@.d $< $(BUILD)/libairglow.a $(LDLIBS) -o $@

$(BENCH)/drop.bpf.o: tools/bench/drop.bpf.c | $(PACKAGES)
	@mkdir -p $(@D)
	$(call msg,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(BPF_EXTRA) -MMD -MP -MT $@ -MF $@.d -c $< -o $@

bench: $(BENCH)/stages $(BENCH)/collector $(BENCH)/drop.bpf.o $(BUILD)/packages.bench
