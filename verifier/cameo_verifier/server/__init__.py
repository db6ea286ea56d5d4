"""The gRPC and HTTP service.

`app.open_server` composes everything once: keys, store, worker pool, one service per noun (`services`), health and reflection.
`wire` converts between values and messages and reads uploads, `wire.errors` maps errors to statuses, `interceptors` apply it to
every call, `auth` verifies callers, and `http_resources` serves what is published over HTTP.
"""
