"""The pages as files, which open without a server and can be published as they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from hpvqa.errors import UsageError
from hpvqa.files import inside, link_or_copy
from hpvqa.progress.reporter import Reporter
from hpvqa.studio.content import HOME, Pages
from hpvqa.vlm.saving import check_new, new_folder


@dataclass(frozen=True)
class Written:
    """Pages that were written.

    Attributes:
        page: The first page.
        files: How many files there are.
        missing: Addresses of pictures and clips that are missing or cannot be read.
    """

    page: Path
    files: int
    missing: tuple[str, ...]


def write_site(site: Pages, out: Path, reporter: Reporter) -> Written:
    """Write everything, whole or not at all. Clips are hard links where the file system allows.

    Args:
        site: The pages, which were read.
        out: Where they should appear; nothing may be there.
        reporter: Told of every file.

    Raises:
        UsageError: Something is there, or it is inside of what is shown.
        RunError: The disk does not take it.
    """
    check_new(out)
    for root in site.roots:
        if out.resolve().is_relative_to(root.resolve()):
            raise UsageError(f"{out} is inside of {root}, which is only read; choose another --out")
    addresses = list(site.addresses())
    missing: list[str] = []
    reporter.start("write", "files", len(addresses))
    with new_folder(out) as draft:
        for address in addresses:
            content = site.get(address)
            if content is None:
                missing.append(address)
            else:
                path = inside(draft, address)
                path.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(content.body, bytes):
                    path.write_bytes(content.body)
                else:
                    # A link to a link would lead out of what is published.
                    link_or_copy(content.body.resolve(strict=True), path)
            reporter.item(address, ok=content is not None)
    reporter.done()
    return Written(out / HOME, len(addresses) - len(missing), tuple(missing))
