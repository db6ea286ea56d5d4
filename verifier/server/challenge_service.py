"""`cameo.v1.ChallengeService`."""

from __future__ import annotations
