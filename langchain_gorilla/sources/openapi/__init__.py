"""REST APIs: what an OpenAPI description says becomes tools that make the calls.

document → operations → signature (schemas, flattening, names, security) → tool (serialization,
bodies, and the room's ``http``).
"""

from langchain_gorilla.sources.openapi.source import tools_from_openapi

__all__ = ["tools_from_openapi"]
