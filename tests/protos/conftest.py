"""The comparison of the protos with the last release: collected only where buf is installed (`make test-protos`)."""

from __future__ import annotations

from tests.conftest import ROOT

BUF = ROOT / "build" / "buf" / "node_modules" / ".bin" / "buf"

collect_ignore_glob = [] if BUF.exists() else ["test_*.py"]
