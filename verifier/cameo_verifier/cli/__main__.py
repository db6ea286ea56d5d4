"""`python -m cameo_verifier.cli` is `cameo`."""

from cameo_verifier.cli import main

main()
