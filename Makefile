# SPDX-License-Identifier: Apache-2.0
#
# make help lists what can be made. All output goes to $(OUT), build/ unless
# told otherwise; `make SAN=1 ...` builds with ASan and UBSan in build/asan.

VERSION := 0.1.0
STRIP := strip
PREFIX ?= /usr/local
PLATFORM := linux
# Who runs containers: an OCI runtime, or the platform itself.
BACKEND := oci

ifdef WINDOWS
PLATFORM := windows
BACKEND := native
OUT ?= build/windows$(if $(SAN),-ubsan)
CC := x86_64-w64-mingw32-gcc
AR := x86_64-w64-mingw32-ar
STRIP := x86_64-w64-mingw32-strip
EXE := .exe
WINDOWS_LIBS := $(shell sh tests/windows/libs.sh)
else ifdef FUZZING
OUT ?= build/fuzz
CC := clang
else ifdef SAN
OUT ?= build/asan
else
OUT ?= build
endif
GEN := $(OUT)/gen
OBJ := $(OUT)/obj

PROTOS := $(wildcard proto/*.proto) tests/unit/echo.proto
PROTOS := $(wildcard $(PROTOS))
WKT := google/protobuf/any google/protobuf/empty google/protobuf/timestamp
GEN_C := $(addprefix $(GEN)/,$(addsuffix .pb-c.c,$(WKT) \
	$(notdir $(PROTOS:.proto=))))
GEN_H := $(GEN_C:.c=.h)
WKT_DIR := $(shell pkg-config --variable=includedir protobuf 2>/dev/null || \
	echo /usr/include)

LIBS := libevent_core libprotobuf-c yajl
PKG_CFLAGS := $(shell pkg-config --cflags libevent libprotobuf-c yajl libmd \
	libseccomp 2>/dev/null)

ifdef WINDOWS
PKG_CFLAGS := -I$(WINDOWS_LIBS)/include -D_WIN32_WINNT=0x0A00 \
	-D_POSIX_C_SOURCE=200809L -include platform/windows/libc.h
endif

WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
	-Wvla -Werror
CPPFLAGS += -I. -I$(GEN) -D_GNU_SOURCE -DWISP_VERSION='"$(VERSION)"' \
	$(PKG_CFLAGS)
ifdef WINDOWS
CFLAGS ?= -O2 -g
HARDEN := -fstack-protector-strong -ffunction-sections -fdata-sections \
	-ffile-prefix-map=$(CURDIR)=. \
	$(if $(SAN),-fsanitize=undefined -fsanitize-undefined-trap-on-error)
LINK := -static -Wl,--gc-sections -Wl,--dynamicbase,--nxcompat
else ifdef FUZZING
CFLAGS ?= -O1 -g
HARDEN := -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=undefined
LINK := -fsanitize=fuzzer,address,undefined
else ifdef SAN
CFLAGS ?= -O1 -g
HARDEN := -fsanitize=address,undefined -fno-omit-frame-pointer \
	-fno-sanitize-recover=undefined
LINK := -fsanitize=address,undefined
else
CFLAGS ?= -O2 -g
HARDEN := -fPIE -fstack-protector-strong -D_FORTIFY_SOURCE=2 \
	-fcf-protection=full -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables \
	-ffile-prefix-map=$(CURDIR)=.
LINK := -static-pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,pack-relative-relocs \
	-Wl,--gc-sections -Wl,--no-warnings
endif
ALL_CFLAGS = -std=gnu11 $(CFLAGS) $(WARN) $(HARDEN)
ifdef WINDOWS
LDLIBS := -L$(WINDOWS_LIBS)/lib -levent_core -lprotobuf-c -lyajl -lws2_32 \
	-liphlpapi -ladvapi32 -lssp -lwinpthread
else
LDLIBS := -levent_core -lprotobuf-c $(if $(SAN)$(FUZZING),-lyajl,-lyajl_s) \
	-lseccomp -lmd -lm -larchive -lz -lzstd -llzma -lbz2
endif

# Every file is in the library but those with a main().
MAINS := shim/main.c ctl/main.c bench/bench.c
SRC := $(filter-out $(MAINS),$(wildcard shim/*.c shim/$(BACKEND)/*.c \
	ttrpc/*.c io/*.c reaper/*.c platform/*.c platform/$(PLATFORM)/*.c \
	client/*.c client/$(PLATFORM)/*.c ctl/*.c ctl/*/*.c bench/*.c))
# Of wispctl, these make sense on any system; Windows' own part is ctl/windows/,
# the rest is Linux'.
CTL_PORTABLE := $(addprefix ctl/,env.c json.c launch.c names.c \
	own.c record.c release.c say.c show.c target.c task_options.c units.c \
	events.c journal.c kill.c ps.c ps_processes.c table.c tail.c when.c \
	spec/escape.c spec/spec_windows.c spec/winpath.c)
CTL_PORTABLE += $(filter-out %_linux.c %_host.c %_sweep.c,$(wildcard ctl/stress/*.c))
ifdef WINDOWS
SRC := $(filter-out ctl/% bench/%,$(SRC)) $(CTL_PORTABLE) \
	$(wildcard ctl/windows/*.c)
else
SRC := $(filter-out ctl/windows/%,$(SRC))
endif
LIB := $(OUT)/libwisp.a
LIB_OBJ := $(SRC:%.c=$(OBJ)/%.o) $(GEN_C:$(GEN)/%.c=$(OBJ)/gen/%.o)
HEADERS := $(wildcard shim/*.h shim/$(BACKEND)/*.h ttrpc/*.h io/*.h reaper/*.h \
	platform/*.h platform/$(PLATFORM)/*.h client/*.h ctl/*.h ctl/*/*.h \
	bench/*.h)
ifdef WINDOWS
HEADERS := $(filter-out ctl/% bench/%,$(HEADERS)) $(wildcard ctl/windows/*.h)
endif

SHIM := $(OUT)/containerd-shim-wisp-v1$(EXE)
CTL := $(OUT)/wispctl$(EXE)
BENCH := $(OUT)/wisp-bench
TESTS := $(patsubst tests/unit/%.c,$(OUT)/tests/%,\
	$(wildcard tests/unit/test_*.c))
TEST_UTIL := $(patsubst %.c,$(OBJ)/%.o,$(wildcard tests/unit/util_*.c))
# Tests that make the Nth call of these fail; the rest never do.
WRAP := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc
PYTEST := /usr/bin/python3 -m pytest

# make V=1 shows the commands as they are run.
ifdef V
Q :=
else
Q := @
endif
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)')

.PHONY: all build deps daemons demo check vm-check unit asan e2e fuzz fuzzers \
	lint layers headers bench stress plant format install deb deb-check clean help
.PHONY: shim windows windows-tests check-windows windows-lint
.DELETE_ON_ERROR:
.SECONDARY:

all: build
build: $(SHIM) $(CTL)
shim: $(SHIM)

help: ## list what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

deps: ## install what is missing, from Debian
	@sh tests/deps.sh

daemons: ## fetch newer daemons for the tests, into ~/.cache
	@sh tests/daemons.sh >/dev/null

windows: ## cross-build both programs for Windows, into build/windows
	@sh tests/windows/deps.sh
	@$(MAKE) --no-print-directory -s WINDOWS=1 build

check-windows: windows ## their tests under Wine; SAN=1: what is undefined ends them
	@sh tests/windows/deps.sh wine
	@! command -v clang-tidy >/dev/null || \
		$(MAKE) --no-print-directory WINDOWS=1 windows-lint
	@$(MAKE) --no-print-directory WINDOWS=1 windows-tests

# What needs no new packages must not ask for them: `make build` on a machine
# without Debian's package manager works if the libraries are there.
demo: deps ## build, then run a container with no daemon and show its events
	@$(MAKE) --no-print-directory build
	@sh docs/demo.sh $(CTL)

check: deps ## the same, and all tests
	@$(MAKE) --no-print-directory build
	@$(MAKE) --no-print-directory layers headers lint unit
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=10
	@$(MAKE) --no-print-directory asan
	@$(MAKE) --no-print-directory e2e
	@$(MAKE) --no-print-directory deb-check

$(GEN)/google/protobuf/%.pb-c.c: $(WKT_DIR)/google/protobuf/%.proto
	@mkdir -p $(GEN)
	$(Q)protoc-c --c_out=$(GEN) -I$(WKT_DIR) $<

$(GEN)/%.pb-c.c: proto/%.proto
	@mkdir -p $(GEN)
	$(Q)protoc-c --c_out=$(GEN) -Iproto $<

$(GEN)/%.pb-c.c: tests/unit/%.proto
	@mkdir -p $(GEN)
	$(Q)protoc-c --c_out=$(GEN) -Itests/unit $<

$(GEN)/%.pb-c.h: $(GEN)/%.pb-c.c
	@:

$(OBJ)/gen/%.o: $(GEN)/%.c | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(OBJ)/%.o: %.c | $(GEN_H)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(LIB): $(LIB_OBJ)
	@rm -f $@
	@$(AR) qcs $@ $^

$(SHIM): $(OBJ)/shim/main.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@.new $^ $(LDLIBS)
	@mv $@.new $@
	@cp $@ $@.debug
	@$(if $(SAN),:,$(STRIP) --strip-all -o $@.new $@ && mv $@.new $@)

# The same shim, but leaking what WISP_PLANT names: tests/plant/plant.c.
PLANT := $(OUT)/plant/containerd-shim-wisp-v1$(EXE)
$(PLANT): $(OBJ)/shim/main.o $(LIB) \
		$(OBJ)/tests/plant/plant$(if $(WINDOWS),_windows).o
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -Wl,--wrap=events_delete \
		-o $@.new $^ $(LDLIBS)
	@mv $@.new $@

plant: $(PLANT) ## a shim that leaks on purpose, for the tests of stress

$(CTL): $(OBJ)/ctl/main.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@.new $^ $(LDLIBS)
	@mv $@.new $@
	@cp $@ $@.debug
	@$(if $(SAN),:,$(STRIP) --strip-all -o $@.new $@ && mv $@.new $@)

$(BENCH): $(OBJ)/bench/bench.o $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@.new $^ $(LDLIBS)
	@mv $@.new $@

$(OUT)/tests/%: $(OBJ)/tests/unit/%.o $(TEST_UTIL) $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(filter -fsanitize%,$(LINK)) $(LDFLAGS) -o $@ $^ \
		$(if $(shell grep -l __wrap_ tests/unit/$*.c),$(WRAP)) \
		$(LDLIBS) -lcheck -lsubunit -lm -lrt -lpthread

# The unit tests of portable code that speak of nothing that Windows lacks, and
# those of platform/windows/.
ifdef WINDOWS
PORTABLE := args err frame ident json json_write policy \
	start state toml ttrpc_message ttrpc_status
WINDOWS_UTIL := $(patsubst %.c,$(OBJ)/%.o,$(wildcard tests/windows/util_*.c))
$(OUT)/tests/test_%.exe: $(OBJ)/tests/unit/test_%.o $(WINDOWS_UTIL) $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ \
		$(if $(shell grep -l __wrap_ tests/unit/test_$*.c),$(WRAP) \
		$(OBJ)/tests/unit/util_oom.o) $^ $(LDLIBS) -lcheck -lcompat -lwinpthread

$(OUT)/tests/windows_%.exe: $(OBJ)/tests/windows/test_%.o $(WINDOWS_UTIL) $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcheck -lcompat -lwinpthread

# The same shim, whose calls of the system fail when a test says so.
FAILING := $(OUT)/tests/containerd-shim-wisp-fail.exe
$(FAILING): $(OBJ)/shim/main.o $(OBJ)/tests/windows/fail.o $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# Windows' linker does not take a weak function for one that is wrapped.
$(OBJ)/tests/unit/util_oom.o: CPPFLAGS += -DWEAK=

WINDOWS_TESTS := $(PORTABLE:%=$(OUT)/tests/test_%.exe) \
	$(patsubst tests/windows/test_%.c,$(OUT)/tests/windows_%.exe,\
	$(wildcard tests/windows/test_*.c))
# What Wine has no such library for; run.sh puts them in its system32.
DOUBLES := $(patsubst tests/windows/double/%.c,$(OUT)/double/%.dll,\
	$(wildcard tests/windows/double/*.c))
$(OUT)/double/%.dll: tests/windows/double/%.c
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(CC) -std=gnu11 -O2 $(WARN) -Wno-missing-prototypes -D_WIN32_WINNT=0x0A00 \
		-shared -static -o $@ $<

windows-tests: build plant $(FAILING) $(OBJ)/tests/unit/util_oom.o $(DOUBLES) $(WINDOWS_TESTS)
	@WISP_OUT=$(OUT) sh tests/windows/run.sh $(WINDOWS_TESTS)
endif

# On a shared CI machine a test that fails gets a second try, alone, and says so;
# a developer's run does not: there a race is to be found.
AGAIN := [ -n "$$CI" ] && echo "FAILED, AND RUN ONCE MORE:"
pytest = $(PYTEST) -q $(1) $(PYTEST_ARGS) || \
	{ $(AGAIN) && $(PYTEST) -q --lf --lfnf=none $(1) $(PYTEST_ARGS); }

unit: $(TESTS) ## unit tests
	@for t in $(TESTS); do $$t || { $(AGAIN) && $$t; } || exit 1; done

# A shim has no stderr to complain on: what the sanitizers say goes to files.
ASAN_LOGS := $(CURDIR)/build/asan/logs
asan: ## unit and end to end tests under ASan and UBSan
	@$(MAKE) --no-print-directory SAN=1 build unit
	@rm -rf $(ASAN_LOGS) && mkdir -p $(ASAN_LOGS)
	@ASAN_OPTIONS=log_path=$(ASAN_LOGS)/asan \
		UBSAN_OPTIONS=log_path=$(ASAN_LOGS)/ubsan:print_stacktrace=1 \
		WISP_SHIM=$(CURDIR)/build/asan/containerd-shim-wisp-v1 \
		WISPCTL=$(CURDIR)/build/asan/wispctl WISP_DAEMONS= \
		sh -c '$(call pytest,-m "not asan_adds_nothing" tests/e2e)'
	@! grep -h . $(ASAN_LOGS)/* 2>/dev/null

FUZZERS := $(patsubst tests/fuzz/%.c,$(OUT)/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS ?= 60
ifdef FUZZING
$(OUT)/fuzz_%: $(OBJ)/tests/fuzz/fuzz_%.o $(TEST_UTIL) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LINK) $(LDFLAGS) -o $@ $^ $(LDLIBS) -lcheck \
		-lsubunit -lm -lrt -lpthread

fuzzers: $(FUZZERS)
	@for f in $(FUZZERS); do \
		name=$${f##*/fuzz_}; out=$(CURDIR)/$(OUT); \
		seeds=$$out/seeds/$$name; corpus=$$out/corpus/$$name; \
		mkdir -p $$seeds $$corpus; \
		python3 tests/fuzz/seed_$$name.py $$seeds >/dev/null || exit 1; \
		$$f -max_total_time=$(FUZZ_SECONDS) -timeout=10 -verbosity=0 \
			-artifact_prefix=$$out/ $$corpus $$seeds \
			>$(OUT)/log 2>&1 || { cat $(OUT)/log; exit 1; }; \
		echo "fuzz_$$name: nothing found in $(FUZZ_SECONDS) s"; \
	done
endif

fuzz: ## libFuzzer targets, FUZZ_SECONDS each (60)
	@$(MAKE) --no-print-directory FUZZING=1 fuzzers

# Which versions besides this Debian's own; none: `make e2e WISP_DAEMONS=`.
WISP_DAEMONS ?= 1.7,2
e2e: build plant $(if $(WISP_DAEMONS),daemons) ## end to end tests: real containerd, runc, crun
	@WISP_DAEMONS=$(WISP_DAEMONS) sh -c '$(call pytest,tests/e2e)'

# VM_ALL=1: all tests, not only those that the machine adds something to.
VM_DEADLINE ?= $(if $(VM_ALL),14400,3000)
vm-check: deps ## tests in a VM with systemd, cgroup v2, containerd 2.1, criu
	@sh tests/deps.sh vm
	@$(MAKE) --no-print-directory build
	@$(if $(VM_ALL),WISP_E2E_ALL=1 WISP_E2E_OOMS=1000) tests/vm/run --deadline $(VM_DEADLINE) -- /usr/bin/python3 -m pytest \
		-p no:cacheprovider --junitxml=/results/junit.xml -v \
		$(if $(CI),--reruns 1) \
		$(if $(VM_ALL),,-m 'not vm_adds_nothing') \
		tests/e2e $(PYTEST_ARGS)
	@$(PYTEST) -p no:cacheprovider -v tests/vm

lint: | $(GEN_H) ## clang-format and clang-tidy find nothing
	@clang-format --dry-run -Werror $(SRC) $(wildcard $(MAINS)) $(HEADERS) \
		$(wildcard platform/windows/*.[ch] shim/native/*.[ch] \
		client/windows/*.[ch] ctl/windows/*.[ch] \
		tests/windows/*.[ch])
	@printf '%s\n' -std=gnu11 -D_GNU_SOURCE '-DWISP_VERSION="$(VERSION)"' \
		-I$(CURDIR) -I$(CURDIR)/$(GEN) $(PKG_CFLAGS) \
		>$(OUT)/compile_flags.txt
	@printf '%s\n' $(SRC) $(wildcard $(MAINS)) | xargs -P$$(nproc) -n8 \
		clang-tidy --quiet -p $(OUT) 2>/dev/null

# What only Windows has: clang knows the system by mingw's headers. Three checks
# are left out: they don't know auto_free, nor that errors are negative.
ifdef WINDOWS
windows-lint: | $(GEN_H)
	@printf '%s\n' --target=x86_64-w64-mingw32 \
		--sysroot=/usr/x86_64-w64-mingw32 -std=gnu11 -D_GNU_SOURCE \
		'-DWISP_VERSION="$(VERSION)"' -I$(CURDIR) -I$(CURDIR)/$(GEN) \
		$(subst -include platform,-include$(CURDIR)/platform,$(PKG_CFLAGS)) \
		>$(OUT)/compile_flags.txt
	@printf '%s\n' $(filter platform/windows/% client/windows/% ctl/windows/% shim/native/%,$(SRC)) | \
		xargs -P$$(nproc) -n4 clang-tidy --quiet -p $(OUT) \
		--checks=-clang-analyzer-unix.Malloc,-clang-analyzer-core.NullDereference,-clang-analyzer-core.CallAndMessage \
		2>/dev/null
endif

format: ## rewrite the sources as clang-format would have them
	@clang-format -i $(SRC) $(wildcard $(MAINS)) $(HEADERS) \
		$(wildcard tests/unit/*.[ch] tests/fuzz/*.c tests/plant/*.c)

headers: | $(GEN_H) ## every header compiles alone
	@for h in $(HEADERS); do \
		$(CC) -std=gnu11 $(CPPFLAGS) $(WARN) -fsyntax-only -xc $$h \
		|| exit 1; done

layers: ## no module includes what is above or beside it
	@sh tests/layers.sh

bench: build $(BENCH) ## wisp beside Debian's containerd-shim-runc-v2
	$(BENCH) --shim $(SHIM) --json $(OUT)/bench.json

# For both together. STRESS_PEER= leaves the other one out.
STRESS_TIME ?= 10m
STRESS_PEER ?= $(wildcard /usr/bin/containerd-shim-runc-v2)
stress: build ## hunt leaks in wisp, and beside it in Debian's Go shim
	$(CTL) stress --shim $(SHIM) \
		$(if $(STRESS_PEER),--beside $(STRESS_PEER)) --time $(STRESS_TIME) --chart $(OUT)/stress.svg

DOC := $(DESTDIR)$(PREFIX)/share/doc/wisp
MAN := $(DESTDIR)$(PREFIX)/share/man
COMPLETIONS := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
install: build ## into $(DESTDIR)$(PREFIX)
	install -D -m 755 $(SHIM) \
		$(DESTDIR)$(PREFIX)/bin/containerd-shim-wisp-v1
	install -D -m 755 $(CTL) $(DESTDIR)$(PREFIX)/bin/wispctl
	install -D -m 644 packaging/wispctl.bash $(COMPLETIONS)/wispctl
	install -D -m 644 -t $(MAN)/man1 docs/*.1
	install -D -m 644 -t $(MAN)/man8 docs/*.8
	install -D -m 644 -t $(DOC) README.md LICENSE
	install -D -m 644 -t $(DOC)/examples docs/examples/*

ARCH := $(shell dpkg --print-architecture 2>/dev/null)
DEB := $(OUT)/wisp_$(VERSION)_$(ARCH).deb
deb: build ## a Debian package in build/
	@rm -rf $(OUT)/deb
	@$(MAKE) --no-print-directory -s install PREFIX=/usr \
		DESTDIR=$(CURDIR)/$(OUT)/deb
	@sh packaging/deb.sh $(OUT)/deb $(VERSION) $(DEB)

deb-check: deb ## install the package on a fresh Debian 12, use it, remove it
	@sh tests/deb.sh $(DEB)

clean: ## remove build/
	rm -rf build

-include $(shell find $(OBJ) -name '*.d' 2>/dev/null)
