"""Drives the `cohere` package's rerank against a base URL and prints what it got as one JSON object.

Runs in an environment of its own, with nothing of this project.
"""
# pyright: basic, reportMissingImports=false, reportAttributeAccessIssue=false, reportIndexIssue=false

import json
import sys

import cohere

TEXTS = ["about rain", "about big worlds", "about soup"]


def main(base_url, api_key, models):
    """Rerank for every model, and once with a wrong key."""
    got = {}
    for role, model in json.loads(models).items():
        client = cohere.Client(api_key=api_key, base_url=base_url)
        ranked = client.rerank(model=model, query="big worlds", documents=TEXTS, top_n=2)
        got[role] = [[each.index, each.relevance_score] for each in ranked.results]
        try:
            cohere.Client(api_key="sk-wrong", base_url=base_url).rerank(model=model, query="q", documents=TEXTS)
        except cohere.UnauthorizedError as error:
            got["wrong_key"] = error.status_code
    sys.stdout.write(json.dumps(got))


if __name__ == "__main__":
    main(*sys.argv[1:])
