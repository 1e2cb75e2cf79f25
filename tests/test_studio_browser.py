"""The studio's pages in a real browser: clips in step, keys, a phone's width, contrast, and nobody else is asked."""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image

from hpvqa.explore.runs.record import played_file, read_played, write_played
from hpvqa.progress.reporter import JsonLines, Reporter
from hpvqa.studio.answers import Answers
from hpvqa.studio.scenes import Scenes
from hpvqa.studio.server import open_server
from hpvqa.studio.site import Site
from hpvqa.studio.source import open_source
from hpvqa.studio.writing import write_site
from tests import factories
from tests.chromium import CHROMIUM, Tab, browser
from tests.explore_play import play, rule
from tests.needs import long_but
from tests.report_runs import left, make_dataset, make_run, truth

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")

FRAMES = 12
SIZES = {False: (1280, 900), True: (390, 844)}
"""Of the window, by whether it is a phone's [CSS pixels]."""
SEEN = """
const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
globalThis.seen = () => [...document.querySelectorAll("#clips .front")].map((canvas) => {
  copy.drawImage(canvas, 0, 0);
  const row = copy.getImageData(0, canvas.height / 2, canvas.width, 1).data;
  let white = 0;
  for (let x = 0; x < canvas.width; x++) white += row[4 * x] > 210;
  return Math.round((white - 1) / 4);
}), true
"""
"""Numbers of the frames that are seen, from the pixels: a white bar grows by four of them in each."""
HURRY = "const later = setTimeout; setTimeout = (what, when, ...of) => later(what, when / 10, ...of);"
"""What was to be done in five seconds is done in half a second."""
BY_HAND = """
globalThis.looks = [];
const later = setTimeout;
setTimeout = (what, when, ...of) => when === SOON ? looks.push(what) : later(what, when, ...of);
"""
"""The page looks which pictures are near when it is told to, and not every tenth of a second."""
CONTRAST = """
(() => {
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const linear = (c) => c <= 10.3 ? c / 3294.6 : ((c / 255 + .055) / 1.055) ** 2.4;
  const light = (color) => color.slice(0, 3).map(linear)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const behind = (element) => {
    for (; element; element = element.parentElement) {
      const found = numbers(getComputedStyle(element).backgroundColor);
      if (found.length < 4 || found[3] > 0) return found;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !element.checkVisibility({ visibilityProperty: true }) || element.matches(":disabled")) continue;
    const [a, b] = [light(numbers(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) weak.push(`${element.tagName} ${element.textContent.slice(0, 30)} ${ratio.toFixed(2)}`);
  }
  return weak;
})()
"""
NAMELESS = """
[...document.querySelectorAll("button, input, select, canvas, a, [tabindex='0']")].filter((element) =>
  element.checkVisibility() && !(element.getAttribute("aria-label") ||
  (element.matches(":not([tabindex='0'])") && element.textContent.trim()) ||
  [...(element.labels || [])].some((label) => label.textContent.trim()))).map((element) => element.outerHTML)
"""


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("studio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factories, "FRAMES", FRAMES)
        dataset = make_dataset(folder, push=4)
    runs = [make_run(folder / "left", dataset, say=left), make_run(folder / "<truth>", dataset, say=truth)]
    source = open_source(dataset.root)
    (folder / "metrics.jsonl").write_text('{"step": 1, "loss": 0.7}\n{"step": 2, "loss": 0.6, "learning_rate": 1e-5}\n')
    site = Site(source, Answers(runs, [source.root]), [folder], live=False)
    site.read(factories.quiet())
    return site


@pytest.fixture(scope="module")
def url(shown: Site) -> Iterator[str]:
    server = open_server(shown, 0)
    server.start("test")
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(tmp_path_factory.mktemp("profile")) as tab:
        yield tab


@pytest.fixture
def tab(started: Tab) -> Tab:
    started.open("about:blank")
    started.complaints.clear()
    started.asked.clear()
    started.size(*SIZES[False])
    started.dark(False)
    return started


def open_first(tab: Tab) -> None:
    tab.wait("document.querySelectorAll('.card').length > 0")
    tab.run("document.querySelector('.card a').click()")
    tab.run(SEEN)
    at_frame(tab, 0)


def at_frame(tab: Tab, frame: int) -> None:
    """Wait until the player says that it is there and has drawn it, then look at the pixels."""
    tab.wait(
        f"episode.player && episode.player.goal === {frame} && episode.player.views.every((v) => v.shown === {frame})"
    )
    assert tab.run("seen()") == [frame, frame]


@pytest.mark.slow
@pytest.mark.parametrize("phone", long_but([False, True]), ids=["desk", "phone"])
def test_clips_are_in_step_still_and_moving(phone: bool, tab: Tab, url: str) -> None:
    tab.size(*SIZES[phone], phone=phone)
    tab.open(url)
    open_first(tab)
    for key, shift, frame in (
        ("ArrowRight", False, 1),
        ("ArrowRight", False, 2),
        ("ArrowLeft", False, 1),
        ("End", False, FRAMES - 1),
        ("Home", False, 0),
        ("n", False, 10),
        ("ArrowLeft", True, 0),
    ):
        tab.press(key, shift=shift)
        at_frame(tab, frame)
    assert tab.run("at('scrubber').getAttribute('aria-valuetext')") == f"0.00 s, frame 1 of {FRAMES}"
    assert tab.run("document.querySelectorAll('#marks .mark').length") == 2
    # Every time that pictures change, what is seen is at most one frame apart.
    tab.run(
        "globalThis.steps = []; const told = episode.player.told;"
        "episode.player.told = (...of) => { told(...of); steps.push(seen()); }, true"
    )
    tab.press(" ")
    tab.wait("!episode.player.playing")
    at_frame(tab, FRAMES - 1)
    steps = tab.run("steps")
    assert len(steps) > 2
    assert max(max(step) - min(step) for step in steps) <= 1
    assert tab.complaints == []
    assert {urlsplit(asked).netloc for asked in tab.asked} - {""} == {urlsplit(url).netloc}


@pytest.mark.slow
def test_truth_is_behind_a_key_and_filters_are_kept(tab: Tab, url: str) -> None:
    tab.open(f"{url}#correct=%3Ctruth%3E&wrong=left")
    tab.wait("document.querySelectorAll('.card').length === 2")
    open_first(tab)
    verdict = "Array.from(document.querySelectorAll('.verdict')).filter((one) => one.checkVisibility())"
    verdict += ".map((one) => one.textContent)"
    assert tab.run(verdict) == []
    assert not tab.run("at('true').checkVisibility()")
    tab.press("t")
    tab.wait(f"{verdict}.length === 4")
    assert sorted(tab.run(verdict)) == ["✓ correct"] * 2 + ["✗ wrong"] * 2
    assert "Answer: right" in tab.run("at('true').innerText")
    assert tab.run("at('answer-table').querySelectorAll('th')[2].textContent") == "<truth>"
    first = tab.run("episode.data.key")
    tab.press("j")
    tab.wait(f"episode.data && episode.data.key !== '{first}'")
    assert not tab.run("at('truth').open")
    tab.press("Escape")
    tab.wait("!at('grid').hidden")
    assert tab.run("document.querySelectorAll('.card').length") == 2
    tab.run("[...document.querySelectorAll('#filters button')].at(-1).click()")
    tab.wait("document.querySelectorAll('.card').length === 4")
    assert tab.complaints == []


@pytest.mark.slow
def test_pictures_come_where_one_stops_and_not_where_one_flies_past(tab: Tab, shown: Site, tmp_path: Path) -> None:
    with tab.before_pages(BY_HAND):
        tab.open(write_site(shown, tmp_path / "pages", factories.quiet()).page.as_uri())
    tab.wait("studio.index")
    many = "studio.index.episodes.map((one) => ({ ...one, key: `${one.key}#${turn}` }))"
    many = f"Array.from({{ length: 30 }}, (_, turn) => {many}).flat()"
    tab.run("globalThis.path = studio.path, studio.path = (folder, key) => path(folder, key.split('#')[0]), true")
    tab.run(f"studio.index.episodes = {many}, show_grid(), more()")
    cards = "[...document.querySelectorAll('.card')]"
    drawn = f"{cards}.map((card) => Number(card.querySelector('img')?.naturalWidth > 0))"
    look = "looks.splice(0).forEach((look) => look())"
    tab.wait("grid.near.size > 9")
    assert sum(tab.run(drawn)) == 0
    tab.run(look)
    tab.wait(f"{drawn}[0]")
    for place in (40, 80):
        tab.run(f"{cards}[{place}].scrollIntoView({{ behavior: 'instant', block: 'center' }})")
        tab.wait(f"grid.near.has({cards}[{place}]) && !grid.near.has({cards}[{place - 40}])")
        tab.run(look)
    assert sum(tab.run(drawn)[40:]) == 0
    tab.run(look)
    tab.wait(f"{drawn}[80]")
    assert tab.run(drawn)[40] == 0
    if picture := os.environ.get("HPVQA_TEST_PICTURES"):
        tab.picture(Path(picture) / "grid.png")
    assert tab.complaints == []


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.slow
def test_files_can_be_read_at_any_width(tab: Tab, shown: Site, dark: bool, phone: bool, tmp_path: Path) -> None:
    written = write_site(shown, tmp_path / "pages", factories.quiet())
    tab.dark(dark)
    tab.size(*SIZES[phone], phone=phone)
    tab.open(written.page.as_uri())
    tab.wait("document.querySelectorAll('.card').length === 4")
    tab.run("at('runs').open = at('trainings').open = true")
    assert "learning rateby step 2 1.0e−5" in tab.run("at('courses').textContent")
    for _ in range(2):
        assert tab.run("document.documentElement.scrollWidth") == SIZES[phone][0]
        assert tab.run(CONTRAST) == []
        assert tab.run(NAMELESS) == []
        tab.run("document.querySelector('.card a').click()")
        tab.wait("episode.player && episode.player.views.every((v) => v.shown === 0)")
        tab.press("t")
    tab.press("ArrowRight")
    tab.wait("episode.player.views.every((v) => v.shown === 1)")
    assert tab.complaints == []
    assert {urlsplit(asked).scheme for asked in tab.asked} <= {"file", "data"}


@pytest.mark.slow
@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_what_goes_on_is_followed_without_reloading(phone: bool, tab: Tab, tmp_path: Path) -> None:
    data = factories.make_data(tmp_path / "data", push=3)
    kept = data.rename(tmp_path / "kept")
    shutil.copytree(kept / "push/000/episode-000000", data / "push/000/episode-000000")
    metrics, progress = tmp_path / "metrics.jsonl", tmp_path / "progress.jsonl"
    metrics.write_text('{"step": 1, "loss": 0.7}\n')
    source = open_source(data)
    site = Site(source, Answers((), ()), [tmp_path], [progress], live=True)
    site.read(factories.quiet())
    server = open_server(site, 0)
    server.start("test")
    tab.size(*SIZES[phone], phone=phone)
    with tab.before_pages(HURRY):
        tab.open(server.url)
    tab.wait("document.querySelectorAll('.card').length === 1")
    assert "there is no such file yet" in tab.run("at('work').innerText")
    tab.run("globalThis.same = true, document.querySelector('.card a').focus()")
    reporter = Reporter([JsonLines(progress)], itertools.count(100.0).__next__)
    reporter.start("collect", "episodes", 3)
    reporter.item("push/000/episode-000000")
    reporter.item("push/000/episode-000001")
    reporter.warning("one more")
    shutil.copytree(kept / "push/000/episode-000001", data / "push/000/episode-000001")
    with metrics.open("a") as file:
        file.write('{"step": 2, "loss": 0.4}\n')
    tab.wait("document.querySelectorAll('.card').length === 2")
    tab.wait("document.querySelector('#work progress')")
    assert tab.run("document.querySelector('#work progress').value") == 2
    assert "collect: 2/3 episodes, 1.0 episodes/s, 0:00:00 left" in tab.run("at('work').innerText")
    assert "one more" in tab.run("at('work').innerText")
    assert "A data folder of 2 episodes" in tab.run("at('about').textContent")
    assert "by step 2 0.4" in tab.run("at('courses').innerText")
    assert tab.run("document.activeElement === document.querySelector('.card a') && same")
    assert tab.run("document.documentElement.scrollWidth") == SIZES[phone][0]
    assert tab.run(CONTRAST) == tab.run(NAMELESS) == []
    reporter.done("interrupted")
    tab.wait("at('work').innerText.includes('collect: 2/3 episodes, interrupted')")
    if picture := os.environ.get("HPVQA_TEST_PICTURES"):
        tab.picture(Path(picture) / f"live-{'phone' if phone else 'desk'}.png", whole=True)
    server.stop()
    assert tab.complaints == []
    assert {urlsplit(asked).netloc for asked in tab.asked} - {""} == {urlsplit(server.url).netloc}


@pytest.mark.slow
@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, True)], ids=["desk", "phone"])
def test_scenes_of_agents_can_be_read_filtered_and_gone_through(
    phone: bool, dark: bool, tab: Tab, tmp_path: Path
) -> None:
    runs = [tmp_path / "ideal", tmp_path / "random"]
    for run in runs:
        play(rule(run.name), run)
    # Rules see no pictures: one is put in.
    key = sorted(path.name for path in (runs[0] / "scenes").iterdir())[0]
    file, shot = played_file(runs[0], key), "0" * 64
    played = read_played(file)
    assert played is not None
    write_played(file, [step.model_copy(update={"shot": shot}) for step in played.steps], played.ending)
    (runs[0] / "shots").mkdir()
    Image.new("RGB", (384, 384), "teal").save(runs[0] / "shots" / f"{shot}.png")
    site = Scenes(runs, live=False)
    count = len(site.read(factories.quiet()))
    tab.dark(dark)
    tab.size(*SIZES[phone], phone=phone)
    tab.open(write_site(site, tmp_path / "pages", factories.quiet()).page.as_uri())
    tab.wait("document.getElementById('count')?.textContent")
    shown = "[...document.querySelectorAll('#cards > li')].filter((card) => card.checkVisibility())"
    assert tab.run(f"{shown}.length") == count
    tab.wait("[...document.images].every((image) => image.complete && image.naturalWidth === 384)")
    look(tab, phone, "scenes")
    first = "const select = document.querySelector('#filters select'); select.selectedIndex = 1;"
    tab.run(f"(() => {{ {first} select.dispatchEvent(new Event('change')); }})()")
    tab.wait(f"0 < {shown}.length && {shown}.length < {count}")
    tab.run("history.back()")
    tab.wait(f"{shown}.length === {count}")
    tab.run("document.querySelector('#cards a').click()")
    tab.wait("document.querySelector('article.step') && document.readyState === 'complete'")
    tab.run("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    look(tab, phone, "scene")
    here = tab.run("location.pathname")
    tab.press("j")
    tab.wait(f"location.pathname !== '{here}' && document.readyState === 'complete'")
    tab.press("k")
    tab.wait(f"location.pathname === '{here}'")
    assert tab.complaints == []
    assert {urlsplit(asked).scheme for asked in tab.asked} <= {"file", "data"}


def look(tab: Tab, phone: bool, name: str) -> None:
    """Hold what is seen to be readable, and keep a picture of it where one is asked for."""
    assert tab.run("document.documentElement.scrollWidth") == SIZES[phone][0]
    assert tab.run(CONTRAST) == []
    assert tab.run(NAMELESS) == []
    if picture := os.environ.get("HPVQA_TEST_PICTURES"):
        tab.picture(Path(picture) / f"{name}-{'phone' if phone else 'desk'}.png", whole=True)


@pytest.mark.slow
def test_damage_is_shown_in_its_place(tab: Tab, tmp_path: Path) -> None:
    data = factories.make_data(tmp_path / "data", push=2)
    (data / "push/000/episode-000001/episode.json").write_text("{}")
    clip = next((data / "push/000/episode-000000").glob("*.mp4"))
    clip.write_bytes(b"no clip")
    source = open_source(data)
    site = Site(source, Answers((), ()), live=False)
    site.read(factories.quiet())
    tab.open(write_site(site, tmp_path / "pages", factories.quiet()).page.as_uri())
    tab.wait("document.querySelectorAll('.card').length === 2")
    assert "is damaged" in tab.run("document.querySelectorAll('.card')[1].textContent")
    tab.run("document.querySelector('.card a').click()")
    tab.wait("document.querySelector('#clips .nothing')")
    tab.wait("episode.player.views.length === 1 && episode.player.views[0].shown === 0")
    tab.press("End")
    tab.wait("episode.player.views[0].shown === 4")
    tab.press("j")
    tab.wait("document.querySelector('#trouble .warn')")
    assert "is damaged" in tab.run("at('trouble').innerText")


@pytest.mark.slow
def test_a_page_of_another_site_learns_nothing(tab: Tab, url: str) -> None:
    class Foreign(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (
                "<script>const studio = { give() { window.got = true; } };</script>"
                f"<script src='{url}data/index.js' onload='window.done = 1' onerror='window.done = 2'></script>"
            ).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Foreign)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    tab.open(f"http://localhost:{server.server_address[1]}/")
    tab.wait("window.done")
    assert tab.run("[window.done, window.got === true]") == [2, False]
    server.shutdown()
    server.server_close()
