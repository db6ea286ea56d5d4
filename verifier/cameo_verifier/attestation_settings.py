"""Settings of app attestation: the apps whose captures a platform may vouch for."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - pydantic reads annotations at run time

from pydantic_settings import SettingsConfigDict

from cameo_verifier.variables import Variables


class AppAttestSettings(Variables):
    """Apps on iOS, attested by Apple's App Attest (`CAMEO_APP_ATTEST_…`)."""

    model_config = SettingsConfigDict(env_prefix="CAMEO_APP_ATTEST_")

    apps: tuple[str, ...] = ()
    """App IDs, each a team identifier, a full stop and a bundle identifier, as a JSON list; empty: `app_attest` is refused."""
    development: bool = False
    """Whether builds of the development environment count too: whoever has an Apple developer account can make one."""


class PlayIntegritySettings(Variables):
    """The app on Android, attested by Google's Play Integrity (`CAMEO_PLAY_INTEGRITY_…`)."""

    model_config = SettingsConfigDict(env_prefix="CAMEO_PLAY_INTEGRITY_")

    app: str = ""
    """Package name; empty: `play_integrity` is refused."""
    keys: Path | None = None
    """File of the app's response encryption keys: lines `DECRYPTION_KEY=…` and `VERIFICATION_KEY=…`, in base64; a secret."""
    app_verdicts: tuple[str, ...] = ("PLAY_RECOGNIZED",)
    """Values of `appRecognitionVerdict` that count, as a JSON list."""
    device_verdicts: tuple[str, ...] = ("MEETS_DEVICE_INTEGRITY",)
    """Values of `deviceRecognitionVerdict` of which one has to be there, as a JSON list."""
