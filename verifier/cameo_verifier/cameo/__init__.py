"""Who may use a likeness, and whose face it is.

Rules only: no IO, no clock, no randomness; the store applies them inside its transactions.

Invariants: only an active cameo can be used; nobody is permitted more than the owner's last word; what cannot be found out is a
refusal; a minor's cameo is used by mutuals of the owner alone, and no wider than owner and guardians last said.
"""
