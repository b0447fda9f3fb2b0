# A thin front for CMake; the build lies in build/ (sanitizer builds in build-asan/ and build-tsan/).
BUILD ?= build
JOBS ?= $(shell nproc)
GENERATOR = $(if $(shell command -v ninja),Ninja,Unix Makefiles)

.PHONY: help deps configure build test demo bench sim-soak package lint tidy asan tsan clean

help:           ## What can be made
	@grep -hE '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## /  make \1\t/' | expand -t 16

deps:           ## Install what is missing from Debian's packages
	@./cmake/install_dependencies.sh

configure: deps
	@cmake -S . -B $(BUILD) -G "$(GENERATOR)" >$(BUILD).configure.log 2>&1 || { cat $(BUILD).configure.log; exit 1; }
	@rm -f $(BUILD).configure.log

build: configure ## The library, the tests and build/opstore
	@cmake --build $(BUILD) -j $(JOBS)

test: build     ## The whole suite, on a real PostgreSQL
	@ctest --test-dir $(BUILD) --output-on-failure

demo: configure ## A git history dealt out to eight peers that gossip (REPO=path for another)
	@cmake --build $(BUILD) -j $(JOBS) --target opstore_tool opstore_sim
	@OPSTORE=$(BUILD)/opstore python3 opstore/tool/demo.py

bench: build    ## Speed, beside its rivals (BENCH_SCALE=10m: also at 10 M ops; BENCH_ONLY=regex)
	@$(BUILD)/opstore_bench --json $(BUILD)/bench.json --markdown $(BUILD)/bench.md

sim-soak: build ## Simulations of SEEDS seeds (1000) from FIRST (1) on; failing ones are printed
	@OPSTORE_SIM=$(BUILD)/opstore-sim JOBS=$(JOBS) ./gossip/simulator/soak.sh $(SIM_FLAGS)

# As Debian builds: for /usr, with its flags (hardening, no paths of this machine in the files).
debian_flags = $(shell DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --get $(1))
package: deps   ## Debian packages, in build-package/packages/
	@cmake -S . -B build-package -G "$(GENERATOR)" -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_BUILD_TYPE=RelWithDebInfo \
		-DOPSTORE_BUILD_TESTS=OFF -DCMAKE_CXX_FLAGS="$(call debian_flags,CPPFLAGS) $(call debian_flags,CXXFLAGS)" \
		-DCMAKE_EXE_LINKER_FLAGS="$(call debian_flags,LDFLAGS)" \
		-DCMAKE_MODULE_LINKER_FLAGS="$(call debian_flags,LDFLAGS)" >/dev/null
	@cmake --build build-package -j $(JOBS)
	@cd build-package && cpack

lint:           ## Format, coroutine traps, includes
	@./cmake/lint.sh

tidy: build     ## clang-tidy over the library and the tool (minutes; needs clang-tidy-14)
	@cmake -S . -B $(BUILD) -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >/dev/null
	@git ls-files 'arc/*.cpp' 'opstore/*.cpp' 'gossip/*.cpp' | xargs -P $(JOBS) -n 2 clang-tidy-14 --quiet -p $(BUILD)

asan: deps      ## The suite under AddressSanitizer and UndefinedBehaviorSanitizer
	@cmake -S . -B build-asan -G "$(GENERATOR)" -DOPSTORE_SANITIZE=address,undefined
	@cmake --build build-asan -j $(JOBS)
	@ctest --test-dir build-asan --output-on-failure

tsan: deps      ## The suite under ThreadSanitizer
	@cmake -S . -B build-tsan -G "$(GENERATOR)" -DOPSTORE_SANITIZE=thread
	@cmake --build build-tsan -j $(JOBS)
	@TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan.supp" ctest --test-dir build-tsan --output-on-failure

clean:          ## Remove the builds, with their servers
	@for b in $(BUILD) build-asan build-tsan build-package; do ./cmake/remove_servers.sh $$b; rm -rf $$b; done
