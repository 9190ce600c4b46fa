"""Reading what was written, whatever wrote it."""

import json
from pathlib import Path
from typing import Any


def read_json(path: Path) -> Any:
    """The values of a JSON file."""
    return json.loads(path.read_text())
