"""Ask for a challenge, send the recorded answer, print the credential: client.py ADDRESS AUDIENCE > credential.jwe."""

import sys
from pathlib import Path
from uuid import uuid4

import grpc
from cameo.v1 import attempt_pb2, challenge_service_pb2, challenge_service_pb2_grpc, reason_pb2, verification_service_pb2_grpc
from cameo.v1 import verification_service_pb2 as wire

with grpc.insecure_channel(sys.argv[1]) as channel:
    request = challenge_service_pb2.IssueChallengeRequest(subject="account-42")
    challenge = challenge_service_pb2_grpc.ChallengeServiceStub(channel).IssueChallenge(request)
    asked = "".join(map(str, challenge.steps)).replace("TURN_", "")
    print(asked, "Record yourself doing this, in order. The file:", sep="", file=sys.stderr)
    recording = Path(input().strip()).read_bytes()
    config = wire.VerifyResponseConfig(challenge_id=challenge.id, audience=sys.argv[2], request_id=str(uuid4()))
    chunks = [recording[at : at + 2**18] for at in range(0, len(recording), 2**18)]
    messages = [wire.VerifyResponseRequest(config=config), *(wire.VerifyResponseRequest(chunk=chunk) for chunk in chunks)]
    answer = verification_service_pb2_grpc.VerificationServiceStub(channel).VerifyResponse(iter(messages), timeout=120)
verdict, reasons = attempt_pb2.Verdict.Name(answer.attempt.verdict), map(reason_pb2.Reason.Name, answer.attempt.reasons)
print(verdict.removeprefix("VERDICT_"), *(each.removeprefix("REASON_") for each in reasons), file=sys.stderr)
if not answer.credential.token:
    sys.exit(answer.attempt.hint)
print(answer.credential.token)
