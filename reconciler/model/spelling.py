"""What may be spelled in a text: the text itself, and what it says where escapes, base64, base32 and the numbers of
bytes are read, each with the way back to the places of the text. Texts are bytes of UTF-8 here.

Reading goes on inside of what was read, `DEPTH` times: base64 of a percent-encoded text, JSON in JSON.
"""

from __future__ import annotations

import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import NamedTuple

from reconciler.model.patterns import finder

Find = Callable[[bytes, int], int]
DEPTH = 3
"""Times that what was read is read again."""
MOST = 24
"""Bytes that are read out of a text for each of its own, at most: what answers hold is read in linear time."""
_ROUNDS = 5
_SPACES = b"\t\n\v\f\r+"
_TO_SPACES = bytes.maketrans(_SPACES, b" " * len(_SPACES))
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TO_DIGITS = bytes.maketrans(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567abcdefghijklmnopqrstuvwxyz",
    b"0123456789ABCDEFGHIJKLMNOPQRSTUV0123456789ABCDEFGHIJKLMNOP",
)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{11,}")
_BASE32 = re.compile(rb"[A-Za-z2-7]{13,}")
_DIGITS = b"0123456789abcdef"
_LETTERS = b"abcdefghijklmnopqrstuvwxyz/_-"
_HEXADECIMAL = re.compile(rb"[0-9A-Fa-f]{16,}")
_WORDS = re.compile(rb"[\t-\r -~]{11,}")
"""So many characters in a row that something may be spelled in them; what else was read is noise."""
_WIDE = re.compile(rb"(?:[^\0]\0){8,}|(?:\0[^\0]){8,}")
_NUMBERS = {
    16: (rb"(?:0?[xX]|\\?[uU]\+?00)?", rb"[0-9A-Fa-f]{2}"),
    10: (rb"", rb"(?:[01][0-9]{2}|2[0-4][0-9]|25[0-5]|[3-9][0-9])"),
    8: (rb"(?:0?[oO]|0)?", rb"[0-3][0-7]{2}"),
    2: (rb"(?:0?[bB])?", rb"[01]{8}"),
}
"""What may stand before the number of a byte, and the number, by base."""
_APART = rb"[^0-9A-Za-z]{1,4}"
_ROWS = {base: b"(?:%s%s%s){7,}(?:%s%s)" % (*ways, _APART, *ways) for base, ways in _NUMBERS.items()}
_ROWS[16] += rb"|(?:[0-9A-Fa-f]{2}){1,8}(?:%s(?:[0-9A-Fa-f]{4}){1,4})+" % _APART
_ROWS[10] += rb"|(?:[01][0-9]{2}|2[0-4][0-9]|25[0-5]){8,}"
_ROWS[8] += rb"|(?:[0-3][0-7]{2}){8,}"
_ROWS[2] += rb"|(?:[01]{8}){8,}"
"""Eight bytes as numbers, apart or together; hexadecimal also in groups, as dumps have it."""


class ReadText(NamedTuple):
    """What a text says, and where in the text a part of it (from, to) stands."""

    text: bytes
    place: Callable[[int, int], tuple[int, int]]
    whole: bool = True
    """The text, with escapes read; not what is spelled in an encoding of all of its bytes."""


def readings(raw: bytes, spaces: bool = True) -> Iterator[ReadText]:
    """Yield everything that a text may say, itself first; `spaces` as in `unescaped`."""
    waiting, room = [(ReadText(raw, _itself), 0)], MOST * len(raw) + 1000
    while waiting:
        reading, depth = waiting.pop(0)
        yield reading
        room -= len(reading.text)
        if depth < DEPTH and room > 0:
            wide = None if reading.whole else _utf16(reading.text)
            waiting += [] if wide is None else [(_inside(reading, wide), depth + 1)]
            outer = reading if reading.whole else _worth(reading)
            waiting += [(_inside(outer, inner), depth + 1) for inner in _read(outer.text, spaces)]


def _itself(first: int, end: int) -> tuple[int, int]:
    return first, end


def _worth(noise: ReadText) -> ReadText:
    """Return the parts of what was read in which something more may be spelled."""
    runs = ((match.group(), match.start()) for match in _WORDS.finditer(noise.text))
    return _inside(noise, _joined(runs, 1, 1) or ReadText(b"", _itself, whole=False))


def _inside(outer: ReadText, inner: ReadText) -> ReadText:
    return ReadText(
        inner.text, lambda first, end: outer.place(*inner.place(first, end)), whole=outer.whole and inner.whole
    )


def _read(raw: bytes, spaces: bool) -> Iterator[ReadText]:
    plain = unescaped(raw, spaces)
    if plain.text != raw:
        yield plain
    runs = [match.span() for match in _BASE64.finditer(raw)]  # in which those of base32 and hexadecimal are
    for read in (_base64, _base32, _hexadecimal) if runs else ():
        reading = read(raw, runs)
        if reading is not None:
            yield reading
    if _any_row()(raw, 0) < 0:
        return
    for base, find in _rows().items():
        if find(raw, 0) >= 0:
            reading = _numbers(raw, base)
            if reading is not None:
                yield reading


@cache
def _escape() -> re.Pattern[bytes]:
    longest_first = sorted(_named(), key=len, reverse=True)
    names = b"|".join(longest_first)
    return re.compile(
        rb"%(?:25)*([0-9A-Fa-f]{2})"
        rb"|&(?:amp;)*(?:#0*([0-9]{1,7})|#[xX]0*([0-9A-Fa-f]{1,6})|(" + names + rb"));?"
        rb"|\\\\*u([dD][89abAB][0-9A-Fa-f]{2}\\+u[dD][c-fC-F][0-9A-Fa-f]{2}|[0-9A-Fa-f]{4})"
        rb"|\\\\*x([0-9A-Fa-f]{2})|\\\\*([nrt])|\\\\*|<br ?/?>"
    )


@cache
def _named() -> dict[bytes, str]:
    from html.entities import codepoint2name  # most texts name no character

    return {b"apos": "'", **{name.encode(): chr(code) for code, name in codepoint2name.items()}}


def unescaped(raw: bytes, spaces: bool = True) -> ReadText:
    r"""Read what is escaped for URLs, HTML, JSON and `\x`, however often. A stroke (`\`) is nothing, and with `spaces`
    any white space, `+` and `<br>` one space: credentials are read so too, and compared so.
    """
    text = raw
    layers: list[Callable[[bytes], ReadText]] = []
    for _ in range(_ROUNDS):
        before = text
        if spaces and (text.translate(None, _SPACES) != text or b"  " in text):
            text = _spaced(text)
            layers.append(_with_spaces)
        if any(sign in text for sign in (b"%", b"&", b"\\", b"<br")):
            text = _escape().sub(_meant, text)
            layers.append(_unescaped)
        if text == before:
            break
    if not layers:
        return ReadText(raw, _itself)

    @cache
    def reading() -> ReadText:
        reached = ReadText(raw, _itself)
        for layer in layers:
            reached = _inside(reached, layer(reached.text))
        return reached

    return ReadText(text, lambda first, end: reading().place(first, end))


def _spaced(raw: bytes) -> bytes:
    inner = b" ".join(raw.translate(_TO_SPACES).split(b" "))
    return re.sub(b"  +", b" ", inner)


def _with_spaces(raw: bytes) -> ReadText:
    return _replaced(raw, re.compile(rb"[ \t-\r+]+"), lambda _: b" ")


def _unescaped(raw: bytes) -> ReadText:
    return _replaced(raw, _escape(), _meant)


def _replaced(raw: bytes, pattern: re.Pattern[bytes], meant: Callable[[re.Match[bytes]], bytes]) -> ReadText:
    """Read what a pattern finds, and remember the pieces of the text: from where in the reading and in the text, and
    whether it is one that was found, whole.
    """
    out, pieces, size, last = [], [(0, 0, False)], 0, 0
    for match in pattern.finditer(raw):
        text = meant(match)
        out += [raw[last : match.start()], text]
        size += match.start() - last
        pieces += [(size, match.start(), True), (size + len(text), match.end(), False)]
        size, last = size + len(text), match.end()
    out.append(raw[last:])
    starts = [piece[0] for piece in pieces]

    def place(first: int, end: int) -> tuple[int, int]:
        at, source, whole = pieces[bisect_right(starts, first) - 1]
        begin = source if whole else source + first - at
        number = bisect_right(starts, end - 1) - 1
        at, source, whole = pieces[number]
        return begin, pieces[number + 1][1] if whole else source + end - at

    return ReadText(b"".join(out), place)


def _meant(match: re.Match[bytes]) -> bytes:
    percent, decimal, hexadecimal, name, units, byte, control = match.groups()
    if percent or byte:
        return bytes([int(percent or byte, 16)])
    if decimal or hexadecimal:
        code = int(decimal) if decimal else int(hexadecimal, 16)
        return chr(code).encode("utf-8", "surrogatepass") if code < 0x110000 else match.group()
    if name:
        return _named()[name].encode()
    if units:
        pair = bytes.fromhex(re.sub(rb"\\+u", b"", units).decode())
        return pair.decode("utf-16-be", "surrogatepass").encode("utf-8", "surrogatepass")
    return {b"n": b"\n", b"r": b"\r", b"t": b"\t"}[control] if control else b" " if match[0][:1] == b"<" else b""


class _Run(NamedTuple):
    """Some bytes that were read, where they begin in the reading and in the text, and how many of its characters stand
    for how many of them.
    """

    at: int
    source: int
    characters: int
    of: int

    def place(self, first: int, end: int) -> tuple[int, int]:
        back = -(-(end - self.at) * self.characters // self.of)
        return self.source + (first - self.at) * self.characters // self.of, self.source + back


def _joined(runs: Iterator[tuple[bytes, int]], characters: int, of: int) -> ReadText | None:
    """Return what was read in several places as one reading, with a byte that is in no credential between them."""
    out, places, size = [], [], 0
    for text, source in runs:
        places.append(_Run(size, source, characters, of))
        out.append(text)
        size += len(text) + 1
    starts = [place.at for place in places]
    if not out:
        return None
    return ReadText(
        b"\0".join(out),
        lambda first, end: places[bisect_right(starts, first) - 1].place(first, end),
        whole=False,
    )


def _base64(raw: bytes, within: Sequence[tuple[int, int]]) -> ReadText | None:
    """Read all that may be base64, of either alphabet, wherever in a group of four it begins."""

    def runs() -> Iterator[tuple[bytes, int]]:
        for first, end in within:
            text = raw[first:end]
            if not text.strip(_DIGITS) or not text.strip(_LETTERS):
                continue  # a digest, a word: nothing that is written looks like them in base64
            text = text.translate(_TO_STANDARD)
            for skipped in range(4):
                rest = len(text) - skipped
                yield binascii.a2b_base64(text[skipped:] + b"A" * (-rest % 4)), first + skipped

    return _joined(runs(), 4, 3)


def _matches(pattern: re.Pattern[bytes], raw: bytes, within: Iterable[tuple[int, int]]) -> Iterator[tuple[bytes, int]]:
    """Yield what matches in these places of a text, and where it begins."""
    for first, end in within:
        for match in pattern.finditer(raw, first, end):
            yield match.group(), match.start()


def _base32(raw: bytes, within: Sequence[tuple[int, int]]) -> ReadText | None:
    """Read all that may be base32, in either case, wherever in a group of eight it begins."""

    def runs() -> Iterator[tuple[bytes, int]]:
        for text, first in _matches(_BASE32, raw, within):
            if not text.strip(_DIGITS):
                continue
            digits = text.translate(_TO_DIGITS)
            for skipped in range(8):
                part = digits[skipped:] + b"0" * (-(len(digits) - skipped) % 8)
                yield int(part, 32).to_bytes(len(part) * 5 // 8), first + skipped

    return _joined(runs(), 8, 5)


def _hexadecimal(raw: bytes, within: Sequence[tuple[int, int]]) -> ReadText | None:
    """Read all that may be hexadecimal without anything between the bytes, from an even or an odd place."""

    def runs() -> Iterator[tuple[bytes, int]]:
        for text, first in _matches(_HEXADECIMAL, raw, within):
            for skipped in range(2):
                rest = text[skipped:]
                yield bytes.fromhex(rest[: len(rest) // 2 * 2].decode()), first + skipped

    return _joined(runs(), 2, 1)


def _utf16(noise: bytes) -> ReadText | None:
    """Read what is written in two bytes a letter, the higher one first or last."""
    return _joined(((match[0].replace(b"\0", b""), match.start()) for match in _WIDE.finditer(noise)), 2, 1)


@cache
def _any_row() -> Find:
    """Return what finds rows of numbers of any base: most texts have none."""
    return finder(_ROWS.values())


@cache
def _rows() -> dict[int, Find]:
    return {base: finder([row]) for base, row in _ROWS.items()}


@cache
def _patterns(base: int) -> tuple[re.Pattern[bytes], re.Pattern[bytes]]:
    """Return what matches a row of numbers of a base, and one number: few texts have any, and those of one base."""
    return re.compile(_ROWS[base]), re.compile(b"%s(%s)" % _NUMBERS[base])


def _numbers(raw: bytes, base: int) -> ReadText | None:
    """Read bytes that are written as numbers; those of the value 0 are nothing, as in UTF-16."""
    text, places = bytearray(), []
    row, number = _patterns(base)
    for match in row.finditer(raw):
        codes = [(int(digit.group(1), base), digit.span()) for digit in number.finditer(raw, *match.span())]
        codes = [code for code in codes if code[0]]
        text += bytes(value for value, _ in codes) + b"\0"
        places += [*(span for _, span in codes), (match.end(), match.end())]
    if not text:
        return None
    return ReadText(bytes(text), lambda first, end: (places[first][0], places[end - 1][1]), whole=False)
