# make demo   builds backlinkd and shows it at work
# make test   everything that must hold: format, lints, docs, tests
# make check  format, lints and the tests in src, fast: make check ROOM=parse runs those of one folder
# make build  builds backlinkd for use, optimised as a whole, and says where it is
# make bench  measures speed and size
#
# A first build takes about 15 minutes on two cores, nearly all of it for RocksDB. It is kept outside of the
# clone, and compiled once for demo, test and bench, which share one profile, and once for build, which takes 5
# minutes more.

export CARGO_TARGET_DIR ?= $(HOME)/.cache/backlinkd/target
export PATH := $(PATH):$(HOME)/.cargo/bin

# With ccache, where it is installed, RocksDB is not compiled again in another target folder.
ifneq ($(shell command -v ccache),)
ifeq ($(origin CC)$(origin CXX),defaultdefault)
export CC := ccache cc
export CXX := ccache c++
endif
endif

.PHONY: help demo test check build bench packages components curl

help:
	@sed -n 's/^# make /make /p' Makefile

demo: packages
	cargo run --locked --release -- demo

test: packages components curl
	cargo fmt --check
	cargo clippy --locked --release --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --release --no-deps
	cargo test --locked --release

# Without optimisation of this crate, which takes most of the time; dependencies are those of the other targets.
QUICK := --locked --release --config profile.release.package.backlinkd.opt-level=0 \
    --config profile.release.package.backlinkd.codegen-units=64

check: packages components
	cargo fmt --check
	cargo clippy $(QUICK) --all-targets -- -D warnings
	cargo test $(QUICK) --lib $(ROOM)

build: packages
	cargo build --locked --profile dist
	@echo "$(CARGO_TARGET_DIR)/dist/backlinkd"

bench: packages
	cargo bench --locked

# A C++ compiler for RocksDB, and libclang for its bindings: installed by root on Debian, asked for elsewhere.
packages:
	@command -v cargo > /dev/null || { echo "Install Rust first: https://rustup.rs"; exit 1; }
	@missing=""; \
	{ command -v cc && command -v c++; } > /dev/null || missing="g++"; \
	{ test -n "$$LIBCLANG_PATH" || ! command -v apt-get || { ls /usr/lib/llvm-*/lib/libclang*.so* \
	    && ls /usr/lib/llvm-*/lib/clang/*/include/stddef.h; }; } > /dev/null 2>&1 \
	    || missing="$$missing libclang-dev"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null; then \
	    echo "Installing $$missing"; apt-get update -qq \
	    && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	else \
	    echo "Install what the build needs, on Debian with: sudo apt-get install $$missing"; exit 1; \
	fi

components:
	@cargo fmt --version > /dev/null 2>&1 && cargo clippy --version > /dev/null 2>&1 \
	    || rustup component add rustfmt clippy \
	    || { echo "Install rustfmt and clippy of your Rust toolchain"; exit 1; }

# One test compares with curl what is read of malformed answers; without curl it is skipped.
curl:
	@command -v curl > /dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get > /dev/null \
	    && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends curl; } \
	    || echo "Without curl, one test is skipped"
