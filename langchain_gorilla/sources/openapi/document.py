"""An OpenAPI description as a document, with the files beside it that it refers to.

References are followed inside the document and into files below its folder. Nothing is fetched,
and no file outside that folder is opened: a description may come from someone else.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

import yaml

from langchain_gorilla.errors import SourceError
from langchain_gorilla.sources.openapi.discovery import KIND as DISCOVERY
from langchain_gorilla.sources.openapi.discovery import as_openapi
from langchain_gorilla.sources.openapi.yaml_text import expanded_nodes, load_yaml

Version: TypeAlias = Literal["2.0", "3.0", "3.1"]

_MAX_EXPANDED: Final = 10_000_000
_MAX_LINKS: Final = 50


class UnreadableError(Exception):
    """A part of a description cannot be used; the text becomes a refusal's reason."""


class Place(NamedTuple):
    """Where a part of a description stands.

    Attributes:
        file: The name of its file, relative to the description's folder; ``""`` for itself.
        pointer: A JSON pointer.
    """

    file: str
    pointer: str


@dataclass
class Document:
    """A description.

    Attributes:
        root: Its content.
        version: Of OpenAPI, as far as it matters; 3.2 reads like 3.1.
        origin: The name of its file, or its title.
        folder: Where its files are; None for one that is no file.
    """

    root: Mapping[str, Any]
    version: Version
    origin: str
    folder: Path | None = None
    _files: dict[str, Any] = field(default_factory=dict, repr=False)

    def place(self, reference: str, file: str) -> Place:
        """Return where a reference in a file leads to.

        Raises:
            UnreadableError: Into the web, or out of the folder.
        """
        target, _, pointer = reference.partition("#")
        if target:
            if urlsplit(target).scheme or target.startswith("//"):
                raise UnreadableError(
                    f"It refers to {reference!r:.200}, and nothing is fetched. Put that file "
                    "beside the description and refer to it by name."
                )
            file = self._below(file, unquote(target), reference)
        return Place(file, unquote(pointer))

    def at(self, place: Place) -> Any:
        """Return what stands there.

        Raises:
            UnreadableError: Nothing does.
        """
        node: Any = self._content(place.file)
        if place.pointer and not place.pointer.startswith("/"):
            raise UnreadableError(f"It refers to the anchor {place.pointer!r:.120}: unknown here.")
        for step in place.pointer.split("/")[1:]:
            step = step.replace("~1", "/").replace("~0", "~")
            try:
                node = node[int(step)] if isinstance(node, list) else node[step]
            except (KeyError, IndexError, ValueError, TypeError):
                where = f"{place.file}#{place.pointer}"
                raise UnreadableError(
                    f"It refers to {where!r:.200}, which the description does not hold."
                ) from None
        return node

    def resolved(self, node: Any, file: str) -> tuple[Any, str]:
        """Follow a node that is a reference; return what it means and in which file it stands.

        Raises:
            UnreadableError: It leads nowhere, or round in a circle.
        """
        for _ in range(_MAX_LINKS):
            if not isinstance(node, Mapping) or not isinstance(node.get("$ref"), str):
                return node, file
            place = self.place(node["$ref"], file)
            node, file = self.at(place), place.file
        raise UnreadableError("Its references lead round in a circle.")

    def _below(self, file: str, target: str, reference: str) -> str:
        if self.folder is None:
            raise UnreadableError(
                f"It refers to the file {reference!r:.200}. Give the path of the description "
                "instead of its content, so that the files beside it are found."
            )
        path = (self.folder / file).parent / target if file else self.folder / target
        try:
            path = path.resolve()
        except ValueError:
            raise UnreadableError(f"It refers to {reference!r:.200}, which is no file.") from None
        if not path.is_relative_to(self.folder):
            raise UnreadableError(
                f"It refers to {reference!r:.200}, outside the description's folder, which is "
                "not opened."
            )
        name = path.relative_to(self.folder).as_posix()
        return "" if name == self.origin else name

    def _content(self, file: str) -> Any:
        if not file:
            return self.root
        if file not in self._files:
            assert self.folder is not None
            try:
                self._files[file] = _parsed(self.folder / file)
            except SourceError as error:
                raise UnreadableError(str(error)) from None
        return self._files[file]


def read_document(source: str | Path | Mapping[str, Any]) -> Document:
    """Read a description.

    Args:
        source: The path of a JSON or YAML file, or its content.

    Raises:
        SourceError: It cannot be read, or is no OpenAPI description.
    """
    if isinstance(source, Mapping):
        root, folder, origin = _writable(source, "The dict"), None, ""
    elif isinstance(source, str | Path):
        if re.match(r"https?://", str(source)):
            raise SourceError(
                "The description is a web address, and nothing is fetched. Save it, and give the "
                "path of the file."
            )
        try:
            path = Path(source).resolve()
        except ValueError:
            raise SourceError(
                "The path of the description holds a NUL character. Expected the path of a JSON or "
                "YAML file; give the description's content as a dict."
            ) from None
        root, folder, origin = _parsed(path), path.parent, path.name
    else:
        raise SourceError(
            f"An OpenAPI description is {type(source).__name__}. Expected a path or a dict."
        )
    what = origin or "The dict"
    if not isinstance(root, Mapping):
        raise SourceError(
            f"{what} holds {_kind(root)}. Expected an OpenAPI description: an object with 'openapi' "
            "or 'swagger'."
        )
    kind = root.get("kind")
    if kind == DISCOVERY:
        root = _as_openapi(root, what)
    elif isinstance(kind, str) and kind.startswith("discovery#"):
        raise SourceError(
            f"{what} is a {kind:.40} of Google's. Save the one of a single API, a {DISCOVERY}."
        )
    version = _version(root, what)
    if not isinstance(root.get("paths", {}), Mapping | None):
        raise SourceError(f"{what}: 'paths' is no object. Expected paths with their operations.")
    if not any(isinstance(root.get(part), Mapping) for part in ("paths", "webhooks", "components")):
        raise SourceError(f"{what} has no 'paths', so it describes no operation.")
    if not origin:
        info = root.get("info")
        title = info.get("title") if isinstance(info, Mapping) else None
        origin = title if isinstance(title, str) and title else "OpenAPI description"
    return Document(root, version, origin, folder)


def _kind(value: Any) -> str:
    """Say in JSON's words what a file holds; an empty file and YAML's null are the same."""
    if value is None:
        return "nothing, or null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value!r:.40}"
    return "a list" if isinstance(value, list) else f"only the text {str(value)!r:.40}"


def _as_openapi(root: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    try:
        return as_openapi(root, what)
    except RecursionError:
        raise SourceError(f"{what} is nested too deeply.") from None


def _version(root: Mapping[str, Any], what: str) -> Version:
    # In YAML without quotes a version is a number.
    given = str(root.get("openapi", root.get("swagger", "")))
    if "openapi" in root and given.startswith("3."):
        return "3.0" if given.startswith("3.0") else "3.1"
    if "swagger" in root and given.startswith("2"):
        return "2.0"
    if given:
        raise SourceError(f"{what} is of version {given!r:.40}. Known: OpenAPI 3, Swagger 2.0.")
    raise SourceError(
        f"{what} is no OpenAPI description: neither 'openapi' nor 'swagger' says its version."
    )


def _parsed(path: Path) -> Any:
    """Read a JSON or YAML file.

    Raises:
        SourceError: There is none, or it is neither.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SourceError(f"{path.name} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise SourceError(f"{path.name} is no text in UTF-8: {error}.") from None
    try:
        if text.lstrip()[:1] in ("{", "["):
            try:
                return _writable(json.loads(text), path.name)
            except json.JSONDecodeError:
                if path.suffix.lower() == ".json":
                    raise
        value = load_yaml(text)
        if expanded_nodes(value) > _MAX_EXPANDED:
            raise SourceError(
                f"{path.name} repeats its parts by aliases over {_MAX_EXPANDED:,} times. Write "
                "them once, under 'components', and refer to them."
            )
    except RecursionError:
        raise SourceError(
            f"{path.name} is nested too deeply, or an alias stands inside what it names."
        ) from None
    except (ValueError, yaml.YAMLError) as error:
        if isinstance(error, SourceError):
            raise
        kind = "JSON" if path.suffix.lower() == ".json" else "JSON or YAML"
        raise SourceError(f"{path.name} is no valid {kind}: {error}.") from None
    return _writable(value, path.name)


def _writable(value: Any, what: str) -> Any:
    """Return a value without the lone surrogates that JSON lets in and no prompt can carry.

    Raises:
        SourceError: It holds itself.
    """
    try:
        json.dumps(value, ensure_ascii=False, default=str, skipkeys=True).encode()
    except UnicodeEncodeError:
        return _without_surrogates(value)
    except ValueError as error:
        raise SourceError(f"{what} cannot be written as JSON: {error}.") from None
    except RecursionError:
        # What is nested so deeply refuses its own operation.
        return value
    return value


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
    return [_without_surrogates(each) for each in value] if isinstance(value, list) else value
