"""Takes the pictures of docs/studio.md in a real browser, of what `make demo` made: `make docs-images`."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from tests.chromium import Tab, browser
from tests.factories import quiet

from hpvqa.studio.answers import Answers
from hpvqa.studio.server import open_server
from hpvqa.studio.site import Site
from hpvqa.studio.source import open_source

DEMO = Path("demo")
RUNS = ("pixels", "embedded", "left")
IMAGES = Path(__file__).parents[1] / "docs/images"
QUALITY = 85
READY = "episode.player && episode.player.views.every((view) => view.shown === episode.player.goal)"


def take(tab: Tab, name: str) -> None:
    """Save what is seen."""
    with tempfile.TemporaryDirectory() as folder:
        data = tab.picture(Path(folder) / name).read_bytes()
    picture = Image.open(io.BytesIO(data)).convert("RGB")
    picture.save(IMAGES / name, quality=QUALITY, optimize=True)


def main() -> None:
    """Take them."""
    source = open_source(DEMO / "dataset")
    site = Site(source, Answers([DEMO / "runs" / name for name in RUNS], [source.root]), live=True)
    site.read(quiet())
    server = open_server(site, 0)
    server.start("pictures")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, browser(Path(profile)) as tab:
        tab.size(1000, 690)
        tab.open(f"{server.url}#split=eval")
        tab.wait("document.querySelectorAll('.card').length")
        tab.run("at('runs').open = true")
        tab.wait("[...document.images].length && [...document.images].every((image) => image.complete)")
        take(tab, "studio-runs.png")
        tab.run("at('runs').open = false")
        tab.wait("[...document.images].every((image) => image.complete)")
        take(tab, "studio-grid.jpg")
        tab.size(1280, 1180)
        tab.run("document.querySelector('.card a').click()")
        tab.wait(READY)
        tab.press("n")
        for _ in range(5):
            tab.press("ArrowRight")
        tab.wait(READY)
        take(tab, "studio-episode.jpg")
        tab.size(1000, 780)
        tab.run("at('truth').open = true; scrollTo({ top: at('answers').offsetTop - 90, behavior: 'instant' })")
        take(tab, "studio-answers.png")
        tab.dark(True)
        tab.size(390, 780, phone=True)
        tab.run("scrollTo({ top: 190, behavior: 'instant' }); document.querySelector('#clips .large button').click()")
        tab.wait(READY)
        take(tab, "studio-phone.jpg")
    server.stop()


if __name__ == "__main__":
    main()
