"""Vocabularies made here, one for each way in which tokenizers treat spaces and bytes."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from langchain_gorilla.engines.encoding import PromptEncoder
from langchain_gorilla.engines.token_text import TokenText
from langchain_gorilla.errors import FormatMismatchError
from langchain_gorilla.formats.base import BOS, EOS, Special

_WORDS = ["▁he", "he", "ll", "▁<", "▁h", "▁"]
_END = Special("<|end|>")


def _byte_level() -> Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {character: index for index, character in enumerate(alphabet)}
    vocabulary |= {"he": 256, "Ġh": 257, "Ġhe": 258, "ðŁ": 259}
    merges = [("h", "e"), ("Ġ", "h"), ("Ġ", "he"), ("ð", "Ł")]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _sentence_piece() -> Tokenizer:
    pieces = [*(f"<0x{byte:02X}>" for byte in range(256)), *map(chr, range(33, 127)), *_WORDS]
    vocabulary = {piece: index for index, piece in enumerate(dict.fromkeys(["<unk>", *pieces]))}
    merges = [("h", "e"), ("▁", "he"), ("▁", "h"), ("l", "l"), ("▁", "<")]
    tokenizer = Tokenizer(
        models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>", byte_fallback=True)
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    tokenizer.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    return tokenizer


def _unigram() -> Tokenizer:
    """Holds special tokens as pieces of the best score, which its model picks from any text."""
    pieces = [("<unk>", 0.0), ("<|end|>", 0.0), *((chr(code), -9.0) for code in range(33, 127))]
    tokenizer = Tokenizer(models.Unigram([*pieces, ("▁", -5.0)], unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    return tokenizer


_KINDS = {"byte_level": _byte_level, "sentence_piece": _sentence_piece, "unigram": _unigram}


def _wrapped(kind: str, *, bos: str | None = "<s>") -> PreTrainedTokenizerFast:
    backend = _KINDS[kind]()
    names = [*([bos] if bos else []), "<|end|>"]
    backend.add_special_tokens([AddedToken(name, special=True) for name in names])
    backend.add_tokens([AddedToken("<<function>>", normalized=False)])
    unk = "<unk>" if kind != "byte_level" else None
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=bos, eos_token="<|end|>", unk_token=unk
    )


def _encoder(kind: str, *, bos: str | None = "<s>") -> PromptEncoder:
    return PromptEncoder(_wrapped(kind, bos=bos), model="a-model")


_encoders = {kind: _encoder(kind) for kind in _KINDS}
_whole = {kind: _wrapped(kind) for kind in _KINDS}
_kinds = st.sampled_from(sorted(_KINDS))
# Words without a special token's spelling, with spaces where they matter: at the edges.
_benign = st.text(alphabet="he l\n<é😀", max_size=8)
_with_specials = st.lists(
    st.sampled_from(["he", " ", "<|end|>", "<s>", "<|", "end|>", "<", "s>", "\ud83d", "é"])
).map("".join)


@given(kind=_kinds, text=_with_specials)
def test_text_never_becomes_a_special_token(kind: str, text: str) -> None:
    encoder = _encoders[kind]
    specials = {encoder.specials["<s>"], encoder.specials["<|end|>"]}
    assert specials.isdisjoint(encoder.encode((text,)))
    assert encoder.encode((BOS, text, _END)).count(encoder.specials["<s>"]) == 1


@given(kind=_kinds, first=_benign, second=_benign)
def test_benign_runs_have_the_ids_of_the_whole_text(kind: str, first: str, second: str) -> None:
    encoder, whole = _encoders[kind], _whole[kind]
    bos = whole.bos_token_id
    text = f"{first}<|end|>{second}"
    expected = [bos, *whole.encode(text, add_special_tokens=False)]
    assert encoder.encode((BOS, first, _END, second)) == expected


def test_a_run_after_a_special_token_gets_no_dummy_space() -> None:
    encoder = _encoders["sentence_piece"]
    assert encoder.decode(encoder.encode((_END, "he"))) == "<|end|>he"


def test_neighbouring_strings_are_one_run() -> None:
    for encoder in _encoders.values():
        assert encoder.encode(("h", "e", "", " h")) == encoder.encode(("he h",))


def test_added_tokens_that_are_not_special_are_found_in_text() -> None:
    encoder = _encoders["byte_level"]
    assert encoder.encode(("<<function>>",)) == [encoder.find("<<function>>")]


def test_bos_vanishes_where_the_tokenizer_has_none() -> None:
    encoder = _encoder("sentence_piece", bos=None)
    assert encoder.encode((BOS, "he")) == encoder.encode(("he",))


def test_roles_are_filled_from_the_tokenizer() -> None:
    encoder = _encoders["byte_level"]
    assert encoder.encode((BOS, EOS)) == [encoder.specials["<s>"], encoder.specials["<|end|>"]]


def test_a_special_token_that_the_vocabulary_lacks_is_named() -> None:
    with pytest.raises(FormatMismatchError, match=r"'<\|eot_id\|>'.*'a-model'.*Pass format="):
        _encoders["byte_level"].encode((Special("<|eot_id|>"),))


def test_surrogate_pairs_join_and_lone_surrogates_become_replacement_characters() -> None:
    encoder = _encoders["byte_level"]
    assert encoder.encode(("\ud83d\ude00",)) == encoder.encode(("😀",))
    assert encoder.encode(("a\ud83d",)) == encoder.encode(("a\ufffd",))


@settings(max_examples=300)
@given(kind=st.sampled_from(["byte_level", "sentence_piece"]), text=st.text(max_size=30))
def test_pieces_join_to_the_decoded_whole(kind: str, text: str) -> None:
    encoder = _encoders[kind]
    ids = encoder.encode((text,))
    growing = TokenText(encoder.decode, hidden=())
    pieces = [growing.add(index) for index in ids]
    assert "".join(pieces) + growing.close() == encoder.decode(ids)
    # SentencePiece itself does not tell "he" from " he".
    assert encoder.decode(ids) in (text, text[1:])


@given(kind=st.sampled_from(["byte_level", "sentence_piece"]), text=st.text(max_size=30))
def test_no_piece_holds_a_part_of_a_character(kind: str, text: str) -> None:
    encoder = _encoders[kind]
    growing = TokenText(encoder.decode, hidden=())
    pieces = [growing.add(index) for index in encoder.encode((text.replace("\ufffd", ""),))]
    assert "\ufffd" not in "".join(pieces)


def test_a_broken_character_at_the_end_is_shown_as_such() -> None:
    encoder = _encoders["byte_level"]
    growing = TokenText(encoder.decode, hidden=())
    shown = [growing.add(index) for index in encoder.encode(("he😀",))[:-1]]
    assert "".join(shown) == "he"
    assert growing.close() == "\ufffd"


def test_endless_broken_characters_are_shown_in_linear_time() -> None:
    encoder = _encoders["byte_level"]
    decoded: list[int] = []

    def decode(ids: list[int]) -> str:
        decoded.append(len(ids))
        return encoder.decode(ids)

    growing = TokenText(decode, hidden=())
    broken = encoder.encode(("é",))[0]
    text = "".join(growing.add(broken) for _ in range(2000)) + growing.close()
    assert text == "\ufffd" * 2000
    assert max(decoded) < 50


def test_hidden_tokens_leave_no_trace() -> None:
    encoder = _encoders["sentence_piece"]
    growing = TokenText(encoder.decode, hidden=encoder.specials.values())
    ids = encoder.encode(("he", _END, " he"))
    assert "".join(growing.add(index) for index in ids) + growing.close() == "he he"


def test_the_wrapped_tokenizers_are_what_they_claim() -> None:
    state = json.loads(_whole["sentence_piece"].backend_tokenizer.to_str())
    assert state["pre_tokenizer"]["prepend_scheme"] == "first"
