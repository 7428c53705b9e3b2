"""What the official clients send for calls that our adapters make too, as `sdk_requests.json`. A server of our own
listens; nothing leaves the machine.

    python tests/golden/hosted/sdk_requests.py

Needs what `clients.py` names. It is not called `requests.py`, because that would stand before the package of that
name, which Voyage's client imports.
"""

import datetime
import json
from pathlib import Path

from clients import CLIENTS, KEY, Server, made_with, write

OUT = Path(__file__).with_suffix(".json")

# Those that say who asks, what is sent and to which version; the others name the client and its machine.
HEADERS = ["authorization", "api-key", "content-type", "x-client-name", "x-pinecone-api-version"]

MODELS = {
    "cohere": ["rerank-v3.5", "rerank-v4.0-pro"],
    "cohere on azure": ["cohere-rerank-v4.0-pro", "our-deployment"],
    "voyage": ["rerank-2.5", "rerank-2.5-lite"],
    "mixedbread": ["mixedbread-ai/mxbai-rerank-large-v2", "mixedbread-ai/mxbai-rerank-base-v2"],
    # The second has no parameters.
    "pinecone": ["bge-reranker-v2-m3", "cohere-rerank-3.5"],
    # Cohere's client puts an ARN into the path as it is, where its slash makes another path of it.
    "cohere on bedrock": ["cohere.rerank-v3-5:0"],
    "boto3": ["cohere.rerank-v3-5:0", "arn:aws:bedrock:eu-central-1::foundation-model/cohere.rerank-v3-5:0"],
}

QUERY = "How do I export all invoices?"
TWO = ["Open Billing, then choose Export.", "Reset your password on the login page."]
# What JSON must escape, what it may, and what is more than one code unit.
UNICODE = [
    'Où est ma "facture" ? C:\\Rechnungen\\März',
    "請求書を輸出する\u3000🧾👩🏽‍💻",
    "line one\r\nline two\twith a tab, \u0001 and \u007f",
    "line and paragraph separators \u2028 \u2029, decomposed e\u0301",
    "\u202eright to left\u202c فاتورة",
]

# Documents and options by name; `other` asks for the provider's second model.
CASES = {
    "two documents": {"documents": TWO},
    "one document": {"documents": TWO[:1]},
    "many documents": {"documents": [f"Article {at}: invoices of month {at % 12 + 1}." for at in range(40)]},
    "unicode": {"query": "Wo exportiere ich „Rechnungen“? 請求書 🧾", "documents": UNICODE},
    "an empty document": {"documents": [TWO[0], ""]},
    "the same document twice": {"documents": [TWO[0], TWO[0]]},
    "blanks at the ends": {"query": "  invoices \n", "documents": ["  Open Billing. \n", "\t"]},
    "a long document": {"documents": ["Invoices are kept for ten years. " * 12, TWO[1]]},
    "another model": {"documents": TWO, "other": True},
    "documents cut": {"documents": TWO, "max_tokens_per_doc": 512},
    "long texts cut": {"documents": TWO, "truncate": True},
    "long texts refused": {"documents": TWO, "truncate": False},
    "all results by their number": {"documents": TWO, "all": True},
}

# Options that a client has; the others' cases are left out.
OPTIONS = {
    "cohere": {"max_tokens_per_doc"},
    "cohere on azure": {"max_tokens_per_doc"},
    "voyage": {"truncate"},
    "mixedbread": set(),
    "pinecone": {"truncate"},
    "cohere on bedrock": {"max_tokens_per_doc"},
    "boto3": {"max_tokens_per_doc"},
}

# So that a client that reads its answer finds one.
ANSWER = {
    "results": [{"index": 0, "relevance_score": 0.5}],
    "data": [{"index": 0, "relevance_score": 0.5, "score": 0.5}],
    "usage": {"prompt_tokens": 1, "total_tokens": 1, "rerank_units": 1},
    "model": "m", "top_k": 1, "return_input": False,
}


def main():
    server = Server()
    server.answer = json.dumps(ANSWER)
    asked = [ask(server, name, case) for name in CLIENTS for case in CASES if knows(name, case)]
    write(OUT, {
        "made_with": {**made_with(), "on": datetime.date.today().isoformat()},
        "cases": {case: told(case) for case in CASES},
        "requests": asked,
    })
    print(f"{OUT.name}: {len(asked)} requests")


def knows(name, case):
    options = {"max_tokens_per_doc", "truncate"} & CASES[case].keys() <= OPTIONS[name]
    return options and len(MODELS[name]) > ("other" in CASES[case])


def told(case):
    return {"query": QUERY, **{key: value for key, value in CASES[case].items() if key != "other"}}


def ask(server, name, case):
    provider, _, base_url, call = CLIENTS[name]
    model = MODELS[name]["other" in CASES[case]]
    call(server.url, {**told(case), "model": model})
    asked = server.asked
    headers = {key: anonymous(asked["headers"][key]) for key in HEADERS if key in asked["headers"]}
    return {"client": name, "provider": provider, "case": case, "model": model, "base_url": base_url,
            "method": asked["method"], "path": asked["path"], "headers": headers, "body": asked["body"]}


def anonymous(value):
    """The scheme without key or signature."""
    scheme, space, rest = value.partition(" ")
    return f"{scheme} KEY" if space and KEY in rest else value.replace(KEY, "KEY")


if __name__ == "__main__":
    main()
