#!/bin/bash
# Installs the Debian package in a clean Debian 12, runs the command line of its unit as its user over a small web, reads
# the first answers, upgrades, and purges it. `make dist-test` calls it as root.
#
#   install.sh PACKAGE.deb
#
# Needs debootstrap, Python 3 and the mirror that apt uses. The clean system is kept in ~/.cache/backlinkd/debian-12.
# Only the installation has a network; all else is in a network of its own that has loopback alone.
set -euo pipefail
export LC_ALL=C

package=$(realpath "$1")
clean=$HOME/.cache/backlinkd/debian-12
say() { printf '%s\n' "== $*"; }
fail() { printf '%s\n' "FAILED: $*" >&2; exit 1; }

# All runs in namespaces of its own, so that nothing stays mounted and no process survives.
if [ -z "${ISOLATED:-}" ]; then
    [ "$(id -u)" = 0 ] || fail "a clean Debian needs root"
    if [ ! -d "$clean" ]; then
        mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Codename: bookworm' | head -1)
        say "a clean Debian 12, once"
        debootstrap --variant=minbase bookworm "$clean.part" "$mirror" > /dev/null
        mv "$clean.part" "$clean"
    fi
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    cp -a "$clean/." "$root"
    ISOLATED=$root unshare --mount --pid --fork --kill-child "$0" "$package"
    exit
fi

root=$ISOLATED
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs none "$root/run"
mount --bind /dev "$root/dev"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp "$package" "$root/backlinkd.deb"
in_root() { chroot "$root" "$@"; }
# As an operator runs commands: sudo -u backlinkd …
as_user() { chroot --userspec=backlinkd:backlinkd "$root" env -i PATH=/usr/bin:/bin "$@"; }
manage() { as_user backlinkd --quiet --data /var/lib/backlinkd "$@"; }
apt() { in_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 --no-install-recommends "$@"; }

say "installation"
in_root apt-get -qq update
start=$(date +%s)
apt install -y ./backlinkd.deb > "$root/install.log" 2>&1 || { cat "$root/install.log"; fail "apt-get install"; }
echo "installed in $(($(date +%s) - start)) s"
in_root dpkg --verify backlinkd
[ "$(in_root stat -c "%U %a" /var/lib/backlinkd)" = "backlinkd 700" ] || fail "the data directory is not private"
for path in usr/bin/backlinkd etc/backlinkd/config.toml usr/share/man/man1/backlinkd.1.gz \
    usr/share/bash-completion/completions/backlinkd usr/share/zsh/vendor-completions/_backlinkd \
    usr/share/fish/vendor_completions.d/backlinkd.fish usr/share/doc/backlinkd/copyright; do
    [ -s "$root/$path" ] || fail "the package lacks $path"
done
[ ! -e "$root/etc/systemd/system/multi-user.target.wants/backlinkd.service" ] || fail "the installation enables the service"
unit=$(find "$root"/lib/systemd/system "$root"/usr/lib/systemd/system -name backlinkd.service | head -1)
[ -n "$unit" ] || fail "the package lacks its unit"
conffiles=$(in_root dpkg-query --show --showformat '${Conffiles}' backlinkd)
[[ $conffiles == *"/etc/backlinkd/config.toml "* ]] || fail "the configuration is no conffile: $conffiles"

say "a small web"
web=$root/run/web
mkdir -p "$web/a" "$web/b"
echo '<title>A</title><a href="http://b.example/">the b site</a>' > "$web/a/index.html"
echo '<title>B</title>' > "$web/b/index.html"
printf 'a.example\t127.0.0.2:8001\t127.0.0.2:8444\nb.example\t127.0.0.3:8001\t127.0.0.3:8444\n' > "$root/etc/backlinkd/hosts.tsv"
chmod 644 "$root/etc/backlinkd/hosts.tsv"
sed -i -e 's/^#delay = .*/delay = "10ms"/' -e 's/^#host_overrides = .*/host_overrides = "hosts.tsv"/' \
    -e 's/^#allow_private_addresses = .*/allow_private_addresses = ["127.0.0.0\/8"]/' \
    -e 's/^#first = .*/first = "1s"/' "$root/etc/backlinkd/config.toml"
echo 'alice:correct horse battery' > "$root/etc/backlinkd/users"
chmod 600 "$root/etc/backlinkd/users"

# What systemd does for Type=notify, User=, and LoadCredential=, with the unit as installed.
read_setting() { sed -n "s/^$1=//p" "$unit"; }
user=$(read_setting User)
read -r -a command <<< "$(read_setting ExecStart | sed 's|${CREDENTIALS_DIRECTORY}|/run/credentials|')"
install -d -m 755 "$root/run/credentials"
in_root install -o "$user" -m 400 /etc/backlinkd/users /run/credentials/users
cat > "$root/run/manager.py" <<'PY'
import os, socket, sys
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(sys.argv[1])
os.chmod(sys.argv[1], 0o777)
while True:
    print(manager.recv(65536).decode().replace("\n", " "), flush=True)
PY
cat > "$root/run/session.sh" <<'SH'
set -euo pipefail
ip link set lo up 2> /dev/null || python3 -c "
import fcntl, socket, struct
s = socket.socket()
fcntl.ioctl(s, 0x8914, struct.pack('16sh', b'lo', 0x41))"
python3 -m http.server --directory "$WEB/a" --bind 127.0.0.2 8001 > /dev/null 2>&1 &
python3 -m http.server --directory "$WEB/b" --bind 127.0.0.3 8001 > /dev/null 2>&1 &
python3 "$ROOT/run/manager.py" "$ROOT/run/notify" > "$ROOT/run/notices" &
until [ -S "$ROOT/run/notify" ]; do sleep 0.1; done
until curl --silent --head http://127.0.0.2:8001/ http://127.0.0.3:8001/ > /dev/null; do sleep 0.1; done
start=$(date +%s%N)
chroot --userspec="$RUNS_AS:$RUNS_AS" "$ROOT" env -i NOTIFY_SOCKET=/run/notify "${@}" 2> "$ROOT/run/log" &
daemon=$!
waits_for() { for _ in $(seq 300); do eval "$1" && return; sleep 0.1; done; cat "$ROOT/run/log" "$ROOT/run/notices"; echo "FAILED: $1"; exit 1; }
ask() { curl --silent --fail --user "alice:correct horse battery" "http://127.0.0.1:8080/$1"; }
waits_for 'grep -q READY=1 "$ROOT/run/notices"'
echo "ready in $((($(date +%s%N) - start) / 1000000)) ms; first answer: $(ask 'backlinkshort?urls[]=b.example')"
[ "$(curl --silent --output /dev/null --write-out '%{http_code}' http://127.0.0.1:8080/stats)" = 401 ]
chroot --userspec="$RUNS_AS:$RUNS_AS" "$ROOT" backlinkd --data /var/lib/backlinkd ping
if [ -n "$SEED" ]; then
    chroot --userspec="$RUNS_AS:$RUNS_AS" "$ROOT" backlinkd --data /var/lib/backlinkd seeds add "$SEED"
fi
waits_for 'ask "backlinks?url=b.example&fields=backlinkpage,linktarget,linktext" | grep -q "the b site"'
ask "backlinks?url=b.example&fields=backlinkpage,linktarget,linktext"; echo
[[ $(curl --silent --header "Accept: text/html" http://127.0.0.1:8080/) == *'<title>'* ]]
kill -HUP $daemon
waits_for 'grep -q RELOADING=1 "$ROOT/run/notices" && [ "$(grep -c READY=1 "$ROOT/run/notices")" = 2 ]'
kill -TERM $daemon
wait $daemon
grep -q STOPPING=1 "$ROOT/run/notices"
grep -o 'STATUS=.*' "$ROOT/run/notices" | head -2
SH
run_service() {
    rm -f "$root/run/notify"
    say "the service"
    ROOT=$root WEB=$web RUNS_AS=$user SEED=${1:-} \
        unshare --net --pid --fork --kill-child bash "$root/run/session.sh" "${command[@]}" \
        || fail "the service did not run; see above"
}
run_service a.example
manage stats | head -3

say "an upgrade keeps the configuration and the index"
before=$(sha256sum < "$root/etc/backlinkd/config.toml")
apt install -y --reinstall ./backlinkd.deb > /dev/null 2>&1 || fail "apt-get install --reinstall"
[ "$before" = "$(sha256sum < "$root/etc/backlinkd/config.toml")" ] || fail "the configuration was overwritten"

say "purge"
apt purge -y backlinkd > "$root/purge.log" 2>&1 || { cat "$root/purge.log"; fail "apt-get purge"; }
grep "stays in /var/lib/backlinkd" "$root/purge.log" || fail "purge does not say where the data is"
in_root getent passwd backlinkd > /dev/null && fail "the account is left"
in_root getent group backlinkd > /dev/null && fail "the group is left"
left=$(in_root find / -xdev \( -name '*backlinkd*' -o -nouser -o -nogroup \) -not -path '/var/lib/backlinkd*' \
    -not -path '/backlinkd.deb' -not -path '/var/log/*')
[ -z "$left" ] || fail "purge leaves: $left"
[ "$(stat -c '%u %a' "$root/var/lib/backlinkd")" = "0 700" ] || fail "others reach the data that is left"
[ -z "$(find "$root/var/lib/backlinkd" -not -uid 0)" ] || fail "data of an account that is gone"

say "installation over the data that was left"
apt install -y ./backlinkd.deb > "$root/install.log" 2>&1 || { cat "$root/install.log"; fail "apt-get install"; }
[ -z "$(in_root find /var/lib/backlinkd -not -user backlinkd)" ] || fail "the data belongs to another account"
manage stats | head -3

say "purge without data"
rm -rf "$root"/var/lib/backlinkd/*
apt purge -y backlinkd > "$root/purge.log" 2>&1 || { cat "$root/purge.log"; fail "apt-get purge"; }
[ ! -e "$root/var/lib/backlinkd" ] || fail "purge leaves an empty directory"
echo "PASSED"
