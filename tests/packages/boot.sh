#!/bin/bash
# Boots a clean Debian 12 with systemd, installs the Debian package there, and drives its service with systemctl: start,
# hardening, users from /etc/backlinkd/users, reload, status, restart, stop. install.sh has the first half.
#
#   boot.sh PACKAGE.deb
#
# Needs root, systemd-nspawn, and the clean system that install.sh keeps. The booted system has loopback alone.
set -euo pipefail
export LC_ALL=C

package=$(realpath "$1")
say() { printf '%s\n' "== $*"; }
fail() { printf '%s\n' "FAILED: $*" >&2; exit 1; }
command -v systemd-nspawn > /dev/null || { echo "SKIPPED: systemd-nspawn is not installed (Debian: systemd-container)"; exit; }

clean=$HOME/.cache/backlinkd/debian-12 bootable=$HOME/.cache/backlinkd/debian-12-systemd
if [ ! -d "$bootable" ]; then
    say "a clean Debian 12 with systemd, once"
    rm -rf "$bootable.part" && cp -a "$clean" "$bootable.part"
    cp /etc/resolv.conf "$bootable.part/etc/resolv.conf"
    chroot "$bootable.part" env DEBIAN_FRONTEND=noninteractive sh -c 'apt-get -qq update && apt-get -qq install -y \
        --no-install-recommends systemd systemd-sysv dbus adduser ca-certificates libstdc++6 sudo' > /dev/null 2>&1
    mv "$bootable.part" "$bootable"
fi

root=$(mktemp -d)
nspawn=
leader=
stop_all() {
    if [ -n "$nspawn" ]; then kill "$nspawn" 2> /dev/null || true; wait "$nspawn" 2> /dev/null || true; fi
    rm -rf "$root"
}
trap stop_all EXIT
cp -a "$bootable/." "$root"
cp "$package" "$root/backlinkd.deb"
echo "127.0.0.1 localhost $(hostname)" > "$root/etc/hosts"

say "boot"
systemd-nspawn --quiet --register=no --keep-unit --private-network --directory "$root" --boot < /dev/null > "$root.log" 2>&1 &
nspawn=$!
inside() { nsenter --target "$leader" --mount --uts --ipc --net --pid env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"; }
on_its_net() { nsenter --target "$leader" --net "$@"; }
for _ in $(seq 300); do
    leader=$(pgrep -P "$nspawn" | head -1) || true
    [ -n "$leader" ] && inside systemctl is-system-running 2> /dev/null | grep -qE 'running|degraded' && break
    sleep 0.2
done
inside systemctl is-system-running | grep -qE 'running|degraded' || { tail -5 "$root.log"; echo "SKIPPED: systemd does not boot here"; exit; }
rm -f "$root.log"
waits_for() {
    for _ in $(seq 300); do eval "$1" && return; sleep 0.2; done
    inside systemctl status --no-pager backlinkd || true
    inside journalctl --no-pager --unit backlinkd | tail -20
    fail "$1"
}
ask() { on_its_net curl --silent --fail --user "alice:correct horse" "http://127.0.0.1:8080/$1"; }

say "installation, and the start by its operator"
inside env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y ./backlinkd.deb > /dev/null 2>&1 || fail "apt-get install"
inside systemctl is-active --quiet backlinkd && fail "the installation starts the service"
inside systemctl enable --quiet --now backlinkd
waits_for 'inside systemctl is-active --quiet backlinkd'
on_its_net curl --silent --fail http://127.0.0.1:8080/stats | head -c 200; echo
inside systemctl show backlinkd --property=StatusText,NRestarts,User,NotifyAccess,MemoryHigh,LimitNOFILE
inside systemctl is-enabled backlinkd

say "users, a small web, a crawl"
mkdir -p "$root/srv/a" "$root/srv/b"
echo '<title>A</title><a href="http://b.example/">the b site</a>' > "$root/srv/a/index.html"
echo '<title>B</title>' > "$root/srv/b/index.html"
on_its_net python3 -m http.server --directory "$root/srv/a" --bind 127.0.0.2 8001 > /dev/null 2>&1 &
on_its_net python3 -m http.server --directory "$root/srv/b" --bind 127.0.0.3 8001 > /dev/null 2>&1 &
printf 'a.example\t127.0.0.2:8001\t127.0.0.2:8444\nb.example\t127.0.0.3:8001\t127.0.0.3:8444\n' > "$root/etc/backlinkd/hosts.tsv"
chmod 644 "$root/etc/backlinkd/hosts.tsv"
sed -i -e 's/^#delay = .*/delay = "10ms"/' -e 's/^#host_overrides = .*/host_overrides = "hosts.tsv"/' \
    -e 's/^#allow_private_addresses = .*/allow_private_addresses = ["127.0.0.0\/8"]/' "$root/etc/backlinkd/config.toml"
(umask 077 && echo 'alice:correct horse' > "$root/etc/backlinkd/users")
waits_for 'on_its_net curl --silent --head http://127.0.0.2:8001/ http://127.0.0.3:8001/ > /dev/null'
inside systemctl restart backlinkd
[ "$(on_its_net curl --silent --output /dev/null --write-out '%{http_code}' http://127.0.0.1:8080/stats)" = 401 ] \
    || fail "the API is open, although there is a file of users"
inside sudo -u backlinkd backlinkd --quiet --data /var/lib/backlinkd seeds add a.example
waits_for 'ask "backlinks?url=b.example" | grep -q "the b site"'
ask "backlinks?url=b.example&fields=backlinkpage,linktext"; echo
waits_for 'inside systemctl show backlinkd --property=StatusText | grep -q "2 pages"'
inside systemctl show backlinkd --property=StatusText

say "reload, a crash, stop"
inside systemctl reload backlinkd
waits_for 'inside journalctl --no-pager --unit backlinkd | grep -q "read again"'
[ "$(inside systemctl is-active backlinkd)" = active ] || fail "a reload ended the service"
inside systemctl kill --signal KILL backlinkd
waits_for 'inside systemctl show backlinkd --property=NRestarts | grep -q "=1" && inside systemctl is-active --quiet backlinkd'
ask "backlinks?url=b.example" | grep -q "the b site" || fail "a crash lost the index"
inside systemctl stop backlinkd
inside systemctl show backlinkd --property=Result,ExecMainStatus
[ "$(inside systemctl show backlinkd --property=Result --value)" = success ] || fail "the stop was not in order"
inside systemd-analyze security --no-pager backlinkd | tail -1

say "a bad file of users names the line"
echo bob >> "$root/etc/backlinkd/users"
inside systemctl start backlinkd 2> /dev/null && fail "it starts with a bad file of users"
inside journalctl --no-pager --unit backlinkd | grep -o "line 2, is no user.*" | head -1 || fail "no message about line 2"
inside systemctl reset-failed backlinkd

say "purge"
inside env DEBIAN_FRONTEND=noninteractive apt-get -qq purge -y backlinkd 2>&1 | grep "stays in" || fail "purge does not say where the data is"
inside systemctl cat backlinkd > /dev/null 2>&1 && fail "the unit is left"
echo "PASSED"
