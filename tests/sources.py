"""Where the packages of a checkout lie: one folder for each of `cameo_verifier`, `cameo_challenges`, `cameo`, and this one."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERIFIER = ROOT / "verifier" / "cameo_verifier"
CREDENTIAL = ROOT / "verifier" / "cameo_credential"
CHALLENGES = ROOT / "challenges" / "cameo_challenges"
SOURCES = (ROOT, ROOT / "challenges", ROOT / "protos", ROOT / "verifier")
PYTHONPATH = os.pathsep.join(map(str, SOURCES))
"""For an interpreter of its own: this checkout's packages, whatever is installed."""
