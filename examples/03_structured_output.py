"""The answer as a Pydantic object.

python examples/03_structured_output.py
"""

from pydantic import BaseModel, Field

from langchain_gorilla import ChatGorilla


class CalendarEvent(BaseModel):
    """Create a calendar event."""

    title: str = Field(description="Title of the event")
    date: str = Field(description="Date of the event")


def main() -> None:
    model = ChatGorilla(model="bundled").with_structured_output(CalendarEvent, include_raw=True)
    result = model.invoke("Create a calendar event titled Budget review on 2026-03-14.")
    print("parsed:", repr(result["parsed"]))
    if result["parsed"] is None:
        # Until the grammar room lands nothing forces the model to fill the schema.
        print("raw:   ", result["raw"].content, result["raw"].invalid_tool_calls)
        print("error: ", result["parsing_error"])


if __name__ == "__main__":
    main()
