"""`cameo webhooks`: shows the delivery state of the webhook endpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from cameo_credential.errors import InvalidRequestError
from cameo_verifier.cli.output import print_json
from cameo_verifier.cli.site import Data, site_settings
from cameo_verifier.store.cameos import webhooks as store
from cameo_verifier.store.db.engine import open_database, writing
from cameo_verifier.store.db.faults import store_errors
from cameo_verifier.webhooks.endpoints import read_endpoints

if TYPE_CHECKING:
    from datetime import datetime

    from cameo_verifier.cameo.webhooks import DeliveryState, Endpoint

_COLUMNS = ("name", "state", "delivered", "last_delivery", "failures", "failing_since", "next_attempt", "last_error")


def webhooks(
    *,
    retry: Annotated[
        str, typer.Option(help="An endpoint that waits or was stopped, to be tried again at once.", show_default=False)
    ] = "",
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Show the site's webhook endpoints, with deliveries and failures of each."""
    settings = site_settings(data)
    if settings.webhooks is None:
        raise InvalidRequestError("no webhook endpoints: set CAMEO_WEBHOOKS to the file that lists them, see docs/api.md")
    endpoints = read_endpoints(settings.webhooks)
    if retry and retry not in {each.name for each in endpoints}:
        raise InvalidRequestError(f"{settings.webhooks} has no endpoint {retry!r}")
    engine = open_database(settings.database)
    try:
        with store_errors(), writing(engine).begin() as connection:
            if retry and not store.revive(connection, retry):
                raise InvalidRequestError(f"nothing was sent to {retry!r} yet: `cameo serve` begins on its next start")
            documents = [_document(each, store.delivery_state(connection, each.name)) for each in endpoints]
    finally:
        engine.dispose()
    if as_json:
        print_json({"endpoints": documents})
        return
    table = Table(*_COLUMNS, box=None, pad_edge=False)
    for document in documents:
        table.add_row(*(str(document[column] if document[column] is not None else "") for column in _COLUMNS))
    Console().print(table)


def _document(endpoint: Endpoint, delivery_state: DeliveryState | None) -> dict[str, Any]:
    if delivery_state is None:
        how: dict[str, Any] = dict.fromkeys(_COLUMNS) | {"state": "not begun", "delivered": 0, "failures": 0, "last_error": ""}
    else:
        state = "stopped" if delivery_state.stopped_at else "failing" if delivery_state.attempts else "well"
        how = {
            "state": state,
            "delivered": delivery_state.delivered,
            "last_delivery": _time(delivery_state.delivered_at),
            "failures": delivery_state.attempts,
            "failing_since": _time(delivery_state.failing_since),
            "next_attempt": None if delivery_state.stopped_at else _time(delivery_state.next_at),
            "last_error": delivery_state.last_error,
        }
    role = endpoint.holder.kind.value if endpoint.holder else "app"
    return how | {"name": endpoint.name, "role": role, "id": endpoint.audience, "url": endpoint.url}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
