"""Shell: `make bench`: runs every bench, prints it, and writes RESULTS.md: machine, versions, date, and what limits each row.

Options behind `--` go to target.py, which takes other targets: `bench/results.py -- --peer NAME:TICKETS=COMMAND`. `--only write` writes
RESULTS.md from what earlier runs left in .bench.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from target import FOLDER, machine

HERE = Path(__file__).parent
PARTS = ("mapper", "tap", "target", "pipeline")
TITLES = {
    "tap": "Tap alone, beside public taps",
    "mapper": "Mapper alone, beside meltano-map-transform",
    "target": "Target alone, beside other targets",
    "pipeline": "The whole pipeline",
}
LIMITS = {
    "tap": "Python's csv and JSON, and one core: the tap is as fast as its rows are parsed and written. The sandbox answers on the other core.",
    "mapper": "One core: JSON in, JSON out; the rules themselves are less than half of it.",
    "target": "Without limits one core: JSON, planning, and the encoding of bodies. With HubSpot's limits 190 calls in 10 s, which is the ceiling; below it lie the start of the process and the last calls.",
    "pipeline": "With HubSpot's limits the limits: 190 calls in 10 s, or, where there are many companies and contacts to find, five searches a second, which hold without the others, too. Else the two cores, which the sandbox shares: its own seconds are told apart. An empty run is the start of Meltano and of four Python programs. "
    "Freshness is the schedule: a change waits for the next run, and for the start of its programs.",
}
MATPLOTLIB = "matplotlib==3.11.2"


def run(name: str, more: list[str]) -> None:
    """One bench; its lines on the screen and in .bench."""
    print(f"-- {name}", flush=True)
    with subprocess.Popen(
        [sys.executable, str(HERE / f"{name}.py"), *more], stdout=subprocess.PIPE, text=True
    ) as process:
        lines = []
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise SystemExit(f"bench/{name}.py failed")
    (FOLDER / f"{name}.txt").write_text("".join(lines), encoding="utf-8")


def plot() -> None:
    """The pictures, by a matplotlib that nothing else here needs."""
    uv = Path(sys.executable).parent / "uv"
    subprocess.run(
        [str(uv), "run", "-q", "--no-project", "--with", MATPLOTLIB, str(HERE / "plots.py"), str(FOLDER / "pipeline.json"), str(HERE)],
        check=True,
    )  # fmt: skip


def write() -> None:
    """RESULTS.md, from what the benches left."""
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("singer-sdk", "meltano", "requests", "msgspec")
    )
    text = [
        "# What was measured", "",
        f"{datetime.now(UTC):%d %B %Y}; {machine()}; {versions}. Each part ran by itself on a machine with nothing else to do; whatever is compared ran in turns. Rates are this machine's, ratios and shares are what counts.",
        "`make bench` measures anew (about half an hour).", "",
        "![Processor seconds](processors.svg)", "", "![Memory as an import grows](growth.svg)",
    ]  # fmt: skip
    for name in ("pipeline", "target", "tap", "mapper"):
        path = FOLDER / f"{name}.txt"
        if path.exists():
            told = path.read_text(encoding="utf-8").rstrip()
            text += ["", f"## {TITLES[name]}", f"What limits it: {LIMITS[name]}", "```", told, "```"]
    (HERE / "RESULTS.md").write_text("\n".join(text) + "\n", encoding="utf-8")


def main() -> None:
    """Run what is asked for, and write."""
    parser = argparse.ArgumentParser(description="Run the benches and write RESULTS.md.")
    parser.add_argument("--only", choices=(*PARTS, "write"), nargs="+", default=list(PARTS))
    parser.add_argument("more", nargs="*", help="options of target.py, behind --")
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for name in PARTS:
        if name in options.only:
            run(name, options.more if name == "target" else [])
    plot()
    write()


if __name__ == "__main__":
    main()
