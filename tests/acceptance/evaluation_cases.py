"""The evaluation functions that ``cases/harness.py`` asks an adapter for."""

from functools import cache
from typing import Any

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
