"""Completion in bash, zsh and fish, where what click prints breaks a name: one with blanks or colons, and a list with
commas, came onto the command line as something else.
"""

from __future__ import annotations

import os
import re
import shlex
from typing import TYPE_CHECKING

from click.shell_completion import BashComplete, FishComplete, ZshComplete, add_completion_class, split_arg_string

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem, ShellComplete

    Base = ShellComplete
else:
    Base = object

CURSOR = "\x1f"
"""Stands where the cursor is, so that a word that has not begun is one."""
BASH = """\
%(complete_func)s() {
    local type value
    COMPREPLY=()
    while IFS=, read -r type value; do
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done < <(COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_BREAKS="$COMP_WORDBREAKS" %(complete_var)s=bash_complete "$1")
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _Valued(Base):
    """Values behind an option and `=` are completed as the word that they are part of."""

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        items = super().get_completions(args, incomplete)
        option, equals, _ = incomplete.partition("=")
        for item in items if equals and option.startswith("--") else ():
            item.value = f"{option}={item.value}"
        return items


class Bash(_Valued, BashComplete):
    """Of a word with colons or `=`, bash replaces what is behind the last of them, and it quotes nothing."""

    source_template = BASH

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor and what is typed of the last one, from the line as it was typed."""
        *words, last = split_arg_string(os.environ["COMP_WORDS"] + CURSOR)
        return words[1:], last.removesuffix(CURSOR)

    def format_completion(self, item: CompletionItem[str]) -> str:
        """Return the type, and what stands in place of what bash takes for the word."""
        value, line = item.value, os.environ["COMP_WORDS"]
        if item.type == "plain" and not _in_quotes(line):
            typed = self.get_completion_args()[1]
            ends = [typed.rfind(mark) + 1 for mark in ":=" if mark in os.environ.get("COMP_BREAKS", ":=")]
            value = re.sub(r"([^\w@%+=:,./-])", r"\\\1", value[max(ends, default=0) :])
        return f"{item.type},{value}"


class Zsh(_Valued, ZshComplete):
    """Without a set-up of its own, zsh does not know the function that registers a completion."""

    source_template = ZshComplete.source_template.replace(
        "    compdef ", "    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }\n    compdef "
    )


class Fish(_Valued, FishComplete):
    """A value may hold commas."""

    source_template = FishComplete.source_template.replace('string split ","', 'string split -m 1 ","')


SHELLS: dict[str, type[ShellComplete]] = {"bash": Bash, "zsh": Zsh, "fish": Fish}


def register() -> None:
    """Let click complete in these ways."""
    for name, shell in SHELLS.items():
        add_completion_class(shell, name)


def _in_quotes(line: str) -> bool:
    try:
        shlex.split(line)
    except ValueError as error:
        return "quotation" in str(error)
    return False
