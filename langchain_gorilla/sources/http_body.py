"""The body of an answer, unpacked up to a limit."""

import zlib
from typing import Final

_GZIP_OR_ZLIB: Final = 47
_GZIP: Final = b"\x1f\x8b"


class Inflater:
    """Collects the pieces of a body and unpacks them, never past a limit.

    Attributes:
        is_packed: The body's encoding is none that was asked for, so it stays as it came.
    """

    def __init__(self, encoding: str, max_bytes: int) -> None:
        """Begin a body.

        Args:
            encoding: The answer's ``Content-Encoding``.
            max_bytes: The limit.
        """
        encoding = encoding.strip().lower()
        self._inflates = encoding in ("gzip", "x-gzip", "deflate")
        self.is_packed = not self._inflates and encoding not in ("", "identity")
        # None until the first piece: many answers that name an encoding have no body.
        self._unpack: zlib._Decompress | None = None
        self._max = max_bytes
        self._body = bytearray()
        self._is_over = False

    @property
    def body(self) -> bytes:
        """What was read so far."""
        return bytes(self._body)

    @property
    def is_cut(self) -> bool:
        """There was more than the limit, or what is packed is not at its end."""
        return self._is_over or (self._unpack is not None and not self._unpack.eof)

    def feed(self, piece: bytes) -> bool:
        """Take a piece; False when no more is wanted."""
        if not self._inflates:
            self._take(piece)
            return not self._is_over
        while piece and not self._is_over:
            self._unpack = self._unpack or zlib.decompressobj(_GZIP_OR_ZLIB)
            try:
                # One byte past the limit tells a body that fills it from one that is cut.
                self._take(self._unpack.decompress(piece, self._room + 1))
            except zlib.error:
                return False
            piece = self._unpack.unused_data
            if piece:
                # A file of gzip may be several, one after another; anything else is padding.
                if not _GZIP.startswith(piece[:2]):
                    return False
                self._unpack = None
        return not self._is_over

    @property
    def _room(self) -> int:
        return self._max - len(self._body)

    def _take(self, plain: bytes) -> None:
        self._is_over = len(plain) > self._room
        self._body += plain[: self._room]
