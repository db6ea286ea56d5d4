"""What is kept, in SQLAlchemy Core tables.

`engine.open_database` opens the database and brings its schema up to date; `challenges`, `attempts` and `credentials` each hold
one repository of small verbs over it. A verb is one transaction: done whole, or not at all. No biometric data is in any
column but `faces.code`, which is turned by a secret that is not here; the one ciphertext kept, `credentials.token`, can only be
opened by its audience.
"""
