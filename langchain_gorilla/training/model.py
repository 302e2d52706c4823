"""The model while it is trained: a Llama whose embedding is factored over the vocabulary.

The row of a token is its base's row plus a vector for each of its flags (see
``tokenizer.Features``), so what is learned of ``Boston`` holds for `` Boston`` and ``_boston``.
``to_llama`` writes it out as a plain Llama.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor, nn
from torch.nn import functional

from langchain_gorilla.training.growing import grow
from langchain_gorilla.training.tokenizer import Features


@dataclass(frozen=True)
class Shape:
    """The sizes of a model.

    Attributes:
        vocabulary: Tokens.
        width: Of the hidden state.
        layers: Blocks.
        heads: Attention heads, each ``width // heads`` wide.
        inner: Width of the feed-forward part.
        rope_base: Base of the rotary position embedding.
        context_tokens: The longest prompt.
    """

    vocabulary: int
    width: int
    layers: int
    heads: int
    inner: int
    rope_base: float = 100_000.0
    context_tokens: int = 2048

    @property
    def head_width(self) -> int:
        """Width of a head."""
        return self.width // self.heads


class Norm(nn.Module):
    """Root-mean-square norm, epsilon 1e-5."""

    def __init__(self, width: int) -> None:
        """Begin with weights of 1."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, hidden: Tensor) -> Tensor:
        """Normalise the last dimension."""
        return functional.rms_norm(hidden, (hidden.shape[-1],), self.weight.to(hidden.dtype), 1e-5)


def rotate(tensor: Tensor) -> Tensor:
    """Rotate halves, as Llama's rotary embedding does."""
    half = tensor.shape[-1] // 2
    return torch.cat([-tensor[..., half:], tensor[..., :half]], -1)


def attend_masked(queries: Tensor, keys: Tensor, values: Tensor, branches: Tensor) -> Tensor:
    """Attend to earlier places of the own branch and of branch 0, over all pairs of places.

    Args:
        queries: Shape (rows, heads, length, head width), as are ``keys`` and ``values``.
        keys: What is looked for.
        values: What is found.
        branches: See ``dataset.Encoded``, shape (rows, length).

    Returns:
        What was found, in the shape of ``queries``.
    """
    own, others = branches[:, None, :, None], branches[:, None, None, :]
    length = branches.shape[1]
    earlier = torch.ones(length, length, dtype=torch.bool, device=branches.device).tril()
    visible = ((own == others) | (others == 0)) & earlier
    return functional.scaled_dot_product_attention(queries, keys, values, attn_mask=visible)


QUERIES_AT_ONCE = 192
"""Of the places that all branches share: later keys than a block's own are not computed."""


def attend_by_branch(queries: Tensor, keys: Tensor, values: Tensor, branches: Tensor) -> Tensor:
    """Do what ``attend_masked`` does, branch by branch, for CPUs.

    There the pairs that are not computed are worth more than larger calls (2.2 times as fast at
    families of 900 tokens). Written out, since torch's own attention is no faster in bfloat16 than
    in float32 there: 2.4 times as slow as this, forth and back, for 100 queries and 600 keys on a
    processor with bfloat16 (torch 2.13). Padding gets other values.
    """
    rows = []
    for own, *row in zip(branches, queries, keys, values, strict=True):
        lengths = torch.unique_consecutive(own, return_counts=True)[1].tolist()
        (first, *others), *parts = (torch.split(one, lengths, 1) for one in row)
        shared_key, shared_value = (part[0] for part in parts)
        found, end = [], 0
        for block in torch.split(first, QUERIES_AT_ONCE, 1):
            end += block.shape[1]
            found.append(_attend(block, shared_key[:, :end], shared_value[:, :end]))
        for query, key, value in zip(others, parts[0][1:], parts[1][1:], strict=True):
            key, value = torch.cat([shared_key, key], 1), torch.cat([shared_value, value], 1)
            found.append(_attend(query, key, value))
        rows.append(torch.cat(found, 1))
    return torch.stack(rows)


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attend from the last places to all before each; shapes (heads, places, head width)."""
    mask = _earlier(query.shape[1], key.shape[1], query.dtype)
    scale = query.shape[-1] ** -0.5
    scores = torch.baddbmm(mask, query, key.transpose(1, 2), alpha=scale)
    return scores.softmax(-1, query.dtype) @ value


@lru_cache(maxsize=512)  # the layers of one batch ask for the same ones
def _earlier(queries: int, keys: int, dtype: torch.dtype) -> Tensor:
    """Give 0 where one of the last places sees a key and -inf elsewhere, (queries, keys)."""
    return torch.full((queries, keys), -torch.inf, dtype=dtype).triu(keys - queries + 1)


class Block(nn.Module):
    """Attention and SwiGLU; names of parameters are Llama's."""

    def __init__(self, shape: Shape) -> None:
        """Begin with small outputs, so that a block begins as nearly nothing."""
        super().__init__()
        width = shape.width
        self.heads, self.head_width = shape.heads, shape.head_width
        self.q_proj = nn.Linear(width, width)
        self.k_proj = nn.Linear(width, width)
        self.v_proj = nn.Linear(width, width)
        self.o_proj = nn.Linear(width, width)
        self.gate_proj = nn.Linear(width, shape.inner, bias=False)
        self.up_proj = nn.Linear(width, shape.inner, bias=False)
        self.down_proj = nn.Linear(shape.inner, width, bias=False)
        self.input_layernorm, self.post_attention_layernorm = Norm(width), Norm(width)
        for layer in (self.q_proj, self.k_proj, self.v_proj, self.gate_proj, self.up_proj):
            nn.init.normal_(layer.weight, std=1 / math.sqrt(width))
        for layer in (self.o_proj, self.down_proj):
            nn.init.normal_(layer.weight, std=0.02 / math.sqrt(width))
        for layer in (self.q_proj, self.k_proj, self.v_proj, self.o_proj):
            nn.init.zeros_(layer.bias)

    def forward(
        self,
        hidden: Tensor,
        cos: Tensor,
        sin: Tensor,
        branches: Tensor,
        chosen: Tensor | None = None,
    ) -> Tensor:
        """Map (rows, length, width) to the same, or to (count, width) of the chosen places.

        Args:
            hidden: The hidden state.
            cos: Of the positions, shape (rows, 1, length, head width).
            sin: Likewise.
            branches: See ``dataset.Encoded``, shape (rows, length).
            chosen: The places whose output is read, as for ``SmallModel``; None for all.
        """
        rows, length, width = hidden.shape
        normed = self.input_layernorm(hidden)
        queries, keys, values = (
            layer(normed).view(rows, length, self.heads, self.head_width).transpose(1, 2)
            for layer in (self.q_proj, self.k_proj, self.v_proj)
        )
        queries = queries * cos + rotate(queries) * sin
        keys = keys * cos + rotate(keys) * sin
        attend = attend_by_branch if hidden.device.type == "cpu" else attend_masked
        mixed = attend(queries, keys, values, branches)
        mixed = mixed.to(hidden.dtype).transpose(1, 2).reshape(rows, length, width)
        if chosen is not None:
            hidden, mixed = (one.reshape(-1, width)[chosen] for one in (hidden, mixed))
        hidden = hidden + self.o_proj(mixed)
        normed = self.post_attention_layernorm(hidden)
        inner = functional.silu(self.gate_proj(normed)) * self.up_proj(normed)
        out: Tensor = hidden + self.down_proj(inner)
        return out


class SmallModel(nn.Module):
    """A Llama with a factored, tied embedding."""

    base_of: Tensor
    flags: Tensor
    cos: Tensor
    sin: Tensor

    def __init__(self, shape: Shape, features: Features) -> None:
        """Begin with random weights; see ``start_copying`` and ``load_llama``."""
        super().__init__()
        self.shape = shape
        self.register_buffer("base_of", torch.tensor(features.base), persistent=False)
        self.register_buffer("flags", torch.tensor(features.flags).float(), persistent=False)
        bases = max(features.base) + 1
        self.base_rows = nn.Parameter(torch.randn(bases, shape.width) / math.sqrt(shape.width))
        self.flag_rows = nn.Parameter(torch.randn(3, shape.width) * 0.02)
        self.layers = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = Norm(shape.width)
        frequencies = self._frequencies()
        angles = torch.outer(torch.arange(shape.context_tokens).float(), frequencies)
        angles = torch.cat([angles, angles], -1)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def _frequencies(self) -> Tensor:
        steps = torch.arange(0, self.shape.head_width, 2).float() / self.shape.head_width
        return 1.0 / self.shape.rope_base**steps

    def embedding(self) -> Tensor:
        """Give the rows of all tokens, shape (vocabulary, width)."""
        return self.base_rows[self.base_of] + self.flags @ self.flag_rows

    def forward(self, ids: Tensor, branches: Tensor, positions: Tensor, chosen: Tensor) -> Tensor:
        """Predict the next token at some places.

        Args:
            ids: Token ids, shape (rows, length).
            branches: See ``dataset.Encoded``, shape (rows, length).
            positions: Likewise.
            chosen: Places in the flattened ids, shape (count,).

        Returns:
            Logits, shape (count, vocabulary).
        """
        rows = self.embedding()
        hidden = functional.embedding(ids, rows)
        if torch.is_autocast_enabled(ids.device.type):
            hidden = hidden.to(torch.get_autocast_dtype(ids.device.type))
        cos = self.cos[positions][:, None].to(hidden.dtype)
        sin = self.sin[positions][:, None].to(hidden.dtype)
        last = len(self.layers) - 1
        for place, layer in enumerate(self.layers):
            hidden = layer(hidden, cos, sin, branches, chosen if place == last else None)
        return functional.linear(self.norm(hidden), rows.to(hidden.dtype))

    def start_copying(self, seed: int = 7) -> None:
        """Begin with heads that find what followed earlier: an induction circuit.

        Heads of layer 0 look at the token before (by their biases and the rotary embedding)
        and write it down; heads of layer 1 look for where the current token was written so.
        Without this a small model spends much of its training on discovering it.
        """
        generator = torch.Generator().manual_seed(seed)
        width, size = self.shape.width, self.shape.head_width

        def orthogonal() -> Tensor:
            made: Tensor = torch.linalg.qr(torch.randn(width, size, generator=generator))[0]
            return made

        first, second = self.layers[0], self.layers[1]
        assert isinstance(first, Block)
        assert isinstance(second, Block)
        frequencies = self._frequencies()
        reads, writes = [], []
        with torch.no_grad():
            for head, offset in enumerate([1, 1, 2, 3]):
                part = slice(head * size, (head + 1) * size)
                key = torch.zeros(size)
                key[:4] = 1.0
                angle = torch.cat([frequencies, frequencies]) * -offset
                query = key * torch.cos(angle) + rotate(key) * torch.sin(angle)
                scale = math.sqrt(8.0 * math.sqrt(size) / 0.61)
                first.q_proj.bias[part], first.k_proj.bias[part] = query * scale, key * scale
                first.q_proj.weight[part] *= 0.05
                first.k_proj.weight[part] *= 0.05
                reads.append(orthogonal().T)
                writes.append(orthogonal())
                first.v_proj.weight[part] = reads[-1]
                first.o_proj.weight[:, part] = writes[-1] * 0.18
            half = size // 2
            low = int(half * 0.35)  # the fast frequencies would tie a match to its distance
            keep = torch.zeros(size)
            keep[low:half] = 1
            keep[half + low :] = 1
            for head in range(self.shape.heads - 1):
                part, match = slice(head * size, (head + 1) * size), (0, 1, 0, 1, 0)[head % 5]
                scaled = 2.0 * keep[:, None]
                noise = 0.02 * torch.randn(2, size, width, generator=generator)
                second.q_proj.weight[part] = scaled * reads[match] + noise[0]
                second.k_proj.weight[part] = scaled * writes[match].T + noise[1]
                copied = orthogonal().T
                second.v_proj.weight[part] = copied
                second.o_proj.weight[:, part] = copied.T * 0.9

    def load_llama(self, weights: Mapping[str, Tensor]) -> None:
        """Begin with the weights of an exported model that is no larger than this, anywhere.

        The embedding is factored again by least squares, which is exact up to rounding for
        one that was exported from factors. New tokens begin near the mean of their like; a
        smaller model is enlarged (see ``growing``).

        Args:
            weights: A Llama's, as ``to_llama`` writes them; its heads are as wide as these.

        Raises:
            ModelLoadError: The model is larger somewhere, or has other weights.
        """
        like = self.to_llama()
        known_rows = weights["model.embed_tokens.weight"].shape[0]
        like["model.embed_tokens.weight"] = like["model.embed_tokens.weight"][:known_rows]
        weights = grow(weights, like)
        rows = weights["model.embed_tokens.weight"].double()
        known = rows.shape[0]
        base_of, flags = self.base_of[:known].cpu(), self.flags[:known].double().cpu()
        bases = int(base_of.max()) + 1
        counts = torch.zeros(bases, dtype=torch.double)
        counts.index_add_(0, base_of, torch.ones(known, dtype=torch.double))

        def means(values: Tensor) -> Tensor:
            total = torch.zeros(bases, values.shape[1], dtype=torch.double)
            return total.index_add_(0, base_of, values) / counts[:, None]

        solution: Tensor = torch.linalg.lstsq(
            flags - means(flags)[base_of], rows - means(rows)[base_of]
        ).solution
        base_rows = means(rows - flags @ solution)
        generator = torch.Generator().manual_seed(11)
        with torch.no_grad():
            self.flag_rows.copy_(solution)
            self.base_rows[:bases] = base_rows.to(self.base_rows)
            fresh = self.base_rows.shape[0] - bases
            added = base_rows[-60:]  # tokens that were added for prompts and schemas
            noise = torch.randn(fresh, rows.shape[1], generator=generator).double()
            begun = added.mean(0) + 0.5 * added.std(0) * noise
            self.base_rows[bases:] = begun.to(self.base_rows)
            for name, parameter in self.named_parameters():
                if name not in ("base_rows", "flag_rows"):
                    parameter.copy_(weights[_llama_name(name)])

    def to_llama(self) -> dict[str, Tensor]:
        """Give the weights under Llama's names, the embedding as one table, in float32."""
        out = {"model.embed_tokens.weight": self.embedding().detach()}
        for name, parameter in self.named_parameters():
            if name not in ("base_rows", "flag_rows"):
                out[_llama_name(name)] = parameter.detach()
        return {name: tensor.float().cpu().contiguous() for name, tensor in out.items()}


def _llama_name(name: str) -> str:
    for part in ("q_proj", "k_proj", "v_proj", "o_proj"):
        name = name.replace(f".{part}.", f".self_attn.{part}.")
    for part in ("gate_proj", "up_proj", "down_proj"):
        name = name.replace(f".{part}.", f".mlp.{part}.")
    return f"model.{name}"
