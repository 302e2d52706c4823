"""A structured answer whose short texts are refused."""

from pydantic import BaseModel, field_validator


class Report(BaseModel):
    """A report."""

    text: str

    @field_validator("text")
    @classmethod
    def _long(cls, text: str) -> str:
        if len(text) < 10:
            raise ValueError("too short")
        return text
