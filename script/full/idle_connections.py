"""Ten thousand connections through the broker of one run that say nothing, and what they take.

They come from several processes behind the wall, since one may open 4,096 files at most, and end at a server on the
host's loopback. While they stand, another one is served; afterwards the broker's memory and files are as before.
"""
import json
import os
import pathlib
import re
import resource
import select
import socket
import subprocess
import threading
import time

from yard import expect, wait_until

# Connections that one process opens in a second: together fewer than a broker takes (`connectionsPerSecond`).
RATE, CLIENTS = 400, 4
SECONDS_MAX = 180
# A broker has two open files for each connection, and these for itself.
FILES_BESIDE = 128
MEMORY_PER_CONNECTION_MAX = 40 << 10
# What a broker that has served many keeps for the next.
KEPT_BYTES = 48 << 20
FILES_KEPT = 8

CLIENT = r"""
import resource, socket, sys, time
count, rate, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
sockets, began = [], time.monotonic()
for number in range(count):
    time.sleep(max(0, began + number / rate - time.monotonic()))
    sockets.append(socket.create_connection((name, 7777), 60))
for one in sockets[:10] + sockets[-10:]:
    one.sendall(b"x")
    assert one.recv(1) == b"x"
print("open", len(sockets), flush=True)
sys.stdin.readline()
"""

MANY = r"""
import subprocess, sys
clients, count, rate, name = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[4]
print("ready", flush=True)
sys.stdin.readline()
made = [subprocess.Popen([sys.executable, "client.py", str(count), rate, name],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(clients)]
for one in made: print(one.stdout.readline().decode().strip() or "failed", flush=True)
sys.stdin.readline()
subprocess.run([sys.executable, "client.py", "1", rate, name], input=b"\n", check=True)
sys.stdin.readline()
for one in made: one.communicate(b"\n")
print("closed", flush=True)
sys.stdin.readline()
"""


class Echo:
    """A server that holds what it accepts and sends back what it hears, in one thread."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port, self.held, self.most = self.listener.getsockname()[1], {}, 0
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        poll = select.epoll()
        poll.register(self.listener, select.EPOLLIN)
        while not self.stopped.is_set():
            for number, _ in poll.poll(0.2):
                if number == self.listener.fileno():
                    client = self.listener.accept()[0]
                    self.held[client.fileno()] = client
                    self.most = max(self.most, len(self.held))
                    poll.register(client, select.EPOLLIN)
                    continue
                self._answer(poll, number)
        for client in self.held.values():
            client.close()
        self.listener.close()

    def _answer(self, poll, number):
        try:
            data = self.held[number].recv(4096)
            if data:
                self.held[number].sendall(data)
                return
        except OSError:
            pass
        poll.unregister(number)
        self.held.pop(number).close()

    def stop(self):
        self.stopped.set()
        self.thread.join()


def look(process):
    """Resident bytes and open files of a broker; -1 where its files are not for us to count."""
    status = pathlib.Path(f"/proc/{process}/status").read_text(encoding="ascii", errors="replace")
    try:
        files = len(os.listdir(f"/proc/{process}/fd"))
    except PermissionError:
        files = -1
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) << 10, files


def broker_of(process):
    """The broker among the children of a bailey."""
    for entry in os.listdir("/proc"):
        try:
            fields = pathlib.Path(f"/proc/{entry}/stat").read_text(encoding="ascii", errors="replace")
        except OSError:
            continue
        found = re.match(r"(\d+) \((.*)\) \S (\d+)", fields)
        if found and found[2].startswith("bailey-broker") and int(found[3]) == process:
            return int(found[1])
    return None


def idle(yard, count):
    """Opens the connections, holds them, lets them go; says what the broker took before, during and after."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = _allowed(count)
    echo = Echo()
    name = "idle.example.test"
    settings = pathlib.Path(yard.base, "config/bailey")
    settings.mkdir(exist_ok=True)
    settings.joinpath("config.yml").write_text(
        f'network:\n  upstreams:\n    - {{host: {name}, port: 7777, address: "127.0.0.1:{echo.port}"}}\n',
        encoding="ascii")
    for place in (settings, settings / "config.yml"):
        os.chown(place, yard.uid, yard.uid)
    for file, text in (("client.py", CLIENT), ("many.py", MANY)):
        pathlib.Path(yard.project, file).write_text(text, encoding="ascii")
        os.chown(f"{yard.project}/{file}", yard.uid, yard.uid)
    words = ("run", "--", "/usr/bin/python3", "many.py", str(CLIENTS), str(count // CLIENTS), str(RATE), name)
    process = yard.start(*words, input=subprocess.PIPE)
    try:
        _hold(yard, process, echo, count)
    finally:
        process.kill()
        process.communicate()
        echo.stop()
        settings.joinpath("config.yml").unlink()
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def _allowed(count):
    """Raises how many files this process and its children may open, and returns the connections that this is for."""
    wanted = 2 * count + FILES_BESIDE
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if 0 <= hard < wanted:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, wanted))
            return count
        except (ValueError, OSError):
            count = (hard - FILES_BESIDE) // 2 // CLIENTS * CLIENTS
            print(f"soak: {count} connections, since a process may have {hard} open files here", flush=True)
            wanted = hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return count


def _hold(yard, process, echo, count):
    heard = process.stdout.readline()
    expect(heard == b"ready\n", lambda: f"the run did not begin: {process.stderr.read1().decode()[-300:]}")
    broker = broker_of(process.pid)
    expect(broker, "there is no broker")
    before = look(broker)
    began = time.monotonic()
    process.stdin.write(b"\n")
    process.stdin.flush()
    heard = [process.stdout.readline().decode().strip() for _ in range(CLIENTS)]
    expect(heard == [f"open {count // CLIENTS}"] * CLIENTS,
           lambda: f"the connections did not come about: {heard}; {process.stderr.read1().decode()[-300:]}")
    expect(echo.most == count, f"{echo.most} connections of {count} arrived outside")
    took, during = time.monotonic() - began, look(broker)
    began = time.monotonic()
    process.stdin.write(b"\n\n")
    process.stdin.flush()
    heard = process.stdout.readline()
    while heard.startswith(b"open"):
        heard = process.stdout.readline()
    expect(heard == b"closed\n", f"the connections did not end: {heard}")
    wait_until(lambda: not echo.held, SECONDS_MAX, lambda: f"{len(echo.held)} connections are left outside")
    wait_until(lambda: look(broker)[1] <= before[1] + FILES_KEPT, SECONDS_MAX,
               lambda: f"{look(broker)[1]} files are open afterwards, {before[1]} before")
    closed, after = time.monotonic() - began, look(broker)
    process.stdin.write(b"\n")
    process.stdin.flush()
    output, errors = process.communicate(timeout=SECONDS_MAX)
    expect(process.returncode == 0, lambda: f"the run ended with {process.returncode}: {(output + errors)[-300:]}")
    each = (during[0] - before[0]) / count
    expect(each <= MEMORY_PER_CONNECTION_MAX, f"a silent connection takes {each:.0f} bytes")
    expect(after[0] <= before[0] + KEPT_BYTES, f"of {during[0]} bytes {after[0]} are kept; before it were {before[0]}")
    records = [json.loads(line) for line in yard.run("egress", "log", "--json").splitlines()]
    served = sum(record["type"] == "CONNECTION_CLOSED" for record in records)
    expect(served >= count, f"{served} connections of {count} are recorded")
    memory = ", ".join(f"{size / (1 << 20):.1f} MB" for size, _ in (before, during, after))
    files = ", ".join(str(number) for _, number in (before, during, after))
    print(f"soak: {count} silent connections in {took:.1f} s, gone in {closed:.1f} s; the broker before, during and "
          f"after: {memory} ({each / 1024:.1f} KB a connection), {files} open files", flush=True)
