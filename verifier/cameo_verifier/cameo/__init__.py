"""Rules of a cameo: who may use a likeness, for what, and who decides.

Pure functions: no IO, no clock, no randomness; the store applies them inside its transactions.

Invariants: only an active cameo can be used; nobody is permitted more than the owner last requested; what cannot be found out is
refused; a minor's cameo is used only by mutuals of the owner, and no more widely than owner and guardians last permitted.
"""
