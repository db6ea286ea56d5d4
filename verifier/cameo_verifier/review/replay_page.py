"""A replay as one HTML page: each number opens on the attempts behind it, and each attempt on the checks that moved.

It opens from disk, holds its own styles, and runs no script. Ids, species and details come from elsewhere: every text is escaped.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from cameo_verifier.review.kept import told
from cameo_verifier.review.page import STYLE, interval, percent, table
from cameo_verifier.review.replay_diff import moved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cameo_verifier.review.error_rates import Rate
    from cameo_verifier.review.replay import Replayed
    from cameo_verifier.review.replay_diff import Difference, RateChange
    from cameo_verifier.types import CheckResult

_OWN = "details.ids { margin: 0; } details.ids ul { margin: 4px 0; padding-left: 18px; max-height: 16em; overflow: auto; }"


def replay_page(found: Difference) -> str:
    """Return the page."""
    body = "".join([_head(found), _flips(found), _rates(found), _attempts(found), _not_replayed(found)])
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Replay: {escape(found.profile.name)}</title><style>{STYLE}{_OWN}</style></head><body>{body}</body></html>\n"
    )


def _head(found: Difference) -> str:
    flipped = sum(len(flip.attempt_ids) for flip in found.flips)
    worst = found.species[0] if found.species else None
    boxes = [
        (str(flipped), f"of {len(found.replayed)} verdicts flip"),
        (f"{len(found.reproduced)}", "reproduced bit for bit"),
        (
            percent(worst.after.share) if worst else "–",
            f"APCER of the worst species, {percent(worst.before.share)} before" if worst else "no labelled attack",
        ),
        (percent(found.bpcer.after.share), f"BPCER, {percent(found.bpcer.before.share)} before"),
    ]
    changed = [[escape(name), str(count)] for name, count in found.changed.items()]
    broken = (
        f'<p class="bad">Nothing has changed for {_ids(found.broken)} and yet they are judged otherwise: another machine or '
        "another build of a library judged them then.</p>"
        if found.broken
        else ""
    )
    return (
        f"<h1>Replay under profile {escape(found.profile.name)}</h1>"
        f'<p class="soft">{len(found.replayed)} attempts from their {found.source.value}, {found.made_at:%Y-%m-%d %H:%M} UTC. '
        "Intervals: Clopper-Pearson, 95 %.</p>"
        f'<div class="headline">{"".join(f"<div><b>{escape(n)}</b><small>{escape(t)}</small></div>" for n, t in boxes)}</div>'
        + broken
        + ("<h2>What is not what it was</h2>" + table(["digest of", "#attempts"], changed) if changed else "")
    )


def _flips(found: Difference) -> str:
    rows = [
        [
            flip.before.value,
            flip.after.value,
            escape(", ".join(flip.checks)) or "another order of reasons",
            _ids(flip.attempt_ids),
        ]
        for flip in found.flips
    ]
    listed = table(["before", "after", "by", "#attempts"], rows) if rows else "<p>None: every verdict is what it was.</p>"
    lost, let_in = found.unaccepted, found.let_in
    everyone = (
        f"<p>Of {lost.rate.trials} attempts that were accepted, labelled or not, {_ids(lost.ids)} are not any more "
        f"({interval(lost.rate)}); of {let_in.rate.trials} others {_ids(let_in.ids)} are.</p>"
    )
    return f"<h2>Verdicts that flip</h2>{everyone}{listed}"


def _rates(found: Difference) -> str:
    rows = [_row(f"APCER, {change.name}", change, found) for change in found.species]
    rows += [_row("BPCER", found.bpcer, found), _row("bona fide asked to try again", found.retries, found)]
    left_out = f"<p>Disputed, and left out: {_ids(found.disputed)}</p>" if found.disputed else ""
    return (
        f"<h2>Error rates of the {len(found.labels)} labelled attempts</h2>"
        + table(
            [
                "rate",
                "of attempts that were",
                "#attempts",
                "#before",
                "#interval",
                "#after",
                "#interval",
                "#new errors",
                "#errors gone",
            ],
            rows,
        )
        + left_out
    )


def _row(name: str, change: RateChange, found: Difference) -> list[str]:
    return [
        escape(name),
        escape(told(found.kept, change.name)),
        str(change.before.trials),
        _opens(percent(change.before.share), change.before_ids),
        interval(change.before),
        _opens(percent(change.after.share), change.after_ids),
        interval(change.after),
        _moved(change.gained),
        _moved(change.lost),
    ]


def _moved(rate: Rate) -> str:
    return f'{rate.count} <span class="soft">{interval(rate)}</span>'


def _attempts(found: Difference) -> str:
    rows = [
        [
            f'<span id="{escape(each.attempt_id)}"></span>{escape(each.attempt_id)}',
            escape(found.labels.get(each.attempt_id, "")),
            escape(each.before.verdict.value),
            f'<span class="bad">{escape(each.after.verdict.value)}</span>'
            if each.before.verdict is not each.after.verdict
            else escape(each.after.verdict.value),
            escape(", ".join(each.after.reasons)),
            _checks(each),
        ]
        for each in found.replayed
    ]
    return "<h2>Attempts</h2>" + table(["id", "label", "before", "after", "reasons after", "checks that moved"], rows)


def _checks(each: Replayed) -> str:
    pairs = moved(each)
    if not pairs:
        return "none" if not each.reproduced else '<span class="good">none, bit for bit</span>'
    items = "".join(f"<li>{_check(before)} → {_check(after)}</li>" for before, after in pairs)
    return f'<details class="ids"><summary>{len(pairs)}</summary><ul>{items}</ul></details>'


def _check(check: CheckResult | None) -> str:
    if check is None:
        return "not asked"
    limit = "" if check.threshold is None else f" against {check.threshold:.4g}"
    score = "" if check.score is None else f" {check.score:.6g}{limit}"
    return f"{escape(check.name)} {check.outcome.value}{score}"


def _not_replayed(found: Difference) -> str:
    if not found.not_replayed:
        return ""
    rows = [[escape(each.attempt_id), escape(each.why)] for each in found.not_replayed]
    return f"<h2>Not judged again: {len(rows)}</h2>" + table(["id", "why"], rows)


def _ids(attempt_ids: Sequence[str]) -> str:
    return _opens(str(len(attempt_ids)), attempt_ids)


def _opens(text: str, attempt_ids: Sequence[str]) -> str:
    """Return a number that opens on the attempts it stands for."""
    if not attempt_ids:
        return text
    items = "".join(f'<li><a href="#{escape(each)}">{escape(each)}</a></li>' for each in attempt_ids)
    return f'<details class="ids"><summary>{text}</summary><ul>{items}</ul></details>'
