# SPDX-License-Identifier: GPL-2.0-only
# make: build/airglow.  sudo make run, sudo make test: the two commands of README.md.  V=1 shows commands.

VERSION := 0.1.0
BUILD   := build
CC      ?= gcc
ifeq ($(origin CC),default)
CC      := gcc
endif
CLANG   ?= clang
COMMIT  := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)

WARN    := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wformat=2 -Werror
HARDEN  := -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
INCLUDE := -Iinclude -Iuser -I. -isystem $(BUILD)
CFLAGS  ?= -O2 -g
ALL_CFLAGS = -std=gnu17 -D_GNU_SOURCE $(CFLAGS) $(WARN) $(HARDEN) $(INCLUDE)
LDLIBS  := -lbpf -lelf -lz -lmicrohttpd -ljansson -lcyaml -lyaml -lpcap -lcurl -lmnl -lgnutls -lcrypt -lcap -lseccomp \
	-lm -lpthread
LDFLAGS ?= -pie -Wl,-z,relro,-z,now

ARCH     := $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/')
# Asked when it is used: on a fresh system the compiler is installed by a rule of this file.
MULTIARCH = $(shell $(CC) -print-multiarch 2>/dev/null)
BPF_CFLAGS = -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Werror -D__TARGET_ARCH_$(ARCH) -Iinclude -I. \
	-idirafter /usr/include/$(MULTIARCH)

SAN      := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
SAN_CFLAGS = -std=gnu17 -D_GNU_SOURCE -O1 -g $(WARN) $(INCLUDE) $(SAN)

ifeq ($(V),1)
Q :=
msg :=
else
Q := @
msg = @printf '  %-8s %s\n' "$(1)" "$(2)";
endif

USER_SRC := $(filter-out user/cli/main.c,$(wildcard user/*/*.c))
USER_OBJ := $(USER_SRC:%.c=$(BUILD)/obj/%.o)
SAN_OBJ  := $(USER_SRC:%.c=$(BUILD)/san/%.o)
UNIT_SRC := $(wildcard tests/unit/*.c)
UNIT_OBJ := $(UNIT_SRC:%.c=$(BUILD)/san/%.o)
FUZZ     := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FIXTURES := $(patsubst %.c,$(BUILD)/tests/%,$(notdir $(wildcard tests/golden/*_fixture.c tests/e2e/*_driver.c)))
SKEL     := $(BUILD)/airglow.skel.h

.PHONY: print-host-flags print-bpf-flags all tests run test test-long bench fuzz lint golden-update clean help FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(BUILD)/airglow

help:
	@echo 'make                build $(BUILD)/airglow (as root: installs missing build packages first)'
	@echo 'sudo make run       a living telescope on 127.0.0.1:10023; IFACE=eth0 DARK=203.0.113.0/24 (or DARK=self) for a real one'
	@echo 'sudo make test      all tests; sudo make test-long: kernels, mutation of path and reader, long fuzzing'
	@echo 'sudo make install   into prefix=/usr/local (and DESTDIR=);  make uninstall;  make deb: $(BUILD)/airglow_$(VERSION)_ARCH.deb'
	@echo 'sudo make bench     timings into $(BUILD)/bench.json;  make fuzz SECONDS=60;  make lint'

# --- packages ------------------------------------------------------------------------------------------------
# A stamp a list: the check runs again when the list changes.
$(BUILD)/packages.%: tools/setup/packages.% tools/setup/install
	@mkdir -p $(BUILD)
	@tools/setup/install $<
	@touch $@
PACKAGES := $(BUILD)/packages.build

# --- the packet program --------------------------------------------------------------------------------------
$(BUILD)/%.bpf.o: bpf/%.bpf.c | $(PACKAGES)
	@mkdir -p $(@D)
	$(call msg,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) $(BPF_EXTRA) -MD -MP -MT $@ -MF $@.d -c $< -o $@

$(BUILD)/%.skel.h: $(BUILD)/%.bpf.o
	$(call msg,SKEL,$@)
	$(Q)bpftool gen skeleton $< name $*_bpf > $@

$(BUILD)/version.h: FORCE
	@mkdir -p $(@D)
	@printf '#define AIRGLOW_VERSION "%s"\n#define AIRGLOW_COMMIT "%s"\n' '$(VERSION)' '$(COMMIT)' > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
FORCE:

# --- the program ---------------------------------------------------------------------------------------------
$(BUILD)/obj/%.o: %.c | $(PACKAGES) $(SKEL) $(BUILD)/version.h
	@mkdir -p $(@D)
	$(call msg,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MD -MP -c $< -o $@

$(BUILD)/san/%.o: %.c | $(PACKAGES) $(SKEL) $(BUILD)/version.h
	@mkdir -p $(@D)
	$(call msg,CC-SAN,$@)
	$(Q)$(CC) $(SAN_CFLAGS) -MD -MP -c $< -o $@

$(BUILD)/libairglow.a: $(USER_OBJ)
	$(call msg,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/san/libairglow.a: $(SAN_OBJ)
	$(call msg,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(BUILD)/airglow: $(BUILD)/obj/user/cli/main.o $(BUILD)/libairglow.a
	$(call msg,LINK,$@)
	$(Q)$(CC) $(LDFLAGS) $^ $(LDLIBS) -o $@

# --- tests ---------------------------------------------------------------------------------------------------
$(BUILD)/tests/unit: $(UNIT_OBJ) $(BUILD)/san/libairglow.a | $(BUILD)/packages.test
	@mkdir -p $(@D)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(SAN) $^ $(LDLIBS) -lcriterion -o $@

$(BUILD)/tests/%_fixture: tests/golden/%_fixture.c $(BUILD)/libairglow.a
	@mkdir -p $(@D)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

$(BUILD)/tests/%_driver: tests/e2e/%_driver.c $(BUILD)/libairglow.a
	@mkdir -p $(@D)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $^ $(LDLIBS) -o $@

# libFuzzer is clang's: the whole library once more, instrumented.
FUZZ_CFLAGS = -std=gnu17 -D_GNU_SOURCE -O1 -g $(INCLUDE) -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined
FUZZ_OBJ := $(USER_SRC:%.c=$(BUILD)/fuzz/obj/%.o)
$(BUILD)/fuzz/obj/%.o: %.c | $(PACKAGES) $(SKEL) $(BUILD)/version.h
	@mkdir -p $(@D)
	$(call msg,CC-FUZZ,$@)
	$(Q)$(CLANG) $(FUZZ_CFLAGS) -MD -MP -c $< -o $@
$(BUILD)/fuzz/libairglow.a: $(FUZZ_OBJ)
	$(Q)rm -f $@ && ar rcs $@ $^
$(BUILD)/fuzz/%: $(BUILD)/fuzz/obj/tests/fuzz/%.o $(BUILD)/fuzz/libairglow.a | $(BUILD)/packages.test
	$(call msg,LINK,$@)
	$(Q)$(CLANG) -fsanitize=fuzzer,address,undefined $^ $(LDLIBS) -o $@

# Makes fuzzed captures, and the first corpus of fuzz_pipeline.
$(BUILD)/tests/frames: tests/fuzz/frames.c tests/unit/packets.h | $(PACKAGES)
	@mkdir -p $(@D)
	$(call msg,CC,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -Itests/unit $(LDFLAGS) $< -o $@

tests: $(BUILD)/airglow $(BUILD)/tests/unit $(FIXTURES) $(BUILD)/ibr $(BUILD)/tests/frames $(BUILD)/bench/stages

test: $(BUILD)/packages.test $(BUILD)/packages.debian
	$(Q)$(MAKE) --no-print-directory tests $(FUZZ)
	$(Q)tests/run test

test-long: $(BUILD)/packages.test $(BUILD)/packages.debian $(BUILD)/packages.long
	$(Q)$(MAKE) --no-print-directory tests $(FUZZ)
	$(Q)tests/run long

SECONDS ?= 60
fuzz: $(BUILD)/packages.test
	$(Q)$(MAKE) --no-print-directory $(FUZZ)
	$(Q)FUZZ_SECONDS=$(SECONDS) tests/fuzz/test-fuzz

lint: $(BUILD)/packages.test
	$(Q)$(MAKE) --no-print-directory tests
	$(Q)tests/lint/test-lint

# For the linters: the flags that the sources are compiled with.
print-host-flags:
	@echo $(ALL_CFLAGS)
print-bpf-flags:
	@echo $(BPF_CFLAGS)

golden-update: tests
	$(Q)AIRGLOW_UPDATE_GOLDEN=1 tests/run test golden

bench: $(BUILD)/packages.test
	$(Q)$(MAKE) --no-print-directory tests
	$(Q)tools/bench/run

# --- running -------------------------------------------------------------------------------------------------
run: $(BUILD)/packages.run
	$(Q)$(MAKE) -s --no-print-directory $(BUILD)/airglow $(BUILD)/ibr
	$(Q)BUILD=$(BUILD) IFACE='$(IFACE)' DARK='$(DARK)' FEED='$(FEED)' LISTEN='$(LISTEN)' OPEN='$(OPEN)' tools/run

clean:
	rm -rf $(BUILD)

-include tools/ibr/build.mk tools/bench/build.mk tools/packaging/build.mk
-include $(shell find $(BUILD) -type f -name '*.d' 2>/dev/null)
