# Two commands: `make demo` and `make test`. The presets in CMakePresets.json do the work.
SHELL := /bin/bash
PRESET ?= release
BUILD := build/$(PRESET)
JOBS ?= $(shell nproc)

.PHONY: help packages configure build program demo test check bench format clean install

help:
	@echo "mete: measures what an AI workload costs, and allots it what it needs"
	@echo
	@echo "  make demo      install what is needed (apt), build, and run the whole energy loop: results in demo-results/"
	@echo "  make test      the same, up to all tests green"
	@echo "  make build     build only; the program is build/release/bin/mete (PRESET=dev, asan, tsan, tidy, minimal for others)"
	@echo "  make bench     print the figures that the project promises"
	@echo "  make check     layers, format"
	@echo "  make install   install to /usr/local (DESTDIR and PREFIX are honoured)"
	@echo
	@echo "After a build: build/release/bin/mete --help"

packages:
	@tools/install_packages.sh build

configure: packages
	@log=$$(mktemp); cmake --preset $(PRESET) >$$log 2>&1 || { cat $$log; rm -f $$log; exit 1; }; rm -f $$log

build: configure
	@cmake --build $(BUILD) -j $(JOBS)

# The program and its plugin alone: a newcomer need not wait for the tests to be built.
program: configure
	@cmake --build $(BUILD) -j $(JOBS) --target mete

demo: program
	@tools/demo.sh $(BUILD)/bin/mete

test:
	@tools/install_packages.sh build test
	@$(MAKE) --no-print-directory build
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

bench: build
	@bench/run.sh $(BUILD)

check:
	@tools/check_layers.py
	@tools/check_format.sh

format:
	@git ls-files -z '*.cc' '*.h' | xargs -0 clang-format-19 -i

install: program
	@cmake --install $(BUILD) --prefix $${PREFIX:-/usr/local}

clean:
	rm -rf build
