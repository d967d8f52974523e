"""A fleet in a few processes: subscriptions that follow a remote through nginx and a proxy that fails now and then.

FUSEDB_FLEET=CLIENTSxVERSIONS sets how many; `make fleet` has 1000x24. The program is Tests/Fleet."""

import collections
import os
import random
import subprocess
import threading
import time

from conftest import DONE, ROOT
from delivery import Remote, hourly, liar, nginx, sha256

CLIENTS, VERSIONS = map(int, os.environ.get("FUSEDB_FLEET", "50x6").split("x"))
PROCESSES = 4
#: How many keys, and how often a client asks, in seconds: so that the requests don't fill the machine.
KEYS, INTERVAL = 3000, 0.5 + CLIENTS / 250
FLEET = os.environ.get("FUSEDB_FLEET_PROGRAM") or ROOT / ".build" / "debug" / "Fleet"


class Faults:
    """Spoils some answers of a server, each in another way."""

    def __init__(self, share):
        self.share, self.chance, self.counts = share, random.Random(11), collections.Counter()
        self.kinds = [self.status, self.cut, self.flip, self.reset, self.late, self.empty]

    def __call__(self, handler, data):
        if data is None or self.chance.random() >= self.share:
            return handler.answer(data)
        kind = self.chance.choice(self.kinds)
        self.counts[kind.__name__] += 1
        return kind(handler, data)

    def status(self, handler, data):
        handler.answer(b"", self.chance.choice([500, 502, 503, 429]))

    def cut(self, handler, data):
        handler.answer(data[: len(data) // 2], length=len(data))
        handler.close_connection = True

    def flip(self, handler, data):
        data = bytearray(data)
        data[self.chance.randrange(len(data))] ^= 16
        handler.answer(bytes(data))

    def reset(self, handler, data):
        handler.close_connection = True

    def late(self, handler, data):
        time.sleep(self.chance.uniform(0.2, 2))
        handler.answer(data)

    def empty(self, handler, data):
        handler.answer(b"")


class Fleet:
    """The processes, and what they say."""

    def __init__(self, urls, folder, trust):
        self.generation, self.times, self.costs = collections.Counter(), {}, collections.defaultdict(list)
        self.failures, self.ended, self.missing, self.changed = collections.Counter(), {}, 0, threading.Condition()
        self.processes, self.readers = [], []
        for number in range(PROCESSES):
            place = folder / f"host-{number}"
            place.mkdir()
            self.start(number, urls[number % len(urls)], place, trust)

    def start(self, number, url, place, trust):
        count = CLIENTS // PROCESSES + (number < CLIENTS % PROCESSES)
        process = subprocess.Popen(
            [FLEET, url, "geo", place, str(count), str(INTERVAL), trust], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        reader = threading.Thread(target=self.listen, args=(number, process), daemon=True)
        reader.start()
        self.processes.append(process)
        self.readers.append(reader)

    def listen(self, number, process):
        for line in process.stdout:
            words = line.decode().split()
            with self.changed:
                match words:
                    case [client, "updated", generation, size, requests]:
                        client, generation = (number, int(client)), int(generation)
                        self.times.setdefault(generation, {}).setdefault(client, time.monotonic())
                        self.costs[generation].append((int(size), int(requests)))
                        self.generation[client] = generation
                    case [_, "failed", code]:
                        self.failures[code] += 1
                    case [client, "ended", *numbers]:
                        self.ended[number, int(client)] = list(map(int, numbers))
                    case ["missing", count]:
                        self.missing += int(count)
                    case _:
                        raise AssertionError(line)
                self.changed.notify_all()

    def wait(self, generation, seconds):
        """Waits until all are at a generation; returns which are not."""
        with self.changed:
            self.changed.wait_for(lambda: list(self.generation.values()).count(generation) == CLIENTS, seconds)
            return {client: there for client, there in self.generation.items() if there != generation}

    def end(self):
        for process in self.processes:
            process.stdin.close()
        for process, reader in zip(self.processes, self.readers):
            assert process.wait(120) == 0, process.stderr.read()
            reader.join(60)


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def test_every_client_comes_to_every_version(command, tmp_path, capsys):
    remote = Remote(command, tmp_path)
    key = tmp_path / "key"
    trust = command("keygen", key, "-q", code=DONE).text.strip()
    versions = hourly(KEYS, VERSIONS)
    announced = {}
    remote.publish(next(versions), "--sign", key)
    with nginx(tmp_path / "nginx", remote.path) as url, liar(remote.path) as server:
        faults = Faults(0.05)
        server.lie("", faults)
        # Half of the hosts go through nginx, the others through what spoils one answer in twenty.
        fleet = Fleet([url, server.url], tmp_path, trust)
        try:
            assert fleet.wait(1, 120) == {}
            announced[1] = None
            for generation, values in enumerate(versions, 2):
                remote.publish(values, "--sign", key)
                announced[generation] = time.monotonic()
                if generation == VERSIONS // 2:
                    # A bad one: it is sound, and not signed. Nobody takes it.
                    command("announce", remote.path, "geo", "1", code=DONE)
                    time.sleep(3 * INTERVAL)
                    assert set(fleet.generation.values()) <= {generation - 1, generation}
                    command("announce", remote.path, "geo", str(generation), "--sign", key, code=DONE)
                    announced[generation] = time.monotonic()
                assert fleet.wait(generation, 60 + 40 * INTERVAL) == {}, generation
            # Gone back from.
            command("announce", remote.path, "geo", str(VERSIONS - 1), "--sign", key, code=DONE)
            assert fleet.wait(VERSIONS - 1, 60 + 40 * INTERVAL) == {}
        finally:
            fleet.end()
    wanted = sha256(remote.files[VERSIONS - 2])
    files = [path for path in tmp_path.glob("host-*/client-*.fsdb")]
    assert len(files) == CLIENTS
    assert {sha256(path.read_bytes()) for path in files} == {wanted}
    assert fleet.missing == 0 and len(fleet.ended) == CLIENTS
    assert all(generation == VERSIONS - 1 for generation, *_ in fleet.ended.values())
    assert sum(faults.counts.values()) > 0 and set(faults.counts) <= {kind.__name__ for kind in faults.kinds}
    rows = []
    for generation in range(2, VERSIONS + 1):
        times = [moment - announced[generation] for moment in fleet.times[generation].values()]
        sizes = [size for size, _ in fleet.costs[generation]]
        rows.append((generation, quantile(times, 0.5), quantile(times, 0.99), quantile(sizes, 0.5), max(sizes)))
    size = sum(numbers[4] for numbers in fleet.ended.values())
    requests = sum(numbers[5] for numbers in fleet.ended.values())
    with capsys.disabled():
        print(f"\n{CLIENTS} clients, {VERSIONS} versions of {len(remote.files[0]):,} bytes, a request each {INTERVAL:.1f} s, {sum(faults.counts.values())} spoilt answers")
        print(f"in all {size:,} bytes in {requests:,} requests; failures that were told: {dict(fleet.failures)}")
        for generation, half, most, usual, largest in rows:
            print(f"generation {generation}: all after {most:.1f} s (p99), half after {half:.1f} s; {usual:,} bytes a client (at most {largest:,})")

