"""Put each fault into a copy of the tree, run the tests that must notice, and name the faults that none noticed.

    python -m tests.mutants [TEXT]   all, or those whose file or change holds TEXT

The exit code is 1 where a fault survived, 2 where the tests fail without any.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path

import pytest

from tests.mutants.mutations import MUTATIONS, Mutation
from tests.sources import ROOT, SOURCES

COPIED = ("challenges", "docs", "fixtures", "protos", "tests", "verifier", "pyproject.toml")
OURS = {"cameo", "cameo_challenges", "cameo_client", "cameo_credential", "cameo_verifier", "fixtures", "tests"}
LIBRARIES = ("av", "cv2", "joserfc.jwe", "numpy", "pydantic_settings", "scipy.signal", "sqlalchemy")
"""What takes long to load: once, for all."""
FAILED = 1
"""What pytest ends with where a test failed; anything else is a fault of this list."""


def run(tree: Path, *tests: str) -> int:
    """Run tests over a tree, in a process that has the libraries loaded and nothing of ours; the first failure ends them."""
    said = tree / "said.txt"
    child = os.fork()
    if not child:
        with said.open("wb") as file:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
        os._exit(_apart(tree, tests))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code not in {0, FAILED}:
        sys.exit(f"{' '.join(tests)} could not be run:\n{said.read_text('utf-8', 'replace')[-4000:]}")
    return code


def _apart(tree: Path, tests: tuple[str, ...]) -> int:
    """Run tests over a tree in this process, which has imported none of it."""
    os.chdir(tree)
    for name in [name for name in sys.modules if name.partition(".")[0] in OURS]:
        del sys.modules[name]
    sys.path[:] = [
        *(str(tree / source.relative_to(ROOT)) for source in SOURCES),
        *(path for path in sys.path if Path(path or ".").resolve() not in SOURCES),
    ]
    sys.dont_write_bytecode = True
    try:
        return int(pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests]))
    except BaseException:  # noqa: BLE001 - whatever it is, this process ends
        traceback.print_exc()
        return 3
    finally:
        sys.stdout.flush()


def survives(tree: Path, mutation: Mutation) -> bool:
    """Whether no test notices a fault."""
    file = tree / mutation.file
    whole = file.read_text("utf-8")
    if whole.count(mutation.was) != 1:
        sys.exit(f"{mutation.file} has {mutation.was!r} {whole.count(mutation.was)} times, not once: mend the list")
    file.write_text(whole.replace(mutation.was, mutation.becomes), "utf-8")
    try:
        return run(tree, mutation.tests) == 0
    finally:
        file.write_text(whole, "utf-8")


def main(wanted: str) -> int:
    """Try the faults; return the exit code."""
    for name in LIBRARIES:
        import_module(name)
    chosen = [each for each in MUTATIONS if wanted in f"{each.file} {each.was} {each.becomes}"]
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        tree = Path(folder)
        for name in COPIED:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__", "*.mp4", "node_modules"))
            else:
                shutil.copy(ROOT / name, tree / name)
        if run(tree, *sorted({each.tests for each in chosen})):
            sys.stderr.write("the tests fail without a fault\n")
            return 2
        survivors = 0
        for each in chosen:
            alive = survives(tree, each)
            survivors += alive
            sys.stdout.write(
                f"{'SURVIVED' if alive else 'killed  '} {each.file}: {each.was.strip()!r} → {each.becomes.strip()!r}\n"
            )
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen)} faults, {survivors} survived\n")
    return int(survivors > 0)


if __name__ == "__main__":
    sys.exit(main(" ".join(sys.argv[1:])))
