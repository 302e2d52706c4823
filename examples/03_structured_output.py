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
    # A grammar holds the answer to the schema: every field is there, whatever the model thinks.
    model = ChatGorilla(model="bundled", max_tokens=200).with_structured_output(CalendarEvent)
    event = model.invoke("Create a calendar event titled Budget review on 2026-03-14.")
    print(repr(event))


if __name__ == "__main__":
    main()
