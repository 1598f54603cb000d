"""The redactor finds a credential however a server spells it, and leaves everything else alone."""

from __future__ import annotations

import ast
import base64
import hashlib
import html
import json
from collections.abc import Callable
from difflib import SequenceMatcher
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import reconciler
from reconciler.model.redaction import (
    LONG,
    SHORTEST,
    STARS,
    Redactor,
    abridged,
    credentials_in,
    one_for_all,
    passwords_of,
)
from reconciler.model.snapshot_file import without_secrets

SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "quote": quote,
    "quote, slashes too": lambda text: quote(text, safe=""),
    "quote, lower case": lambda text: quote(text, safe="").replace("%2F", "%2f").replace("%3C", "%3c"),
    "quote_plus": quote_plus,
    "quoted twice": lambda text: quote(quote(text, safe=""), safe=""),
    "HTML": html.escape,
    "HTML, numbers": lambda text: "".join(f"&#{ord(one)};" for one in text),
    "HTML, hexadecimal": lambda text: "".join(f"&#x{ord(one):X};" for one in text),
    "HTML, twice": lambda text: html.escape(html.escape(text)),
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON with characters": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON of PHP": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text))[3:-3],
    "every letter escaped": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "line ends of Windows": lambda text: text.replace("\n", "\r\n"),
    "on one line": lambda text: text.replace("\n", " "),
    "for a URL, with line ends of Windows": lambda text: quote(text.replace("\n", "\r\n"), safe=""),
    "HTML with breaks": lambda text: html.escape(text).replace("\n", "<br/>"),
}
SECRETS = st.text(
    st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp"), include_characters="\n/+&\"<>'% \\?=#"),
    min_size=1,
    max_size=40,
).filter(lambda text: len(text.strip()) >= SHORTEST and STARS not in text and "\x85" not in text)


@given(SECRETS, st.sampled_from(sorted(SPELLINGS)), st.text("ab: ,{}", max_size=8))
def test_a_credential_is_found_in_every_spelling(secret: str, spelling: str, around: str) -> None:
    """What stands around it stays."""
    secret = secret.strip()
    text = f"[{around}] {SPELLINGS[spelling](secret)} [{around}]"
    shown = Redactor([secret]).show(text)
    assert SPELLINGS[spelling](secret) not in shown.replace(f"[{around}]", "")
    assert STARS in shown
    assert shown.startswith(f"[{around}] ") or STARS in Redactor([secret]).show(around)


@given(
    st.binary(min_size=0, max_size=7), st.text("abcXYZ0189-_/+=.", min_size=LONG, max_size=40), st.binary(max_size=7)
)
def test_a_credential_is_found_in_base64_of_anything_that_holds_it(before: bytes, secret: str, after: bytes) -> None:
    """As in a header with user and password, in both alphabets."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(before + secret.encode() + after).decode()
        assert STARS in Redactor([secret]).show(f"Basic {text}")


def _numbers(form: str, between: str) -> Callable[[bytes], str]:
    return lambda raw: between.join(form.format(byte) for byte in raw)


ENCODINGS: dict[str, Callable[[bytes], str]] = {
    "plain": lambda raw: raw.decode("utf-8", "replace"),
    "base64": lambda raw: base64.b64encode(raw).decode(),
    "base64 for URLs": lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("="),
    "base64 twice": lambda raw: base64.b64encode(base64.b64encode(raw)).decode(),
    "base64 for a URL": lambda raw: quote(base64.b64encode(raw).decode(), safe=""),
    "base32": lambda raw: base64.b32encode(raw).decode(),
    "base32 in small letters": lambda raw: base64.b32encode(raw).decode().lower().rstrip("="),
    "hexadecimal": bytes.hex,
    "HEXADECIMAL": lambda raw: raw.hex().upper(),
    "hexadecimal in mixed case": lambda raw: raw.hex().title(),
    "hexadecimal with colons": lambda raw: raw.hex(":"),
    "hexadecimal with spaces": lambda raw: raw.hex(" ").upper(),
    "a dump": lambda raw: raw.hex(" ", 4),
    "hexadecimal of UTF-16": lambda raw: raw.decode("utf-8", "replace").encode("utf-16-be").hex(),
    "x": _numbers("\\x{:02X}", ""),
    "0x": _numbers("0x{:02x}", ", "),
    "u": _numbers("\\u{:04x}", ""),
    "every byte for a URL": _numbers("%{:02X}", ""),
    "every byte for HTML": _numbers("&#{};", ""),
    "octal": _numbers("\\{:03o}", ""),
    "octal with spaces": _numbers("0{:03o}", " "),
    "octal together": _numbers("{:03o}", ""),
    "a list of numbers": _numbers("{}", ", "),
    "numbers with spaces": _numbers("{}", " "),
    "numbers together": _numbers("{:03}", ""),
    "binary": _numbers("{:08b}", " "),
    "base64 of hexadecimal": lambda raw: base64.b64encode(raw.hex().encode()).decode(),
    "JSON of JSON": lambda raw: json.dumps(json.dumps(raw.decode("utf-8", "replace"))),
}
"""Ways to spell bytes; of letters beyond ASCII each byte, as what is written for URLs."""
OF_ASCII = {"every byte for HTML", "octal together", "numbers together", "u", "hexadecimal of UTF-16"}
"""Those that write the number of a letter, or cannot tell where a byte begins."""
SINGLE = sorted(set(ENCODINGS) - OF_ASCII - {"base64 twice", "base64 of hexadecimal", "base64 for a URL"})
CASES: list[Callable[[str], str]] = [str, str.upper, str.lower, str.swapcase, lambda text: text[::-1]]
TOKENS = st.one_of(
    st.text("0123456789abcdef", min_size=40, max_size=72),
    st.text("abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ0123456789-_", min_size=16, max_size=48),
    st.uuids().map(str),
    st.tuples(
        st.sampled_from(["canary-token-", "SuperSecretKey", "p\u00e4sswort-f\u00fcr-"]), st.integers(1000, 10**6)
    ).map(lambda both: f"{both[0]}{both[1]}"),
).filter(lambda token: len(set(token)) > 8)
"""Keys, as programs hand them out and as people make them up."""


@example("canary-token-1000", 3, 2, str, "0x")
@example("p\u00e4sswort-f\u00fcr-1000", 2, 2, str.upper, "base64")
@given(TOKENS, st.integers(0, 3), st.integers(0, 2), st.sampled_from(CASES), st.sampled_from(sorted(ENCODINGS)))
def test_a_part_of_a_credential_is_found_in_every_case_and_encoding(
    token: str, first: int, last: int, case: Callable[[str], str], encoding: str
) -> None:
    """A server that leaves out its first three or last two characters has said it all the same."""
    part = case(token)[first : len(token) - last] if len(case(token)) == len(token) else case(token)
    encode = ENCODINGS[encoding]
    if not part.isascii() and encoding in OF_ASCII:
        encode = ENCODINGS["hexadecimal"]
    for around in ("", "key "):
        text = encode(f"{around}{part}{around}".encode())
        redactor = Redactor([token])
        shown = redactor.show(f'{{"said": "{text}"}}')
        assert redactor.knows(text)
        assert STARS in shown
        assert _common(encode(part.encode()).strip("="), shown) < max(12, len(encode(part.encode())) // 3)


def _common(one: str, other: str) -> int:
    """How many characters in a row two texts share."""
    return SequenceMatcher(None, one, other, autojunk=False).find_longest_match().size


WORDS = ["production", "administrator", "newsletter", "subscription", "international", "welcome", "customers", "VIP",
         "Summer Sale", "acme", "eu-central-1", "2026-11-28T10:59:16Z", "deal_stage", "contact", "postgres", "Test",
         "https://acme.api-us1.com/api/3/tags?limit=100", "tag.vip", "10.4.2026", "Objednávky", "Gäste"]  # fmt: skip
ORDINARY = st.lists(
    st.one_of(
        st.sampled_from(WORDS),
        st.integers(0, 10**12).map(str),
        st.binary(min_size=4, max_size=32).map(bytes.hex),
        st.binary(min_size=4, max_size=40).map(lambda raw: base64.b64encode(raw).decode()),
        st.lists(st.integers(0, 300), max_size=20).map(json.dumps),
        st.uuids().map(str),
        st.text("abc xyz\u00e9%&+\\#;0", max_size=12),
    ),
    max_size=12,
).map(" ".join)
HELD = st.one_of(
    TOKENS, st.sampled_from(WORDS), st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map("-".join),
    st.text("abcdefghijklmnopqrstuvwxyz ", min_size=4, max_size=20),
)  # fmt: skip


def test_a_key_that_is_made_of_a_credential_holds_it() -> None:
    """As hints offer keys, and names of files are made."""
    for made in ("t-canary_aws_secret-key-0123", "canary-aws-secret-key-0123", "tag.canary_aws_secret_key_0123"):
        assert "secret" not in Redactor(["canary/aws/secret-key-0123"]).show(f"write `{made}`")


@given(HELD, ORDINARY)
def test_what_shares_few_letters_with_a_credential_is_untouched(held: str, text: str) -> None:
    """Digests, ids, names and prose stay, also where the credential is an ordinary word: a part of it that counts is of
    eight characters at least, of ten where it may be words.
    """
    held = held.strip()
    forms = {held.lower(), held.lower()[::-1], held.encode().lower().decode("latin-1")}
    least = len(held) if len(held) < LONG else LONG
    plain = " ".join(text.replace("\\", "").replace("+", " ").split()).lower()
    near = any(
        form[at : at + least] in said for form in forms for at in range(len(form)) for said in (text.lower(), plain)
    )
    assert near or Redactor([held]).show(text) == text


@pytest.mark.parametrize(
    ("held", "text"),
    [
        ("administrator", "administration of the shop"),
        ("newsletters", "newsletter"),
        ("production", "product and production line".replace("production", "produce")),
        ("subscription-for-customers", "subscription"),
        ("AGE-SECRET-KEY-1QL3Z7HJY54PW3HYWW5AYYFG7ZQGVC7W3J2ELW8ZMRJ2KG5SFN9AQMCAC8P", "AGE-SECRET-KEY-1..."),
        ("DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=Zm9vYmFyMDEyMzQ1Njc4OQ==", "AccountName=acme"),
        ('{"auth_uri": "https://accounts.google.com/o/oauth2/auth"}', "https://accounts.google.com"),
        ("Test", "latest tests"),
        (hashlib.sha256(b"key").hexdigest(), hashlib.sha256(b"other").hexdigest()),
    ],
)
def test_words_that_are_in_a_credential_stay(held: str, text: str) -> None:
    """A part that language or a program has anyway is none."""
    assert Redactor([held]).show(text) == text


@pytest.mark.prove
@settings(max_examples=10_000)
@given(TOKENS, st.data())
def test_no_part_in_any_encoding_inside_of_another_is_told(token: str, data: st.DataObject) -> None:
    """Two encodings in each other, parts of two thirds."""
    size = max(12, -(-len(token.encode()) * 2 // 3))
    at = data.draw(st.integers(0, len(token) - size))
    part = data.draw(st.sampled_from(CASES[:4]))(token[at : at + size])
    names = data.draw(st.tuples(*[st.sampled_from(SINGLE)] * 2))
    text = ENCODINGS[names[1]](f"key {ENCODINGS[names[0]](part.encode())}".encode())
    assert STARS in Redactor([token]).show(text), names


@given(
    st.text("abcXYZ0189-_", min_size=LONG, max_size=64),
    st.sampled_from(sorted(SPELLINGS)),
    st.integers(0, 400),
    st.sampled_from([0, 3, 39_900]),
    st.sampled_from([20, 40, 60, 200, 300]),
)
def test_a_credential_is_not_cut_in_two(secret: str, spelling: str, before: int, far: int, most: int) -> None:
    """Wherever a text is cut, it is searched first: not even four characters of a credential are left of it."""
    spelled = SPELLINGS[spelling](secret)
    text = " " * (before + far) + spelled + " " * 90 + spelled * 50
    with one_for_all(Redactor([secret])):
        told = abridged(text, most)
    assert len(told) <= max(most, 3)
    pieces = {spelled[at : at + 4] for at in range(len(spelled) - 3)}
    assert not any(piece in told for piece in pieces)


CUTS = {
    "config/reading/loading.py": {"documents[:1]"},
    "config/reading/problems.py": {"names[:most]"},
    "model/address.py": {"names[:most]"},
    "store/programs.py": {"self.rest[:_CHUNK]"},
    "remote/answers.py": {"text[:1]"},
    "remote/client.py": {"piece[:MOST_BYTES + 1 - len(content)]"},
    "store/documents.py": {"self._blobs.names(RUN_FOLDER)[:-RUNS]"},
    "workflow/plans/promises.py": {"document.format_version.split('.')[:2]"},
    "config/reading/validation.py": {"fault.error['msg'][:1]"},
    "planning/declarable.py": {"paths[:MOST]"},
    "deriving/aside.py": {"lives[:NAMED]"},
    "deriving/export.py": {"re.sub('[^a-z0-9]+', '_', plain).strip('_')[:LONGEST_KEY]"},
    "render/charts.py": {
        "risky[:_MOST_BARS]",
        "[index * step for index in range(int(length / step) + 1)][:10 * _TICKS]",
    },
    "planning/boards.py": {
        "[view for view in views if max(len(view.before), len(view.after)) <= MOST_CARDS][:MOST_BOARDS]",
        "sorted(touched & stages.keys())[:MOST_BOARDS]",
    },
    "render/comment.py": {"left[:MOST_LEFT]"},
    "render/rollout.py": {"standing.waves[:MOST_WAVES]"},
    "render/fleet.py": {"report.groups[:FEW_GROUPS]", "report.news[:FEW_FAILURES]", "group.changes[:most]",
                        "accounts[:FEW]", "group.changes[:20]", "causes(report)[:FEW_FAILURES]", "rows[:FEW_DRIFTED]",
                        "rows[:MANY]", "report.news[:MANY]", "shown[:most]", "(group.differs or group.changes)[:MANY]"},
    "fleet/differences.py": {"groups[:COMPARED]", "groups[:min(at, LARGEST)]"},
    "fleet/wrong.py": {"accounts[:FEW]"},
    "render/html.py": {"lost[:MOST_LOST]"},
    "render/markdown.py": {"addresses[:_MOST_NAMED]", "card.addresses[:_MOST_NAMED]"},
    "render/sentences.py": {"known[:_SAID]"},
    "render/sides.py": {"[item.text for item in items][:_COMPARED]"},
    "render/tree.py": {"[literal(_shortest(item)) for item in (*before, *after)][:_COMPARED]"},
    "fleet/accounts.py": {"labels[:20]"},  # names
    "fleet/job.py": {"changes[:MOST_LINES]"},
    "fleet/rollout.py": {"what[:MOST_NEWS]"},
    "fleet/running.py": {"fleet.runtime.token()[:4]", "fleet.passed_over[:MOST_TOLD]"},
    "workflow/doctor/environment.py": {"LINES[:4]"},
    "render/graph.py": {"edges[:MOST_EDGES]"},
    "render/mermaid.py": {"diagram.edges[:_MOST_EDGES]"},
    "render/progress.py": {"list(self._running.values())[:_SHOWN]"},
    "render/words.py": {"addresses[:MOST_NAMED]"},
    "resources/list.py": {"ids[:NAMED]"},
    "resources/setting.py": {"tables.get(source.name)[:1]"},
    "engine/apply.py": {"self.ports.settling[:AFTER_AN_ANSWER if answered else None]"},
    "engine/usage.py": {"inspected[:SHOWN]"},
    "render/handbook.py": {"text[:LONGEST]"},
    "render/reading.py": {"busy[:_SHOWN]"},
    "cli/update.py": {"update.now.commit[:12]", "update.before.commit[:12]"},
    "store/baselines.py": {"_oldest(list(cache.glob('*.json')))[:-KEPT]"},
    "workflow/opening/baselines.py": {"entry.digest[:12]"},
    "cli/completing.py": {
        "names[:MOST]",
        "_fitting(['latest', *run_names(_folder(ctx), _environment(ctx))], incomplete)[:MOST]",
    },
    "cli/coverage.py": {"loose[:SHOWN]"},
    "cli/terminal.py": {"error.message[:1]"},
    "workflow/doctor/state.py": {"session.kinds[name].natural_keys(live.attrs)[:1]"},
    "cli/ids.py": {"list(lines)[:SHOWN]"},
    # Digests, and names of commits and of temporary files.
    "cli/ci.py": {"proposal.head[:12]"},
    "model/ids.py": {"hashlib.sha256(known.encode('utf-8', 'surrogatepass')).hexdigest()[:16]"},
    "render/code/naming.py": {"hashlib.sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()[:8]"},
    "model/snapshot_file.py": {"hashlib.sha256(text.encode()).hexdigest()[:12]"},
    "deriving/promoting.py": {"hashlib.sha256(f'{salt}:{plain}'.encode()).hexdigest()[:32]"},
    "resources/webhook.py": {"hashlib.sha256(str(url).encode()).hexdigest()[:32]"},
    "store/atomic.py": {"path.name[:200]", "target.name[:200]"},
    "store/http.py": {"digits[:8]"},
    "workflow/opening/trusted_limits.py": {"hashlib.sha256(written).hexdigest()[:8]"},
    "workflow/ci.py": {"commit[:12]"},
    "workflow/opening/facts.py": {"facts.probed[fact.name][:10]"},
    "workflow/apply/run_records.py": {"session.runtime.token()[:6]"},
    "workflow/observation/book.py": {"last[:6]"},
    # What was searched already: documents that were masked when they were made, problems that were cleared.
    "render/harmless.py": {"text[:_CLIP]"},
    "render/excerpts.py": {"source[:room - 3]"},
    # The one way to cut, and a part of a status line.
    "model/redaction.py": {"text[:2 * _READ]", "shown[:max(len(shown) - _READ, 0)]",
                           "shown[:max(most - 3, 0)]"},
    "remote/trouble.py": {"str(error)[:3]"},
}  # fmt: skip
"""Everything that is cut to a number, and is no text that somebody else wrote, or was searched for credentials."""


def test_nothing_is_cut_but_by_the_one_function() -> None:
    """A cut that is new is told here: it is of a list, of what was searched, or it is `abridged`."""
    root = Path(reconciler.__file__).parent
    found: dict[str, set[str]] = {}
    for path in sorted(root.rglob("*.py")):
        text = path.read_text("utf-8")
        if path.relative_to(root).parts[0] == "emulator" or "[:" not in text.replace("[: ", "[:"):
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice) and _bounds(node.slice):
                found.setdefault(path.relative_to(root).as_posix(), set()).add(ast.unparse(node))
    assert {name: cuts - CUTS.get(name, set()) for name, cuts in found.items() if cuts - CUTS.get(name, set())} == {}


def _bounds(cut: ast.Slice) -> bool:
    """Return whether a slice keeps so many from the beginning: a number of four or more, a constant, or what is made of
    one.
    """
    if cut.lower is not None or cut.upper is None:
        return False
    names = {one.id for one in ast.walk(cut.upper) if isinstance(one, ast.Name)}
    number = isinstance(cut.upper, ast.Constant) and isinstance(cut.upper.value, int) and cut.upper.value > 3
    return number or any(name.isupper() or name in ("most", "room") for name in names)


@given(
    st.lists(
        st.text("abcdef-/+ ", min_size=LONG, max_size=20).filter(lambda one: len(one.strip()) >= LONG),
        min_size=2,
        max_size=4,
    )
)
def test_each_line_of_several_is_found(lines: list[str]) -> None:
    """A server may quote one line of a text, or the text with other line ends."""
    redactor = Redactor(["\n".join(lines)])
    for line in lines:
        assert STARS in redactor.show(f"line: <{line.strip()}>")
    assert not any(line.strip() in redactor.show("\r\n".join(lines)) for line in lines)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_holds_no_credential_is_untouched(text: str) -> None:
    """Digests, addresses and prose stay as they are."""
    assert Redactor(["canary-one-1", 'p@ss/w+rd&"<7>', "zwei\nzeilen-lang"]).show(text) == text


def test_a_short_text_is_not_searched_for() -> None:
    """Three letters are in every second word."""
    assert Redactor(["abc", "", " "]).show("abc and abcd") == "abc and abcd"


@pytest.mark.parametrize(
    ("name", "value", "held"),
    [
        ("AC_TOKEN", "canary-key-1", True),
        ("AC_PROD_API_KEY", "canary-key-1", True),
        ("PGPASSWORD", "four", True),
        ("AWS_SECRET_ACCESS_KEY", "canary-key-1", True),
        ("DATABASE_URL", "postgres://joe:canary-key-1@db/x", True),
        ("HTTPS_PROXY", "http://joe:canary%2Dkey-1@proxy:3128", True),
        ("MY_TOKEN", "short", False),
        ("AC_TOKEN_FILE", "/run/secrets/canary-key-1", False),
        ("TOKEN_TTL", "canary-key-1", False),
        ("PWD", "/home/canary-key-1", False),
        ("AC_REGION", "canary-key-1", False),
    ],
)
def test_variables_that_hold_credentials_are_known_by_name_or_by_form(name: str, value: str, held: bool) -> None:
    """Those that programs read by name, those that are named so, and passwords in URLs."""
    found = credentials_in({name: value})
    assert bool(found) is held
    assert not credentials_in({name: value}, public=[name]) or name not in ("AC_TOKEN", "AC_PROD_API_KEY")


def test_the_password_of_a_url_is_known_as_it_is_written_and_as_it_is_meant() -> None:
    """A token in place of a user is one, too."""
    assert passwords_of("https://joe:p%40ss@h.example/x") == ["p%40ss", "p@ss"]
    assert passwords_of("https://canary@h.example/x") == ["canary"]
    assert passwords_of("https://h.example/joe:x@y") == []
    assert passwords_of("mail joe@x.example") == []


def test_a_snapshot_keeps_no_credential_as_the_name_of_a_property() -> None:
    """A server may say it anywhere: names are cleared as texts are, and names of before stay."""
    body = {"tags": [{"id": "1", "canary-token-1": {"mail to ann@acme.example": "canary-token-1"}}]}
    kept = json.dumps(without_secrets(body, Redactor(["canary-token-1"])))
    assert "canary" not in kept
    assert "ann@" not in kept
    assert kept.startswith('{"tags": [{"id": "1", ')
