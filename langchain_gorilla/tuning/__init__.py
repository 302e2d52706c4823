"""A model for one's own functions: Gorilla's recipe, on a catalog of yours.

The rooms in order: ``kinds`` says what values a parameter takes; ``questions`` asks for calls of
your functions, among those that a retriever would offer beside them; ``rows`` keeps them, and what
you write or have logged yourself, in the JSON lines that OpenAI's fine-tuning takes; ``examples``
writes a row as the tokens that a model family reads and learns; ``training`` trains; ``measuring``
asks ``ChatGorilla`` and compares. ``commands`` is all of it as ``gorilla tune``.
"""
