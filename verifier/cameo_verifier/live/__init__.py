"""Live sessions: reveal one prompt at a time, by what the arriving recording shows, and record when each was revealed.

`observation` is what a worker sees and hears while bytes arrive, `guidance` what is wrong with it, `conductor` the state machine
that decides what to send next. What of it checks and analysts get is `cameo_verifier.live_record`. Nothing here reads a clock or
speaks gRPC.
"""
