"""Gorilla-7B's retriever-aware prompt: one question, one retrieved API document.

Gorilla was trained to read a document that a retriever found, and to judge whether it fits. The
prompt is the same for gorilla-llm/gorilla-7b-hf-v1; what runs here is the bundled model, with the
same document in its own format. python examples/07_retriever_aware_gorilla7b.py [MODEL]
"""

import sys

from langchain_gorilla import ChatGorilla

QUESTION = "Find the objects in the picture street.jpg."
DOCUMENT = {
    "name": "Object detection",
    "api_call": "detect_objects",
    "description": "Find objects in a picture and return a box for each.",
    "parameters": [{"name": "image", "description": "File name of the picture"}],
}


def main() -> None:
    gorilla_7b = ChatGorilla(model="gorilla-llm/gorilla-7b-hf-v1")
    print("What Gorilla-7B reads:\n")
    print(gorilla_7b.prompt_text(QUESTION, tools=[DOCUMENT]))

    model = ChatGorilla(model=sys.argv[1] if len(sys.argv) > 1 else "bundled", max_tokens=100)
    answer = model.bind_tools([DOCUMENT]).invoke(QUESTION)
    print(f"\nWhat {model.model} answers:\n")
    print("calls:", answer.tool_calls)
    print("text: ", answer.text)


if __name__ == "__main__":
    main()
