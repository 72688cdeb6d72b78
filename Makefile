# make demo   builds backlinkd, shows it at work, and ends with the address of a page to open
# make test   checks everything: format, lints, docs, tests
# make check  format, lints and the tests in src, without optimisation; make check FOLDER=parse tests one folder
# make build  builds backlinkd for use, with whole-program optimisation, and prints its path
# make dist   makes the Debian package, the tarball, the wheel and their checksums, and prints their folder
# make dist-test  installs the Debian package in a clean Debian, runs it, and purges it; needs root
# make bench  measures speed and size
# make web    builds the page in src/web again; needs node
#
# The first build takes about 12 minutes on two cores, most of it for RocksDB. Its output is outside of the clone.
# Demo, test and bench share one profile and compile RocksDB once. build compiles it once more, which takes 5 minutes.

export CARGO_TARGET_DIR ?= $(HOME)/.cache/backlinkd/target
export PATH := $(PATH):$(HOME)/.cargo/bin

# Clang compiles RocksDB in two thirds of the time that GCC takes: most of it goes into headers. ccache, if installed,
# avoids a second compilation in another target folder.
ifeq ($(origin CC)$(origin CXX),defaultdefault)
CCACHE = $(if $(shell command -v ccache),ccache )
CLANG = $(shell command -v clang > /dev/null && command -v clang++)
export CC = $(CCACHE)$(if $(CLANG),clang,cc)
export CXX = $(CCACHE)$(if $(CLANG),clang++,c++)
endif

.PHONY: help demo test check build dist dist-test bench web packages components curl python

help:
	@sed -n 's/^# make /make /p' Makefile

demo: packages
	cargo run --locked --release -- demo

test: packages components curl python
	cargo fmt --check
	cargo clippy --locked --release --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --release --no-deps --document-private-items
	cargo test --locked --release

# Without optimisation of this crate, which takes most of the time; dependencies are those of the other targets.
QUICK := --locked --release --config profile.release.package.backlinkd.opt-level=0 \
    --config profile.release.package.backlinkd.codegen-units=64

check: packages components
	cargo fmt --check
	cargo clippy $(QUICK) --all-targets -- -D warnings
	cargo test $(QUICK) --lib $(FOLDER)

build: packages
	cargo build --locked --profile dist
	@echo "$(CARGO_TARGET_DIR)/dist/backlinkd"

# PROFILE=release packages the program of the tests, which needs no second compilation of RocksDB.
PROFILE = dist
PACKAGES = $(CARGO_TARGET_DIR)/packages

dist: packages
	cargo build --locked --profile $(PROFILE)
	config/package/dist.sh $(PROFILE) $(PACKAGES)
	@echo "$(PACKAGES)"

dist-test:
	tests/packages/install.sh $(PACKAGES)/backlinkd_*.deb
	tests/packages/boot.sh $(PACKAGES)/backlinkd_*.deb

bench: packages
	cargo bench --locked

web:
	cd src/web && npm ci && node build.mjs

# A C++ compiler for RocksDB, and libclang for its bindings: installed automatically for root on Debian, otherwise by
# the user. Any C++ compiler serves; Clang is the fastest one.
packages:
	@command -v cargo > /dev/null || { echo "Install Rust first: https://rustup.rs"; exit 1; }
	@compiler() { command -v cc && command -v c++; }; \
	clang() { command -v clang && command -v clang++; }; \
	libclang() { test -n "$$LIBCLANG_PATH" || ! command -v apt-get || { ls /usr/lib/llvm-*/lib/libclang*.so* \
	    && ls /usr/lib/llvm-*/lib/clang/*/include/stddef.h; }; }; \
	if compiler && clang && libclang; then exit 0; fi > /dev/null 2>&1; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	    echo "Installing clang libclang-dev"; apt-get update -qq \
	    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends clang libclang-dev; \
	fi; \
	if compiler && libclang; then exit 0; fi > /dev/null 2>&1; \
	echo "Install what the build needs, on Debian with: sudo apt-get install clang libclang-dev"; exit 1

components:
	@cargo fmt --version > /dev/null 2>&1 && cargo clippy --version > /dev/null 2>&1 \
	    || rustup component add rustfmt clippy \
	    || { echo "Install rustfmt and clippy of your Rust toolchain"; exit 1; }

# One test compares how curl and backlinkd parse malformed responses; without curl it is skipped.
curl:
	@command -v curl > /dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null \
	    && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends curl; } \
	    || echo "Without curl, one test is skipped"

# Some tests run in Python, with the packages in tests/*/requirements.txt (about 700 MB), those of the page also in
# Chromium. Without these, they are skipped.
PYTHON := $(HOME)/.cache/backlinkd/python
python:
	@chromium() { for name in chromium-headless-shell chromium chromium-browser google-chrome; do \
	    command -v $$name && return; done; false; }; \
	install() { [ "$$(id -u)" = 0 ] && command -v apt-get && apt-get update -qq \
	    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$$@"; }; \
	{ chromium || install chromium-headless-shell || install chromium; } > /dev/null 2>&1 \
	    || echo "Without Chromium, the tests of the page are skipped"; \
	{ $(PYTHON)/bin/python3 -m pip --version || python3 -m venv $(PYTHON) \
	    || { install python3-venv && python3 -m venv $(PYTHON); }; } > /dev/null 2>&1; \
	for list in tests/*/requirements.txt; do \
	    kept=$(PYTHON)/$$(echo $$list | tr / -); \
	    { cmp $$list $$kept || { $(PYTHON)/bin/python3 -m pip install --no-compile -r $$list && cp $$list $$kept; }; } \
	        > /dev/null 2>&1 || echo "Without the packages in $$list, its tests are skipped"; \
	done
