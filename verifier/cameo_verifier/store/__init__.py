"""What is kept, in SQLAlchemy Core tables.

`engine.open_database` opens the database and brings its schema up to date; `challenges`, `attempts`, `credentials`,
`fingerprints`, `faces`, `statuses` and `likenesses` each hold one repository of small verbs over it. A verb is one transaction:
done whole, or not at all. `cameos`, `uses`, `events` and `relationships` are verbs inside a transaction of the caller, which
`batches` or, for what is asked all the time, `inline` runs. No biometric data is in any column that could be read:
`credentials.token` can only be opened by its audience, `likenesses.sealed` only with the site's vault key, and `faces.code` is
turned by a secret that is not here.
"""
