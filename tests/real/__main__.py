"""Every question on real recordings, as one page and one JSON document.

`python -m tests.real --devdata FOLDER --out FOLDER` writes `real.html`, `real.json` and `real.md`, the table of docs/measured.md,
and prints what they say.
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from cameo_verifier import profiles
from cameo_verifier.models.kit import ModelKit
from cameo_verifier.pipeline import code_digest
from cameo_verifier.settings import Settings
from tests.real import age, heads, lips, recordings, stills, voices, words
from tests.real.finding import Real
from tests.real.table import document, page, print_findings, short

if TYPE_CHECKING:
    from tests.real.finding import Finding

QUESTIONS = (recordings, stills, lips, words, voices, age, heads)


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devdata", type=Path, required=True, help="folder of the real recordings")
    parser.add_argument("--out", type=Path, required=True, help="folder for the page and the document")
    given = parser.parse_args()
    settings, profile, console = Settings(), profiles.load(), Console(stderr=True)
    findings: list[Finding] = []
    with ModelKit.open(settings) as kit:
        for number, module in enumerate(QUESTIONS, 1):
            with console.status(f"{number} of {len(QUESTIONS)}: {(module.__doc__ or '').splitlines()[0]}"):
                found = module.measure(Real(given.devdata, kit, profile, settings))
            print_findings(found)
            findings += found
        digests = {"profile": profile.digest, "code": code_digest(), **{f"model:{k}": v for k, v in kit.digests.items()}}
    given.out.mkdir(parents=True, exist_ok=True)
    made = f"{given.devdata.name}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC. Intervals: Clopper-Pearson, 95 %."
    (given.out / "real.html").write_text(page(findings, made), "utf-8")
    (given.out / "real.json").write_text(document(findings, digests), "utf-8")
    (given.out / "real.md").write_text(short(findings), "utf-8")
    console.print(f"{given.out / 'real.html'}, {given.out / 'real.json'}")


if __name__ == "__main__":
    main()
