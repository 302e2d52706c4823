import asyncio
import gzip
import re
import threading
import time
from dataclasses import replace
from urllib.parse import quote

import httpx
import pytest
from langchain_core.tools import ToolException

from langchain_gorilla.sources.http import HttpRequest, HttpSettings, asend, send
from langchain_gorilla.sources.http_answers import tool_result
from tests.sources.local_server import Answer, Received, as_json, serving

pytestmark = pytest.mark.allow_hosts(["127.0.0.1", "localhost", "::1"])

QUICK = HttpSettings(timeout_s=5, retries=2)
GIGABYTE = 1 << 30


def request(url: str, method: str = "GET", base_url: str | None = None, **fields) -> HttpRequest:
    return HttpRequest(f"{method} it", method, url, base_url or url, **fields)


def result(given: HttpRequest, settings: HttpSettings = QUICK):
    return tool_result(given, send(given, settings), settings)


def answers(*given: Answer):
    """Answer with the first, the second, and then always with the last."""
    left = list(given)
    return lambda received: left.pop(0) if len(left) > 1 else left[0]


def test_what_is_sent_arrives_and_what_is_answered_comes_back():
    with serving(lambda received: as_json({"ok": True})) as server:
        given = request(
            f"{server.url}/a%2Fb?c=d%20e",
            "POST",
            server.url,
            headers={"X-One": "1"},
            credentials={"Authorization": "Bearer abcdef"},
            body=b"text",
        )
        content, artifact = result(given)
    assert server.last.method == "POST"
    assert server.last.target == "/a%2Fb?c=d%20e"
    assert server.last.header("x-one") == "1"
    assert server.last.header("authorization") == "Bearer abcdef"
    assert server.last.body == b"text"
    assert content == '{"ok": true}'
    assert artifact["body"] == {"ok": True}
    assert artifact["status"] == 200


@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
def test_the_type_of_a_body_is_its_writers(name: str):
    given = {"headers": {"Content-Type": "multipart/form-data; boundary=x"}, "body": b"--x--"}
    with serving() as server:
        result(request(server.url, "POST", credentials={name: "application/json"}, **given))
        assert server.last.header("content-type") == "multipart/form-data; boundary=x"
        result(request(server.url, "POST", credentials={name: "application/json"}, body=b"1"))
        assert server.last.header("content-type") == "application/json"


def test_the_callers_headers_take_the_place_of_others_in_any_spelling():
    with serving() as server:
        result(request(server.url, headers={"X-Team": "a"}, credentials={"x-team": "b"}))
    assert server.last.header("x-team") == "b"


def test_blanks_around_a_header_are_left_out():
    with serving() as server:
        result(request(server.url, headers={"X-It": " a,b \t"}))
    assert server.last.header("x-it") == "a,b"


async def test_async_and_sync_send_the_same():
    with serving() as server:
        given = request(f"{server.url}/x", base_url=server.url)
        # A running loop in this thread is no hindrance for the sync call.
        assert await asend(given, QUICK) == send(given, QUICK)
    first, second = server.received
    assert first == second


def test_a_busy_server_is_asked_again_when_it_says():
    with serving(answers(Answer(503, headers={"Retry-After": "0"}), as_json(1))) as server:
        assert result(request(server.url))[0] == "1"
    assert len(server.received) == 2


@pytest.mark.parametrize(("method", "times"), [("GET", 3), ("PUT", 3), ("POST", 1), ("PATCH", 1)])
def test_only_idempotent_methods_are_repeated(method: str, times: int):
    with (
        serving(lambda received: Answer(503, headers={"Retry-After": "0"})) as server,
        pytest.raises(ToolException, match="503 Service Unavailable"),
    ):
        result(request(server.url, method))
    assert len(server.received) == times


@pytest.mark.parametrize(("method", "times"), [("DELETE", 3), ("POST", 1)])
def test_a_connection_that_breaks_is_repeated_where_that_is_harmless(method: str, times: int):
    with (
        serving(lambda received: lambda connection: None) as server,
        pytest.raises(ToolException, match="the connection to the server broke") as caught,
    ):
        result(request(server.url, method))
    assert len(server.received) == times
    assert "may or may not have been carried out" in str(caught.value)


def test_a_wait_beyond_the_deadline_is_not_begun():
    with serving(lambda received: Answer(429, headers={"Retry-After": "3600"})) as server:
        began = time.monotonic()
        with pytest.raises(ToolException, match="try again in 3600 seconds"):
            result(request(server.url))
    assert time.monotonic() - began < QUICK.timeout_s
    assert len(server.received) == 1


def test_a_date_in_retry_after_is_understood():
    past = "Wed, 21 Oct 2015 07:28:00 GMT"
    with serving(answers(Answer(429, headers={"Retry-After": past}), as_json(1))) as server:
        assert result(request(server.url))[0] == "1"


def never(connection) -> None:
    time.sleep(2)


def dripping_headers(connection) -> None:
    connection.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(40):
        connection.write(b"X-%d: 1\r\n" % number)
        time.sleep(0.05)


def dripping_body(connection) -> None:
    connection.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(40):
        connection.write(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("server_does", [never, dripping_headers, dripping_body])
def test_a_server_that_never_finishes_ends_at_the_deadline(server_does):
    with serving(lambda received: server_does) as server:
        began = time.monotonic()
        with pytest.raises(ToolException, match=r"no complete answer within 0\.5 seconds"):
            result(request(server.url), HttpSettings(timeout_s=0.5))
        assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("rounds", range(3))
async def test_no_cancellation_is_lost_beside_an_answer(rounds: int):
    loop = asyncio.get_running_loop()

    def cancel_after(rounds: int) -> None:
        if rounds:
            loop.call_soon(cancel_after, rounds - 1)
        else:
            task.cancel()

    async def answer(received: httpx.Request) -> httpx.Response:
        loop.call_soon(cancel_after, rounds)
        return httpx.Response(200, stream=httpx.ByteStream(b""))

    async def call() -> None:
        await asend(request("http://127.0.0.1/x"), settings)
        await asyncio.sleep(20)

    settings = HttpSettings(client_options={"transport": httpx.MockTransport(answer)})
    task = asyncio.create_task(call())
    await asyncio.wait((task,), timeout=2)
    assert task.cancelled()


async def test_a_cancelled_call_stops():
    with serving(lambda received: never) as server:
        task = asyncio.create_task(asend(request(server.url), QUICK))
        while not server.received:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


def test_a_server_that_is_not_there_is_an_error_for_the_model():
    with serving() as server:
        url = server.url
    with pytest.raises(ToolException, match="could not be reached"):
        result(request(url), HttpSettings(retries=0))


def test_of_a_gigabyte_only_the_limit_is_read():
    sent = 0
    done = threading.Event()

    def gigabyte(connection) -> None:
        nonlocal sent
        connection.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % GIGABYTE
        )
        piece = b"x" * 65536
        try:
            while sent < GIGABYTE:
                connection.write(piece)
                sent += len(piece)
        finally:
            done.set()

    with serving(lambda received: gigabyte) as server:
        content, artifact = result(
            request(server.url), HttpSettings(max_bytes=100_000, max_characters=1_000)
        )
        assert done.wait(5)
    assert len(artifact["body"]) == 100_000
    assert artifact["is_cut"]
    assert len(content) < 1_300
    assert "1,000 of 100,000 characters shown" in content
    assert "This is not all of the answer" in content
    # What the sockets' own buffers took.
    assert sent < 50_000_000


def test_a_small_packed_body_that_is_a_gigabyte_is_unpacked_to_the_limit():
    bomb = gzip.compress(b"\0" * (1 << 26))
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/plain"}
    with serving(lambda received: Answer(200, bomb, headers)) as server:
        _, artifact = result(request(server.url), HttpSettings(max_bytes=1_000))
    assert len(artifact["body"]) == 1_000
    assert artifact["is_cut"]


def test_a_packed_body_is_unpacked():
    packed = gzip.compress(b'{"a": 1}')
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    with serving(lambda received: Answer(200, packed, headers)) as server:
        assert result(request(server.url))[1]["body"] == {"a": 1}


def test_all_members_of_a_packed_body_are_unpacked():
    packed = gzip.compress(b"first\n") + gzip.compress(b"second\n")
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/csv"}
    with serving(lambda received: Answer(200, packed, headers)) as server:
        _, artifact = result(request(server.url))
    assert artifact["body"] == "first\nsecond\n"
    assert not artifact["is_cut"]


def test_a_packed_body_without_its_end_is_cut():
    packed = gzip.compress(b"line\n" * 500)[:-20]
    headers = {"Content-Encoding": "gzip", "Content-Type": "text/csv"}
    with serving(lambda received: Answer(200, packed, headers)) as server:
        content, artifact = result(request(server.url))
    assert artifact["is_cut"]
    assert content.endswith("[This is not all of the answer. Ask for less, or for a next page.]")


def test_a_body_that_fills_the_limit_is_not_cut():
    with serving(
        lambda received: Answer(200, b"x" * 1_000, {"Content-Type": "text/plain"})
    ) as server:
        _, artifact = result(request(server.url), HttpSettings(max_bytes=1_000))
    assert not artifact["is_cut"]


BODIES = [
    ("image/png", b"\x89PNG\0", b"\x89PNG\0", r"\[5 bytes of image/png, kept"),
    ("text/plain; charset=latin-1", b"caf\xe9", "café", "^café$"),
    ("text/plain; charset=nonsense", "café".encode(), "café", "^café$"),
    ("application/vnd.api+json", b'[1,"\xc3\xa9"]', [1, "é"], r'^\[1, "é"\]$'),
    ("application/json", b'{"a": ', '{"a": ', r'^\{"a": $'),
    ("application/json", b'"\\ud800"', '"\\ud800"', r'"\\ud800"'),
    ("application/json", b"[" * 100_000, "[" * 100_000, r"^\[\["),
    ("application/json", b"NaN", "NaN", "^NaN$"),
    ("", b'{"a": 1}', {"a": 1}, '{"a": 1}'),
    ("", b"\xff\0", b"\xff\0", r"\[2 bytes of an unknown type"),
    ("text/plain", b"", "", "^200 OK, without a body.$"),
    ("application/json", b'\xef\xbb\xbf{"a": 1}', {"a": 1}, '{"a": 1}'),
    ("application/x-ndjson", b'{"a":1}\n{"a":2}\n', '{"a":1}\n{"a":2}\n', r'^\{"a":1\}'),
    ("application/jsonl", b'{"a":1}\n', '{"a":1}\n', r'^\{"a":1\}'),
    ("application/json-seq", b'\x1e{"a":1}\n', '\x1e{"a":1}\n', r'\{"a":1\}'),
    ("application/vnd.github.v3.diff; charset=utf-8", b"--- a\n", "--- a\n", "^--- a"),
    ("application/pdf; charset=utf-8", b"%PDF\xe2", b"%PDF\xe2", r"\[5 bytes of application/pdf"),
    ("image/gif; charset=latin-1", b"GIF8\0", b"GIF8\0", r"\[5 bytes of image/gif"),
    ("application/x; charset=binary", b"text", b"text", r"\[4 bytes of application/x"),
]


@pytest.mark.parametrize(("media_type", "body", "value", "shown"), BODIES)
def test_a_body_is_read_as_what_it_is(media_type: str, body: bytes, value, shown: str):
    headers = {"Content-Type": media_type} if media_type else {}
    with serving(lambda received: Answer(200, body, headers)) as server:
        content, artifact = result(request(server.url))
    assert artifact["body"] == value
    assert re.search(shown, content)


def test_no_body_is_said_in_words():
    with serving(lambda received: Answer(204)) as server:
        assert result(request(server.url, "DELETE"))[0] == "204 No Content, without a body."


def test_the_next_page_and_what_was_made_are_shown():
    headers = {"Link": '</x?page=2>; rel="next"', "Location": "/x/7"}
    with serving(lambda received: as_json([1], 201, **headers)) as server:
        content, _ = result(request(server.url, "POST"))
    assert content == '[1]\n[Link: </x?page=2>; rel="next"]\n[Location: /x/7]'


STATUSES = [
    (400, "Correct the arguments"),
    (401, "needs a key that the application has not set"),
    (404, "check the identifiers"),
    (418, "418 I'm a Teapot"),
    (500, "The server failed"),
    (599, "answered 599"),
    (300, "Call another tool"),
]


@pytest.mark.parametrize(("status", "words"), STATUSES)
def test_what_is_no_success_is_an_error_with_the_servers_words(status: int, words: str):
    with (
        serving(lambda received: as_json({"message": "no such file"}, status)) as server,
        pytest.raises(ToolException, match=words) as caught,
    ):
        result(request(server.url, "POST"))
    assert "no such file" in str(caught.value)


def test_a_long_error_is_shortened():
    with (
        serving(
            lambda received: Answer(400, b"x" * 100_000, {"Content-Type": "text/plain"})
        ) as server,
        pytest.raises(ToolException) as caught,
    ):
        result(request(server.url))
    assert len(str(caught.value)) < 2_300


def redirect(location: str, status: int = 302) -> Answer:
    return Answer(status, b"", {"Location": location})


def test_a_redirect_within_the_server_is_followed_with_its_keys():
    with serving(answers(redirect("/new?x=1"), as_json(1))) as server:
        given = request(f"{server.url}/old", base_url=server.url, credentials={"X-Key": "secret"})
        assert result(given)[0] == "1"
    assert [each.target for each in server.received] == ["/old", "/new?x=1"]
    assert server.last.header("x-key") == "secret"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_redirect_to_another_host_or_port_is_refused(status: int, host: str):
    with serving() as other:
        there = f"http://{host}:{other.port}/steal"
        with serving(lambda received: redirect(there, status)) as server:
            given = request(server.url, credentials={"Authorization": "Bearer secret"})
            with pytest.raises(ToolException, match=f"redirected to another host, {host}"):
                result(given)
    assert other.received == []


def test_a_named_host_may_be_redirected_to_and_gets_no_keys():
    with serving(lambda received: Answer(200, b"file", {"Content-Type": "text/plain"})) as other:
        there = f"http://localhost:{other.port}/file"
        with serving(lambda received: redirect(there)) as server:
            given = request(
                server.url, credentials={"X-Key": "secret", "Cookie": "a=b"}, headers={"X-A": "1"}
            )
            settings = replace(QUICK, redirect_hosts=frozenset({"localhost"}))
            assert result(given, settings)[0] == "file"
    for name in ("x-key", "cookie", "x-a"):
        assert other.last.header(name) is None


def test_a_named_host_gets_nothing_of_the_clients_own():
    with serving(lambda received: Answer(200, b"file", {"Content-Type": "text/plain"})) as other:
        there = f"http://localhost:{other.port}/file"
        with serving(lambda received: redirect(there)) as server:
            options = {"auth": ("user", "pass"), "headers": {"X-Key": "secret"}}
            options["cookies"] = {"sid": "secret"}
            settings = replace(
                QUICK, redirect_hosts=frozenset({"localhost"}), client_options=options
            )
            assert result(request(server.url), settings)[0] == "file"
    for name in ("authorization", "x-key", "cookie"):
        assert server.last.header(name) is not None
        assert other.last.header(name) is None
    assert other.last.header("user-agent") == "langchain-gorilla"


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(302, "GET", b""), (303, "GET", b""), (307, "POST", b"data"), (308, "POST", b"data")],
)
def test_a_redirected_write_is_repeated_only_where_the_server_asks_for_it(status, method, body):
    with serving(answers(redirect("/next", status), as_json(1))) as server:
        result(request(server.url, "POST", body=b"data", headers={"Content-Type": "text/plain"}))
    assert (server.last.method, server.last.body) == (method, body)


@pytest.mark.parametrize("status", [301, 302])
@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_redirected_write_that_is_no_post_stays_what_it_is(status: int, method: str):
    with serving(answers(redirect("/next", status), as_json(1))) as server:
        result(request(server.url, method, body=b"data", headers={"Content-Type": "text/plain"}))
    assert (server.last.method, server.last.body) == (method, b"data")
    assert server.last.header("content-type") == "text/plain"


@pytest.mark.parametrize(("path", "method"), [("/things", "POST"), ("/things/7", "GET")])
def test_a_post_sent_on_to_the_same_address_by_https_stays_one(path: str, method: str):
    received: list[httpx.Request] = []

    def respond(sent: httpx.Request) -> httpx.Response:
        received.append(sent)
        there = {"Location": f"https://api.example{path}"} if len(received) == 1 else {}
        return httpx.Response(301 if there else 200, headers=there, stream=httpx.ByteStream(b""))

    settings = replace(QUICK, client_options={"transport": httpx.MockTransport(respond)})
    result(request("http://api.example/things", "POST", body=b"data"), settings)
    assert received[1].method == method


def test_redirects_without_end_end():
    with (
        serving(lambda received: redirect("/again")) as server,
        pytest.raises(ToolException, match="more than 5 times"),
    ):
        result(request(server.url))
    assert len(server.received) == 6


@pytest.mark.parametrize("location", ["http://[broken", "file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_to_no_web_address_is_refused(location: str):
    with (
        serving(lambda received: redirect(location)) as server,
        pytest.raises(ToolException, match="redirected to"),
    ):
        result(request(server.url))


def test_no_cookie_is_kept_between_calls():
    with serving(lambda received: as_json(1, **{"Set-Cookie": "session=1"})) as server:
        _, artifact = result(request(server.url))
        result(request(server.url))
    assert server.last.header("cookie") is None
    assert "set-cookie" not in artifact["headers"]


@pytest.mark.parametrize("secret", ["sk-abc/def+ghi", 'with "quotes"', "plain-secret"])
@pytest.mark.parametrize("status", [200, 400])
def test_a_key_that_the_server_sends_back_is_cut_out(secret: str, status: int):
    def echo(received: Received) -> Answer:
        said = {"you": received.header("x-key"), "url": received.target}
        return as_json(said, status, **{"X-Echo": received.header("x-key")})

    with serving(echo) as server:
        url = f"{server.url}/x?key={quote(secret, safe='')}"
        given = request(url, base_url=server.url, credentials={"X-Key": secret}, secrets=(secret,))
        if status == 200:
            seen = repr(result(given))
        else:
            with pytest.raises(ToolException) as caught:
                result(given)
            seen = str(caught.value)
    assert server.last.header("x-key") == secret
    assert "[removed]" in seen
    for spelling in (secret, quote(secret, safe=""), secret.replace('"', '\\"')):
        assert spelling not in seen
    assert secret not in repr(given)


@pytest.mark.parametrize("secret", ["abc", "true", "null", "1042", "1234567"])
def test_a_key_that_cannot_be_told_from_data_leaves_answers_whole(secret: str):
    body = b'{"ok": true, "none": null, "tenant": 10421, "id": 1234567, "abc": ""}'
    with serving(
        lambda received: Answer(200, body, {"Content-Type": "application/json"})
    ) as server:
        assert result(request(server.url, secrets=(secret,)))[0] == body.decode()


def test_a_key_that_is_a_word_of_the_media_type_does_not_change_it():
    with serving(lambda received: as_json({"format": "json"})) as server:
        _, artifact = result(request(server.url, secrets=("json",)))
    assert artifact["media_type"] == "application/json"
    assert artifact["body"] == {"format": "[removed]"}


@pytest.mark.parametrize("end", range(1_000, 1_013))
def test_half_a_key_at_the_limit_is_cut_out_too(end: int):
    body = b"x" * 995 + b"secret-key-1" + b"y" * 1_000
    with serving(lambda received: Answer(200, body, {"Content-Type": "text/plain"})) as server:
        given = request(server.url, secrets=("secret-key-1",))
        _, artifact = result(given, HttpSettings(max_bytes=end))
    assert set(artifact["body"].replace("[removed]", "")) <= {"x", "y"}


@pytest.mark.parametrize(
    "path", ["/v2/../admin", "/v1/../../etc", "/v10", "//other.example/v1", "/v1x/y"]
)
def test_an_address_outside_the_base_is_never_called(path: str):
    with serving() as server, pytest.raises(ToolException, match="lead away"):
        send(request(f"{server.url}{path}", base_url=f"{server.url}/v1"), QUICK)
    assert server.received == []


async def test_a_mock_s_answer_that_was_made_whole_is_read():
    def answer(received: httpx.Request) -> httpx.Response:
        packed = {"content-encoding": "gzip"}
        return httpx.Response(200, content=gzip.compress(b"whole"), headers=packed)

    settings = HttpSettings(client_options={"transport": httpx.MockTransport(answer)})
    assert (await asend(request("http://127.0.0.1/x"), settings)).body == b"whole"
    cut = await asend(request("http://127.0.0.1/x"), replace(settings, max_bytes=2))
    assert (cut.body, cut.is_cut) == (b"wh", True)
