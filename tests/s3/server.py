"""An S3 server on loopback: moto's, which speaks the wire protocol and checks signatures. `.venv-s3` is for it alone.

Prints one line of JSON, `{endpoint, key, secret, reader_key, reader_secret}`, when it is up, and ends when its standard input
does. There is one bucket, `evidence`; `key` may do everything to it, `reader_key` may only look, and nobody else may do anything.
"""

from __future__ import annotations

import json
import os
import sys

_SET_UP = 6
"""Requests before signatures are asked for: those that make the two users."""


def main() -> None:
    """Serve."""
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = str(_SET_UP)
    import boto3  # noqa: PLC0415 - moto reads its settings when it is imported
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - the same

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    nobody = {"aws_access_key_id": "nobody", "aws_secret_access_key": "none", "region_name": "us-east-1"}
    iam = boto3.client("iam", endpoint_url=endpoint, **nobody)
    up = {"endpoint": endpoint}
    for user, prefix, actions in (("site", "", "s3:*"), ("reader", "reader_", "s3:Get*")):
        iam.create_user(UserName=user)
        made = iam.create_access_key(UserName=user)["AccessKey"]
        allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}
        iam.put_user_policy(UserName=user, PolicyName="what", PolicyDocument=json.dumps(allowed))
        up |= {f"{prefix}key": made["AccessKeyId"], f"{prefix}secret": made["SecretAccessKey"]}
    s3 = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=up["key"],
        aws_secret_access_key=up["secret"],
        region_name="us-east-1",
    )
    s3.create_bucket(Bucket="evidence")
    print(json.dumps(up), flush=True)  # noqa: T201 - this is how the tests learn of it
    sys.stdin.read()


if __name__ == "__main__":
    main()
