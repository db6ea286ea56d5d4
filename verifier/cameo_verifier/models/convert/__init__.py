"""Readers and converters of published models, run when the kit is built.

No verdict depends on their code, only on the files they write, whose digests it records.
"""
