"""Shell: the pictures of RESULTS.md: PIPELINE_JSON FOLDER."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")
from matplotlib import pyplot as plt

NAMES = ("tap", "mapper", "target")
COLOURS = {"tap": "#0176d3", "mapper": "#7a7a7a", "target": "#ff7a59", "sandbox": "#d9d9d9"}
# The imports, in the order in which pipeline.py makes them.
ROWS = ("HubSpot's limits", "the same, many accounts", "no limits")


def processors(imports: list[dict[str, Any]], path: Path) -> None:
    """Seconds of the processors for 1,000 cases, by process, beside the goal."""
    figure, axes = plt.subplots(figsize=(7, 2.6))
    for row, one in enumerate(imports):
        left = 0.0
        for name in (*NAMES, "sandbox"):
            seconds = one["processes"][name]["cpu_seconds"] / one["cases"] * 1000
            axes.barh(row, seconds, left=left, color=COLOURS[name], label=name if row == 0 else None)
            left += seconds
    axes.axvline(0.2, color="black", linewidth=1, linestyle="--", label="goal for ours: 0.2 s")
    axes.set_yticks(range(len(imports)), ROWS[: len(imports)])
    axes.invert_yaxis()
    axes.set_xlabel("seconds of processor for 1,000 cases")
    axes.legend(frameon=False, fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.05))
    save(figure, path)


def growth(imports: list[dict[str, Any]], path: Path) -> None:
    """Peak memory by process as an import grows."""
    figure, axes = plt.subplots(figsize=(7, 2.6))
    for name in NAMES:
        axes.plot(
            [one["cases"] for one in imports], [one["processes"][name]["megabytes"] for one in imports], marker="o", color=COLOURS[name], label=name
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("cases imported")
    axes.set_ylabel("peak memory, MB")
    axes.legend(frameon=False, fontsize=8)
    save(figure, path)


def save(figure: Any, path: Path) -> None:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Both pictures, of what was measured."""
    found, folder = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2])
    mpl.rcParams["svg.hashsalt"] = "case-sync"
    processors([*found.get("limits", ()), *found.get("free", ())], folder / "processors.svg")
    growth(found.get("growth", []), folder / "growth.svg")


if __name__ == "__main__":
    main()
