"""Read fields off a run of bits, most significant first."""

from __future__ import annotations


class HeaderError(Exception):
    """A header that cannot be followed: unknown syntax, or a value out of its range."""


class TruncatedError(HeaderError):
    """A header that goes on behind the bytes at hand."""


class BitReader:
    """Reads the descriptors that H.264, HEVC, VP9 and AV1 write their headers in.

    Every method that reads raises TruncatedError once the bits have run out, so a loop that
    reads at least one bit a turn always ends.
    """

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def u(self, count: int) -> int:
        """Return `count` bits as an unsigned number: u(n) and f(n)."""
        left = self._left = self._left - count
        if left < 0:
            raise TruncatedError(f"{-left} bits missing")
        return self._value >> left & ((1 << count) - 1)

    def flag(self) -> int:
        """Return one bit."""
        left = self._left = self._left - 1
        if left < 0:
            raise TruncatedError("a bit missing")
        return self._value >> left & 1

    def flags(self, count: int) -> list[int]:
        """Return `count` bits, one by one."""
        return [self.flag() for _ in range(count)]

    def ue(self) -> int:
        """Return an unsigned Exp-Golomb number (H.264 and HEVC, clause 9.1 and 9.2)."""
        zeros = self._leading_zeros()
        return self.u(zeros + 1) - 1

    def se(self) -> int:
        """Return a signed Exp-Golomb number (H.264 9.1.1, HEVC 9.2.2)."""
        code = self.ue()
        return (code + 1) // 2 if code & 1 else -(code // 2)

    def uvlc(self) -> int:
        """Return a number of AV1's variable length code (AV1 4.10.3)."""
        return self.ue()

    def ns(self, values: int) -> int:
        """Return a number below `values`, coded in as few bits as can be (AV1 4.10.7)."""
        width = values.bit_length()
        short = (1 << width) - values
        number = self.u(width - 1)
        return number if number < short else (number << 1) - short + self.flag()

    def skip(self, count: int) -> None:
        """Leave out `count` bits."""
        self._left -= count
        if self._left < 0:
            raise TruncatedError(f"{-self._left} bits missing")

    def skip_ue(self, count: int) -> None:
        """Leave out `count` Exp-Golomb numbers, signed or not."""
        for _ in range(count):
            self.skip(self._leading_zeros() + 1)

    def _leading_zeros(self) -> int:
        """Skip the zeros in front of the next one-bit and return how many they were."""
        rest = self._value & ((1 << self._left) - 1)
        if not rest:
            raise TruncatedError("no end of a number")
        size = rest.bit_length()
        zeros = self._left - size
        if zeros > 32:
            raise HeaderError(f"a number behind {zeros} zeros")
        self._left = size
        return zeros


def bounded(value: int, most: int, name: str) -> int:
    """Return `value`, a count that the standard limits to `most`.

    Raises:
        HeaderError: it is more.
    """
    if value > most:
        raise HeaderError(f"{name} is {value}, over {most}")
    return value


def bits_for(values: int) -> int:
    """Return Ceil(Log2(values)), the bits that tell `values` apart."""
    return (values - 1).bit_length() if values > 1 else 0
