"""Shell: `make bench`: runs every bench, prints it, and writes RESULTS.md: goals, machine, versions, date, and what limits each part.

Parts beside others' programs, which are set up by hand (peers/README.md), are measured where `--only` names them; options behind `--` go to
the one bench: `bench/results.py --only target-peers -- --peer NAME:TICKETS=COMMAND`. A part that was not measured keeps its section, with
the date and the commit that it was measured on. `--only write` measures nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from goals import Goal, goals

from target import CEILING, FOLDER, machine

HERE = Path(__file__).parent
PARTS = ("mapper", "tap", "target", "pipeline")
BESIDE_OTHERS = {"target-peers": ("target", "--only", "peers"), "tap-peers": ("tap",)}
TITLES = {
    "pipeline": "The whole pipeline",
    "target": "Target alone",
    "target-peers": "Target beside other targets",
    "tap": "Tap alone, beside the tap of the package index",
    "tap-peers": "Tap beside taps that are set up by hand",
    "mapper": "Mapper alone, beside meltano-map-transform",
}
LIMITS = {
    "tap": "Python's csv and JSON, and one core: the tap is as fast as its rows are parsed and written. The sandbox answers on the other core.",
    "mapper": "One core: JSON in, JSON out, and the rules.",
    "target": "Without limits one core: JSON, planning, and the encoding of bodies. With HubSpot's limits 190 calls in 10 s, which is the ceiling; below it lie the start of the process and the last calls.",
    "target-peers": "The servers' answers, and each program's own batches and concurrency. The streams have no associations, since none of the others makes those of the stream's tickets.",
    "tap-peers": "As above.",
    "pipeline": "The first imports are three processes with pipes between them, without Meltano, so that each can be measured; the next one is Meltano's. With HubSpot's limits the limits: 190 calls in 10 s, or, where there are many companies and contacts to find, five searches a second, which hold without the others, too. Else the two cores, which the sandbox shares: its own seconds are told apart. An empty run is the start of Meltano and of four Python programs. "
    "Freshness is the schedule: a change waits for the next run, and for the start of its programs.",
}
MATPLOTLIB = "matplotlib==3.11.2"


def run(name: str, more: list[str]) -> None:
    """One bench; its lines on the screen and in .bench."""
    print(f"-- {name}", flush=True)
    lines = [measured_on(), machine() + "\n"]
    script, *given = BESIDE_OTHERS.get(name, (name,))
    command = [sys.executable, str(HERE / f"{script}.py"), *given, *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            print(line, end="", flush=True)
            lines.append(line)
    if process.returncode:
        raise SystemExit(f"bench/{name}.py failed")
    (FOLDER / f"{name}.txt").write_text("".join(lines), encoding="utf-8")


def measured_on() -> str:
    """When and of what a part was measured, and what else the machine had to do when it began."""
    commit = ["git", "-C", str(HERE), "describe", "--always", "--dirty"]
    told = subprocess.run(commit, capture_output=True, text=True, check=False).stdout.strip() or "no commit"
    versions = ", ".join(
        f"{name} {version(name)}" for name in ("singer-sdk", "meltano", "requests", "msgspec")
    )
    load = os.getloadavg()[0]
    return f"{datetime.now(UTC):%d %B %Y}, commit {told}, load average before {load:.1f}, yardstick {yardstick():.2f} s; {versions}\n"


def yardstick() -> float:
    """Seconds of processor for a fixed piece of Python: hours of one machine differ, and with them the rates of a part."""
    rows = [{"Id": f"{n:018}", "Subject": "a case " * 5, "Priority": n % 3} for n in range(1_000)]
    started = time.process_time()
    for _ in range(200):
        json.loads(json.dumps(rows))
    return time.process_time() - started


def plot() -> None:
    """The pictures, by a matplotlib that nothing else here needs."""
    uv = Path(sys.executable).parent / "uv"
    subprocess.run(
        [str(uv), "run", "-q", "--no-project", "--with", MATPLOTLIB, str(HERE / "plots.py"), str(FOLDER / "pipeline.json"), str(HERE)],
        check=True,
    )  # fmt: skip


def write() -> None:
    """RESULTS.md, from what the benches left; a part that they left nothing of stays as it is there."""
    path = HERE / "RESULTS.md"
    before = sections(path.read_text(encoding="utf-8")) if path.exists() else {}
    reached = table(goals(json.loads((FOLDER / "pipeline.json").read_text(encoding="utf-8")), CEILING))
    print("\n".join(reached))
    text = [
        "# What was measured", "",
        "Each part ran by itself on the machine that its first lines tell; whatever is compared ran in turns. Rates are this machine's, ratios and shares are what counts.",
        "The yardstick is the time of a fixed piece of Python just before: hours of one machine differ by a quarter, and seconds of processor with them.",
        "`make bench` measures anew (about forty minutes); the parts beside others' programs, which [are set up by hand](peers/README.md), keep their date until they are asked for.",
        "Where the time goes was found with py-spy: `py-spy record --subprocesses -f raw -o run.raw -- meltano run case-sync`, or `--pid` of one of the programs.", "",
        "![Processor seconds](processors.svg)", "", "![Memory as an import grows](growth.svg)", "",
        *reached,
    ]  # fmt: skip
    for name, title in TITLES.items():
        left = FOLDER / f"{name}.txt"
        section = before.get(title, "")
        if left.exists():
            told = left.read_text(encoding="utf-8").rstrip()
            section = f"What limits it: {LIMITS[name]}\n```\n{told}\n```"
        text += ["", f"## {title}", section.strip()]
    path.write_text("\n".join(text) + "\n", encoding="utf-8")


def sections(text: str) -> dict[str, str]:
    """Its sections by their titles."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], parts[1::2], strict=True))


def table(rows: list[Goal]) -> list[str]:
    """The goals, and what came of them."""
    lines = ["## Goals", "| goal | measured | met | what limits it |", "|---|---|---|---|"]
    return [
        *lines,
        *(f"| {g.goal} | {g.measured} | {'yes' if g.is_met else 'no'} | {g.limit} |" for g in rows),
    ]


def main() -> None:
    """Run what is asked for, and write."""
    parser = argparse.ArgumentParser(description="Run the benches and write RESULTS.md.")
    parser.add_argument("--only", choices=(*PARTS, *BESIDE_OTHERS, "write"), nargs="+", default=list(PARTS))
    parser.add_argument("more", nargs="*", help="options of the one bench that --only names, behind --")
    options = parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for name in (*PARTS, *BESIDE_OTHERS):
        if name in options.only:
            run(name, options.more if options.only == [name] else [])
    plot()
    write()


if __name__ == "__main__":
    main()
