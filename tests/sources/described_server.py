"""What a server reads out of a request by the description alone, without this package."""

import email
import email.policy
import json
import re
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.sources.local_server import Received

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")


class DescribedServer:
    """Reads requests as one OpenAPI 3.0 description says, with plain styles."""

    def __init__(self, description: dict, base_path: str = "") -> None:
        self.description = description
        self.base_path = base_path

    def resolved(self, node: dict) -> dict:
        while "$ref" in node:
            target: Any = self.description
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def operations(self) -> list[tuple[str, str, dict, list[dict]]]:
        """Method, path, operation and all its parameters."""
        return [
            (
                method.upper(),
                path,
                item[method],
                [
                    self.resolved(each)
                    for each in [*item.get("parameters", []), *item[method].get("parameters", [])]
                ],
            )
            for path, item in self.description["paths"].items()
            for method in item
            if method in METHODS
        ]

    def decoded(
        self, received: Received, path: str, operation: dict, parameters: list[dict]
    ) -> dict:
        """Return what arrived, by place and name, every value of the type that is described."""
        found: dict[str, Any] = {"path": {}, "query": {}, "header": {}}
        template = self.base_path + path.partition("#")[0]
        pattern = "".join(
            f"(?P<p{place}>[^/]+)" if place % 2 else re.escape(part)
            for place, part in enumerate(re.split(r"\{([^}]+)\}", template))
        )
        names = re.findall(r"\{([^}]+)\}", template)
        match = re.fullmatch(pattern, received.path)
        assert match, f"{received.path} is not {template}"
        values = dict(zip(names, match.groups(), strict=True))
        pairs = [pair.partition("=")[::2] for pair in received.query.split("&") if pair]
        for parameter in parameters:
            name, schema = parameter["name"], self.resolved(parameter["schema"])
            if parameter["in"] == "path":
                found["path"][name] = _typed(unquote(values.pop(name)), schema)
            elif parameter["in"] == "query":
                given = [value for key, value in pairs if unquote(key) == name]
                pairs = [pair for pair in pairs if unquote(pair[0]) != name]
                if given and schema["type"] == "array":
                    if not parameter.get("explode", True):
                        assert len(given) == 1
                        given = given[0].split(",")
                    found["query"][name] = [
                        _typed(unquote(each), self.resolved(schema["items"])) for each in given
                    ]
                elif given:
                    assert len(given) == 1
                    found["query"][name] = _typed(unquote(given[0]), schema)
            elif (value := received.header(name)) is not None:
                found["header"][name] = _typed(value.encode("latin-1").decode("utf-8"), schema)
        assert not values, f"{values} in the path are not described"
        assert not pairs, f"{pairs} in the query are not described"
        if received.body:
            found["body"] = self._body(received, operation)
        return found

    def _body(self, received: Received, operation: dict) -> Any:
        media_type = received.header("content-type").partition(";")[0]
        content = self.resolved(operation["requestBody"])["content"]
        assert media_type in content, f"{media_type} is not described"
        if media_type.endswith("json"):
            return json.loads(received.body)
        if media_type == "application/x-www-form-urlencoded":
            return dict(parse_qsl(received.body.decode(), strict_parsing=True))
        if media_type == "multipart/form-data":
            head = f"Content-Type: {received.header('content-type')}\r\n\r\n".encode()
            message = email.message_from_bytes(head + received.body, policy=email.policy.HTTP)
            return {
                part.get_param("name", header="content-disposition"): part.get_payload(
                    decode=True
                ).decode()
                for part in message.iter_parts()
            }
        return received.body.decode()


def _typed(text: str, schema: dict) -> Any:
    match schema.get("type"):
        case "integer":
            return int(text)
        case "number":
            return float(text)
        case "object":
            # No style says how an object in a list is written; JSON is what servers expect.
            return json.loads(text)
        case "boolean":
            return {"true": True, "false": False}[text]
    return text
