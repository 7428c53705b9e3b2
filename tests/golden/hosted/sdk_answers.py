"""Answers of hosted rerankers, and what the official clients' typed models read in them, as `sdk_answers.json`. The
texts are our own; the shapes are those of the providers' pages, with fields beside them that a later version might
bring. A server of our own gives the answers; nothing leaves the machine.

    python tests/golden/hosted/sdk_answers.py

Needs what `clients.py` names.
"""

import datetime
import json
from pathlib import Path

from clients import CLIENTS, Server, made_with, write

OUT = Path(__file__).with_suffix(".json")
V3, V5 = "rerank-v3.5", "rerank-v5.0-pro"
VERSION = {"version": "2", "is_experimental": False}


def rows(*scores, score="relevance_score", **more):
    """In the order of the scores, as all of them answer."""
    best_first = sorted(enumerate(scores), key=lambda row: -row[1])
    return [{"index": index, score: value, **more} for index, value in best_first]


# docs.cohere.com/reference/rerank
COHERE = {
    "as its page shows": (V3, {
        "id": "3f1c1f0e-5a50-4bb4-8a54-3a1b6d1f2c77",
        "results": rows(0.1487551, 0.9987136, 0.2716082),
        "meta": {"api_version": VERSION, "billed_units": {"search_units": 1}},
    }),
    "with all that its client knows": (V3, {
        "id": "2", "results": rows(0.5, 0.25),
        "meta": {"api_version": {**VERSION, "is_deprecated": False},
                 "billed_units": {"images": 0, "input_tokens": 0, "image_tokens": 0, "output_tokens": 0,
                                  "search_units": 3, "classifications": 0},
                 "tokens": {"input_tokens": 812, "output_tokens": 0}, "cached_tokens": 0,
                 "warnings": ["one of the documents was cut"]},
    }),
    "with fields that nobody knows yet": (V3, {
        "id": "3", "results": rows(0.5, 0.25, document={"text": "an invoice"}, explanation=None),
        "meta": {"api_version": VERSION, "billed_units": {"search_units": 1, "minutes": 0.5}, "region": "eu"},
        "usage": {"seconds": 0.2},
    }),
    "results alone": (V3, {"results": rows(0.75)}),
    "nulls": (V3, {"id": None, "results": rows(0.75),
                   "meta": {"billed_units": None, "tokens": None, "warnings": None}}),
    "scores at the ends": (V3, {"id": "4", "results": rows(1, 0, 3.2e-7, 0.30000001192092896),
                                "meta": {"billed_units": {"search_units": 1.0}}}),
    "units as a fraction's type": (V3, {"id": "5", "results": rows(0.5, 0.6),
                                       "meta": {"billed_units": {"search_units": 12.0}}}),
    "tokens billed": (V5, {"id": "6", "results": rows(0.5, 0.6),
                           "meta": {"api_version": VERSION, "billed_units": {"input_tokens": 2431},
                                    "tokens": {"input_tokens": 2431}}}),
}

# docs.voyageai.com/reference/reranker-api
VOYAGE = {
    "as its page shows": ("rerank-2.5", {
        "object": "list", "data": rows(0.4375, 0.921875, 0.3203125), "model": "rerank-2.5",
        "usage": {"total_tokens": 46}}),
    "with documents": ("rerank-2.5", {
        "object": "list", "data": rows(0.4375, 0.92, document="an invoice"), "model": "rerank-2.5",
        "usage": {"total_tokens": 26}}),
    "with fields that nobody knows yet": ("rerank-2.5-lite", {
        "object": "list", "data": rows(0.4375, 0.92, truncated=False), "model": "rerank-2.5-lite",
        "usage": {"total_tokens": 26, "cached_tokens": 3}, "id": "r1"}),
    "one row": ("rerank-2.5", {"object": "list", "data": rows(1.0), "model": "rerank-2.5",
                               "usage": {"total_tokens": 9}}),
}

# mixedbread.com/api-reference
LARGE = "mixedbread-ai/mxbai-rerank-large-v2"
MIXEDBREAD = {
    "as its page shows": (LARGE, {
        "usage": {"prompt_tokens": 61, "total_tokens": 61, "completion_tokens": None}, "model": LARGE,
        "data": rows(0.12, 0.98, 0.4, score="score", input=None, object="rank_result"),
        "object": "list", "top_k": 3, "return_input": False}),
    "with inputs": (LARGE, {
        "usage": {"prompt_tokens": 8, "total_tokens": 10}, "model": LARGE,
        "data": rows(0.12, 0.98, score="score", input="an invoice"), "top_k": 2, "return_input": True}),
    "with fields that nobody knows yet": (LARGE, {
        "usage": {"prompt_tokens": 7, "total_tokens": 7, "cached_tokens": 1}, "model": LARGE,
        "data": rows(1, 0, score="score", raw=-3.5), "object": "list", "top_k": 2, "return_input": False,
        "rewritten_query": None}),
}

# docs.pinecone.io/reference/api/latest/inference/rerank
BGE = "bge-reranker-v2-m3"
PINECONE = {
    "as its page shows": (BGE, {
        "model": BGE, "data": rows(0.02532969, 0.48357219, 0.00114761, score="score", document={"text": "an invoice"}),
        "usage": {"rerank_units": 1}}),
    "without documents": (BGE, {"model": BGE, "data": rows(0.7, 0.1, score="score"), "usage": {"rerank_units": 1}}),
    "with fields that nobody knows yet": ("cohere-rerank-3.5", {
        "model": "cohere-rerank-3.5", "data": rows(0.7, 1, score="score", document=None, rank=1),
        "usage": {"rerank_units": 2, "tokens": 80}, "request_id": "r1"}),
}

# docs.aws.amazon.com/bedrock/latest/userguide/model-card-cohere-rerank-3-5.html
BEDROCK = {
    "results alone": ("cohere.rerank-v3-5:0", {"results": rows(0.1487551, 0.9987136)}),
    "as Cohere answers": ("cohere.rerank-v3-5:0", {
        "id": "7", "results": rows(0.25, 0.5, 0.125), "meta": {"api_version": VERSION, "warnings": []}}),
    "with fields that nobody knows yet": ("cohere.rerank-v3-5:0", {
        "results": rows(0.25, 0.5, document={"text": "an invoice"}), "amazon-bedrock-trace": {}}),
}

ANSWERS = {"cohere": COHERE, "voyage": VOYAGE, "mixedbread": MIXEDBREAD, "pinecone": PINECONE,
           "cohere on bedrock": BEDROCK, "boto3": BEDROCK}


def main():
    server = Server()
    answers = [read(server, client, name, *answer)
               for client, given in ANSWERS.items() for name, answer in given.items()]
    write(OUT, {"made_with": {**made_with(), "on": datetime.date.today().isoformat()}, "answers": answers})
    print(f"{OUT.name}: {len(answers)} answers")


def read(server, client, name, model, body):
    provider, _, _, call = CLIENTS[client]
    documents = [f"document {place}" for place in range(len(body.get("results") or body.get("data")))]
    server.answer = json.dumps(body)
    found = call(server.url, {"model": model, "query": "invoices", "documents": documents})
    return {"client": client, "provider": provider, "name": name, "model": model, "body": body, "read": found}


if __name__ == "__main__":
    main()
