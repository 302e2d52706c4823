import pytest

from langchain_gorilla.engines.base import GenerationOptions
from langchain_gorilla.errors import UnsupportedOptionError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_tokens": 0}, "max_tokens is 0; expected at least 1"),
        ({"temperature": -1.0}, "temperature is -1.0; expected at least 0"),
        ({"temperature": "hot"}, "temperature is 'hot'; expected at least 0, greedy, as a number"),
        ({"max_tokens": 2.5}, "max_tokens is 2.5; expected at least 1, as a whole number"),
        ({"temperature": float("nan")}, "temperature is nan"),
        ({"top_p": 0.0}, "top_p is 0.0; expected above 0"),
        ({"top_p": 1.1}, "top_p is 1.1"),
        ({"top_k": 0}, "top_k is 0"),
        ({"repetition_penalty": 0.0}, "repetition_penalty is 0.0"),
        ({"timeout_s": 0.0}, "^timeout is 0.0; expected above 0 seconds"),
        ({"timeout_s": 10**400}, "expected above 0 seconds, as a number that a float can hold"),
        ({"stop": ("###", "")}, "stop holds an empty text"),
    ],
)
def test_an_option_outside_its_range_is_refused(options: dict, message: str) -> None:
    with pytest.raises(UnsupportedOptionError, match=message):
        GenerationOptions(**options)
