"""Writes type parameters, which Python has from 3.12 on, in the way of 3.11, in files of a package that need them.

    python scripts/older_syntax.py .venvs/exports/lerobot/lib/python3.11/site-packages/lerobot

LeRobot 0.6 asks for Python 3.12, for which package indexes have PyTorch with CUDA alone, several gigabytes of it. But
for these lines it runs on 3.11 too.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

_ALIAS = re.compile(r"type (\w+) = (.*)")
_GENERIC = re.compile(r"(class|def) (\w+)\[([^\]]+)\](.*)")


def older(source: str) -> str:
    """The same source without type parameters."""
    lines: list[str] = []
    for line in source.splitlines():
        alias, generic = _ALIAS.match(line), _GENERIC.match(line)
        if alias:
            line = f"{alias[1]} = {alias[2]}"
        elif generic:
            kind, name, parameters, rest = generic.groups()
            names = [parameter.partition(":")[0].strip() for parameter in parameters.split(",")]
            place = len(lines)
            while lines[place - 1].startswith("@"):
                place -= 1
            lines[place:place] = [f'{one} = __import__("typing").TypeVar("{one}")' for one in names]
            if kind == "class":
                base = f'__import__("typing").Generic[{", ".join(names)}]'
                rest = f"({base}):" if rest == ":" else rest.replace("):", f", {base}):")
            line = f"{kind} {name}{rest}"
        lines.append(line)
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    for path in sorted(Path(sys.argv[1]).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        try:
            ast.parse(text)
        except SyntaxError:
            changed = older(text)
            ast.parse(changed)
            path.write_text(changed, encoding="utf-8")
            print(path)
