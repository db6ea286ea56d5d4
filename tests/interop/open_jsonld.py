"""Reads JSON-LD documents with pyld: a JSON list of documents on standard input, what each says on standard output.

Nothing is fetched: a context that is not in the document is an error.
"""

from __future__ import annotations

import json
import sys
from typing import Any, NoReturn

from pyld import jsonld


def refuse(url: str, _: object) -> NoReturn:
    """Load no document from elsewhere."""
    raise jsonld.JsonLdError(f"{url} is not in the document", "test.Remote", code="loading remote context failed")


def main() -> None:
    """Print, for each document, its expanded form, its form compacted again, and its statements as canonical N-Quads."""
    jsonld.set_document_loader(refuse)
    said: list[dict[str, Any]] = []
    for document in json.load(sys.stdin):
        try:
            said.append(
                {
                    "expanded": jsonld.expand(document),
                    "compacted": jsonld.compact(document, document["@context"]),
                    "statements": jsonld.normalize(document, {"format": "application/n-quads"}).splitlines(),
                }
            )
        except jsonld.JsonLdError as error:
            said.append({"refused": str(error)})
    json.dump(said, sys.stdout)


if __name__ == "__main__":
    main()
