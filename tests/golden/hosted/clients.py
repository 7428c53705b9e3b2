"""The official clients of hosted rerankers, each called over a server of our own that keeps what it is asked and
answers what it is told. Used by `sdk_requests.py`, `sdk_answers.py` and `sdk_check.py`.

    pip install cohere==5.21.1 voyageai==0.5.0 mixedbread==0.54.0 pinecone==10.2.0 boto3==1.44.5 tokenizers
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from unittest import mock
from urllib.parse import urlsplit

import boto3
import cohere
import cohere.aws_client
import mixedbread
import pinecone
import voyageai
from pinecone._internal.constants import DEFAULT_BASE_URL as PINECONE_URL
from voyageai.util import get_default_base_url

KEY = "a-key-of-the-tests"
REGION = "eu-central-1"
# A deployment's address is its user's.
AZURE = "https://my-deployment.swedencentral.models.ai.azure.com"


class Server:
    """Answers each POST with `answer`, and keeps the last request."""

    def __init__(self):
        self.answer = "{}"
        self.headers = {}
        self.asked = None
        kept = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                kept.asked = {"method": "POST", "path": self.path, "headers": headers, "body": json.loads(body)}
                answer = kept.answer.encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(answer)))
                for name, value in kept.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


# Each takes a server's address and a case: `model`, `query`, `documents`, and options where the case has them:
# `max_tokens_per_doc`, `truncate`, and `all`, for all results asked for by their number. It gives what the client
# reads: pairs of index and score in their order, billed units, tokens.


def ask_cohere(url, case):
    client = cohere.ClientV2(api_key=KEY, base_url=url, client_name="secondpass")
    return read_cohere(client.rerank(**cohere_arguments(case)))


def ask_cohere_bedrock(url, case):
    """Cohere's own client of Bedrock; its address is fixed, so that only its host is replaced."""
    address = cohere.aws_client.get_url
    here = lambda **how: url + urlsplit(address(**how)).path
    with mock.patch.object(cohere.aws_client, "get_url", here):
        client = cohere.BedrockClientV2(aws_access_key=KEY, aws_secret_key=KEY, aws_region=REGION)
        answer = client.rerank(**cohere_arguments(case))
    return {"scores": [[row.index, row.relevance_score] for row in answer.results], "units": None, "tokens": None}


def cohere_arguments(case):
    given = {name: case[name] for name in ["model", "query", "documents", "max_tokens_per_doc"] if name in case}
    return {**given, "top_n": len(case["documents"])} if "all" in case else given


def read_cohere(answer):
    billed = answer.meta.billed_units if answer.meta else None
    tokens = answer.meta.tokens if answer.meta else None
    units = (billed.search_units if billed.search_units is not None else billed.input_tokens) if billed else None
    return {
        "scores": [[row.index, row.relevance_score] for row in answer.results],
        "units": units,
        "tokens": tokens.input_tokens if tokens else None,
    }


def ask_voyage(url, case):
    client = voyageai.Client(api_key=KEY, base_url=f"{url}/v1", max_retries=0)
    options = {"truncation": case["truncate"]} if "truncate" in case else {}
    if "all" in case:
        options["top_k"] = len(case["documents"])
    answer = client.rerank(case["query"], case["documents"], case["model"], **options)
    scores = [[row.index, row.relevance_score] for row in answer.results]
    return {"scores": scores, "units": answer.total_tokens, "tokens": answer.total_tokens}


def ask_mixedbread(url, case):
    client = mixedbread.Mixedbread(api_key=KEY, base_url=url, max_retries=0, _strict_response_validation=True)
    options = {"top_k": len(case["documents"]), "return_input": False} if "all" in case else {}
    answer = client.rerank(model=case["model"], query=case["query"], input=case["documents"], **options)
    tokens = answer.usage.total_tokens
    return {"scores": [[row.index, row.score] for row in answer.data], "units": tokens, "tokens": tokens}


def ask_pinecone(url, case):
    client = pinecone.Pinecone(api_key=KEY, host=url)
    options = {"return_documents": False}
    if "truncate" in case:
        options["parameters"] = {"truncate": "END" if case["truncate"] else "NONE"}
    if "all" in case:
        options["top_n"] = len(case["documents"])
    answer = client.inference.rerank(case["model"], case["query"], case["documents"], **options)
    scores = [[row.index, row.score] for row in answer.data]
    return {"scores": scores, "units": answer.usage.rerank_units, "tokens": None}


def ask_boto3(url, case):
    """boto3 passes a body on, so that this proves address and headers; the body is written here as AWS's page on
    Cohere's reranker has it."""
    body = {"query": case["query"], "documents": case["documents"], "api_version": 2}
    if "max_tokens_per_doc" in case:
        body["max_tokens_per_doc"] = case["max_tokens_per_doc"]
    if "all" in case:
        body["top_n"] = len(case["documents"])
    client = boto3.client("bedrock-runtime", region_name=REGION, endpoint_url=url, aws_access_key_id=KEY,
                          aws_secret_access_key=KEY)
    answer = client.invoke_model(modelId=case["model"], body=json.dumps(body), contentType="application/json",
                                 accept="application/json")
    answer = json.loads(answer["body"].read())
    scores = [[row["index"], row["relevance_score"]] for row in answer["results"]]
    return {"scores": scores, "units": None, "tokens": None}


# Provider, client and its version, where it asks unless told otherwise, how it is asked.
CLIENTS = {
    "cohere": ("cohere", "cohere", cohere.environment.ClientEnvironment.PRODUCTION.value, ask_cohere),
    "cohere on azure": ("azure", "cohere", AZURE, ask_cohere),
    "voyage": ("voyage", "voyageai", get_default_base_url("pa-0").removesuffix("/v1"), ask_voyage),
    "mixedbread": ("mixedbread", "mixedbread", str(mixedbread.Mixedbread(api_key=KEY).base_url).rstrip("/"),
                   ask_mixedbread),
    "pinecone": ("pinecone", "pinecone", PINECONE_URL, ask_pinecone),
    "cohere on bedrock": ("bedrock", "cohere", f"https://bedrock-runtime.{REGION}.amazonaws.com", ask_cohere_bedrock),
    "boto3": ("bedrock", "boto3", boto3.client("bedrock-runtime", region_name=REGION).meta.endpoint_url, ask_boto3),
}


def made_with():
    return {package: version(package) for package in ["cohere", "voyageai", "mixedbread", "pinecone", "boto3"]}


def write(path, golden):
    """One line an element, so that a change shows where it is."""
    parts = []
    for name, value in golden.items():
        if name == "made_with":
            parts.append(f'"{name}": {json.dumps(value)}')
        elif name == "cases":
            lines = ",\n".join(f"{json.dumps(key)}: {json.dumps(case)}" for key, case in value.items())
            parts.append(f'"{name}": {{\n{lines}\n}}')
        else:
            lines = ",\n".join(json.dumps(line) for line in value)
            parts.append(f'"{name}": [\n{lines}\n]')
    path.write_text("{\n" + ",\n".join(parts) + "\n}\n", encoding="utf-8")
