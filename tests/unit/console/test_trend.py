"""Charts of counts over time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from hypothesis import given, settings
from hypothesis import strategies as st

from cameo_verifier.console.trend import trend
from cameo_verifier.reasons import Reason
from cameo_verifier.store.attempts.counts import Count
from cameo_verifier.types import Verdict

DAY = datetime(2026, 3, 1, tzinfo=UTC)
counts = st.builds(
    Count,
    day=st.integers(0, 800).map(lambda days: DAY + timedelta(days=days)),
    verdict=st.sampled_from(Verdict),
    reasons=st.lists(st.sampled_from(Reason), max_size=3, unique=True).map(tuple),
    attempts=st.integers(1, 10_000),
)


@settings(max_examples=60)
@given(st.lists(counts, max_size=40).map(lambda found: sorted(found, key=lambda count: count.day)))
def test_nothing_is_lost_and_nothing_leaves_the_picture(found: list[Count]) -> None:
    """Over any number of days the numbers add up, and every bar lies within its picture."""
    drawn = trend(found)
    assert drawn.attempts == sum(count.attempts for count in found) == sum(number for _, number in drawn.by_verdict)
    assert sum(row.attempts for row in drawn.reasons) == sum(count.attempts * len(count.reasons) for count in found)
    for picture in (drawn.chart, *(row.bars for row in drawn.reasons)):
        root = ET.fromstring(picture)  # noqa: S314 - our own picture
        _, _, wide, tall = map(float, (root.get("viewBox") or "").split())
        for bar in root.iter("rect"):
            x, y, width, height = (float(bar.get(name) or "nan") for name in ("x", "y", "width", "height"))
            assert -0.1 <= x <= x + width <= wide + 1
            assert -0.1 <= y <= y + height <= tall + 1


def test_days_become_weeks_where_there_are_many() -> None:
    """Up to a quarter each bar is a day; over a longer time it is a week."""
    quarter = [Count(DAY + timedelta(days=days), Verdict.REJECTED, (), 1) for days in (0, 92)]
    year = [Count(DAY + timedelta(days=days), Verdict.REJECTED, (), 1) for days in (0, 364)]
    assert trend(quarter).chart.count("<g>") == 93
    assert trend(year).chart.count("<g>") == 53
