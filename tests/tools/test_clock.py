"""The virtual clock is exact to the microsecond, the same every time, and never the host's."""

from __future__ import annotations

import asyncio
import hashlib
import json
import multiprocessing
import time
from pathlib import Path
from typing import Any

import pytest

from tests.tools.machines import Bench, run, to_its_end
from tools.acquirer import pki, testbed
from tools.sim import cards, provision
from tools.sim.clock import JobStuck
from tools.sim.process import INTERPRETER, REPO
from tools.sim.simulation import Simulation

INTERPRETER_32 = REPO / "build" / "sim32" / "micropython"
HOST, ADDRESS, PORT = "host.test", "10.0.0.7", 7
ONE_WAY_US = 30_000


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


JOIN = (
    "import asyncio, time, network, socket, errno\n"
    "wlan = network.WLAN(network.WLAN.IF_STA)\n"
    "wlan.active(True)\n"
    "wlan.connect('suanpan-test', 'suanpan-test')\n"
    "while not wlan.isconnected():\n"
    "    time.sleep_ms(10)\n"
)


def test_a_mute_host_costs_a_minute_of_board_time_and_no_real_time(bench: Bench) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def story() -> tuple[str, float]:
        machine = bench.machine(
            JOIN + "async def main():\n"
            f"    reader, writer = await asyncio.open_connection('{HOST}', {PORT})\n"
            "    writer.write(b'are you there?')\n"
            "    await writer.drain()\n"
            "    begun = time.ticks_ms()\n"
            "    try:\n"
            "        await asyncio.wait_for(reader.read(1), 60)\n"
            "    except asyncio.TimeoutError:\n"
            "        print('silence for', time.ticks_ms() - begun)\n"
            "asyncio.run(main())\n"
        )
        machine.network.listen(HOST, ADDRESS, PORT, mute, None)
        await machine.power_on()
        await asyncio.sleep(2)  # joined, connected, asked
        begun = time.monotonic()
        await machine.off(120)
        real = time.monotonic() - begun
        await machine.stop()
        return machine.output(), real

    output, real = run(story)
    assert output == "silence for 60000"
    assert real < 0.1


TLS = (
    "import tls, machine\n"
    "machine.RTC().datetime(({year}, 11, 23, 0, 1, 0, 0, 0))\n"
    "context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)\n"
    "context.verify_mode = tls.CERT_REQUIRED\n"
    "context.load_verify_locations(bytes.fromhex('{ca}'))\n"
    "async def main():\n"
    "    raw = socket.socket()\n"
    "    address = socket.getaddrinfo('{host}', {port})[0][-1]\n"
    "    t0 = time.ticks_us()\n"
    "    raw.setblocking(True)\n"
    "    raw.connect(address)\n"
    "    t1 = time.ticks_us()\n"
    "    try:\n"
    "        safe = context.wrap_socket(raw, server_hostname='{host}')\n"
    "    except (OSError, ValueError) as error:\n"
    "        print('refused', error)\n"
    "        return\n"
    "    t2 = time.ticks_us()\n"
    "    safe.write(b'hello\\n')\n"
    "    line = safe.readline()\n"
    "    t3 = time.ticks_us()\n"
    "    print(line, t1 - t0, t2 - t1, t3 - t2)\n"
    "asyncio.run(main())\n"
)


def tls_story(bench: Bench, year: int = 2026, kind: str = "good") -> str:
    """What a TLS client prints that asks a host of the test PKI and has that year on its clock."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())

    def certificate(fault: str) -> Any:
        return pki.server_context("primary" if fault == "good" else fault)

    async def story() -> str:
        ca = pki.ca_der().read_bytes().hex()
        host, port = testbed.PRIMARY_HOST, testbed.PORT
        machine = bench.machine(
            JOIN + TLS.format(year=year, ca=ca, host=host, port=port)
        )
        machine.network.listen(host, ADDRESS, port, echo, certificate)
        machine.network.set(latency_ms=ONE_WAY_US / 1000)
        if kind != "good":
            machine.network.set(tls=kind)
        try:
            return await to_its_end(machine)
        finally:
            await machine.stop()

    return run(story)


def test_a_handshake_takes_exactly_its_round_trips(bench: Bench) -> None:
    line, *steps = tls_story(bench).rsplit(" ", 3)
    connect, handshake, question = (int(step) for step in steps)
    assert line == r"b'hello\n'"
    # TCP's, TLS 1.3's, and the question's; the rest is what the firmware's own accesses cost.
    for taken in (connect, handshake, question):
        assert 0 <= taken - 2 * ONE_WAY_US < 20


@pytest.mark.parametrize("kind", ["expired", "wrong-host", "untrusted"])
def test_a_wrong_certificate_is_refused(bench: Bench, kind: str) -> None:
    assert tls_story(bench, kind=kind).startswith("refused")


@pytest.mark.parametrize("year", [2019, 2050])
def test_certificate_dates_follow_the_boards_clock(bench: Bench, year: int) -> None:
    assert tls_story(bench, year=year).startswith("refused")


def test_a_pending_job_holds_the_clock(bench: Bench) -> None:
    async def story() -> tuple[int, str]:
        machine = bench.machine("import time\ntime.sleep(3)\nprint('slept', time.ticks_ms())\n")
        await machine.power_on()
        before = machine.clock.now()
        # The database answers late in real time; on the board no time passes.
        found = await asyncio.get_running_loop().run_in_executor(None, slow_query)
        held = machine.clock.now() - before
        await machine.off(10)
        await machine.stop()
        return held, found + machine.output()

    assert run(story) == (0, "rowsslept 3000")


def slow_query() -> str:
    """A database job that takes its real time."""
    time.sleep(0.2)
    return "rows"


def test_jobs_hand_in_their_results_in_the_order_they_were_asked_for() -> None:
    async def story() -> list[str]:
        order: list[str] = []

        async def ask(name: str, seconds: float) -> None:
            await asyncio.to_thread(time.sleep, seconds)
            order.append(name)

        await asyncio.gather(ask("slow", 0.05), ask("fast", 0))
        return order

    assert run(story) == ["slow", "fast"]


def test_a_job_that_never_ends_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tools.sim.clock.JOB_LIMIT_S", 0.05)

    async def story() -> None:
        await asyncio.to_thread(time.sleep, 0.5)

    with pytest.raises(JobStuck):
        run(story)


def test_busy_waits_are_charged(bench: Bench) -> None:
    program = (
        "import time, select\n"
        "begun = time.ticks_us()\n"
        "for _ in range(100):\n"
        "    time.ticks_us()\n"
        "a = time.ticks_us() - begun\n"
        "poller = select.poll()\n"
        "for _ in range(100):\n"
        "    poller.poll(0)\n"
        "b = time.ticks_us() - begun - a\n"
        "while time.ticks_us() - begun < 50000:\n"
        "    pass\n"
        "print(a, b, time.ticks_ms())\n"
    )

    async def story() -> str:
        machine = bench.machine(program)
        try:
            return await to_its_end(machine)
        finally:
            await machine.stop()

    assert run(story) == "101 1001 50"


def test_a_year_of_hourly_wakes_takes_seconds(bench: Bench) -> None:
    program = (
        "import asyncio, time\n"
        "async def main():\n"
        "    for _ in range(24 * 365):\n"
        "        await asyncio.sleep(3600)\n"
        "    print(time.time() // 86400)\n"
        "asyncio.run(main())\n"
    )

    async def story() -> str:
        machine = bench.machine(program)
        try:
            return await to_its_end(machine, 400 * 86400)
        finally:
            await machine.stop()

    begun = time.monotonic()
    assert run(story) == "365"
    assert time.monotonic() - begun < 30


def test_real_time_runs_on_the_same_link(bench: Bench) -> None:
    program = "import time\ntime.sleep_ms(200)\nprint(time.ticks_ms() // 100)\n"

    async def story() -> str:
        machine = bench.machine(program)
        try:
            return await to_its_end(machine, 20)
        finally:
            await machine.stop()

    begun = time.monotonic()
    assert run(story, speed=1) == "2"
    assert 0.2 <= time.monotonic() - begun < 2


# ---- the same every time


KEYS = ("0 1 ENTER", "0 0 0 1 ENTER")


async def sale(sim: Simulation) -> None:
    """A chip sale with PIN on the whole terminal, from power-on to the torn-off paper."""

    async def keys(text: str) -> None:
        for key in text.split():
            sim.keypad.press(key)
            await asyncio.sleep(0.08)
            sim.keypad.release(key)
            await asyncio.sleep(0.1)

    await sim.start()
    await sim.advance(10)
    for line in KEYS:
        await keys(line)
        await sim.advance(3)
    await sim.advance(10)
    await keys("1 2 3 4 ENTER")
    await sim.advance(2)
    sim.reader.insert(cards.load("debit"))
    await sim.advance(5)
    await keys("1 2 3 4 5 6 ENTER")
    await sim.advance(20)
    sim.reader.remove()
    await sim.advance(40)


def trace_of(folder: Path, interpreter: Path) -> dict[str, Any]:
    """One sale in a folder of its own: digests of timeline and flash, and the postings."""
    timeline: list[str] = []

    async def story() -> list[dict[str, Any]]:
        sim = Simulation(seed=7, folder=folder, interpreter=interpreter)
        sim.events.subscribe(
            lambda event: timeline.append(json.dumps(event, sort_keys=True, default=str))
        )
        try:
            await sale(sim)
            return sim.postings()
        finally:
            await sim.stop()

    postings = run(story)
    digest = hashlib.sha256("\n".join(timeline).encode()).hexdigest()
    flash = hashlib.sha256((folder / "flash.bin").read_bytes()).hexdigest()
    (folder / "timeline").write_text("\n".join(timeline), encoding="utf-8")
    return {"timeline": digest, "flash": flash, "postings": postings}


def burn() -> None:
    """Keep a processor busy."""
    while True:
        hashlib.sha256(b"load" * 1000).digest()


@pytest.mark.parametrize(
    ("loaded", "quiet", "narrow"), [(2, 1, 1), pytest.param(5, 3, 2, marks=pytest.mark.long)]
)
def test_runs_are_the_same_to_the_byte_under_load_and_on_32_bits(
    tmp_path: Path, loaded: int, quiet: int, narrow: int
) -> None:
    assert Path("/proc/sys/kernel/randomize_va_space").read_text().strip() != "0"
    assert INTERPRETER_32.exists(), "the 32-bit sim board is missing: make build/sim32/micropython"
    first = trace_of(tmp_path / "run0", INTERPRETER)
    assert [(p["amount"], p["state"]) for p in first["postings"]] == [(1234, "approved")]
    load = [multiprocessing.get_context("spawn").Process(target=burn) for _ in range(3)]
    for process in load:
        process.start()
    try:
        for number in range(loaded):
            assert trace_of(tmp_path / f"loaded{number}", INTERPRETER) == first
    finally:
        for process in load:
            process.kill()
            process.join()
    for number in range(quiet):
        assert trace_of(tmp_path / f"quiet{number}", INTERPRETER) == first
    for number in range(narrow):
        assert trace_of(tmp_path / f"narrow{number}", INTERPRETER_32) == first


def hosts_heard(folder: Path, tls: str | None) -> list[dict[str, Any]]:
    """What the acquirer heard of a terminal that booted with its clock at 2000-01-01."""
    heard: list[dict[str, Any]] = []

    async def story() -> None:
        sim = Simulation(seed=7, folder=folder)
        sim.events.subscribe(heard.append)
        sim.network.set(tls=tls)
        try:
            await sale(sim)
        finally:
            await sim.stop()

    run(story)
    return [event for event in heard if event["kind"] in ("iso", "tls")]


def test_a_cold_boot_with_an_unset_clock_still_signs_on(tmp_path: Path) -> None:
    heard = hosts_heard(tmp_path, None)
    assert {event["kind"] for event in heard} == {"iso"}
    assert len(heard) >= 4  # sign-on and sale, each with its reply


def test_the_terminal_refuses_a_host_whose_certificate_expired(tmp_path: Path) -> None:
    heard = hosts_heard(tmp_path, "expired")
    assert {event["kind"] for event in heard} == {"tls"}


def test_a_second_provisioning_starts_at_once() -> None:
    provision.made({})
    begun = time.monotonic()
    provision.made({})
    assert time.monotonic() - begun < 0.1
