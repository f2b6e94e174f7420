"""The encoder's quantizer, as the headers of coded pictures say it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from vqa2cli.video.bitstream.av1 import Av1Reader
from vqa2cli.video.bitstream.avc import AvcReader
from vqa2cli.video.bitstream.hevc import HevcReader
from vqa2cli.video.bitstream.vp9 import Vp9Reader


class _CodecReader(Protocol):
    def quantizers(self, packet: bytes) -> list[float]:
        """Return one number per picture of `packet` whose header can be followed."""
        ...


_READERS: Final[dict[str, Callable[[bytes], _CodecReader]]] = {
    "h264": AvcReader,
    "hevc": HevcReader,
    "vp9": Vp9Reader,
    "av1": Av1Reader,
}

#: Codecs whose headers are read, under FFmpeg's names.
KNOWN_CODECS: Final = tuple(_READERS)


class QuantizerReader:
    """Reads the quantizer of every coded picture of one stream; packets come in order.

    The number is the base of a picture, before any adaptation inside it: for `h264` and
    `hevc` the mean QP of its slices, -48 to 51 (below 0 only over 8 bits; the scale of the
    same step is the same at every bit depth), for `vp9` and `av1` the quantizer index,
    0 to 255. Other codecs give None. Damaged packets never raise.
    """

    def __init__(self, codec: str, extradata: bytes | None) -> None:
        make = _READERS.get(codec)
        self._reader = make(extradata or b"") if make else None

    def pictures(self, packet: bytes) -> list[float]:
        """Return the quantizers of the pictures coded in `packet`, hidden ones included.

        Pictures whose headers cannot be followed are left out.
        """
        return self._reader.quantizers(packet) if self._reader else []

    def read(self, packet: bytes) -> float | None:
        """Return the mean quantizer over the pictures in `packet`, None where none is told."""
        found = self.pictures(packet)
        return sum(found) / len(found) if found else None
