"""Finds stop texts in a stream, however the stream is cut into pieces."""

from collections.abc import Sequence


class StopText:
    """Passes text on up to the first stop text, and never more than is safe.

    Text that may be the beginning of a stop text is held back until more text decides. Any way
    of cutting a text into pieces gives the same joined result: the stop text that is complete
    first counts; of those that are complete at the same character, the longest.

    Attributes:
        found: A stop text has come; nothing after it is passed on.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        """Look for these texts; none of them empty."""
        self._stop = tuple(stop)
        self._held = ""
        self.found = False

    def feed(self, piece: str) -> str:
        """Take a further piece; give back the text that is now safe to show."""
        if self.found or not piece:
            return ""
        text = self._held + piece
        # A stop text cannot have begun before the held text: that beginning would be held too.
        hits = [
            (start + len(stop), start) for stop in self._stop if (start := text.find(stop)) >= 0
        ]
        if hits:
            self.found = True
            self._held = ""
            return text[: min(hits)[1]]
        held = max((_overlap(text, stop) for stop in self._stop), default=0)
        safe = len(text) - held
        self._held = text[safe:]
        return text[:safe]

    def close(self) -> str:
        """The stream has ended: give back what was held."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Count the characters at the end of ``text`` that begin ``stop``."""
    for length in range(min(len(text), len(stop) - 1), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
