"""Model conversion: reads published models and writes the kit's files, when the kit is built.

No verdict depends on this code, only on the files it writes, whose digests it records.
"""
