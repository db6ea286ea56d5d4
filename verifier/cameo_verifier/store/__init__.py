"""The store: SQLAlchemy Core tables and the functions on them.

`db.engine.open_database` opens the database and migrates its schema. The rooms `attempts`, `cameos`, `credentials` and `evidence`
have classes whose methods each are one transaction, and functions that run inside a transaction of the caller, which
`db.batches` or, for frequent requests, `db.inline` runs. No column contains readable biometric data:
`credentials.token` can only be decrypted by its audience, `likenesses.sealed` only with the site's vault key, and `faces.code` is
transformed by a secret that is not in the database.
"""
