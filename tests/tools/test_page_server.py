"""The page's server talks to its own page only: other sites, other names and odd paths."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp

from tools.sim import clock
from tools.sim.server import PageServer
from tools.sim.session import Session
from tools.sim.simulation import Simulation
from tools.sim.timeline import Timeline


async def _statuses(tmp_path: Path) -> dict[str, int]:
    sim = Simulation(False, 1, tmp_path / "simulation")
    session = Session(sim, Timeline(), {})
    page = PageServer(session)
    port = await page.start("127.0.0.1", 0)
    where = f"http://127.0.0.1:{port}"
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
               "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    asked = {
        "page": ("/", {}),
        "own": ("/ws", {**upgrade, "Origin": where}),
        "tool": ("/ws", upgrade),
        "other site": ("/ws", {**upgrade, "Origin": "http://evil.example"}),
        "other port": ("/ws", {**upgrade, "Origin": "http://127.0.0.1:1"}),
        "opaque": ("/ws", {**upgrade, "Origin": "null"}),
        "rebound": ("/ws", {**upgrade, "Host": f"evil.example:{port}",
                            "Origin": f"http://evil.example:{port}"}),
        "rebound page": ("/", {"Host": f"evil.example:{port}"}),
        "climbing": ("/static/%2e%2e/server.py", {}),
    }
    statuses = {}
    try:
        async with aiohttp.ClientSession() as client:
            for name, (path, headers) in asked.items():
                async with asyncio.timeout(10):
                    async with client.get(where + path, headers=headers) as response:
                        statuses[name] = response.status
    finally:
        await page.stop()
        await session.sim.stop()
    return statuses


def test_only_its_own_page_reaches_the_terminal(tmp_path: Path) -> None:
    statuses = clock.run(_statuses(tmp_path), speed=1)
    assert statuses == {
        "page": 200, "own": 101, "tool": 101, "other site": 403, "other port": 403,
        "opaque": 403, "rebound": 403, "rebound page": 403, "climbing": 404,
    }
