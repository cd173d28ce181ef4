"""Makes the findings built by hand importable here: `from made_findings import made_findings`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
