"""Six tools, and an embedder that is real and small."""

import hashlib
import math
import re

from langchain_core.embeddings import Embeddings


class HashedWords(Embeddings):
    """Bags of hashed words: as deterministic as a table, as alike as their words."""

    def __init__(self, size: int = 256, model: str = "words") -> None:
        self.size = size
        self.model = model
        self.documents: list[str] = []

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.documents += texts
        return [self._vector(text) for text in texts]

    def embed_query(self, text: str) -> list[float]:
        return self._vector(text)

    def _vector(self, text: str) -> list[float]:
        vector = [0.0] * self.size
        for word in re.findall(r"\w+", text.lower()):
            vector[int(hashlib.md5(word.encode()).hexdigest(), 16) % self.size] += 1.0
        length = math.sqrt(sum(value * value for value in vector)) or 1.0
        return [value / length for value in vector]


def document(name: str, description: str, **parameters: str) -> dict:
    return {
        "name": name,
        "description": description,
        "parameters": {
            "type": "object",
            "properties": {
                parameter: {"type": "string", "description": text}
                for parameter, text in parameters.items()
            },
        },
    }


DOCUMENTS = [
    document("get_weather", "Forecast rain, sun and wind for a city.", city="Name of the city"),
    document("send_mail", "Send an electronic letter.", to="Address", text="What to say"),
    document("github.create_issue", "Report a bug in a repository.", title="Title of the issue"),
    document("sort", "Put the lines of a file in order.", file="Path of the file"),
    document("convert_currency", "Exchange an amount of money.", amount="How much"),
    document("book_flight", "Reserve a seat on an airplane.", origin="Airport of departure"),
]
