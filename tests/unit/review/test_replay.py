"""Replay of stored attempts, and its comparison with the stored judgements."""

from __future__ import annotations

import json
import os
import signal
import socket
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from cameo_verifier import profiles
from cameo_verifier.review.error_rates import clopper_pearson
from cameo_verifier.review.replay import Material, NotReplayed, OpenReplay, Replayed, Source, materials
from cameo_verifier.review.replay_diff import Difference, difference, document, moved
from cameo_verifier.review.replay_engine import replay_all
from cameo_verifier.review.replay_page import replay_page
from cameo_verifier.settings import Settings
from cameo_verifier.store.attempts.labels import LabelStore, Truth
from cameo_verifier.store.attempts.search import AttemptSearch
from cameo_verifier.store.db.engine import open_database
from cameo_verifier.store.evidence.evidence import object_name
from cameo_verifier.store.evidence.sealed_object import Kind
from cameo_verifier.types import Verdict
from tests.unit.review.stored import RECORDINGS, fixture_site
from tests.unit.store.conftest import NOW
from tests.unit.store.evidence_site import READER, Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cameo_verifier.profile import Profile
    from cameo_verifier.review.replay import Replay
    from tests.unit.review.stored import Judged

KEPT = ("astronaut_bona_fide", "dark", "screen_replay", "silent")


@pytest.fixture(scope="module")
def site(judged: Judged, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Four attempts by the real pipeline, three of them labelled."""
    folder = tmp_path_factory.mktemp("site")
    engine = open_database(f"sqlite:///{folder / 'cameo.sqlite3'}")
    opened = fixture_site(engine, folder, judged, *KEPT)
    labels = LabelStore(engine)
    labels.add("l1", attempt_id="astronaut_bona_fide", truth=Truth.BONA_FIDE, analyst="ana", now=NOW)
    labels.add("l2", attempt_id="dark", truth=Truth.BONA_FIDE, analyst="ana", now=NOW)
    labels.add("l3", attempt_id="screen_replay", truth=Truth.ATTACK, species="screen", analyst="ana", now=NOW)
    labels.add("l4", attempt_id="silent", truth=Truth.BONA_FIDE, analyst="ana", now=NOW)
    labels.add("l5", attempt_id="silent", truth=Truth.ATTACK, species="mute", analyst="ben", now=NOW)
    yield opened
    engine.dispose()


def replayed(
    site: Site, profile: Profile, source: Source = Source.TRACKS, *, ids: tuple[str, ...] = KEPT, workers: int = 1
) -> Difference:
    """Replay attempts and compare."""
    given = materials(site.room.vault, ids, source, reader=READER, now=NOW)
    found = replay_all(given, OpenReplay(profile, source, Settings()), workers=workers)
    consensus = LabelStore(site.engine).consensus(ids)
    verdicts = AttemptSearch(site.engine).verdicts(ids)
    return difference(found, consensus, verdicts=verdicts, source=source, profile=profile, made_at=NOW)


def other_profile(tmp_path: Path, **values: float) -> Profile:
    """Return the default profile with other values."""
    lines = ['extends = "default"']
    for name, value in values.items():
        own = profiles.load()[name]
        lines.append(
            f'[thresholds.{name}]\nvalue = {value}\nunit = "{own.unit}"\ndirection = "{own.direction}"\nsource = "a test"'
        )
    file = tmp_path / "other.toml"
    file.write_text("\n".join(lines))
    return profiles.load(str(file))


def test_tracks_reproduce_every_score_and_say_so(site: Site) -> None:
    """Under the same profile and code nothing flips, nothing has changed, and all are reproduced bit for bit."""
    found = replayed(site, profiles.load())
    assert found.reproduced == KEPT
    assert [moved(each) for each in found.replayed] == [()] * len(KEPT)
    assert (found.flips, found.changed, found.broken, found.not_replayed) == ((), {}, (), ())
    reads = [(line.attempt_id, line.what) for line in site.room.audit.lines(limit=10_000)]
    assert {(name, kind) for name in KEPT for kind in ("tracks", "result")} <= set(reads)
    assert not [kind for _, kind in reads if kind == "recording"]


@pytest.mark.slow
def test_recordings_reproduce_every_score_and_say_so(judged_now: Judged, tmp_path: Path) -> None:
    """The whole pipeline over what was kept of the recording gives every score again to the last bit, by other bytes."""
    engine = open_database(f"sqlite:///{tmp_path / 'cameo.sqlite3'}")
    site = fixture_site(engine, tmp_path, judged_now, "astronaut_bona_fide", "dark")
    assert RECORDINGS["dark"].read_bytes() != site.read("dark")
    found = replayed(site, profiles.load(), Source.RECORDING, ids=("astronaut_bona_fide", "dark"))
    engine.dispose()
    assert found.reproduced == ("astronaut_bona_fide", "dark")
    (first, _) = found.replayed
    assert {check.name for check in first.after.checks} >= {"elapsed", "seen_before", "lips"}


def test_another_profile_flips_by_the_check_it_changes(site: Site, tmp_path: Path) -> None:
    """The diff names the check, the attempts, the digest that differs, and what it costs of the labelled ones."""
    found = replayed(site, other_profile(tmp_path, light_min=0, relief_min=9, relief_flat_max=8))
    assert found.changed == {"profile": 4}
    assert found.reproduced == ()
    flips = {flip.attempt_ids: (flip.before, flip.after, flip.checks) for flip in found.flips}
    assert flips[("astronaut_bona_fide",)] == (Verdict.ACCEPTED, Verdict.REJECTED, ("depth",))
    (screen,) = found.species
    assert (screen.name, screen.before.share, screen.after.share) == ("screen", 0.0, 0.0)
    assert (screen.after.low, screen.after.high) == clopper_pearson(0, 1)
    assert "astronaut_bona_fide" in found.bpcer.after_ids
    assert found.bpcer.before_ids == ()
    assert (found.bpcer.before.trials, found.bpcer.gained.count, found.bpcer.lost.count) == (2, len(found.bpcer.after_ids), 0)
    assert found.disputed == ("silent",)
    assert "silent" not in found.labels


def test_an_attack_that_a_profile_lets_through_is_counted(site: Site, tmp_path: Path) -> None:
    """What stopped the screen is named when it no longer does, and its species has the new APCER."""
    lines = "\n".join(f'{name} = "advise"' for name in profiles.load().roles if name != "streams")
    file = tmp_path / "open.toml"
    file.write_text(f'extends = "default"\nminor_profile = ""\n[roles]\nstreams = "confirm"\n{lines}\n')
    found = replayed(site, profiles.load(str(file)))
    (screen,) = found.species
    assert (screen.before.share, screen.after.share, screen.after_ids) == (0.0, 1.0, ("screen_replay",))
    flip = next(flip for flip in found.flips if "screen_replay" in flip.attempt_ids)
    assert flip.after is Verdict.ACCEPTED
    assert flip.checks
    page = replay_page(found)
    assert '<a href="#screen_replay">screen_replay</a>' in page
    assert 'id="screen_replay"' in page


def test_an_altered_score_is_not_passed_over(site: Site) -> None:
    """Where nothing has changed and yet a score differs in its last bit, the attempt is named as not reproduced."""
    (material,) = materials(site.room.vault, ["dark"], Source.TRACKS, reader=READER, now=NOW)
    kept = json.loads(material.result)
    check = next(check for check in kept["checks"] if check["name"] == "light")
    check["score"] = float.fromhex(check["score"].hex()) * (1 + 2**-52)
    altered = replace(material, result=json.dumps(kept).encode())
    replay = OpenReplay(profiles.load(), Source.TRACKS, Settings())()
    found = difference([replay(altered)], {}, verdicts={}, source=Source.TRACKS, profile=profiles.load(), made_at=NOW)
    assert found.broken == ("dark",)
    assert document(found)["not_reproduced_though_nothing_changed"] == ["dark"]
    assert "judged otherwise" in replay_page(found)


def test_what_cannot_be_read_is_reported_and_stops_nothing(site: Site) -> None:
    """A missing attempt, a damaged object and tracks that are none are each named with the cause; the rest is judged."""
    path = site.folder / object_name("silent", Kind.TRACKS)
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    try:
        found = replayed(site, profiles.load(), ids=("dark", "nobody", "silent"))
    finally:
        path.write_bytes(whole)
    assert [each.attempt_id for each in found.replayed] == ["dark"]
    assert [(each.attempt_id, "kept of" in each.why or "bytes are left" in each.why) for each in found.not_replayed] == [
        ("nobody", True),
        ("silent", True),
    ]
    replay = OpenReplay(profiles.load(), Source.TRACKS, Settings())()
    result = next(materials(site.room.vault, ["dark"], Source.TRACKS, reader=READER, now=NOW)).result
    for broken in (Material("x", result, b"no tracks"), Material("x", b"{", b""), Material("x", b'{"version": 9}', b"")):
        assert isinstance(replay(broken), NotReplayed)


def test_the_answer_is_the_same_however_it_is_computed(site: Site, tmp_path: Path) -> None:
    """In one process or in two, and in whatever order: the same bytes."""
    profile = other_profile(tmp_path, live_p20_min=0.99)
    one = json.dumps(document(replayed(site, profile)))
    two = json.dumps(document(replayed(site, profile, ids=KEPT[::-1], workers=2)))
    assert one == two


@dataclass(frozen=True, slots=True)
class OpenDying:
    """Opens a replay whose worker is killed at an attempt: always, or the first time only."""

    inner: OpenReplay
    victim: str
    marks: Path
    always: bool

    def __call__(self) -> Replay:
        """Return it."""
        replay = self.inner()

        def run(material: Material) -> Replayed | NotReplayed:
            with (self.marks / material.attempt_id).open("a") as file:
                file.write("x")
            if material.attempt_id == self.victim and (self.always or not (self.marks / "died").exists()):
                (self.marks / "died").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            return replay(material)

        return run


@pytest.mark.parametrize("always", [False, True], ids=["once", "always"])
def test_a_killed_worker_loses_no_attempt_and_repeats_none(site: Site, tmp_path: Path, always: bool) -> None:  # noqa: FBT001 - a parameter
    """Each attempt is reported once; one that kills its worker at every try is reported as that, and the rest is whole."""
    dying = OpenDying(OpenReplay(profiles.load(), Source.TRACKS, Settings()), "screen_replay", tmp_path, always)
    given = materials(site.room.vault, KEPT, Source.TRACKS, reader=READER, now=NOW)
    found = list(replay_all(given, dying, workers=2))  # type: ignore[arg-type]  # it opens as the other does
    assert (tmp_path / "died").exists()
    assert sorted(each.attempt_id for each in found) == sorted(KEPT)
    given_up = [each for each in found if isinstance(each, NotReplayed)]
    assert given_up == ([NotReplayed("screen_replay", "its worker died 3 times")] if always else [])
    assert all(each.reproduced for each in found if isinstance(each, Replayed))


class OpenDialling:
    """Opens a replay that tries to reach somebody, and says what came of it."""

    def __call__(self) -> Replay:
        """Return it."""
        return self.dial

    def dial(self, material: Material) -> NotReplayed:
        """Try."""
        try:
            socket.socket().close()
        except PermissionError:
            return NotReplayed(material.attempt_id, "refused")
        return NotReplayed(material.attempt_id, "reached")


@pytest.mark.parametrize(("apart", "workers", "came"), [(True, 1, "refused"), (False, 2, "refused"), (False, 1, "reached")])
def test_a_replay_has_no_network_unless_it_shares_the_process(apart: bool, workers: int, came: str) -> None:  # noqa: FBT001 - a parameter
    """What opens models beside a store that needs the network does it apart, in processes that have none."""
    found = list(replay_all([Material("a")], OpenDialling(), workers=workers, apart=apart))
    assert found == [NotReplayed("a", came)]


def test_the_page_shows_text_of_others_as_text(site: Site) -> None:
    """Ids, labels and causes hold no markup that takes effect."""
    evil = "<img src=x onerror=alert(1)>"
    found = replayed(site, profiles.load())
    found = replace(
        found,
        replayed=tuple(replace(each, attempt_id=evil) for each in found.replayed),
        not_replayed=(NotReplayed(evil, evil),),
        labels={evil: evil},
        disputed=(evil,),
        changed={evil: 1},
    )
    page = replay_page(found)
    assert "<img" not in page
    assert "<script" not in page
    assert "&lt;img" in page
    assert RECORDINGS.keys() >= set(KEPT)
