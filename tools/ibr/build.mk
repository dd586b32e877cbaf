# SPDX-License-Identifier: GPL-2.0-only
# build/ibr, the traffic generator. Included by the root Makefile; paths count from there.
BUILD ?= build
CLANG ?= clang
BPFTOOL ?= bpftool

IBR_SRC := $(wildcard tools/ibr/*.c)
IBR_SRC := $(filter-out %.bpf.c,$(IBR_SRC))
IBR_OBJ := $(IBR_SRC:%.c=$(BUILD)/%.o) $(BUILD)/tools/ibr/default.o
IBR_CFLAGS := -std=gnu17 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wcast-qual -Wformat=2 -Werror -ffp-contract=off

$(BUILD)/ibr: $(IBR_OBJ)
	$(CC) $(LDFLAGS) -pthread -o $@ $^ -lbpf -lelf -lz -lyaml -ljansson -lm

$(BUILD)/tools/ibr/%.o: tools/ibr/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(IBR_CFLAGS) -I$(BUILD)/tools/ibr -MMD -MP -c -o $@ $<

$(BUILD)/tools/ibr/default.o: tools/ibr/default.S tools/ibr/scenarios/nicter-2025.yaml
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<

$(BUILD)/tools/ibr/driver.bpf.o: tools/ibr/driver.bpf.c
	@mkdir -p $(@D)
	$(CLANG) -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -I/usr/include/$(shell uname -m)-linux-gnu \
		-MMD -MP -c -o $@ $<

$(BUILD)/tools/ibr/driver.skel.h: $(BUILD)/tools/ibr/driver.bpf.o
	$(BPFTOOL) gen skeleton $< name driver_bpf > $@.part && mv $@.part $@

$(BUILD)/tools/ibr/live_xdp.o: $(BUILD)/tools/ibr/driver.skel.h
$(BUILD)/tools/ibr/live_xdp.o: IBR_CFLAGS += -Wno-cast-qual -Wno-sign-conversion -Wno-conversion

-include $(IBR_OBJ:.o=.d) $(BUILD)/tools/ibr/driver.bpf.d
