"""An isolated network for one process and its children: only loopback, a name server that resolves only the hosts of
the test web, and nginx that serves them on the usual ports. No process in it can reach another machine.
"""

import csv
import ctypes
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
LOG_FORMAT = "$scheme://$host$request_uri\\t$status\\t$sent_http_content_type"


def leave_the_network():
    """Moves this process into new namespaces, with the name server of this network in resolv.conf. Linux only."""
    libc = ctypes.CDLL(None, use_errno=True)

    def call(function, *arguments):
        if function(*arguments) != 0:
            number = ctypes.get_errno()
            raise OSError(number, f"namespaces cannot be made here: {os.strerror(number)}")

    user, group = os.getuid(), os.getgid()
    call(libc.unshare, CLONE_NEWNS | CLONE_NEWNET | (0 if user == 0 else CLONE_NEWUSER))
    if user != 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    call(libc.mount, b"none", b"/", None, MS_REC | MS_PRIVATE, None)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    names = Path(f"/tmp/resolv-{os.getpid()}.conf")
    names.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    call(libc.mount, bytes(names), os.path.realpath("/etc/resolv.conf").encode(), None, MS_BIND, None)
    names.unlink()


def robots(work):
    """By host, the rules of its robots.txt as Scrapy's own library parses them."""
    from protego import Protego

    return {file.stem: Protego.parse(file.read_text()) for file in (work / "robots").iterdir()}


def hosts(web):
    """The web's hosts that serve pages or redirect to them, with their addresses; not the special ones."""
    with open(web / "conf/hosts.tsv") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["role"] in ("site", "redirect")]
    return {row["host"]: row["loopback_ip"] for row in rows}


class NameServer(threading.Thread):
    """Answers A queries for the given hosts; no other name exists, and none has an IPv6 address."""

    def __init__(self, addresses):
        super().__init__(daemon=True)
        self.addresses = {host: socket.inet_aton(address) for host, address in addresses.items()}
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))

    def run(self):
        while True:
            question, asker = self.socket.recvfrom(4096)
            if len(question) > 16:
                self.socket.sendto(self.answer(question), asker)

    def answer(self, question):
        labels, at = [], 12
        while question[at]:
            labels.append(question[at + 1 : at + 1 + question[at]].decode("latin-1").lower())
            at += 1 + question[at]
        asked, is_a = question[12 : at + 5], question[at + 1 : at + 3] == b"\0\1"
        address = self.addresses.get(".".join(labels))
        record = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 3600, 4) + address if address and is_a else b""
        flags = 0x8180 if address else 0x8183
        return question[:2] + struct.pack("!HHHHH", flags, 1, bool(record), 0, 0) + asked + record


class Nginx:
    """Serves the web on ports 80 and 443, or only on 80, and logs every request."""

    def __init__(self, web, work, tls):
        self.log = work / "access.log"
        (work / "run").mkdir(exist_ok=True)
        conf = work / "nginx.conf"
        conf.write_text(configuration(web, work, tls, self.log))
        self.log.write_text("")
        self.process = subprocess.Popen(["nginx", "-p", str(work / "run"), "-c", str(conf)], stderr=subprocess.DEVNULL)
        first = next(iter(hosts(web).values()))
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex((first, 80)) == 0:
                    return
            time.sleep(0.1)
        sys.exit(f"nginx does not start; {web / 'run/error.log'} or `nginx -t -c {conf}` gives the reason")

    def requests(self):
        """The requests since the last call: URL, status and media type of each."""
        taken = self.log.with_suffix(".taken")
        self.log.rename(taken)
        self.process.send_signal(signal.SIGUSR1)
        time.sleep(1)
        return [line.split("\t") for line in taken.read_text().splitlines()]

    def stop(self):
        self.process.terminate()
        self.process.wait()


def configuration(web, work, tls, log):
    """The configuration of the web's own script, without Crawl-delay, which would slow crawlers down, and without its
    log. Without TLS, everything that leads to https is removed too."""
    flags = ["--port", "80", "--tls-port", "443"] + ([] if tls else ["--http-only"])
    text = subprocess.run(
        [sys.executable, "gen_nginx.py", *flags], cwd=web, check=True, capture_output=True, text=True
    ).stdout
    robots = work / "robots"
    robots.mkdir(exist_ok=True)
    for file in (web / "robots").iterdir():
        rules = file.read_text().splitlines()
        kept = [line for line in rules if not line.lower().startswith("crawl-delay")]
        (robots / file.name).write_text("\n".join(kept) + "\n")
    text = text.replace(f"{web}/robots/", f"{robots}/")
    text = text.replace("access_log off;", f"log_format bench '{LOG_FORMAT}'; access_log {log} bench buffer=64k;")
    if not tls:
        text = re.sub(r"listen [0-9.]+:443 ssl[^;]*;", "", text)
        text = re.sub(r'(return 30[0-9] "?)https://', r"\1http://", text)
    # The files of the web belong to its owner.
    return ("user root;\n" if os.getuid() == 0 else "") + text
