#!/usr/bin/env python3
"""The cost of malicious clients and servers for backlinkd, each next to well-behaved ones.

    benches/attacks.py BACKLINKD [ATTACK…]

Starts the program on loopback for each attack, and prints one line for each: the attack, and the figures. Without
names, all attacks run. Needs only python3, and some minutes. With --beside PORT --minutes N, attacks a running API
continuously, and prints nothing.
"""

import argparse
import asyncio
import base64
import contextlib
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time

PAGES, LINKS = 400, 100
ATTACKS = {}
USER = "alice:correct horse"


def attack(function):
    ATTACKS[function.__name__.replace("_", "-")] = function
    return function


# --- the web -----------------------------------------------------------------------------------------------------


class Web:
    """Hosts on loopback: `links.test` with many links to one domain, `slow*.slow.test`, `quick.test`, `huge*.huge.test`."""

    def __init__(self, work):
        self.work = work
        self.served = {}
        self.slow = 19.0
        self.hosts = {}

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "0.0.0.0", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        names = ["links.test", "quick.test"]
        names += [f"slow{at}.slow.test" for at in range(200)] + [f"huge{at}.huge{at}.test" for at in range(48)]
        for at, name in enumerate(names):
            self.hosts[name] = f"127.{1 + at // 200}.{at % 200 + 1}.7"
        lines = [f"{name}\t{ip}:{self.port}\t{ip}:{self.port}" for name, ip in self.hosts.items()]
        (self.work / "hosts.tsv").write_text("\n".join(lines) + "\n")
        links = "".join(f"<a href=http://target.example/{at}/{'x' * 40}>some words of text {at}</a>" for at in range(100))
        self.links = links
        self.huge = "".join(f"<a href=http://h{at % 9_973}.example/{at}/{'y' * 20}>words {at}</a>" for at in range(100_000))

    def page(self, host, path):
        if path == "/robots.txt":
            return 404, ""
        if host == "links.test":
            number = int(path.strip("/") or 0)
            body = "".join(
                f"<a href=http://target.example/{number}/{at}/{'x' * 60}>{'some words of text ' * 4}{at}</a>"
                for at in range(LINKS)
            )
            more = "".join(f"<a href=/{at}>n</a>" for at in range(PAGES)) if number == 0 else ""
            return 200, f"<title>page {number}</title>{more}{body}"
        if host == "quick.test":
            number = int(path.strip("/") or 0)
            return 200, f"<title>{number}</title>" + "".join(f"<a href=/{number * 10 + at}>n</a>" for at in range(1, 11))
        if host.endswith(".slow.test"):
            return 200, "<title>slow</title>" + "".join(f"<a href=/{at}>n</a>" for at in range(50))
        return 200, self.huge

    async def serve(self, reader, writer):
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                path = head.split(" ", 2)[1]
                host = next(line[6:] for line in head.split("\r\n") if line.lower().startswith("host: ")).split(":")[0]
                if host.endswith(".slow.test"):
                    await asyncio.sleep(self.slow)
                status, body = self.page(host, path)
                body = body.encode()
                head = f"HTTP/1.1 {status} x\r\nContent-Type: text/html\r\nContent-Length: {len(body)}\r\n\r\n"
                writer.write(head.encode() + body)
                await writer.drain()
                self.served.setdefault(host, []).append(time.monotonic())
        writer.close()


# --- the program -------------------------------------------------------------------------------------------------


class Program:
    def __init__(self, binary, data, web, sets=(), files=None):
        self.binary, self.data, self.web, self.files = binary, data, web, files
        self.sets = [
            f"fetch.host_overrides={web.work}/hosts.tsv",
            "fetch.allow_private_addresses=127.0.0.0/8",
            "fetch.ports=1-65535",
            "crawl.delay=0s",
            "crawl.host_pages=100000000",
            "crawl.domain_pages=100000000",
            *sets,
        ]

    def command(self, *arguments):
        sets = [part for key in self.sets for part in ("--set", key)]
        return [self.binary, "--data", str(self.data), *sets, *arguments]

    def run(self, *arguments, text=None):
        return subprocess.run(self.command(*arguments), input=text, capture_output=True, text=True, timeout=600)

    async def start(self, *arguments):
        def limit():
            if self.files:
                resource.setrlimit(resource.RLIMIT_NOFILE, self.files)

        self.log = open(self.web.work / "program.log", "w+b")
        self.process = subprocess.Popen(
            self.command(*arguments, "--listen", "127.0.0.1:0"), stdout=self.log, stderr=self.log, preexec_fn=limit
        )
        while True:
            text = (self.web.work / "program.log").read_text(errors="replace")
            if "http://127.0.0.1:" in text:
                self.port = int(text.split("http://127.0.0.1:")[1].split("/")[0])
                return self
            if self.process.poll() is not None:
                raise SystemExit(text)
            await asyncio.sleep(0.05)

    def figures(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        kilobytes = {line.split(":")[0]: line.split()[1] for line in status.splitlines() if "kB" in line}
        return int(kilobytes["VmRSS"]) / 1024, int(kilobytes["VmHWM"]) / 1024

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def lives(self):
        return self.process.poll() is None

    async def stop(self):
        begun = time.monotonic()
        if self.lives():
            self.process.send_signal(signal.SIGTERM)
        while self.lives() and time.monotonic() - begun < 90:
            await asyncio.sleep(0.02)
        took = time.monotonic() - begun
        if self.lives():
            self.process.kill()
        self.process.wait()
        self.log.close()
        return took


# --- clients -----------------------------------------------------------------------------------------------------


def request(target, *headers, method="GET"):
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def login(user):
    return f"Authorization: Basic {base64.b64encode(user.encode()).decode()}"


async def connect(port, data=b"", own=None, small=False):
    local = (own, 0) if own else None
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=local, limit=4096 if small else 2**20)
    if data:
        writer.write(data)
    return reader, writer


async def ask(port, target, *headers, own=None, timeout=120):
    """Status and seconds of a request on its own connection; the status is 0 without a response."""
    begun = time.monotonic()
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await connect(port, request(target, "Connection: close", *headers), own)
            head = await reader.readline()
            while await reader.read(65536):
                pass
            writer.close()
            return int(head.split()[1]), time.monotonic() - begun
    except (OSError, IndexError, TimeoutError, ValueError):
        return 0, time.monotonic() - begun


async def hold(port, data, number, own=None):
    """Opens connections and reads nothing from them."""
    held = []
    for _ in range(number):
        try:
            held.append(await connect(port, data() if callable(data) else data, own, small=True))
            held[-1][0]._transport.pause_reading()
        except (OSError, RuntimeError):
            pass
    return held


def let_go(held):
    for _, writer in held:
        writer.transport.abort()


def costly_filter(domain="target.example"):
    texts = ",".join("''" for _ in range(15_500))
    return f"/backlinks?url={domain}&where=linktarget+in+({texts})"


# --- the attacks -------------------------------------------------------------------------------------------------


async def crawled(binary, work, web):
    """An index with a scope of 40,000 backlinks."""
    program = Program(binary, work / "index", web)
    if not (work / "index").exists():
        (work / "seeds.txt").write_text("links.test\n")
        ended = await asyncio.to_thread(program.run, "crawl", "--seeds", str(work / "seeds.txt"), "--no-rank")
        assert ended.returncode == 0, ended.stderr
    return program


async def serving(binary, work, web, *sets):
    program = await crawled(binary, work, web)
    program.sets += sets
    await program.start("serve")
    for _ in range(3):
        await ask(program.port, "/backlinks?url=target.example&limit=10000")
    return program


@attack
async def silent(binary, work, web):
    """2,700 silent connections during a crawl, 1,024 open files."""
    data = work / "silent"
    program = Program(binary, data, web, files=(1024, 1024))
    (work / "quick.txt").write_text("quick.test\n")
    await program.start("run", "--seeds", str(work / "quick.txt"))
    await asyncio.sleep(2)
    held = await hold(program.port, b"", 2700)
    before = len(web.served.get("quick.test", []))
    await asyncio.sleep(8)
    pages = (len(web.served.get("quick.test", [])) - before) / 8
    status, took = await ask(program.port, "/livez", timeout=20)
    lives = program.lives()
    let_go(held)
    await program.stop()
    return f"the daemon {'lives' if lives else 'has ended'}, {pages:.0f} pages/s; a request: {status} in {took:.2f} s"


@attack
async def idle(binary, work, web):
    """Dripping request heads, and idle connections."""
    program = await serving(binary, work, web)
    drips = await hold(program.port, b"GET / HTTP/1.1\r\nHost:", 20)
    kept = await hold(program.port, request("/sr?url=a.example"), 20)
    begun, ended = time.monotonic(), {}
    for _, writer in kept:
        writer.transport.resume_reading()
    while time.monotonic() - begun < 75 and len(ended) < 40:
        for number, (reader, writer) in enumerate(drips + kept):
            if number in ended:
                continue
            if number < 20:
                writer.write(b"x")
                writer.transport.resume_reading()
            if reader._eof or writer.transport.is_closing():
                ended[number] = time.monotonic() - begun
        await asyncio.sleep(0.5)
    let_go(drips + kept)
    await program.stop()
    times = [max([ended.get(number, 999) for number in numbers]) for numbers in (range(20), range(20, 40))]
    return f"{len(ended)} of 40 ended; heads by {times[0]:.0f} s, idle ones by {times[1]:.0f} s (999: never)"


@attack
async def filter(binary, work, web):
    """A filter of 48 kB, api.deadline=1s; and twelve of them whose clients hang up."""
    program = await serving(binary, work, web, "api.deadline=1s")
    status, took = await ask(program.port, costly_filter())
    before = program.cpu()
    held = await hold(program.port, request(costly_filter()), 12)
    await asyncio.sleep(1)
    let_go(held)
    await asyncio.sleep(10)
    burnt = program.cpu() - before
    await program.stop()
    return f"{status} after {took:.2f} s; the twelve took {burnt:.1f} CPU-seconds"


@attack
async def filters_beside_a_crawl(binary, work, web):
    """Forty such filters during a crawl, hung up at once, repeatedly."""
    program = await crawled(binary, work, web)
    copy = work / "beside"
    subprocess.run(["cp", "-r", str(work / "index"), str(copy)], check=True)
    program.data = copy
    (work / "quick.txt").write_text("quick.test\n")
    await program.start("run", "--seeds", str(work / "quick.txt"))
    for _ in range(3):
        await ask(program.port, "/backlinks?url=target.example&limit=10000")
        await asyncio.sleep(1)

    async def rate(seconds):
        before = len(web.served.get("quick.test", []))
        await asyncio.sleep(seconds)
        return (len(web.served.get("quick.test", [])) - before) / seconds

    alone = await rate(5)
    held = await hold(program.port, request(costly_filter()), 40)
    await asyncio.sleep(1)
    let_go(held)
    beside = await rate(10)
    await program.stop()
    return f"{alone:.0f} pages/s alone, {beside:.0f} in the ten seconds after"


@attack
async def slow_hosts(binary, work, web):
    """A domain of 200 hosts that respond after 19 s, next to a fast one."""
    program = Program(binary, work / "slow", web, ["crawl.max_depth=3", "crawl.recrawl_after=7days"])
    names = [f"slow{at}.slow.test" for at in range(200)]
    (work / "slow.txt").write_text("\n".join(names) + "\n")
    web.served.pop("quick.test", None)
    await program.start("run", "--seeds", str(work / "slow.txt"))
    await asyncio.sleep(5)
    await asyncio.to_thread(program.run, "seeds", "add", "quick.test")
    await asyncio.sleep(30)
    pages = len(web.served.get("quick.test", []))
    await program.stop()
    return f"the quick one got {pages} of its 1,111 pages in 30 s"


@attack
async def unread(binary, work, web):
    """200 clients that request 10,000 rows and read nothing."""
    program = await serving(binary, work, web)
    before, _ = program.figures()
    numbers = iter(range(1_000_000))
    held = await hold(
        program.port, lambda: request(f"/backlinks?url=target.example&limit=10000&offset={next(numbers)}"), 200
    )
    await asyncio.sleep(20)
    after, _ = program.figures()
    status, took = await ask(program.port, "/backlinks?url=target.example&limit=50&offset=7")
    await asyncio.sleep(25)
    ended = sum(writer.transport.is_closing() or reader.at_eof() for reader, writer in held)
    let_go(held)
    await program.stop()
    return f"{before:.0f} to {after:.0f} MB; another request: {status} in {took:.2f} s"


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def literal(name, value):
    def text(data):
        size = len(data)
        return (bytes([size]) if size < 127 else bytes([127, size - 127])) + data

    return b"\x00" + text(name.encode()) + text(value.encode())


@attack
async def window(binary, work, web):
    """One HTTP/2 connection, 100 streams of 10,000 rows, window 0."""
    program = await serving(binary, work, web)
    before, _ = program.figures()
    data = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"\x00\x04\x00\x00\x00\x00") + frame(4, 1, 0)
    for number in range(100):
        target = f"/backlinks?url=target.example&limit=10000&offset={number}"
        head = [(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", target)]
        data += frame(1, 5, 2 * number + 1, b"".join(literal(name, value) for name, value in head))
    reader, writer = await connect(program.port, data)
    reading = asyncio.create_task(reader.read(-1))
    most = 0
    for _ in range(20):
        await asyncio.sleep(1)
        most = max(most, program.figures()[0])
    reading.cancel()
    writer.transport.abort()
    await program.stop()
    return f"{before:.0f} to {most:.0f} MB"


@attack
async def exports(binary, work, web):
    """32 unread CSV exports, and one export of three rows."""
    program = await serving(binary, work, web)
    held = await hold(program.port, request("/exportbacklinks?url=target.example&format=csv"), 32)
    await asyncio.sleep(1)
    status, took = await ask(program.port, "/backlinks?url=target.example&limit=3&format=csv")
    other, waited = await ask(program.port, "/exportbacklinks?url=target.example&format=csv", own="127.0.0.9")
    let_go(held)
    await program.stop()
    return f"three rows: {status} in {took:.2f} s; another address's export: {other} in {waited:.2f} s"


async def with_users(binary, work, web, name, *sets):
    program = Program(binary, work / name, web, sets)
    ended = await asyncio.to_thread(program.run, "user", "add", "alice", text="correct horse\n")
    assert ended.returncode == 0, ended.stderr
    await asyncio.to_thread(program.run, "user", "add", "bob", text="battery staple\n")
    return await program.start("serve")


@attack
async def guesses(binary, work, web):
    """400 guesses at once, limit 1/s, burst 2."""
    limits = ["api.rate_limit_per_second=1", "api.rate_limit_burst=2"]
    program = await with_users(binary, work, web, "guesses", *limits)
    asked = [ask(program.port, "/", login(f"alice:no{at}")) for at in range(400)]
    statuses = [status for status, _ in await asyncio.gather(*asked)]
    await program.stop()
    return f"{statuses.count(401)} verified, {statuses.count(429)} refused unverified"


async def guess_on(port, number, ended):
    while not ended.is_set():
        await ask(port, "/", login(f"alice:no{number}"))


@attack
async def wrong_passwords(binary, work, web):
    """500 connections with wrong passwords for alice; alice, authenticated before, and bob, not yet, log in."""
    program = await with_users(binary, work, web, "wrong")
    await ask(program.port, "/", login(USER))
    ended = asyncio.Event()
    guessing = [asyncio.create_task(guess_on(program.port, at, ended)) for at in range(500)]
    await asyncio.sleep(3)
    before, begun = program.cpu(), time.monotonic()
    alice = await ask(program.port, "/", login(USER))
    bob = await ask(program.port, "/", login("bob:battery staple"))
    await asyncio.sleep(3)
    cores = (program.cpu() - before) / (time.monotonic() - begun)
    ended.set()
    await asyncio.gather(*guessing)
    await program.stop()
    return f"alice: {alice[0]} in {alice[1]:.2f} s, bob: {bob[0]} in {bob[1]:.2f} s; {cores:.2f} cores busy"


@attack
async def locked_out(binary, work, web):
    """Wrong guesses for alice at 5/s, for 10 s, from her own address (a proxy's)."""
    program = await with_users(binary, work, web, "locked")
    for at in range(50):
        await ask(program.port, "/", login(f"alice:no{at}"))
        await asyncio.sleep(0.2)
    begun, status = time.monotonic(), 0
    while status != 200 and time.monotonic() - begun < 60:
        status, _ = await ask(program.port, "/", login(USER))
        await asyncio.sleep(0.2)
    took = time.monotonic() - begun
    await program.stop()
    return f"she is let in after {took:.1f} s"


@attack
async def malformed(binary, work, web):
    """CONNECT; a foreign Host; a body of 10^18 bytes; a thousand unknown parameters."""
    program = await serving(binary, work, web)

    async def status(data):
        try:
            async with asyncio.timeout(5):
                reader, writer = await connect(program.port, data)
                head = await reader.readuntil(b"\r\n\r\n")
                writer.close()
                return head
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            return f"HTTP/1.1 {type(error).__name__}".encode()

    first = [
        (await status(data)).split()[1].decode()
        for data in (
            b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n",
            request("/backlinkshort", "Content-Type: application/json", f"Content-Length: {10**18}", method="POST"),
        )
    ]
    unknown = "".join(f"&u{at}{'x' * 30}=1" for at in range(1_000))
    head = await status(request(f"/backlinks?url=target.example&format=csv&limit=1{unknown}"))
    warnings = next((line for line in head.split(b"\r\n") if line.lower().startswith(b"x-warnings")), b"")
    await program.stop()
    return f"{first[0]}; {first[1]}; {first[2]}; a header of {len(warnings)} bytes"


@attack
async def terminate(binary, work, web):
    """SIGTERM with an idle connection, half a head and half a body open."""
    program = await serving(binary, work, web)
    body = request("/backlinkshort", "Content-Type: application/json", "Content-Length: 100", method="POST") + b"["
    held = await hold(program.port, b"GET / HTTP/1.1\r\nHost:", 3)
    held += await hold(program.port, body, 3) + await hold(program.port, request("/sr?url=a.example"), 3)
    await asyncio.sleep(1)
    took = await program.stop()
    let_go(held)
    return f"ended after {took:.1f} s"


@attack
async def huge_pages(binary, work, web):
    """Pages of 100,000 links from 48 hosts at once."""
    program = Program(binary, work / "huge", web, ["crawl.max_depth=0"])
    (work / "huge.txt").write_text("\n".join(f"huge{at}.huge{at}.test" for at in range(48)) + "\n")
    await program.start("run", "--seeds", str(work / "huge.txt"))
    begun, most = time.monotonic(), 0
    while time.monotonic() - begun < 60:
        most = max(most, program.figures()[1])
        if sum(len(times) for host, times in web.served.items() if host.endswith("huge" + host[4:].split(".")[0] + ".test")) >= 96:
            await asyncio.sleep(8)
            most = max(most, program.figures()[1])
            break
        await asyncio.sleep(0.2)
    await program.stop()
    return f"{most:.0f} MB at peak"


@attack
async def overload(binary, work, web):
    """Twice as many queries as can be computed, for a minute (SECONDS), each different from all before."""
    program = await serving(binary, work, web)
    numbers = iter(range(10**9))

    async def query():
        pattern = f"%25t%25x%25{next(numbers)}%25y%25"
        return await ask(program.port, f"/backlinks?url=target.example&limit=50&where=linktarget+like+'{pattern}'")

    async def closed(clients, seconds):
        until, times = time.monotonic() + seconds, []

        async def client():
            while time.monotonic() < until:
                times.append((await query())[1])

        await asyncio.gather(*(client() for _ in range(clients)))
        return sorted(times)

    alone = await closed(1, 8)
    rate = len(await closed(4, 8)) / 8
    seconds = float(os.environ.get("SECONDS", 60))
    begun, asked = time.monotonic(), []
    while (now := time.monotonic() - begun) < seconds:
        while len(asked) < now * 2 * rate:
            asked.append(asyncio.create_task(query()))
        await asyncio.sleep(0.002)
    answers = await asyncio.gather(*asked)
    await program.stop()
    taken = sorted(took for status, took in answers if status == 200)
    refused = sorted(took for status, took in answers if status == 503)

    def share(times, part):
        return times[min(int(len(times) * part), len(times) - 1)] * 1000 if times else 0

    return (
        f"capacity {rate:.0f}/s; alone p50 {share(alone, 0.5):.1f}, p99 {share(alone, 0.99):.1f} ms; overloaded: {len(taken)} "
        f"answered in p50 {share(taken, 0.5):.1f}, p99 {share(taken, 0.99):.1f} ms ({share(taken, 0.99) / share(alone, 0.99):.1f} "
        f"times), {len(refused)} refused in p99 {share(refused, 0.99):.1f} ms, {len(answers) - len(taken) - len(refused)} others"
    )


# --- attacks on a running API ------------------------------------------------------------------------------------


async def beside(port, minutes, domain, user):
    """Idle and dripping connections, costly filters, unread responses and exports, wrong passwords, continuously."""
    until = time.monotonic() + minutes * 60
    stranger = "127.0.0.66"

    async def again(data, number, rest):
        while time.monotonic() < until:
            held = await hold(port, data, number, stranger)
            await asyncio.sleep(rest)
            let_go(held)

    async def guess():
        number = 0
        while time.monotonic() < until:
            number += 1
            await ask(port, "/", login(f"alice:no{number}"), own=stranger)

    numbers, own = iter(range(10**9)), [login(user)] if user else []
    await asyncio.gather(
        again(b"", 300, 20),
        again(b"GET / HTTP/1.1\r\nHost:", 100, 20),
        again(request(costly_filter(domain), *own), 10, 0.5),
        again(lambda: request(f"/backlinks?url={domain}&limit=10000&x={next(numbers)}", *own), 50, 10),
        again(request(f"/exportbacklinks?url={domain}&format=csv", *own), 32, 15),
        *(guess() for _ in range(50)),
    )


async def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("binary", nargs="?")
    parser.add_argument("attacks", nargs="*", metavar="ATTACK", help=", ".join(ATTACKS))
    parser.add_argument("--beside", metavar="PORT", type=int)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--domain", default="target.example")
    parser.add_argument("--user", help="NAME:PASSWORD, if the API requires them")
    arguments = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    if arguments.beside:
        return await beside(arguments.beside, arguments.minutes, arguments.domain, arguments.user)
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        web = Web(work)
        await web.start()
        for name in arguments.attacks or ATTACKS:
            function = ATTACKS[name]
            print(f"{name}: {function.__doc__}", flush=True)
            print(f"    {await function(arguments.binary, work, web)}", flush=True)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
