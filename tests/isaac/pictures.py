"""Draws the pictures of the panel for the documentation: .venv-panel/bin/python -m tests.isaac.pictures

They show the panel under the real `omni.ui`, with a real run of the embedded simulator behind it, and a stand-in of a
model's server.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw
from pxr import Usd, UsdGeom

from tests.isaac.kit.real import RealSession
from tests.isaac.kit.services import EXTENSION, ROOT
from tests.isaac.panel_fixtures import panel, push_and_drop_job
from tests.servers import StandIn

IMAGES = ROOT / "docs" / "images"
SECTIONS = ("Preview", "Task", "Randomization", "Cameras", "Output", "Launch", "Episodes", "Replay", "Ask")
MARGIN = 4


class TallSession(RealSession):
    """With a screen that holds what a picture shows, without scrolling."""

    SIZE = (540, 1300)

    def picture(self, *titles: str) -> Image.Image:
        """Sections that follow one another, and no others."""
        self.unfold(*(title for title in SECTIONS if title not in titles), fold=True)
        self.unfold(*titles)
        first, last = (self.find(f"section.{title}") for title in (titles[0], titles[-1]))
        first.scroll_here_y(0.0)
        self.tick(5)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "screen.png")
            self.screenshot(path)
            with Image.open(path) as screen:
                top, bottom = first.screen_position_y, last.screen_position_y + last.computed_height
                if bottom > screen.height:
                    raise ValueError(f"{titles} need {bottom - top:g} pixels, and the screen has {screen.height}")
                return screen.convert("RGB").crop((0, round(top) - MARGIN, screen.width, round(bottom) + MARGIN))


def main() -> None:
    """Draw all of them."""
    with tempfile.TemporaryDirectory() as name, StandIn(owned_by="vllm", models=("qwen3.5",)) as server:
        # So that paths are short; the robot's meshes stay where they are.
        os.environ.setdefault("XDG_CACHE_HOME", str(Path.home() / ".cache"))
        os.environ["HOME"] = name
        options = {"data": "~/hpvqa-data", "server": server.url, "camera": "all"}
        with panel(Path(name), options=options, kind=TallSession) as kit:
            draw(kit)
    icon().save(EXTENSION / "data" / "icon.png")


def draw(kit: TallSession) -> None:
    kit.until(lambda: kit.extension._collector.table is not None)
    push_and_drop_job(kit)
    kit.until(lambda: kit.texts()["estimate"].startswith("0 of 4"))
    kit.picture("Task").save(IMAGES / "panel-job.png")
    kit.picture("Randomization").save(IMAGES / "panel-randomization.png")
    kit.picture("Cameras").save(IMAGES / "panel-cameras.png")
    kit.usd.stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageMetersPerUnit(kit.usd.stage, 1.0)
    UsdGeom.SetStageUpAxis(kit.usd.stage, "Z")
    kit.unfold("Preview")
    kit.click("preview")
    kit.until(lambda: kit.extension._collector.scene.pictures)
    kit.picture("Preview").save(IMAGES / "panel-preview.png")
    kit.unfold("Output", "Launch", "Episodes", "Ask")
    kit.click("generate")
    run = kit.extension._collector.run
    kit.until(lambda: run.progress.done >= 2)
    running = kit.picture("Output", "Launch")
    running.save(IMAGES / "panel-running.png")
    kit.until(lambda: run.state == "finished")
    kit.unfold("Episodes", "Ask")
    kit.until(lambda: sum(widget.identifier.endswith(".picture") for widget in kit.all()) == 4)
    kit.click("ask")
    kit.until(lambda: "all together" in kit.texts()["ask.answer"])
    kit.click("reveal")
    done = kit.picture("Episodes", "Ask")
    done.save(IMAGES / "panel-episodes.png")
    kit.unfold("Episodes", "Replay")
    kit.click("episode.push.1.replay")
    playback = kit.extension._collector.playback
    kit.until(lambda: not playback.waiting and playback.cameras)
    kit.slide("replay.time", 0.6 * playback.times[-1])
    kit.picture("Replay").save(IMAGES / "panel-replay.png")
    preview = Image.new("RGB", (2 * running.width, max(running.height, done.height)), done.getpixel((0, 0)))
    preview.paste(running, (0, 0))
    preview.paste(done, (running.width, 0))
    preview.save(EXTENSION / "data" / "preview.png")


def icon(size: int = 256) -> Image.Image:
    """Two cubes that look alike, one of them heavy enough to bend the table."""
    big = 4 * size
    image = Image.new("RGBA", (big, big), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    unit = big / 256

    def box(left: float, top: float, right: float, bottom: float, radius: float, color: str) -> None:
        pen.rounded_rectangle([part * unit for part in (left, top, right, bottom)], radius * unit, fill=color)

    box(8, 8, 248, 248, 40, "#20242c")
    for x, lift in ((44, 0), (140, 26)):
        box(x, 70 + lift, x + 72, 142 + lift, 10, "#76b900")
        box(x + 10, 80 + lift, x + 62, 132 + lift, 6, "#8fd114")
    pen.line([(28 * unit, 150 * unit), (124 * unit, 152 * unit)], fill="#e8e8e8", width=round(12 * unit))
    curve = [(124, 152), (140, 168), (156, 177), (176, 180), (196, 177), (212, 166), (228, 150)]
    pen.line([(x * unit, y * unit) for x, y in curve], fill="#e8e8e8", width=round(12 * unit), joint="curve")
    for x in (28, 124, 228):
        y = 150 if x != 124 else 152
        pen.ellipse([(x - 6) * unit, (y - 6) * unit, (x + 6) * unit, (y + 6) * unit], fill="#e8e8e8")
    box(60, 200, 196, 212, 6, "#5b6473")
    return image.resize((size, size), Image.Resampling.LANCZOS)


if __name__ == "__main__":
    main()
