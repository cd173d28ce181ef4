"""Makes the instances of siting importable here: `from siting_cases import walks`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
