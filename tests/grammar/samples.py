import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from langchain_gorilla.calls import CallSyntax, Literals

V2 = CallSyntax(opening="<<function>>", separator="<<function>>", closing="")
SYNTAXES = {
    "openfunctions-v2": V2,
    "openfunctions-v1": CallSyntax(opening="", separator=", ", closing=""),
    "llama": CallSyntax(opening="[", separator=", ", closing="]"),
    "lfm2": CallSyntax(
        opening="<|tool_call_start|>[", separator=", ", closing="]<|tool_call_end|>", quote='"'
    ),
    "olmo3": CallSyntax(
        opening="<function_calls>",
        separator="\n",
        closing="</function_calls>",
        literals=Literals.JSON,
    ),
    "nexusraven": CallSyntax(opening="Call: ", separator="; ", closing=""),
}
_CORPUS = [
    "<<function>>get_weather(city='Boston', unit='celsius')<<function>>add(a=1, b=-2.5)",
    "[f(a=[1, 2], b={'key': 'value'}), g(c=True, d=None)]",
    "I can look that up for you. What would you like to know about Boston?",
    '{"city": "Paris", "days": 12, "ok": true, "none": null}',
]


def tokenizer_json(*, special: tuple[str, ...] = (), padding: int = 0) -> str:
    """A small byte-level vocabulary, trained here."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420,
        special_tokens=["<|end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_CORPUS * 4, trainer)
    tokenizer.add_tokens([*special, *(f"[PAD{n}]" for n in range(padding))])
    return tokenizer.to_str()


def id_of(text: str, source: str) -> int:
    return next(t["id"] for t in json.loads(source)["added_tokens"] if t["content"] == text)
