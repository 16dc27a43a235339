"""Shell: a run folder of its own for each start of Meltano, since others may run beside it.

Meltano keeps a run's state and catalog under `.meltano/run/<tap>/` by fixed names, whatever the state id (reliability: D3): of two runs
that start together one may read the other's bookmark, or none at all, and `meltano invoke` of a tap takes a run's catalog away. Plugins and
database are the project's, by links.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

OF_ONE_RUN = frozenset({"run", "logs"})
DATABASE = "meltano.db"


@contextmanager
def own_run_folder(project: Path) -> Iterator[Mapping[str, str]]:
    """Environment variables that give Meltano such a folder; it is removed at the end, configurations in it included."""
    shared = Path(os.environ.get("MELTANO_SYS_DIR_ROOT") or project / ".meltano").resolve()
    shared.mkdir(parents=True, exist_ok=True)
    names = {entry.name for entry in shared.iterdir()} | {DATABASE}
    with tempfile.TemporaryDirectory(prefix="case-sync-run-") as folder:
        for name in names - OF_ONE_RUN:
            (Path(folder) / name).symlink_to(shared / name)
        yield {"MELTANO_SYS_DIR_ROOT": folder}
