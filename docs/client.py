"""Ask for a challenge, send the answer with consent, print the credential: client.py ADDRESS AUDIENCE > credential.jwe."""

import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from cameo.v1.attempt_pb2 import Verdict
from cameo.v1.cameo_pb2 import Cameo, Consent
from cameo.v1.challenge_service_pb2 import IssueChallengeRequest
from cameo.v1.challenge_service_pb2_grpc import ChallengeServiceStub
from cameo.v1.reason_pb2 import Reason
from cameo.v1.verification_service_pb2 import Enrolment
from cameo_client import CallError, call, open_channel, verify

with open_channel(sys.argv[1]) as channel:
    stub, request = ChallengeServiceStub(channel), IssueChallengeRequest(subject="account-42")
    try:
        challenge = call(lambda: stub.IssueChallenge(request))
        asked = "".join(map(str, challenge.steps)).replace("TURN_", "")
        text = f"Record this, in order, if {sys.argv[2]} may hold your likeness. The file:"
        print(asked, text, sep="", file=sys.stderr)
        recording = Path(input().strip()).read_bytes()
        shown, now = sha256(text.encode()).hexdigest(), datetime.now(UTC)
        consent = Consent(text_version="example-1", locale="en", agree_time=now, text_sha256=shown)
        enrolment = Enrolment(consent=consent, terms=Cameo(offline_audiences=[sys.argv[2]]))
        answer = verify(channel, recording, challenge_id=challenge.id, audience=sys.argv[2], enrolment=enrolment)
    except CallError as error:
        sys.exit(f"{error}\n{error.metadata.get('hint', '')}".strip())
verdict, reasons = Verdict.Name(answer.attempt.verdict), map(Reason.Name, answer.attempt.reasons)
print(verdict.removeprefix("VERDICT_"), *(each.removeprefix("REASON_") for each in reasons), file=sys.stderr)
if not answer.credential.token:
    sys.exit(answer.attempt.hint)
print(answer.credential.token)
