"""Which words of a request find tools in a large collection, and which only rank what was found.

BM25 reads the list of every word of a request, and a word that is in a third of a million tools
has a list that takes longer than all others together, while it says next to nothing about any of
them. In a large collection the rarer words therefore choose the candidates; all words score them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping

from langchain_gorilla.retrieval.points import SparseWeights

COUNTED = 2_000
"""Tools whose words are counted. A word in a hundredth of all tools is then in 20 of them, give or
take 4; one that is in none of them is rare enough to be read in any case."""

READ = 0.2
"""The shares of the words that choose candidates come to no more than this.

On 9,420 real tools in one catalog, by words alone, macro nDCG@10 is 43.2 with all words, 43.1 with
this and 42.7 with half of it. Words that are left out of the scores too cost more: 42.1 where the
shares come to 0.3, 37.2 where they come to 0.1.
"""


def word_shares(documents: Iterable[SparseWeights]) -> dict[int, float]:
    """Return BM25 token to the share of these documents that have it."""
    counts: Counter[int] = Counter()
    total = 0
    for document in documents:
        counts.update(document.indices)
        total += 1
    return {token: count / total for token, count in counts.items()}


def finding(words: SparseWeights, shares: Mapping[int, float]) -> SparseWeights:
    """Return the rarer words of a request, those that choose the candidates.

    Args:
        words: The request.
        shares: ``word_shares`` of some of the tools; a word that is not there counts as rare.

    Returns:
        As many of the rarest words as ``READ`` allows. One of them is in ``shares`` wherever one
        of the request is: words that few tools or none have would leave places empty.
    """
    kept: list[tuple[int, float]] = []
    read = 0.0
    for token, weight in sorted(
        zip(words.indices, words.values, strict=True), key=lambda word: shares.get(word[0], 0.0)
    ):
        share = shares.get(token, 0.0)
        if read and read + share > READ:
            break
        kept.append((token, weight))
        read += share
    return SparseWeights([token for token, _ in kept], [weight for _, weight in kept])
