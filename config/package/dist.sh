#!/bin/bash
# Makes the files of a release from a built program: `make dist` calls it.
#
#   dist.sh PROFILE OUTPUT
#
# PROFILE is the Cargo profile of the program; OUTPUT is the folder of the files, which is emptied first. The same commit
# and tools give the same bytes: all times are that of the last commit.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

profile=$1 output=$2
built=$CARGO_TARGET_DIR/$profile stage=$CARGO_TARGET_DIR/$profile/stage
tools=$HOME/.cache/backlinkd/tools python=$HOME/.cache/backlinkd/packaging
export PATH=$tools/bin:$PATH LC_ALL=C TZ=UTC
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
umask 022

# Cargo commands, compiled once; version and name of each.
install_tools() {
    local tool
    for tool in strip zstd dpkg-shlibdeps python3; do
        command -v $tool > /dev/null && continue
        echo "Install what packages need, on Debian with: sudo apt-get install binutils zstd dpkg-dev python3-venv" >&2
        exit 1
    done
    for tool in cargo-deb@3.8.0 cargo-about@0.9.3 cargo-cyclonedx@0.5.9; do
        command -v "${tool%@*}" > /dev/null && continue
        echo "Installing $tool into $tools"
        CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_TARGET_DIR=$tools/target \
            cargo install --quiet --locked --root "$tools" "$tool" \
            $([[ $tool == cargo-about* ]] && echo "--features cli")
    done
    rm -rf "$tools/target"
    "$python/bin/python3" -c "import build, hatchling" 2> /dev/null && return
    python3 -m venv "$python" && "$python/bin/python3" -m pip install --quiet build hatchling
}

# The files that packages contain, beside the program.
stage_files() {
    rm -rf "$stage" && mkdir -p "$stage"
    strip -o "$stage/backlinkd" "$built/backlinkd"
    "$stage/backlinkd" generate man > "$stage/backlinkd.1"
    "$stage/backlinkd" generate bash > "$stage/backlinkd.bash"
    "$stage/backlinkd" generate zsh > "$stage/_backlinkd"
    "$stage/backlinkd" generate fish > "$stage/backlinkd.fish"
    gzip --best --no-name --stdout "$stage/backlinkd.1" > "$stage/backlinkd.1.gz"
    "$stage/backlinkd" config default > "$stage/config.toml"
    # A build fetches the crates of this platform alone; the list of licences looks at all of them.
    cargo fetch --quiet --locked
    {
        cargo about generate --offline --locked --fail --config config/package/about.toml config/package/about.hbs
        printf '\n%s\n' "Libraries of the web page:" && cat src/web/dist/LICENSES.txt
        printf '\n%s\n' "config/public_suffix_list.dat, which the program contains: the Public Suffix List, MPL-2.0."
    } > "$stage/THIRD-PARTY-LICENSES.txt"
}

# The crates of the program, as CycloneDX.
write_sbom() {
    cargo cyclonedx --quiet --format json --spec-version 1.5 --override-filename sbom
    mv sbom.json "$1"
}

write_tarball() {
    local name=$1 folder=$stage/$1
    mkdir -p "$folder"/{completions,monitoring,systemd}
    cp "$stage"/{backlinkd,backlinkd.1,config.toml,THIRD-PARTY-LICENSES.txt} LICENSE README.md "$folder"
    cp "$stage"/{backlinkd.bash,_backlinkd,backlinkd.fish} "$folder/completions"
    cp config/package/backlinkd.service "$folder/systemd"
    cp config/monitoring/* "$folder/monitoring"
    tar --create --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner --format=gnu \
        --directory "$stage" "$name" | zstd --quiet --ultra -19 > "$output/$name.tar.zst"
    rm -r "$folder"
}

# The wheel of the Python client.
write_wheel() {
    "$python/bin/python3" -m build --quiet --wheel --no-isolation --outdir "$output" src/python
}

install_tools
rm -rf "$output" && mkdir -p "$output"
stage_files
version=$("$stage/backlinkd" --version | cut -d ' ' -f 2)
name=backlinkd-$version-$(uname -m)-linux
write_tarball "$name"
write_sbom "$output/$name.cdx.json"
cargo deb --quiet --no-build --no-strip --profile "$profile" --output "$output/"
write_wheel
(cd "$output" && sha256sum -- * > SHA256SUMS)
ls -l "$output"
