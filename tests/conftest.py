"""Settings for every test."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

# No deadline: how long an example takes is no fact about this package on a busy machine. CI draws
# the same examples every time, so that a change is judged by what it changes; elsewhere they vary.
settings.register_profile("laws", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("laws")


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sentence encoder of random weights in a folder; cosines still tell other words apart."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("encoder")
    letters = {
        text: place for place, text in enumerate(["[PAD]", "[UNK]", *map(chr, range(33, 127))])
    }
    words = Tokenizer(models.WordPiece(letters, unk_token="[UNK]", continuing_subword_prefix=""))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="[PAD]", unk_token="[UNK]"
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(letters),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    BertModel(config).save_pretrained(folder)
    return folder
