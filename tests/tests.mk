# SPDX-License-Identifier: Apache-2.0
#
# The tests' part of the Makefile, which includes it.

FUZZ_SECONDS ?= 10
# Those of what is sent and received get more.
FUZZ_LONG ?= send receive http1
FUZZ_LONG_SECONDS ?= 60
MUSL_CC ?= musl-gcc
ifneq ($(filter default undefined,$(origin CXX)),)
CXX = g++
endif

# One program a folder under ASan and UBSan; test_*_threads.c under TSan.
unit_folders := $(notdir $(patsubst %/,%,$(wildcard tests/unit/*/)))
unit_tests :=
define unit_rules
$(1)_threads := $$(wildcard tests/unit/$(1)/test_*_threads.c)
$(1)_plain := $$(filter-out $$($(1)_threads),$$(wildcard tests/unit/$(1)/*.c))
unit_tests += $$(if $$($(1)_plain),build/tests/unit-$(1)) \
	$$(if $$($(1)_threads),build/tests/unit-$(1)-threads)
build/tests/unit-$(1): $$($(1)_plain:%.c=build/asan/%.o) \
	$$(if $$(filter preload,$(1)),$$(call objects,asan,preload))
build/tests/unit-$(1)-threads: $$($(1)_threads:%.c=build/tsan/%.o) \
	$$(if $$(filter preload,$(1)),$$(call objects,tsan,preload))
endef
$(foreach folder,$(unit_folders),$(eval $(call unit_rules,$(folder))))

fuzz_tests := $(patsubst tests/fuzz/%.c,build/tests/%,$(wildcard \
	tests/fuzz/fuzz_*.c))
bench_tests := $(patsubst tests/bench/%.c,build/tests/%,$(wildcard \
	tests/bench/bench_*.c))
programs := $(patsubst tests/programs/%.c,build/programs/%,$(wildcard \
	tests/programs/*.c))
programs += $(patsubst tests/programs/%.cc,build/programs/%,$(wildcard \
	tests/programs/*.cc))
libraries := $(filter build/programs/lib%,$(programs))
programs := $(filter-out $(libraries),$(programs)) $(libraries:=.so)
all: $(programs)

link_test = $(call quiet,LD)mkdir -p $(@D) && $(1) -o $@ $(filter %.o,$^) \
	$(filter %.a,$^) $(STATIC_LIBS) $(UNWIND_LIBS) -lm

build/tests/unit-%-threads: build/tsan/parts.a \
		$(call objects,tsan,tests/support tests/support/tsan)
	$(call link_test,$(CC) -fsanitize=thread)

build/tests/unit-%: build/asan/parts.a $(call objects,asan,tests/support)
	$(call link_test,$(CC) -fsanitize=address$(,)undefined) -lcriterion -lcjson

build/tests/fuzz_%: build/fuzz/tests/fuzz/fuzz_%.o build/fuzz/parts.a \
		$(call objects,fuzz,tests/support)
	$(call link_test,$(FUZZ_CC) -fsanitize=fuzzer$(,)address$(,)undefined)

build/tests/bench_%: build/obj/tests/bench/bench_%.o build/obj/parts.a
	$(call link_test,$(CC))

# Programs that tests run: plain ones, musl_*.c against musl, lib*.c as .so,
# *.cc in C++ (with exceptions thrown by signal handlers).
program = $(call quiet,CC)mkdir -p $(@D) && $(1) -O1 -g -D_GNU_SOURCE -I. -Wall -Wextra -Werror -o $@ $< $(2)

build/programs/musl_%: tests/programs/musl_%.c Makefile
	$(call program,$(MUSL_CC) -std=gnu11)

build/programs/lib%.so: tests/programs/lib%.c Makefile
	$(call program,$(CC) -std=gnu11 -shared -fPIC)

build/programs/curl_%: tests/programs/curl_%.c Makefile
	$(call program,$(CC) -std=gnu11 -pthread -Wno-deprecated-declarations,-lcurl)

build/programs/cost_tls: tests/programs/cost_tls.c Makefile
	$(call program,$(CC) -std=gnu11,-lssl -lcrypto)

build/programs/%: tests/programs/%.c Makefile
	$(call program,$(CC) -std=gnu11 -pthread)

build/programs/%: tests/programs/%.cc Makefile
	$(call program,$(CXX) -std=gnu++17 -fnon-call-exceptions -pthread)

check: deps ## lint and every test; ends with one line of counts
	@MAKE='$(MAKE)' scripts/check.sh

test-unit: $(unit_tests) ## unit tests under ASan, UBSan and TSan
	@scripts/run-unit.sh $^

test-e2e: all ## real programs; TESTS=pattern picks
	@scripts/run-e2e.sh $(TESTS)

test-long: all ## the clients with 10,000 requests each, all of CPython's tests
	@AT_E2E_LONG=1 scripts/run-e2e.sh 01 045

fuzz: $(fuzz_tests) ## FUZZ_SECONDS=10, FUZZ_LONG_SECONDS=60 for some
	@FUZZ_LONG='$(FUZZ_LONG)' FUZZ_LONG_SECONDS=$(FUZZ_LONG_SECONDS) \
		scripts/run-fuzz.sh $(FUZZ_SECONDS) $(sort $^)

lint: all ## style, layout and symbol rules
	@scripts/lint.sh

format: ## bring the C sources into form (.clang-format)
	@find $(shim) exporter cli demo tests -name '*.[ch]' | \
		xargs clang-format -i

bench: all $(bench_tests) ## print the costs as a table
	@AUTOTRACE_BUILD=$(CURDIR)/build tests/bench/run.sh
