"""Drives imitated rerank APIs with the providers' own clients, and checks what they make of the answers.

    python crates/mock/tests/clients.py '{"cohere": {"url": "http://127.0.0.1:4000", "key": "secret"}, …}' [CLIENT…]

`clients.rs` beside this starts the servers and runs it. Needs cohere; checks voyageai, langchain-cohere,
boto3, mixedbread and pinecone where they are installed:

    pip install cohere==5.21.1 voyageai==0.5.0 langchain-cohere==0.6.0 boto3==1.44.5 \
        mixedbread==0.54.0 pinecone==10.2.0

Prints what it checked, and ends with 1 if anything was not as the real service would have it.
"""

import asyncio
import importlib
import json
import os
import sys
import traceback
from contextlib import contextmanager
from importlib.metadata import version

QUERY = "How do I export invoices?"
DOCUMENTS = [
    "Reset a password from the sign-in page.",
    "Export invoices as CSV under Billing: all invoices, or those of a month.",
    "An invoice is sent by mail on the first of the month.",
    "Rechnungen exportieren – als Tabelle.",
]
WRONG = "not-the-key"

# Settings of the machine must neither reach the services nor change what the clients do.
for name in list(os.environ):
    if name.endswith("_API_KEY") or name.startswith(("CO_API_", "COHERE_", "VOYAGE_", "AWS_", "MXBAI_", "PINECONE_")):
        del os.environ[name]
os.environ["NO_PROXY"] = "*"

failed = 0


class Check:
    """Collects what holds of one client's call."""

    def __init__(self, title):
        self.title, self.misses = title, []

    def equal(self, found, wanted, what):
        if found != wanted:
            self.misses.append(f"{what}: {found!r}, not {wanted!r}")

    def true(self, holds, what):
        if not holds:
            self.misses.append(what)

    def ranking(self, results, score, count=len(DOCUMENTS)):
        """Every index once, the right one first, scores falling and within 0 and 1."""
        places = [result.index for result in results]
        scores = [getattr(result, score) for result in results]
        self.equal(len(places), count, "results")
        self.equal(len(set(places)), len(places), "different indexes")
        self.true(set(places) <= set(range(len(DOCUMENTS))), f"indexes in range: {places}")
        self.equal(places[:1], [1], "best")
        self.equal(scores, sorted(scores, reverse=True), "scores in order")
        self.true(all(isinstance(s, float) and 0 <= s <= 1 for s in scores), f"scores from 0 to 1: {scores}")


@contextmanager
def check(title):
    global failed
    one = Check(title)
    try:
        yield one
    except Exception as error:  # noqa: BLE001: whatever a client raises is a miss
        one.misses.append("".join(traceback.format_exception(error)[-3:]))
    failed += bool(one.misses)
    print("ok     " if not one.misses else "FAILED ", title)
    for miss in one.misses:
        print("       ", miss)


@contextmanager
def refused(title, kind, look=None):
    """Checks that the client raises this; `look` checks what it raised."""
    with check(title) as one:
        try:
            yield
        except kind as error:
            if look:
                look(one, error)
        else:
            one.true(False, f"no {kind.__name__}")


def cohere(servers):
    import cohere as sdk

    def client(server, key=None, kind=sdk.ClientV2):
        return kind(api_key=key or server["key"], base_url=server["url"], timeout=20)

    ask = {"model": "rerank-v4.0-fast", "query": QUERY, "documents": DOCUMENTS}
    once = {"request_options": {"max_retries": 0}}
    server = servers["cohere"]

    with check("ClientV2.rerank: typed answer") as c:
        answer = client(server).rerank(**ask)
        c.ranking(answer.results, "relevance_score")
        c.equal(answer.meta.billed_units.search_units, 1, "search units")
        c.equal(answer.meta.api_version.version, "2", "API version")
        c.true(isinstance(answer.id, str) and answer.id, "an id")
        unknown = [*(answer.model_extra or {}), *(answer.results[0].model_extra or {}), *(answer.meta.model_extra or {})]
        c.equal(unknown, [], "fields that the client's types do not have")
    with check("ClientV2.rerank: top_n, max_tokens_per_doc, priority") as c:
        answer = client(server).rerank(**ask, top_n=2, max_tokens_per_doc=64, priority=10)
        c.ranking(answer.results, "relevance_score", 2)
    with check("ClientV2.rerank: 101 documents are two search units") as c:
        answer = client(server).rerank(**{**ask, "documents": DOCUMENTS[:1] * 101})
        c.equal(len(answer.results), 101, "results")
        c.equal(answer.meta.billed_units.search_units, 2, "search units")
    with check("AsyncClientV2.rerank: eight at once") as c:

        async def many():
            async with client(server, kind=sdk.AsyncClientV2) as one:
                return await asyncio.gather(*(one.rerank(**ask, top_n=n % 4 + 1) for n in range(8)))

        for n, answer in enumerate(asyncio.run(many())):
            c.ranking(answer.results, "relevance_score", n % 4 + 1)
    with check("Client.rerank of v1, documents returned") as c:
        answer = client(server, kind=sdk.Client).rerank(**ask, return_documents=True)
        c.ranking(answer.results, "relevance_score")
        c.equal(answer.results[0].document.text, DOCUMENTS[1], "best document")

    def told(c, error):
        c.true(isinstance(error.body["message"], str), f"body: {error.body}")

    with refused("a wrong key is UnauthorizedError", sdk.errors.UnauthorizedError, told):
        client(server, WRONG).rerank(**ask)
    with refused("an unknown model is NotFoundError", sdk.errors.NotFoundError):
        client(server).rerank(**{**ask, "model": "no-such-model"})
    with refused("no documents is BadRequestError", sdk.errors.BadRequestError):
        client(server).rerank(**{**ask, "documents": []})
    with refused("429 is TooManyRequestsError where retries are off", sdk.errors.TooManyRequestsError, told):
        client(servers["cohere-full"]).rerank(**ask, **once)
    with check("429 with Retry-After is tried again") as c:
        c.ranking(client(servers["cohere-later"]).rerank(**ask).results, "relevance_score")
    with check("500 is tried again") as c:
        c.ranking(client(servers["cohere-shaky"]).rerank(**ask).results, "relevance_score")
    unpaid = lambda c, error: c.equal(error.status_code, 402, "status")
    with refused("402 is not tried again", sdk.core.ApiError, unpaid):
        client(servers["cohere-unpaid"]).rerank(**ask)
    with check("ClientV2.rerank on the imitation of Azure") as c:
        answer = client(servers["azure"]).rerank(**ask)
        c.ranking(answer.results, "relevance_score")
    with check("ClientV2.rerank on the imitation of vLLM") as c:
        answer = client(servers["cohere-compatible"]).rerank(**ask)
        c.ranking(answer.results, "relevance_score")


def langchain_cohere(servers):
    from langchain_cohere import CohereRerank
    from langchain_core.documents import Document

    server = servers["cohere"]
    ranker = CohereRerank(
        model="rerank-v3.5", cohere_api_key=server["key"], base_url=server["url"], top_n=3
    )
    with check("CohereRerank.compress_documents: metadata kept, scores added") as c:
        documents = [Document(text, metadata={"place": n}) for n, text in enumerate(DOCUMENTS)]
        found = ranker.compress_documents(documents, QUERY)
        c.equal(len(found), 3, "documents")
        c.equal(found[0].metadata["place"], 1, "best")
        scores = [document.metadata["relevance_score"] for document in found]
        c.equal(scores, sorted(scores, reverse=True), "scores in order")
    with check("CohereRerank.rerank: objects as YAML, all results") as c:
        found = ranker.rerank([{"title": "t", "body": text} for text in DOCUMENTS], QUERY, top_n=None)
        c.equal(sorted(one["index"] for one in found), list(range(len(DOCUMENTS))), "indexes")
        c.equal(found[0]["index"], 1, "best")


def voyageai(servers):
    import voyageai as sdk

    def client(server, key=None, kind=sdk.Client, **more):
        return kind(api_key=key or server["key"], base_url=server["url"] + "/v1", timeout=20, **more)

    ask = {"query": QUERY, "documents": DOCUMENTS, "model": "rerank-2.5"}
    server = servers["voyage"]
    with check("Client.rerank: typed answer") as c:
        answer = client(server).rerank(**ask)
        c.ranking(answer.results, "relevance_score")
        c.equal(answer.results[0].document, DOCUMENTS[1], "best document")
        c.true(answer.total_tokens > len(DOCUMENTS) * len(QUERY.split()), f"tokens: {answer.total_tokens}")
    with check("Client.rerank: top_k does not change the bill") as c:
        few = client(server).rerank(**ask, top_k=2)
        c.ranking(few.results, "relevance_score", 2)
        c.equal(few.total_tokens, client(server).rerank(**ask).total_tokens, "tokens")
    with check("AsyncClient.rerank") as c:
        answer = asyncio.run(client(server, kind=sdk.AsyncClient).rerank(**ask))
        c.ranking(answer.results, "relevance_score")
    with refused("a wrong key is AuthenticationError", sdk.error.AuthenticationError):
        client(server, WRONG).rerank(**ask)
    with refused("an unknown model is InvalidRequestError", sdk.error.InvalidRequestError):
        client(server).rerank(**{**ask, "model": "no-such-model"})
    with refused("a long query is InvalidRequestError where cutting is off", sdk.error.InvalidRequestError):
        client(server).rerank(**{**ask, "query": "word " * 9000}, truncation=False)
    with refused("429 is RateLimitError", sdk.error.RateLimitError):
        client(servers["voyage-busy"]).rerank(**ask)
    with check("429 is tried again where retries are on") as c:
        answer = client(servers["voyage-busy"], max_retries=2).rerank(**ask)
        c.ranking(answer.results, "relevance_score")


def boto3(servers):
    import boto3 as sdk
    from botocore.config import Config
    from botocore.exceptions import ClientError

    def client(server, service, secret=None, attempts=1):
        name, right = server["key"].split(":")
        return sdk.client(
            service,
            region_name="eu-central-1",
            endpoint_url=server["url"],
            aws_access_key_id=name,
            aws_secret_access_key=secret or right,
            config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}),
        )

    model = "cohere.rerank-v3-5:0"
    arn = f"arn:aws:bedrock:eu-central-1::foundation-model/{model}"
    body = json.dumps({"query": QUERY, "documents": DOCUMENTS, "api_version": 2})

    def invoke(server, **more):
        return client(server, "bedrock-runtime", **more).invoke_model(modelId=model, body=body)

    def named(code, status):
        def look(c, error):
            c.equal(error.response["Error"]["Code"], code, "error code")
            c.equal(error.response["ResponseMetadata"]["HTTPStatusCode"], status, "status")
            c.true(error.response["Error"]["Message"], "a message")

        return look

    server = servers["bedrock"]
    with check("InvokeModel, signed") as c:
        answer = invoke(server)
        c.true(answer["ResponseMetadata"]["RequestId"], "a request id")
        results = json.loads(answer["body"].read())["results"]
        c.equal(sorted(result["index"] for result in results), list(range(len(DOCUMENTS))), "indexes")
        c.equal(results[0]["index"], 1, "best")
        c.equal(set(results[0]), {"index", "relevance_score"}, "fields")
    with check("Rerank of the agent runtime, signed, numberOfResults") as c:
        answer = client(server, "bedrock-agent-runtime").rerank(
            queries=[{"type": "TEXT", "textQuery": {"text": QUERY}}],
            sources=[
                {"type": "INLINE", "inlineDocumentSource": {"type": "TEXT", "textDocument": {"text": text}}}
                for text in DOCUMENTS
            ],
            rerankingConfiguration={
                "type": "BEDROCK_RERANKING_MODEL",
                "bedrockRerankingConfiguration": {
                    "numberOfResults": 2,
                    "modelConfiguration": {"modelArn": arn},
                },
            },
        )
        c.equal(len(answer["results"]), 2, "results")
        c.equal(answer["results"][0]["index"], 1, "best")
        c.true(0 <= answer["results"][0]["relevanceScore"] <= 1, "a score from 0 to 1")
    with refused("a wrong secret does not sign", ClientError, named("InvalidSignatureException", 403)):
        invoke(server, secret=WRONG)
    with refused("a body that does not fit is ValidationException", ClientError, named("ValidationException", 400)):
        client(server, "bedrock-runtime").invoke_model(modelId=model, body=b'{"query": "a"}')
    with refused("429 is ThrottlingException", ClientError, named("ThrottlingException", 429)):
        invoke(servers["bedrock-busy"])
    with check("429 is tried again where retries are on") as c:
        results = json.loads(invoke(servers["bedrock-busy"], attempts=3)["body"].read())["results"]
        c.equal(results[0]["index"], 1, "best")


def mixedbread(servers):
    import mixedbread as sdk

    def client(server, key=None, retries=0, kind=sdk.Mixedbread):
        return kind(api_key=key or server["key"], base_url=server["url"], max_retries=retries, timeout=20)

    ask = {"model": "mixedbread-ai/mxbai-rerank-large-v2", "query": QUERY, "input": DOCUMENTS}
    server = servers["mixedbread"]
    with check("Mixedbread.rerank: typed answer, inputs returned") as c:
        answer = client(server).rerank(**ask, return_input=True)
        c.ranking(answer.data, "score")
        c.equal(answer.data[0].input, DOCUMENTS[1], "best input")
        c.equal((answer.top_k, answer.return_input, answer.object), (10, True, "list"), "echoes")
        c.true(answer.usage.total_tokens > 0, "tokens")
        unknown = [*(answer.model_extra or {}), *(answer.data[0].model_extra or {}), *(answer.usage.model_extra or {})]
        c.equal(unknown, [], "fields that the client's types do not have")
    with check("Mixedbread.rerank: top_k") as c:
        c.ranking(client(server).rerank(**ask, top_k=2).data, "score", 2)
    with check("AsyncMixedbread.rerank") as c:
        answer = asyncio.run(client(server, kind=sdk.AsyncMixedbread).rerank(**ask))
        c.ranking(answer.data, "score")
    with refused("a wrong key is AuthenticationError", sdk.AuthenticationError):
        client(server, WRONG).rerank(**ask)
    with refused("top_k of 0 is UnprocessableEntityError", sdk.UnprocessableEntityError):
        client(server).rerank(**ask, top_k=0)
    with refused("429 is RateLimitError", sdk.RateLimitError):
        client(servers["mixedbread-busy"]).rerank(**ask)
    with check("429 is tried again where retries are on") as c:
        c.ranking(client(servers["mixedbread-busy"], retries=2).rerank(**ask).data, "score")


def pinecone(servers):
    import pinecone as sdk
    from pinecone import exceptions

    def client(server, key=None, **more):
        return sdk.Pinecone(api_key=key or server["key"], host=server["url"], timeout=20, **more).inference

    ask = {"model": "bge-reranker-v2-m3", "query": QUERY, "documents": DOCUMENTS}
    server = servers["pinecone"]
    with check("inference.rerank: typed answer, documents returned") as c:
        answer = client(server).rerank(**ask)
        c.ranking(answer.data, "score")
        c.equal(answer.data[0].document["text"], DOCUMENTS[1], "best document")
        c.equal(answer.usage.rerank_units, 1, "rerank units")
        c.equal(answer.model, ask["model"], "model")
    with check("inference.rerank: top_n, no documents, another field, cut at the end") as c:
        texts = [{"id": str(n), "body": text} for n, text in enumerate(DOCUMENTS)]
        answer = client(server).rerank(
            **{**ask, "documents": texts},
            rank_fields=["body"],
            top_n=2,
            return_documents=False,
            parameters={"truncate": "END"},
        )
        c.ranking(answer.data, "score", 2)
        c.equal(answer.data[0].document, None, "document")
    with refused("a wrong key is UnauthorizedException", exceptions.UnauthorizedException):
        client(server, WRONG).rerank(**ask)
    with refused("an unknown model is NotFoundException", exceptions.NotFoundException):
        client(server).rerank(**{**ask, "model": "no-such-model"})
    with refused("a long pair is PineconeApiException", exceptions.PineconeApiException):
        client(server).rerank(**{**ask, "documents": ["word " * 1100]})
    with check("503 is tried again") as c:
        c.ranking(client(servers["pinecone-busy"]).rerank(**ask).data, "score")


CLIENTS = {
    "cohere": cohere,
    "langchain-cohere": langchain_cohere,
    "voyageai": voyageai,
    "boto3": boto3,
    "mixedbread": mixedbread,
    "pinecone": pinecone,
}


def main():
    servers = json.loads(sys.argv[1])
    for package, checks in CLIENTS.items():
        if sys.argv[2:] and package not in sys.argv[2:]:
            continue
        try:
            importlib.import_module(package.replace("-", "_"))
        except ModuleNotFoundError:
            print(f"skipped: {package} is not installed")
            continue
        print(f"{package} {version(package)}")
        checks(servers)
    if failed:
        sys.exit(f"{failed} checks failed")


if __name__ == "__main__":
    main()
