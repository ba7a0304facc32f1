"""Golden screens and receipts: their hashes are in git, and a difference gets an HTML report.

`tests/stories/golden.json` maps a picture's name to the SHA-256 of its pixels. Pictures of this
run are kept in `build/golden/now`, accepted ones in `build/golden/accepted` (made again by `make
golden` on a tree whose hashes match), so the report can show both side by side.
"""

import hashlib
import html
import io
import json
import shutil
import sys
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
HASHES = ROOT / "tests" / "stories" / "golden.json"
FOLDER = ROOT / "build" / "golden"


class GoldenError(Exception):
    """A picture is not the golden one; the message says where the report is."""


def pixel_hash(png: bytes) -> str:
    """SHA-256 of size and pixels: independent of how the PNG was compressed."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    return hashlib.sha256(repr(image.size).encode() + image.tobytes()).hexdigest()


class Pictures:
    """The pictures one scenario keeps; `problems` lists those that differ from the golden
    hashes."""

    def __init__(self, scenario: str) -> None:
        self.scenario = scenario
        self.problems: list[str] = []
        self.known: dict[str, str] = json.loads(HASHES.read_text()) if HASHES.exists() else {}

    def keep(self, name: str, png: bytes) -> None:
        """Store a picture of this run and compare it."""
        key = f"{self.scenario}/{name}"
        path = FOLDER / "now" / f"{key}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png)
        accepted = FOLDER / "accepted" / f"{key}.png"
        digest = pixel_hash(png)
        if self.known.get(key) == digest:
            accepted.parent.mkdir(parents=True, exist_ok=True)
            accepted.write_bytes(png)
        else:
            self.problems.append(key)


def report(keys: list[str], path: Path = FOLDER / "report.html") -> Path:
    """Write the page that shows accepted and new pictures side by side, and where they differ."""
    rows = []
    for key in sorted(keys):
        sides = "".join(
            f"<figure><figcaption>{side}</figcaption>"
            f"<img class={side} src='{side}/{html.escape(key)}.png'></figure>"
            for side in ("accepted", "now")
        )
        rows.append(
            f"<section><h2>{html.escape(key)}</h2><div>{sides}<figure><figcaption>difference"
            f"</figcaption><span class=both><img src='accepted/{html.escape(key)}.png'>"
            f"<img src='now/{html.escape(key)}.png'></span></figure></div></section>"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "<!doctype html><meta charset=utf-8><title>Golden pictures</title><style>"
        "body{font:16px sans-serif;margin:2em;background:#eee}"
        "div{display:flex;gap:1em;flex-wrap:wrap}"
        "img{border:1px solid #888;image-rendering:pixelated}figure{margin:0}"
        ".both{position:relative;display:inline-block}"
        ".both img+img{position:absolute;left:0;top:0;"
        "mix-blend-mode:difference}</style><h1>Pictures that differ from the golden ones</h1>"
        "<p>An empty left side: no accepted picture was ever made on this machine. "
        "<code>make golden</code> accepts the right side.</p>" + "".join(rows),
        encoding="utf-8",
    )
    return path


def accept() -> int:
    """Make every picture of the last run the golden one; returns how many there are."""
    pictures = sorted((FOLDER / "now").rglob("*.png"))
    known = {
        str(p.relative_to(FOLDER / "now").with_suffix("")): pixel_hash(p.read_bytes())
        for p in pictures
    }
    HASHES.write_text(json.dumps(known, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
    shutil.rmtree(FOLDER / "accepted", ignore_errors=True)
    if pictures:
        shutil.copytree(FOLDER / "now", FOLDER / "accepted")
    return len(known)


if __name__ == "__main__":
    if sys.argv[1:] != ["--accept"]:
        sys.exit("goldens: --accept makes the pictures of the last run the golden ones")
    print(f"{accept()} golden pictures in {HASHES.relative_to(ROOT)}")
