"""Live sessions over gRPC with the real pipeline: a rendered person prepares, is prompted and judged.

The studio's pictures stand in for a camera, which is an injection: what is shown is the flow, and each defect.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cameo.v1 import attempt_pb2, session_service_pb2

if TYPE_CHECKING:
    from tests.live.conftest import Site

pytestmark = [pytest.mark.models, pytest.mark.asyncio(loop_scope="module")]


async def test_a_person_who_answers_each_prompt_is_accepted(site: Site) -> None:
    """Preparation, five prompts, a verdict for the client, and for the app the receipt."""
    created = await site.create()
    assert created.session.state == session_service_pb2.SESSION_STATE_WAITING
    player = site.player(created.capture_token)
    await player.greet()
    await player.prepare()
    await player.answer()
    result = await player.finish()
    found = await site.session(created.session.id)
    assert result is not None
    assert result.verdict == attempt_pb2.VERDICT_ACCEPTED
    assert found.session.state == session_service_pb2.SESSION_STATE_JUDGED
    assert found.result.attempt.id == found.session.attempt_id == result.attempt_id
    assert found.result.receipt.token
    assert len(player.steps) == player.told("welcome")[0].prompts == 5
