"""`python -m verifier.cli` is `cameo`."""

from verifier.cli import main

main()
