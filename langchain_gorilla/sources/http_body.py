"""The body of an answer, unpacked up to a limit."""

import zlib
from typing import Final

_GZIP_OR_ZLIB: Final = 47


class Inflater:
    """Collects the pieces of a body and unpacks them, never past a limit.

    Attributes:
        body: What was read so far.
        is_cut: There was more than the limit.
        is_packed: The body's encoding is none that was asked for, so it stays as it came.
    """

    def __init__(self, encoding: str, max_bytes: int) -> None:
        """Begin a body.

        Args:
            encoding: The answer's ``Content-Encoding``.
            max_bytes: The limit.
        """
        encoding = encoding.strip().lower()
        packed = encoding in ("gzip", "x-gzip", "deflate")
        self.is_packed = not packed and encoding not in ("", "identity")
        self.is_cut = False
        self._unpack = zlib.decompressobj(_GZIP_OR_ZLIB) if packed else None
        self._max = max_bytes
        self._body = bytearray()

    @property
    def body(self) -> bytes:
        """What was read so far."""
        return bytes(self._body)

    def feed(self, piece: bytes) -> bool:
        """Take a piece; False when no more is wanted."""
        room = self._max - len(self._body)
        if self._unpack is not None:
            try:
                # One byte past the limit tells a body that fills it from one that is cut.
                piece = self._unpack.decompress(piece, room + 1)
            except zlib.error:
                self.is_cut = True
                return False
        self._body += piece[:room]
        self.is_cut = len(piece) > room
        return not self.is_cut
