# SPDX-License-Identifier: Apache-2.0
#
# make help lists the targets.  Everything is made below build/.

VERSION = 0.1.0
PREFIX ?= /usr/local
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
V ?= 0

ifneq ($(filter default undefined,$(origin CC)),)
CC = gcc
endif
FUZZ_CC ?= clang
HASH := \#
, := ,
PROTOC_C ?= protoc-c

MAKEFLAGS += -rR
ifeq ($(MAKELEVEL),0)
MAKEFLAGS += -j$(JOBS)
endif
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all deps demo docs check test-unit test-e2e test-long bench fuzz lint format \
	install clean help FORCE
.PRECIOUS: build/%.o

quiet = $(if $(filter 1,$(V)),,@printf '  %-8s%s\n' '$(1)' '$(patsubst \
	build/%,%,$@)';)

# ---- what is made of what -------------------------------------------------
# Objects: build/obj for the products; asan and tsan for the unit tests; fuzz.
flavours := obj asan tsan fuzz
pure := core protocol propagator sampler
shim := $(pure) tracer hooks preload
# $(call objects,FLAVOUR,FOLDER...)
sources = $(wildcard $(addsuffix /*.c,$(1)) $(addsuffix /*.S,$(1)))
objects = $(addprefix build/$(1)/,$(addsuffix .o,$(basename \
	$(call sources,$(2)))))

protos := $(patsubst exporter/%.proto,build/gen/%.pb-c,$(wildcard \
	exporter/*.proto))
generated = $(protos:build/gen/%=build/$(1)/gen/%.o)
exporter = $(call objects,$(1),exporter core) $(call generated,$(1))
# What tests may link: everything but the constructor and main; the hooks only
# where AT_UNIT_TEST keeps them from being the program's own read and write.
parts = $(filter-out %/cli/main.o,$(call objects,$(1),$(pure) tracer exporter \
	cli $(if $(filter-out obj,$(1)),hooks))) $(call generated,$(1))

products := $(if $(wildcard preload/*.c),build/libautotrace.so) \
	$(if $(wildcard exporter/*.c),build/libautotrace-exporter.so) \
	$(if $(wildcard cli/*.c),build/autotrace)

# ---- the exporter's private libraries, see scripts/static-libs.sh ----------
STATIC_CFLAGS = -DCURL_STATICLIB -DNGHTTP2_STATICLIB -Ibuild/static/include
STATIC_LIBS = build/static/lib/libcurl.a build/static/lib/libnghttp2.a \
	-l:libssl.a -l:libcrypto.a -l:libcares.a -l:libprotobuf-c.a -l:libz.a
UNWIND_LIBS = build/static/lib/libunwind-ptrace.a \
	build/static/lib/libunwind-generic.a build/static/lib/libunwind.a

# None of them may read the host's environment: exporter/no_environ.c.
NO_ENVIRON = -Wl,--wrap=getenv,--wrap=secure_getenv

# ---- flags ----------------------------------------------------------------
WARNINGS = -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wwrite-strings -Wshadow
CPPFLAGS += -D_GNU_SOURCE -DAT_VERSION='"$(VERSION)"' -I. -Ibuild/gen
CFLAGS ?= -O2 -g
BASE_CFLAGS = -std=gnu11 -fPIC -fvisibility=hidden -fexceptions -fno-plt \
	-ftls-model=initial-exec -fno-semantic-interposition \
	-ffile-prefix-map=$(CURDIR)=. $(WARNINGS)

CFLAGS_obj = $(CFLAGS) -Werror
CFLAGS_asan = -O1 -g -DAT_UNIT_TEST -fno-omit-frame-pointer -Werror \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined
CFLAGS_tsan = -O1 -g -DAT_UNIT_TEST -fsanitize=thread \
	-Itests/support/tsan -Wno-missing-field-initializers -Wno-tsan
CFLAGS_fuzz = -O1 -g -DAT_UNIT_TEST -fsanitize=address,undefined \
	-fsanitize=fuzzer-no-link -fno-sanitize-recover=undefined \
	-Wno-unknown-warning-option
CC_fuzz = $(FUZZ_CC)

# In a foreign process: no symbol of a newer libc, no canary of the host's.
shim_cflags = -U_FORTIFY_SOURCE -fno-stack-protector -ffunction-sections \
	-fdata-sections
# As one piece: a tenth less of a request and of a start.
lto_cflags = -flto=auto -ffat-lto-objects
$(foreach folder,$(shim),$(eval CFLAGS_in_$(folder) = $(shim_cflags)) \
	$(eval CFLAGS_obj_in_$(folder) = $(lto_cflags)))
CFLAGS_in_hooks += -fno-builtin
# What every program's start, exec, fork and end run lies together: without
# sections of their own their functions come first.
starters := $(wildcard preload/*.c sampler/*.c) $(patsubst %,core/%.c,clock config \
	config_parse counters environ hub ids image living log program \
	program_name ring span text) $(patsubst %,hooks/%.c,elf process real) \
	$(patsubst %,tracer/%.c,context exec fork output process request tracer)
$(starters:%.c=build/obj/%.o): CFLAGS_of_file = -fno-function-sections
CFLAGS_in_exporter = $(STATIC_CFLAGS)
CFLAGS_in_cli = $(STATIC_CFLAGS)
CFLAGS_in_tests = $(STATIC_CFLAGS) -Wno-missing-prototypes
CFLAGS_in_gen = -w
# Fuzzers: what the tests themselves do tells nothing; of all other folders
# only the parsers need to have their comparisons solved.
CFLAGS_fuzz_in_tests = -fno-sanitize=fuzzer-no-link
CFLAGS_fuzz_in_tracer = -fno-sanitize-coverage=trace-cmp

# noseparate-code: two segments in place of four; each is a system call and a
# page fault or two of every program's start.
LINK_SO = $(CC) -shared $(LDFLAGS) -Wl,-O1,--hash-style=gnu,-soname,$(@F) \
	-Wl,-z,now,-z,relro,-z,defs,-z,text,-z,noexecstack,-z,noseparate-code \
	-Wl,-Bsymbolic -Wl,--exclude-libs,ALL -Wl,--as-needed

# ---- products -------------------------------------------------------------
all: $(products) $(call objects,obj,$(shim) exporter cli) ## the libraries, the command, the tests' programs

build/libautotrace.so: $(call objects,obj,$(shim)) build/gen/exports.map
	$(call quiet,LD)$(LINK_SO) $(BASE_CFLAGS) $(CFLAGS) $(shim_cflags) \
		$(lto_cflags) -nodefaultlibs -nostartfiles \
		-Wl,--gc-sections,--sort-section=name -o $@ \
		$(filter %.o,$^) \
		-Wl,--version-script=build/gen/exports.map -lc -lgcc

build/libautotrace-exporter.so: $(call exporter,obj) exporter/exporter.map \
		build/static.stamp
	$(call quiet,LD)$(LINK_SO) -static-libgcc -o $@ $(filter %.o,$^) \
		-Wl,--version-script=exporter/exporter.map $(NO_ENVIRON) \
		$(STATIC_LIBS)

build/autotrace: $(call objects,obj,cli) $(call exporter,obj) \
		build/obj/parts.a build/static.stamp
	$(call quiet,LD)$(CC) $(LDFLAGS) -pie -Wl,-z,now,-z,relro -o $@ \
		$(filter %.o,$^) build/obj/parts.a $(NO_ENVIRON) $(STATIC_LIBS) \
		$(UNWIND_LIBS)

# ---- generated ------------------------------------------------------------
# One row of hooks.def is one exported symbol; anonymous, so that it matches
# whatever version the program asks for.
build/gen/exports.map: $(wildcard hooks/hooks.def) Makefile
	@mkdir -p $(@D)
	$(call quiet,GEN)printf '%s\n' '$(HASH)define HOOK(family, name, ...) name;' \
		'$(HASH)define LATE(family, name) name;' \
		'$(HASH)define LAZY LATE' '{' $(if $(filter %.def,$^),'global:' '$(HASH)include "$<"') \
		'local: *; };' | $(CC) -E -P -I. -x c -o $@ -

# The names' hashes (DT_GNU_HASH), which the constructor would compute each time.
build/gen/hook_hash.h: hooks/hooks.def scripts/hook-hash.awk
	@mkdir -p $(@D)
	$(call quiet,GEN)awk -f scripts/hook-hash.awk $< > $@

build/gen/%.pb-c.c build/gen/%.pb-c.h: exporter/%.proto
	@mkdir -p $(@D)
	$(call quiet,PROTOC)$(PROTOC_C) -Iexporter --c_out=build/gen $<

build/static.stamp: scripts/static-libs.sh \
		$(if $(wildcard build/static/versions),,FORCE)
	@mkdir -p $(@D)
	$(call quiet,STATIC)scripts/static-libs.sh build/static && touch $@

# ---- objects --------------------------------------------------------------
define rules_of
build/$(1)/%.o: %.c Makefile
	@mkdir -p $$(@D)
	$$(call quiet,CC)$$(or $$(CC_$(1)),$$(CC)) $$(CPPFLAGS) $$(BASE_CFLAGS) \
		$$(CFLAGS_$(1)) $$(CFLAGS_in_$$(firstword $$(subst /, ,$$*))) \
		$$(CFLAGS_$(1)_in_$$(firstword $$(subst /, ,$$*))) \
		$$(CFLAGS_of_file) -MMD -MP -c -o $$@ $$<

build/$(1)/%.o: %.S Makefile
	@mkdir -p $$(@D)
	$$(call quiet,AS)$$(CC) $$(CPPFLAGS) $$(filter -D%,$$(CFLAGS_$(1))) \
		-MMD -MP -c -o $$@ $$<

build/$(1)/gen/%.o: build/gen/%.c Makefile
	@mkdir -p $$(@D)
	$$(call quiet,CC)$$(or $$(CC_$(1)),$$(CC)) $$(CPPFLAGS) $$(BASE_CFLAGS) \
		$$(CFLAGS_$(1)) $$(CFLAGS_in_gen) -MMD -MP -c -o $$@ $$<

build/$(1)/parts.a: $$(call parts,$(1))
	$$(call quiet,AR)rm -f $$@ && ar qcs $$@ $$^

$$(call objects,$(1),hooks): | build/gen/hook_hash.h

$$(call objects,$(1),exporter cli tests/unit/* tests/support \
		tests/support/tsan tests/fuzz tests/bench): | $$(protos:=.h) build/static.stamp
endef
$(foreach flavour,$(flavours),$(eval $(call rules_of,$(flavour))))
-include $(wildcard $(foreach flavour,$(flavours),build/$(flavour)/*/*.d \
	build/$(flavour)/tests/*/*.d build/$(flavour)/tests/unit/*/*.d))

include tests/tests.mk

deps: ## install what building and testing need (root or sudo)
	@scripts/deps.sh

docs: all ## write again what is generated in docs/
	@if [ -x scripts/docs.sh ]; then scripts/docs.sh; fi

demo: deps ## build, then run a small shop and show its trace
	@$(MAKE) --no-print-directory all
	@AUTOTRACE_BUILD=$(CURDIR)/build demo/run.sh

install: all ## DESTDIR= PREFIX=/usr/local
	install -d $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/bin \
		$(DESTDIR)$(PREFIX)/share/doc/autotrace
	install -m 644 $(filter %.so,$(products)) $(DESTDIR)$(PREFIX)/lib
	install -m 755 $(filter-out %.so,$(products)) $(DESTDIR)$(PREFIX)/bin
	install -m 644 LICENSE $(wildcard README.md docs/*.md) \
		$(DESTDIR)$(PREFIX)/share/doc/autotrace

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t14
