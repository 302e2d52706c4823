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
    question = "Create a calendar event titled Budget review on 2026-03-14."
    model = ChatGorilla(model="bundled", max_tokens=200)
    print("function_calling:", repr(model.with_structured_output(CalendarEvent).invoke(question)))
    # A grammar holds the answer to the schema in every method; what stands in it is up to the model.
    for method in ("json_schema", "json_mode"):
        structured = model.with_structured_output(CalendarEvent, method=method, include_raw=True)
        result = structured.invoke(question)
        print(f"{method}:", repr(result["parsed"] or result["parsing_error"]))


if __name__ == "__main__":
    main()
