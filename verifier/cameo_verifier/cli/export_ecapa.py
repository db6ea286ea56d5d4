"""`cameo models export-ecapa`: exports SpeechBrain's ECAPA-TDNN to ONNX."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from cameo_verifier import offline
from cameo_verifier.errors import ModelKitError

_FAILED = 2


def export_ecapa(
    folder: Annotated[Path, typer.Argument(help="Folder with embedding_model.ckpt, hyperparams.yaml and SHA256SUMS.")],
    out: Annotated[Path, typer.Argument(help="ONNX file to write.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document instead of a sentence.")] = False,
) -> None:
    """Export SpeechBrain's ECAPA-TDNN from a local folder to ONNX, checked against SpeechBrain; needs the extra "speechbrain"."""
    offline.go_offline()
    from cameo_verifier.models.convert.ecapa import export  # noqa: PLC0415 - onnx takes a second to load

    try:
        cosine = export(folder, out)
    except ModelKitError as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_FAILED) from None
    if as_json:
        typer.echo(json.dumps({"file": str(out), "cosine": cosine}))
    else:
        typer.echo(f"{out} agrees with SpeechBrain: cosine {cosine:.6f}")
