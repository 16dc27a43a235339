"""Shell: settings from the environment: those that no configuration file names, or, with --config=ENV, before the files.

A runner such as Meltano hands over what its project declares; a setting that is not declared there is set by its variable all the same.
"""

from __future__ import annotations

import os
from typing import Any

from target_hubspot_tickets.settings import JSON_SCHEMA, variable


def configured(given: Any) -> dict[str, Any]:
    """The configuration of a command line; what comes from a variable is text. An empty variable counts as not there.

    `given` is what the SDK read of --config: the files together, and whether ENV was among them; None where there was none.
    """
    files = {name: value for name, value in given.config.items() if value is not None} if given else {}
    texts = {name: text for name in JSON_SCHEMA["properties"] if (text := os.environ.get(variable(name)))}
    return files | texts if given and given.parse_env else texts | files
