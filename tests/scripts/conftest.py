"""Makes the city that is written twice importable here: `from planner_folder import write_twice`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
