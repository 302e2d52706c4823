import re

import pytest

from langchain_gorilla.errors import SourceError
from langchain_gorilla.sources.http import HttpRequest, HttpSettings, send
from tests.sources.local_server import serving

BAD_SETTINGS = [
    ({"timeout_s": None}, "timeout_s= is None. Expected seconds, above 0"),
    ({"timeout_s": 0}, "timeout_s= is 0. Expected seconds, above 0"),
    ({"timeout_s": float("nan")}, "timeout_s= is nan. Expected seconds"),
    ({"connect_timeout_s": "10"}, "connect_timeout_s= is '10'. Expected seconds"),
    ({"retries": -1}, "retries= is -1. Expected a whole number, 0 or more"),
    ({"max_bytes": 1e6}, "max_bytes= is 1000000.0. Expected a whole number"),
    ({"max_characters": None}, "max_characters= is None. Expected a whole number"),
    ({"redirect_hosts": "files.example.com"}, "Expected a set of host names, such as"),
    ({"redirect_hosts": None}, "redirect_hosts= is None. Expected a set"),
    ({"redirect_hosts": {1}}, "redirect_hosts= is {1}. Expected a set"),
    ({"client_options": {"params": {"k": "1"}}}, "'params', which every call sets itself"),
    ({"client_options": {"timeout": 1}}, "Use timeout_s= and connect_timeout_s="),
    ({"client_options": {"follow_redirects": True}}, "Use redirect_hosts="),
    ({"client_options": {"base_url": "http://x"}}, "Use base_url= of the tools' source"),
    ({"client_options": {"verfy": False}}, "httpx.AsyncClient does not take. Known: auth, cert"),
    ({"client_options": "verify"}, "Expected a dict of options"),
]


@pytest.mark.parametrize(("given", "words"), BAD_SETTINGS)
def test_a_setting_that_cannot_be_meant_is_refused_at_once(given: dict, words: str):
    with pytest.raises(SourceError, match=re.escape(words)):
        HttpSettings(**given)


@pytest.mark.parametrize("hosts", [frozenset({"a"}), {"a"}, ["a"], ("a",)])
def test_hosts_may_be_in_any_list(hosts):
    assert "a" in HttpSettings(redirect_hosts=hosts).redirect_hosts


@pytest.mark.allow_hosts(["127.0.0.1"])
@pytest.mark.parametrize("name", ["User-Agent", "accept"])
def test_headers_of_the_clients_options_take_the_place_of_our_own(name: str):
    with serving() as server:
        settings = HttpSettings(client_options={"headers": {name: "mine", "X-It": "1"}})
        send(HttpRequest("GET it", "GET", server.url, server.url), settings)
    assert server.last.header(name) == "mine"
    assert server.last.header("x-it") == "1"
    assert server.last.header("accept-encoding") == "gzip"
