"""A profile file that changes while a server runs."""

from __future__ import annotations

import pickle
from importlib import resources
from typing import TYPE_CHECKING

import pytest

from cameo_verifier import profiles
from cameo_verifier.settings import Settings
from cameo_verifier.workers.judge import OpenJudge, Response
from fixtures.manifest import load as committed

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.models
def test_a_worker_that_starts_later_judges_by_the_server_s_profile(tmp_path: Path) -> None:
    """The profile goes to the worker with what opens its judge: what the file holds by then is not read."""
    file = tmp_path / "site.toml"
    file.write_text(resources.files("cameo_verifier.profiles").joinpath("default.toml").read_text("utf-8"))
    profile = profiles.load(str(file))
    carried = pickle.dumps(OpenJudge(Settings(profile=str(file)), profile))
    file.write_text("thresholds = 'none'\n")
    judge = pickle.loads(carried)()  # noqa: S301 - our own bytes
    dark = next(fixture for fixture in committed() if fixture.id == "dark")
    judgement = judge(Response(dark.file.read_bytes(), dark.challenge), lambda: False)
    assert judgement.digests["profile"] in {profile.digest, profile.judging(minor=True).digest}
