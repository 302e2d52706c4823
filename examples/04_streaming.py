"""Tool calls on the terminal while the model writes them.

python examples/04_streaming.py
"""

from langchain_gorilla import ChatGorilla


def send_email(to: str, subject: str, body: str) -> str:
    """Send an email.

    Args:
        to: Address of the recipient.
        subject: Subject line.
        body: Text of the message.
    """
    return f"sent to {to}"


def main() -> None:
    model = ChatGorilla(model="bundled").bind_tools([send_email])
    question = "Send an email to maria@example.com with subject Lunch and body See you at noon."
    message = None
    for chunk in model.stream(question):
        message = chunk if message is None else message + chunk
        if chunk.text:
            print(chunk.text, end="", flush=True)
        for piece in chunk.tool_call_chunks:
            if piece["name"]:
                print(f"\n[{piece['index']}] {piece['name']} ", end="", flush=True)
            print(piece["args"] or "", end="", flush=True)
    print("\n\ncalls:        ", message.tool_calls)
    print("finish reason:", message.response_metadata["finish_reason"])


if __name__ == "__main__":
    main()
