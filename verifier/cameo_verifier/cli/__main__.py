"""Entry point of `python -m cameo_verifier.cli`, the same as `cameo`."""

from cameo_verifier.cli import main

main()
