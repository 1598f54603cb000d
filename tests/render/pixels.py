"""Pictures, as far as comparing screenshots needs them: PNG of 8 bits per channel, without interlace."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

_CHANNELS = {2: 3, 6: 4}


@dataclass(frozen=True, slots=True)
class Picture:
    """Rows of bytes, red, green and blue for each pixel."""

    width: int
    height: int
    rgb: bytes

    def distance(self, other: Picture) -> float:
        """Return the mean difference of channels, 0 to 255; pictures of other sizes are as far apart as can be."""
        if (self.width, self.height) != (other.width, other.height):
            return 255.0
        return sum(abs(one - two) for one, two in zip(self.rgb, other.rgb, strict=True)) / max(len(self.rgb), 1)


def read_png(data: bytes) -> Picture:
    """Return the picture in a PNG file."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, kind, _, _, interlace = struct.unpack(">IIBBBBB", data[16:29])
    assert (depth, interlace) == (8, 0)
    packed, offset = b"", 8
    while offset < len(data):
        length, name = struct.unpack(">I4s", data[offset : offset + 8])
        if name == b"IDAT":
            packed += data[offset + 8 : offset + 8 + length]
        offset += length + 12
    size = _CHANNELS[kind]
    rows = _unfiltered(zlib.decompress(packed), width * size, height, size)
    return Picture(width, height, bytes(byte for index, byte in enumerate(rows) if index % size < 3))


def _unfiltered(data: bytes, stride: int, height: int, size: int) -> bytes:
    above = bytearray(stride)
    found = bytearray()
    for number in range(height):
        start = number * (stride + 1)
        filter_type, row = data[start], bytearray(data[start + 1 : start + 1 + stride])
        for index in range(stride):
            left = row[index - size] if index >= size else 0
            corner = above[index - size] if index >= size else 0
            row[index] = (row[index] + _predicted(filter_type, left, above[index], corner)) & 255
        found += row
        above = row
    return bytes(found)


def _predicted(filter_type: int, left: int, up: int, corner: int) -> int:
    if filter_type == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda value: abs(guess - value))
    return (0, left, up, (left + up) // 2)[filter_type]
