# nsh: a scriptable shell for Linux network namespaces.
#
#   make            ./nsh, and below build/plain nsh/core.so for a stock lua5.4, nsh/core/pcap.so for captures, nsh.3
#   make demo       builds, and runs examples/bridge.lua in a sandbox
#   make check      builds, and runs all tests, or those in TESTS; SANITIZE=1: those of the code, with ASan and UBSan
#   make check-vm   the tests that this kernel skips, on Debian's under qemu; TESTS="tests/lua/x_test.lua …" or all
#   make lint       format and static checks
#   make docs       pages of the doc comments, by LDoc: build/docs/index.html
#   make pictures   draws what the examples build, as examples/pictures/NAME.svg
#   make bench      nsh beside its floors and its rivals: half an hour
#   make install    PREFIX=/usr/local DESTDIR=
#
# All but install and clean get the Debian packages that they miss, if they may.  V=1 shows every command.

PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   := build/$(if $(SANITIZE),sanitize,plain)
NSH     := $(if $(SANITIZE),$(BUILD)/bin/nsh,nsh)
MODULE  := $(BUILD)/nsh/core.so
PCAP    := $(BUILD)/nsh/core/pcap.so
MANUAL  := $(BUILD)/nsh.3
LUA     := lua5.4
Q       := $(if $(V),,@)
say      = $(if $(V),,@printf '  %-7s %s\n' $(1) '$(2)';)

CFLAGS  ?= -O2 -g
comma   := ,
CFLAGS  += $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
LIBRARIES  := lua5.4 libmnl
NSH_CFLAGS := -std=gnu17 -D_GNU_SOURCE -fPIC -MMD -MP -Wall -Wextra -Werror \
              -Wno-missing-field-initializers $(shell pkg-config --cflags $(LIBRARIES) 2>/dev/null)
LIBS       := $(shell pkg-config --libs $(LIBRARIES) 2>/dev/null) -lm
PCAP_LIBS  := $(shell pkg-config --libs libpcap 2>/dev/null)

CORE    := $(wildcard core/*.c core/schema/*.c)
PROGRAM := $(addprefix bindings/,main.c modules.c options.c run.c shell.c commands.c enter.c) $(wildcard bindings/repl*.c)
BINDING := $(filter-out $(PROGRAM) bindings/capture.c,$(wildcard bindings/*.c))
# A module of its own, since libpcap pulls in ten libraries; it has copies of what it needs of the rest.
CAPTURE := $(wildcard core/capture/*.c) bindings/capture.c bindings/nsh.c core/address.c core/error.c core/netns.c core/netns_make.c
COMPLETION := $(addprefix bindings/completion.,bash zsh)
MODULES := $(sort $(shell find lua -name '*.lua'))
# They run whole labs again and again, or kill them: nothing in that is for the sanitizers to see.
REPEATS := $(addprefix tests/sh/,examples_test.sh mutation_test.sh kill_test.sh kill_lab_test.sh kill_firewall_test.sh)
# What there is of C for an ordinary user only is in these; the rest the sanitizers see once.
OF_USER := $(wildcard tests/core/*_test.c) tests/lua/ping_socket_test.lua tests/lua/unshare_test.lua \
           $(addprefix tests/sh/,internet_test.sh registry_test.sh registry_inside_test.sh)
TESTS   ?= $(if $(SANITIZE),$(filter-out $(REPEATS),$(wildcard tests/lua/*_test.lua tests/sh/*_test.sh tests/core/*_test.c)))
UNITS   := $(patsubst tests/core/%.c,$(BUILD)/tests/%,$(wildcard tests/core/*_test.c))
object   = $(patsubst %.c,$(BUILD)/%.o,$(1))

all: $(NSH) $(MODULE) $(PCAP) $(MANUAL)

$(NSH): $(call object,$(CORE) $(BINDING) $(PROGRAM)) $(BUILD)/embedded.o
	$(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -Wl,-E -o $@ $^ $(LIBS) -lreadline

$(MODULE): $(call object,$(CORE) $(BINDING))
	$(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ $(LIBS)

$(PCAP): $(call object,$(CAPTURE))
	$(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ $(PCAP_LIBS)

# From the doc comments above the functions, as help has them.
$(MANUAL): bindings/man.lua $(MODULES)
	$(call say,MAN,$@)mkdir -p $(@D) && LUA_PATH='lua/?.lua;lua/?/init.lua' $(LUA) $< >$@.new && mv $@.new $@

$(BUILD)/%.o: %.c
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(CFLAGS) $(NSH_CFLAGS) -c -o $@ $<

$(BUILD)/embedded.o: $(BUILD)/embedded.c
	$(call say,CC,$<)$(CC) $(CFLAGS) $(NSH_CFLAGS) -Ibindings -c -o $@ $<

$(BUILD)/embedded.c: bindings/embed.lua $(MODULES) $(COMPLETION)
	$(call say,EMBED,$@)mkdir -p $(@D) && $(LUA) $< lua $(MODULES) $(COMPLETION) > $@.new && mv $@.new $@

$(BUILD)/tests/%: tests/core/%.c $(call object,$(CORE))
	$(call say,LINK,$@)mkdir -p $(@D) && \
	$(CC) $(CFLAGS) $(NSH_CFLAGS) -o $@ $(filter %.c %.o,$^) $(LIBS) -lcmocka

$(BUILD)/tests/capture_fuzz_test: $(call object,$(wildcard core/capture/*.c))
$(BUILD)/tests/capture_fuzz_test: LIBS += $(PCAP_LIBS)

tests: $(UNITS)

# --- what is asked for by name ---------------------------------------------------------------------

BUILD_PACKAGES := gcc libc6-dev make pkg-config lua5.4 liblua5.4-dev libmnl-dev libreadline-dev \
                  libpcap-dev iproute2 iputils-ping
DEMO_PACKAGES  := curl lua-cjson nftables python3
CHECK_PACKAGES := lua-unit libcmocka-dev perl tmux procps util-linux man-db graphviz netbase \
                  passt tcpdump wireguard-tools zsh
BENCH_PACKAGES := python3-pyroute2 mininet bridge-utils
VM_PACKAGES    := qemu-system-x86 busybox-static cpio kmod
LINT_PACKAGES  := clang-format cppcheck lua-check man-db shellcheck

demo:
	$(Q)tests/packages $(BUILD_PACKAGES) $(DEMO_PACKAGES)
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all
	$(Q)./nsh -S examples/bridge.lua

check:
	$(Q)tests/packages $(BUILD_PACKAGES) $(DEMO_PACKAGES) $(CHECK_PACKAGES)
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all tests
	$(Q)$(if $(SANITIZE),AS_USER="$(filter $(OF_USER),$(TESTS))") tests/run $(NSH) $(BUILD) $(TESTS)

check-vm:
	$(Q)tests/packages $(BUILD_PACKAGES) $(CHECK_PACKAGES) $(VM_PACKAGES)
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all tests
	$(Q)tests/vm/check $(NSH) $(BUILD) $(TESTS)

lint:
	$(Q)tests/packages $(LINT_PACKAGES)
	$(Q)tests/lint

pictures: all
	$(Q)tests/packages graphviz
	$(Q)mkdir -p examples/pictures
	$(Q)tests/pictures ./$(NSH) examples/pictures

docs: all
	$(Q)tests/packages lua-ldoc lua-markdown
	$(Q)mkdir -p build/docs && ./$(NSH) -S -E bindings/ldoc.lua >build/docs/config.ld
	$(Q)ldoc --quiet --fatalwarnings -c build/docs/config.ld .

bench:
	$(Q)tests/packages $(BUILD_PACKAGES) $(BENCH_PACKAGES)
	$(Q)$(MAKE) --no-print-directory -j$$(nproc) all
	$(Q)tests/bench/run

install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/lua/5.4/nsh/core
	install -d $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/man/man3
	install $(NSH) $(DESTDIR)$(PREFIX)/bin/nsh
	install -m 644 bindings/nsh.1 $(DESTDIR)$(PREFIX)/share/man/man1/nsh.1
	install -m 644 $(MANUAL) $(DESTDIR)$(PREFIX)/share/man/man3/nsh.3
	install -m 644 $(MODULE) $(DESTDIR)$(PREFIX)/lib/lua/5.4/nsh/core.so
	install -m 644 $(PCAP) $(DESTDIR)$(PREFIX)/lib/lua/5.4/nsh/core/pcap.so
	cd lua && for f in $(patsubst lua/%,%,$(MODULES)); do \
	    install -D -m 644 $$f $(DESTDIR)$(PREFIX)/share/lua/5.4/$$f; done

clean:
	$(Q)rm -rf build nsh

.PHONY: all tests demo check check-vm lint docs pictures bench install clean
.DELETE_ON_ERROR:
-include $(shell find build -name '*.d' 2>/dev/null)
