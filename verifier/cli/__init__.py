"""The `cameo` command."""
