"""Claims, keys, signature, envelope, validation: the credential from the facts to the token and back.

Issuing is three small rooms, `claims` (compose), `signer` (sign) and `validator` (validate what was just signed), run in that
order by `issue`; `envelope` then encrypts to the audience. Opening is `validator.open_credential`. No room here reads a clock
or makes an id: both are arguments. Key material is read and written by `issuer_keys`, `audience_keys` and `pairwise`, over
the owner-only files of `key_files`.
"""
