"""What others' libraries make of ours: collected only where they are installed (`make test-interop`)."""

from __future__ import annotations

from tests.conftest import ROOT

LIBRARIES = ROOT / "build" / "interop"

collect_ignore_glob = [] if (LIBRARIES / "node_modules").exists() and (ROOT / ".venv-interop").exists() else ["test_*.py"]
