"""Requests to Bedrock as boto3 puts them together and signs them, at a fixed time and with the example
credentials of AWS's documentation, as `bedrock.json`. Nothing is sent.

    pip install boto3==1.44.5
    python tests/golden/hosted/bedrock.py
"""

import datetime
import json
import pathlib
import re
from urllib.parse import urlsplit

import boto3
import botocore
import botocore.auth
from botocore.awsrequest import AWSResponse

NOW = datetime.datetime(2026, 11, 23, 12, 0, 0, tzinfo=datetime.timezone.utc)
KEYS = {
    "aws_access_key_id": "AKIDEXAMPLE",
    "aws_secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
}
MODEL = "cohere.rerank-v3-5:0"
ARN = f"arn:aws:bedrock:eu-central-1::foundation-model/{MODEL}"
QUERY = "Rechnungen exportieren"
DOCUMENTS = ["Passwort zurücksetzen", "Alle Rechnungen exportieren – als CSV"]
INVOKED = {"query": QUERY, "documents": DOCUMENTS, "api_version": 2}

requests = []


def catch(name):
    """Keeps a request in place of sending it."""

    def kept(request, **_):
        headers = {key.lower(): text(value) for key, value in request.headers.items()}
        url = urlsplit(request.url)
        headers["host"] = url.netloc
        signed = re.search("SignedHeaders=([^,]+)", headers["authorization"])[1].split(";")
        headers = {key: headers[key] for key in ["authorization", *signed]}
        requests.append({"name": name, "path": url.path, "headers": headers, "body": text(request.body)})
        return AWSResponse(request.url, 200, {}, Empty())

    return kept


def text(value):
    return value.decode() if isinstance(value, bytes) else value


class Empty:
    def stream(self, *_):
        return iter([b"{}"])


def client(service, name, **more):
    made = boto3.client(service, region_name="eu-central-1", **KEYS, **more)
    made.meta.events.register("before-send", catch(name))
    return made


botocore.auth.get_current_datetime = lambda remove_tzinfo=True: NOW.replace(tzinfo=None) if remove_tzinfo else NOW

body = json.dumps(INVOKED, ensure_ascii=False).encode()
client("bedrock-runtime", "invoke").invoke_model(modelId=MODEL, body=body)
client("bedrock-runtime", "invoke by ARN").invoke_model(modelId=ARN, body=body)
client("bedrock-runtime", "invoke with a session token", aws_session_token="token").invoke_model(
    modelId=MODEL, body=body, contentType="application/json", accept="application/json"
)
client("bedrock-agent-runtime", "rerank").rerank(
    queries=[{"type": "TEXT", "textQuery": {"text": QUERY}}],
    sources=[
        {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": document}}}
        for document in DOCUMENTS
    ],
    rerankingConfiguration={
        "type": "BEDROCK_RERANKING_MODEL",
        "bedrockRerankingConfiguration": {
            "numberOfResults": 2,
            "modelConfiguration": {"modelArn": ARN},
        },
    },
)
written = {"made_with": f"botocore {botocore.__version__}", "requests": requests}
path = pathlib.Path(__file__).with_suffix(".json")
path.write_text(json.dumps(written, ensure_ascii=False, indent=1) + "\n")
print(f"{path.name}: {len(requests)} requests")
