"""The evaluation functions that ``cases/harness.py`` asks an adapter for.

``APIBENCH_GRAMMAR`` may name a compiled grammar, as ``gorilla eval apibench --grammar`` does.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

from langchain_gorilla.evaluation.apibench import PaperMatcher, StrictMatcher
from langchain_gorilla.evaluation.apibench_data import Api, bundled_benchmark
from langchain_gorilla.evaluation.bfcl_checker import check_calls
from langchain_gorilla.evaluation.bfcl_decoder import decode_calls


def bfcl_check(
    functions: list[dict[str, Any]],
    model_output: list[dict[str, Any]],
    possible_answer: list[dict[str, Any]],
    language: Any,
    category: str,
) -> dict[str, Any]:
    verdict = check_calls(
        functions, model_output, possible_answer, language=language, category=category
    )
    return {"valid": verdict.valid, "error_type": verdict.error_type}


def bfcl_decode(text: str) -> list[dict[str, Any]]:
    return decode_calls(text)


@cache
def _matcher(hub: Any) -> PaperMatcher:
    grammar = os.environ.get("APIBENCH_GRAMMAR")
    return PaperMatcher(
        hub, bundled_benchmark(hub).apis, grammar=Path(grammar) if grammar else None
    )


def apibench_verdict(hub: str, text: str, gold_domain: str) -> str:
    return _matcher(hub).verdict(text, gold_domain).verdict


def apibench_verdict_db(
    hub: Any, text: str, gold_domain: str, db: list[dict[str, str]], strict: bool
) -> str:
    apis = [Api(row["api_call"], row["domain"]) for row in db]
    if strict:
        return StrictMatcher(apis).verdict(text, gold_domain)
    return PaperMatcher(hub, apis).verdict(text, gold_domain).verdict
