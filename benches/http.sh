#!/usr/bin/env bash
# Requests a second and the 99th percentile of `backlinkd serve`, compared with nginx and static files of the same
# bytes, on one machine over loopback. Needs curl, nginx and wrk (Debian: apt-get install curl nginx-light wrk).
#
#   benches/http.sh BACKLINKD DATA [DOMAIN]
#
# BACKLINKD: the program; DATA: a data directory that no other process has open; DOMAIN: the domain of the queries. The
# environment may set RUNS (3), SECONDS_A_RUN (4) and NGINX_PORT (18081), which must be free.
set -euo pipefail

program=${1:?usage: benches/http.sh BACKLINKD DATA [DOMAIN]}
data=${2:?usage: benches/http.sh BACKLINKD DATA [DOMAIN]}
domain=${3:-berore-shipelapu0.com}
runs=${RUNS:-3} seconds=${SECONDS_A_RUN:-4} nginx_port=${NGINX_PORT:-18081}
names=(count linktexts backlinks-50)
paths=("anabacklinks?url=$domain" "linktexts?url=$domain" "backlinks?url=$domain&limit=50")

work=$(mktemp -d)
started=()
finish() {
    for process in "${started[@]}"; do kill "$process" 2> /dev/null && wait "$process" || true; done
    rm -rf "$work"
}
trap finish EXIT

# The server takes any free port and prints it. It refuses unknown variables with the prefix of its configuration, so
# the variable of the benches is removed.
env -u BACKLINKD_SERVING "$program" --data "$data" serve --listen 127.0.0.1:0 > "$work/serve.log" 2>&1 &
started+=($!)
for _ in $(seq 300); do
    api=$(grep -ao 'http://127.0.0.1:[0-9]*' "$work/serve.log" | head -1) && break
    kill -0 "${started[0]}" 2> /dev/null || { cat "$work/serve.log" >&2; exit 1; }
    sleep 0.1
done

# nginx serves the responses of backlinkd, once the scope's index is complete.
mkdir "$work/www"
for at in "${!names[@]}"; do
    for _ in $(seq 120); do
        curl -fsS "$api/${paths[at]}" -o "$work/www/${names[at]}.json"
        grep -q '"exportFinished":false' "$work/www/${names[at]}.json" || break
        sleep 0.5
    done
done
chmod -R a+rX "$work"

cat > "$work/nginx.conf" << EOF
worker_processes auto;
daemon off;
pid $work/nginx.pid;
error_log $work/nginx.log;
events { worker_connections 256; }
http {
    access_log off;
    keepalive_requests 1000000000;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=16;
    types { application/json json; }
    client_body_temp_path $work/body; proxy_temp_path $work/proxy; fastcgi_temp_path $work/fastcgi;
    uwsgi_temp_path $work/uwsgi; scgi_temp_path $work/scgi;
    server { listen 127.0.0.1:$nginx_port; root $work/www; }
}
EOF
nginx -c "$work/nginx.conf" &
started+=($!)
curl -fsS --retry 50 --retry-delay 0 --retry-connrefused -o /dev/null "http://127.0.0.1:$nginx_port/count.json"

# Requests a second and the 99th percentile in ms of one run.
measure() {
    wrk -t1 -c16 -d"${seconds}s" --latency "$1" > "$work/wrk.log"
    if grep -E 'Non-2xx|Socket errors' "$work/wrk.log" >&2; then
        echo "$1 did not answer every request" >&2
        exit 1
    fi
    awk '$1 == "99%" { p99 = $2 + 0; if ($2 ~ /us$/) p99 /= 1000; else if ($2 !~ /ms$/) p99 *= 1000 }
         $1 == "Requests/sec:" { print $2, p99 }' "$work/wrk.log"
}

# The servers take turns, so that other load of the machine affects both; the best of all runs counts for each.
printf '%-13s %8s  %14s %9s  %14s %9s  %6s %6s\n' \
    answer bytes 'backlinkd req/s' 'p99 ms' 'nginx req/s' 'p99 ms' rate p99
for at in "${!names[@]}"; do
    size=$(stat -c %s "$work/www/${names[at]}.json")
    : > "$work/own"; : > "$work/static"
    for _ in $(seq "$runs"); do
        measure "$api/${paths[at]}" >> "$work/own"
        measure "http://127.0.0.1:$nginx_port/${names[at]}.json" >> "$work/static"
    done
    paste -d' ' "$work/own" "$work/static" | awk -v name="${names[at]}" -v size="$size" '
        { printf "%-13s %8d  %15.0f %9.2f  %14.0f %9.2f  %6.2f %6.2f\n", name, size, $1, $2, $3, $4, $1 / $3, $2 / $4 }
        NR == 1 || $1 > own { own = $1 } NR == 1 || $2 < own99 { own99 = $2 }
        NR == 1 || $3 > static { static = $3 } NR == 1 || $4 < static99 { static99 = $4 }
        END { printf "%-13s %8s  %15.0f %9.2f  %14.0f %9.2f  %6.2f %6.2f\n", name, "best", own, own99,
              static, static99, own / static, own99 / static99 }'
done
