"""Every fenced block of the documents is run here, or elsewhere by name, or says in the document what it needs.

The blocks of a page are typed in order, in a clone in an empty folder, with the site of docs/replay.md, which is made once and
served once. What a command prints has the shape of what the page shows.
"""

from __future__ import annotations

import json
import re
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.readme.blocks import EVERY, NEEDS, PAGES, ROOT, Block
from tests.readme.data_blocks import READ_BY
from tests.readme.given import GIVEN
from tests.readme.shape import alike
from tests.readme.terminal import Serving, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OF_CI = {"quick", *re.findall(r"\b(?:demo|lint-protos|test(?:-\w+)?)\b", (ROOT / ".ci" / "steps.mk").read_text("utf-8"))}
ELSEWHERE = {
    ("README.md", "How an app calls it"): "tests/readme/test_typed.py",
    ("docs/conditioning.md", "From a grant to files"): "tests/grpc/test_conditioning.py",
    ("docs/credential.md", "What it says"): "tests/unit/credential/test_documentation.py",
    ("docs/credential.md", "Issued"): "tests/unit/credential/test_documentation.py",
    ("docs/credential.md", "The receipt"): "tests/unit/credential/test_documentation.py",
}
"""The test that runs all blocks of a section, or compares them with what is issued."""
NOTHING_TO_RUN = {"mermaid", "protobuf", "text"}
SITE, RESTORES = "docs/replay.md", "docs/operations.md"
"""The page whose first block makes the site of all pages, and the one that leaves a terminal in a restored copy of it."""


def _run_by_ci(block: Block) -> bool:
    """Whether it has nothing but targets that CI makes."""
    typed = [command.partition("#")[0].split() for command, _ in block.commands]
    return all(words[0] == "make" and set(words[1:]) <= OF_CI for words in typed)


def _of_the_story(block: Block) -> bool:
    """Whether it is typed here."""
    if block.needs or (block.page, block.section) in ELSEWHERE:
        return False
    return block.language == "python" or bool(block.name) or (block.language == "console" and not _run_by_ci(block))


STORIES = {page: list(story) for page, story in groupby(filter(_of_the_story, EVERY), key=lambda block: block.page)}
DATA = [
    (block, number)
    for _, kind in groupby(sorted(EVERY, key=lambda b: (b.page, b.language)), key=lambda b: (b.page, b.language))
    for number, block in enumerate(
        b for b in kind if b.language in {"json", "toml"} and not b.name and (b.page, b.section) not in ELSEWHERE
    )
]


@pytest.fixture(scope="module")
def serving() -> Iterator[Serving]:
    """What serves, until the last page is typed."""
    opened = Serving()
    with opened.closing:
        yield opened


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, serving: Serving) -> Terminal:
    """A terminal in which the site of all pages has been made and served."""
    terminal = Terminal(tmp_path_factory.mktemp("made") / "clone", serving, GIVEN, CAMEO_WORKERS="1")
    for command, _ in STORIES[SITE][0].commands:
        terminal.type(command)
    terminal.type("cameo serve")
    return terminal


@pytest.mark.slow
@pytest.mark.parametrize("page", STORIES)
def test_a_page_works_when_it_is_typed(page: str, site: Terminal, serving: Serving, tmp_path: Path) -> None:
    """Each command of the page ends well, and prints what the page shows."""
    data = str(site.folder / site.environment["CAMEO_DATA"])
    told = STORIES[page]
    if page == SITE:
        terminal, told = site, told[1:]
    else:
        terminal = Terminal(tmp_path / "clone", serving, GIVEN, CAMEO_DATA=data, CAMEO_WORKERS="1")
    for block in told:
        if block.name:
            (terminal.folder / block.name).write_text(block.text, "utf-8")
        elif block.language == "python":
            assert terminal.run(block.text, page)
        else:
            for command, shown in block.commands:
                printed = terminal.type(command)
                assert not shown or alike(shown, printed), f"{page}:{block.line}: $ {command}\n{printed}"
    if page == RESTORES:
        _require_restored(terminal, data)


def _require_restored(terminal: Terminal, data: str) -> None:
    """Compare the site of a terminal with the one it was restored from: the same attempts, and evidence that its keys open."""
    listed = terminal.type("cameo attempts list --json")
    assert json.loads(listed)["attempts"]
    assert listed == terminal.type(f"cameo attempts list --json --data {data}")
    terminal.environment["CAMEO_EVIDENCE"] = f"{data}/evidence"
    terminal.type("cameo evidence read admiral_bona_fide-0003 tracks --out tracks.npz --why restored --who ana")
    with np.load(terminal.folder / "tracks.npz") as opened:
        assert "header" in opened


@pytest.mark.parametrize("block", EVERY, ids=[f"{block.page}:{block.line}" for block in EVERY])
def test_a_block_runs_or_says_what_it_needs(block: Block) -> None:
    """It is typed here, run by CI or a test that is named, read by the product, or says what it needs, in words of the list."""
    assert set(block.needs) <= NEEDS, block.needs
    if where := ELSEWHERE.get((block.page, block.section)):
        assert (ROOT / where).is_file()
        return
    if block.language in {"json", "toml"} and not block.name:
        [number] = (number for each, number in DATA if each is block)
        assert len(READ_BY[block.page, block.language]) > number
        return
    runs = block.language in NOTHING_TO_RUN or _of_the_story(block) or (block.language == "console" and _run_by_ci(block))
    assert bool(block.needs) != runs


@pytest.mark.parametrize(("block", "number"), DATA, ids=[f"{block.page}:{block.line}" for block, _ in DATA])
def test_what_a_page_shows_is_what_the_product_reads(block: Block, number: int, tmp_path: Path) -> None:
    """A file, line or message of a document is taken by the code that takes it from people."""
    READ_BY[block.page, block.language][number](block.text, tmp_path)


def test_every_need_is_said_of_a_block() -> None:
    """The list has no more than the documents use, and no document says so of anything but a block."""
    assert {need for block in EVERY for need in block.needs} == NEEDS
    said = sum(len(re.findall(r"^\*Needs ", page.read_text("utf-8"), re.MULTILINE)) for page in PAGES)
    assert said == sum(bool(block.needs) for block in EVERY)


@pytest.mark.parametrize(
    ("shown", "printed", "same"),
    [
        ("6086 bytes in result.json", "8001 bytes in result.json", True),
        ("6086 bytes in result.json", "8001 bytes in tracks.npz", False),
        ("a  1.5 s\n…\nlast", "a 22 s\nb\nc\nlast", True),
        ("a  1.5 s\nlast", "a 22 s\nb\nlast", False),
        ("open http://127.0.0.1:8090/sign-in?token=…", "open http://127.0.0.1:41001/sign-in?token=abc", True),
        ("kid UDDReOZl1ipXAfp9wYsm13sDBMK5og--QWdBjzuf6o4", "kid 3Vt0c8mWq5Hn1sXy7ZbRkLdPjFgTuEaQo2iKe9vN6wM", True),
        ("accepted 1", "rejected 1", False),
    ],
)
def test_output_is_compared_in_shape(shown: str, printed: str, *, same: bool) -> None:
    """Numbers and ids may differ, words and lines may not; an ellipsis stands for what is left out."""
    assert alike(shown, printed) is same
