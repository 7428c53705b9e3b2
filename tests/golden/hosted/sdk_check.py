"""Reads with the official clients what our adapters send and what our imitating servers answer.

    SDK_CHECK=$PWD/target/check.json cargo test -p secondpass-rerankers --test sdk_answers
    python tests/golden/hosted/sdk_check.py target/check.json

A request must fit what a client says that it may send: Mixedbread's typed parameters, the signatures of the others
(whose clients have no model of a request), with no conversion of types. Fields that a client never sends, though the
API has them, are listed below. An answer must fit the client's typed model strictly, and the client must read from it
the scores and units that our adapter read. Needs what `clients.py` names.
"""

import inspect
import json
import sys
import typing

import cohere.v2.raw_client
import pydantic
import voyageai
from cohere.v2.types.v2rerank_response import V2RerankResponse
from mixedbread.types.client_rerank_params import ClientRerankParams
from pinecone.client.inference import Inference

from clients import CLIENTS, Server, made_with

# In the API's specification, and in no client's signature.
BESIDE = {
    "voyage": {"return_documents": bool},
    "bedrock": {"api_version": int},
    "cohere": {}, "azure": {}, "pinecone": {}, "mixedbread": {},
}
CLIENT = {"azure": "cohere on azure", "bedrock": "cohere on bedrock"}


def main(path):
    server = Server()
    requests = models()
    checks = json.loads(open(path, encoding="utf-8").read())
    for check in checks:
        where = ", ".join(check[key] for key in ["provider", "model", "name"])
        try:
            requests[check["provider"]].validate_python(check["request"]["body"], strict=True)
            if check["provider"] in ("cohere", "azure", "bedrock"):
                V2RerankResponse.model_validate(check["answer"], strict=True)
            assert read(server, check) == read_here(check), f"{read(server, check)} and {read_here(check)}"
        except (AssertionError, pydantic.ValidationError) as error:
            sys.exit(f"{where}: {error}")
    print(f"{len(checks)} requests and answers, read with {made_with()}")


def models():
    """What each client may send, as a type that forbids all else."""
    rerank = cohere.v2.raw_client.RawV2Client.rerank
    return {
        "cohere": signature("cohere", rerank, without={"request_options"}),
        "azure": signature("azure", rerank, without={"request_options"}),
        "bedrock": signature("bedrock", rerank, without={"request_options", "model"}),
        "voyage": signature("voyage", voyageai.Client.rerank, without=set()),
        "pinecone": signature("pinecone", Inference.rerank, without=set()),
        "mixedbread": pydantic.TypeAdapter(pydantic.with_config(extra="forbid")(ClientRerankParams)),
    }


def signature(provider, function, without):
    # Pinecone names what only type checkers import.
    hints = typing.get_type_hints(function, localns={**vars(typing), "RerankResult": object})
    fields = {}
    for name, parameter in inspect.signature(function).parameters.items():
        if name == "self" or name in without:
            continue
        needed = parameter.default is inspect.Parameter.empty
        fields[name] = (hints[name], ...) if needed else (hints[name], None)
    beside = {name: (kind, None) for name, kind in BESIDE[provider].items()}
    forbid = pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True)
    return pydantic.TypeAdapter(pydantic.create_model(provider, __config__=forbid, **fields, **beside))


def read(server, check):
    """What the client reads in this answer, by document."""
    server.answer = json.dumps(check["answer"])
    provider = check["provider"]
    case = {**check["case"], "model": check["model"]}
    if provider == "bedrock":
        case["model"] = case["model"].rsplit("/")[-1]
    found = CLIENTS[CLIENT.get(provider, provider)][3](server.url, case)
    return sorted(found["scores"]), found["units"]


def read_here(check):
    return sorted([place, score] for place, score in check["read"]["scores"]), check["read"]["units"]


if __name__ == "__main__":
    main(sys.argv[1])
