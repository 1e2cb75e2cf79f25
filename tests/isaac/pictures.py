"""Draws the pictures of the panel for the documentation: python -m tests.isaac.pictures

They show the stand-in of Kit with a real run of the embedded simulator behind it, and a stand-in of a model's server.
What is shown is what the panel holds; how it looks in Kit differs in detail.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from PIL import Image, ImageDraw
from pxr import Usd, UsdGeom

from tests.isaac.kit.draw import draw_section
from tests.isaac.kit.session import EXTENSION, ROOT, Session
from tests.isaac.panel_fixtures import panel
from tests.servers import StandIn

IMAGES = ROOT / "docs" / "images"


def main() -> None:
    """Draw all of them."""
    with tempfile.TemporaryDirectory() as name, StandIn(owned_by="vllm", models=("qwen3.5",)) as server:
        # So that paths are short; the robot's meshes stay where they are.
        os.environ.setdefault("XDG_CACHE_HOME", str(Path.home() / ".cache"))
        os.environ["HOME"] = name
        with panel(Path(name), options={"data": "~/hpvqa-data", "server": server.url, "camera": "all"}) as kit:
            draw(kit)
    icon().save(EXTENSION / "data" / "icon.png")


def draw(kit: Session) -> None:
    kit.unfold("Randomization", "Cameras", "Preview")
    kit.until(lambda: kit.extension._collector.table is not None)
    kit.choose("backend", "mujoco")
    kit.type("resolution.0", 320)
    kit.type("resolution.1", 240)
    kit.type("tasks.push.fps", "5")
    kit.type("tasks.drop.fps", "5")
    kit.type("tasks.push.episodes", 2)
    kit.type("tasks.drop.episodes", 2)
    kit.type("option.workers", 1)
    kit.until(lambda: kit.texts()["estimate"].startswith("0 of 4"))
    sections(kit, "Task", "Randomization").save(IMAGES / "panel-job.png")
    sections(kit, "Cameras").save(IMAGES / "panel-cameras.png")
    kit.usd.stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageMetersPerUnit(kit.usd.stage, 1.0)
    UsdGeom.SetStageUpAxis(kit.usd.stage, "Z")
    kit.click("preview")
    kit.until(lambda: kit.extension._collector.cameras_drawn)
    sections(kit, "Preview").save(IMAGES / "panel-preview.png")
    kit.click("generate")
    run = kit.extension._collector.run
    kit.until(lambda: run.progress.done >= 2, 300)
    kit.until(lambda: any(widget.identifier.endswith(".picture") for widget in kit.all()), 60)
    running = sections(kit, "Output", "Launch")
    running.save(IMAGES / "panel-running.png")
    kit.until(lambda: run.state == "finished", 300)
    kit.until(lambda: sum(widget.identifier.endswith(".picture") for widget in kit.all()) == 4, 120)
    kit.click("ask")
    kit.until(lambda: "all together" in kit.texts()["ask.answer"], 120)
    kit.click("reveal")
    done = sections(kit, "Episodes", "Ask")
    done.save(IMAGES / "panel-episodes.png")
    preview = Image.new("RGB", (1000, 1000), "#2b2b2b")
    preview.paste(running, (0, 0))
    preview.paste(done, (0, running.height))
    preview.save(EXTENSION / "data" / "preview.png")


def sections(kit: Session, *titles: str) -> Image.Image:
    """Some sections, one below the other."""
    parts = [draw_section(kit.window(), title) for title in titles]
    sheet = Image.new("RGB", (parts[0].width, sum(part.height for part in parts)), "#2b2b2b")
    top = 0
    for part in parts:
        sheet.paste(part, (0, top))
        top += part.height
    return sheet


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
