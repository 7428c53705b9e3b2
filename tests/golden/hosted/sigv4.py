"""Signs requests to Amazon Bedrock as AWS's own Python client does, and keeps the headers.

    python tests/golden/hosted/sigv4.py

Needs botocore 1.44. The keys are AWS's published examples; nothing is sent. Paths come from botocore's serializer,
so that the encoding of a model's name is its too.
"""

import datetime
import json
from pathlib import Path
from unittest import mock

import botocore.auth
import botocore.session
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.serialize import create_serializer

OUT = Path(__file__).resolve().parent / "sigv4.json"
KEY_ID = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN = "IQoJb3JpZ2luX2VjEXAMPLE/+token=="
ARN = "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3"
CASES = [
    ("cohere.rerank-v3-5:0", "eu-central-1", None, 1_440_938_160),
    ("cohere.rerank-v3-5:0", "eu-central-1", TOKEN, 1_440_938_160),
    ("cohere.rerank-v3-5:0", "us-west-2", None, 1_798_761_599),
    (ARN, "eu-central-1", TOKEN, 1_795_404_630),
]


def main():
    cases = [case(*arguments) for arguments in CASES]
    body = ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases)
    OUT.write_text(f'{{\n"botocore": "{botocore.__version__}",\n"cases": [\n{body}\n]\n}}\n', encoding="utf-8")


def case(model, region, token, seconds):
    body = json.dumps({"query": "Où est ma facture ?", "documents": ["Pay here.", "雨"], "api_version": 2},
                      ensure_ascii=False)
    url = f"https://bedrock-runtime.{region}.amazonaws.com{path(model)}"
    request = AWSRequest("POST", url, headers={"Content-Type": "application/json"}, data=body.encode())
    now = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    signer = botocore.auth.SigV4Auth(Credentials(KEY_ID, SECRET, token), "bedrock", region)
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda: now.replace(tzinfo=None)):
        signer.add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    del headers["content-type"]
    return {"model": model, "region": region, "token": token, "seconds": seconds, "body": body, "url": url,
            "headers": headers}


def path(model):
    """As botocore puts a model's name into the path of InvokeModel."""
    session = botocore.session.get_session()
    client = session.create_client("bedrock-runtime", region_name="us-east-1", aws_access_key_id=KEY_ID,
                                   aws_secret_access_key=SECRET)
    operation = client.meta.service_model.operation_model("InvokeModel")
    serializer = create_serializer(client.meta.service_model.metadata["protocol"])
    return serializer.serialize_to_request({"modelId": model, "body": b""}, operation)["url_path"]


if __name__ == "__main__":
    main()
