"""The service on the wire: the only room with grpc.

`app.open_server` composes everything once: keys, store, worker pool, one service per noun (`challenge_service`,
`verification_service`, `credential_service`), health and reflection. `convert` turns values into messages, `status` turns errors
into statuses, `interceptors` apply it to every call, `upload` receives a recording, `judging` is what a worker process runs and
`workers` keeps those processes.
"""
