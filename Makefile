# nsh: a scriptable shell for Linux network namespaces.
#
#   make            ./nsh and the module for a stock lua5.4
#   make demo       builds, and runs examples/bridge.lua in a sandbox
#   make check      builds, and runs all tests
#   make install    PREFIX=/usr/local DESTDIR=
#   make V=1        shows the commands; SANITIZE=1 builds with ASan and UBSan into build/sanitize

PREFIX ?= /usr/local
BUILD  := build$(if $(SANITIZE),/sanitize)
NSH    := $(if $(SANITIZE),$(BUILD)/nsh,nsh)
Q      := $(if $(V),,@)
say     = $(if $(V),,@echo "  $(1)	$(2)";)

LUA    := lua5.4
PKGS   := lua5.4 libmnl
CFLAGS ?= -O2 -g
CFLAGS += $(if $(SANITIZE),-fsanitize=address$(comma)undefined -fno-omit-frame-pointer)
comma  := ,
NSH_CFLAGS = -std=gnu17 -D_GNU_SOURCE -Wall -Wextra -Wno-missing-field-initializers -Werror -fPIC -MMD -MP \
             $(shell pkg-config --cflags $(PKGS))
LIBS   = $(shell pkg-config --libs $(PKGS)) -lm

CORE    := $(wildcard core/*.c core/schema/*.c)
PROGRAM := $(addprefix bindings/,main.c options.c repl.c run.c)
BINDING := $(filter-out $(PROGRAM),$(wildcard bindings/*.c))
MODULES := $(sort $(wildcard lua/nsh/*.lua lua/nsh/*/*.lua))
object   = $(patsubst %.c,$(BUILD)/%.o,$(1))

all: $(NSH) $(BUILD)/nsh/core.so

$(NSH): $(call object,$(CORE) $(BINDING) $(wildcard $(PROGRAM)) bindings/embedded.c)
	$(call say,LINK,$@)$(CC) $(CFLAGS) $(LDFLAGS) -Wl,-E -o $@ $^ $(LIBS) -lreadline

$(BUILD)/nsh/core.so: $(call object,$(CORE) $(BINDING))
	$(call say,LINK,$@)mkdir -p $(@D) && $(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^ $(LIBS)

$(BUILD)/%.o: %.c
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(CFLAGS) $(NSH_CFLAGS) -c -o $@ $<

$(BUILD)/bindings/embedded.o: $(BUILD)/embedded.c
	$(call say,CC,$<)mkdir -p $(@D) && $(CC) $(CFLAGS) $(NSH_CFLAGS) -Ibindings -c -o $@ $<

$(BUILD)/embedded.c: bindings/embed.lua $(MODULES)
	$(call say,EMBED,$@)mkdir -p $(@D) && $(LUA) $< lua $(MODULES) > $@.new && mv $@.new $@

clean:
	$(Q)rm -rf build nsh

.PHONY: all clean
.DELETE_ON_ERROR:
-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
