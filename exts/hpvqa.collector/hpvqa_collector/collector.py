"""All that the panel knows and can do, without a window: the window may come and go, this stays."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from hpvqa_collector.calls import Calls, Reply
from hpvqa_collector.command import clean_environment, find_command
from hpvqa_collector.desktop import home_folder
from hpvqa_collector.errors import BadInputError
from hpvqa_collector.gallery import Gallery
from hpvqa_collector.options import END, Options
from hpvqa_collector.playback import Playback
from hpvqa_collector.rig import CameraTable
from hpvqa_collector.run import Run
from hpvqa_collector.scene import Scene
from hpvqa_collector.schema import KnownSchema
from hpvqa_collector.yaml_text import write_yaml

SETTLE = 0.4
"""An estimate is asked for when nothing was changed for so long [s]."""
_LOOK = 2.0
"""How often the data folder is looked at while a run is at work [s]."""
_ASK_TIMEOUT = 600.0
Watcher = Callable[[], None]


class Collector:
    """The state of the panel.

    Whoever shows it calls `tick` often, and `watch` to learn what has changed: ``edited``, ``job``, ``cameras``,
    ``estimate``, ``run``, ``over``, ``episodes``, ``answer``, ``preview``,
    ``replay``, ``moment`` or ``notice``.

    Args:
        schema: The JSON schema of recipes that comes with the panel; that of the command counts once it is known.
        extension: The folder of the extension.
        folder: Where this panel keeps files: the job, logs, thumbnails.
        environ: The environment.
        default_command: Command line of hpvqa if the user names none; empty: it is looked for.
        clock: A clock that never goes back [s].
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        extension: Path,
        folder: Path,
        environ: Mapping[str, str],
        default_command: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._extension, self._folder = extension, folder
        self._environ = clean_environment(environ)
        self._default_command = default_command
        self._clock = clock
        self._watchers: dict[str, list[Watcher]] = {}
        self._asked_for: float | None = clock()
        self._next_look = 0.0
        self._schema = KnownSchema(schema, folder / "recipe.schema.json")
        self.job = self._schema.job()
        self.options = Options(data=str(home_folder() / "hpvqa-data"))
        self._check_preview()
        self.table: CameraTable | None = None
        self.run = Run(folder, clock)
        self.calls = Calls(lambda: self.environ, folder)
        self.estimate: dict[str, Any] | None = None
        self.problem = ""
        """Why nothing can be collected with these settings."""
        self.notice = ""
        """The last thing that was done, or why it was not."""
        self.gallery = Gallery(self.calls, self.command, folder / "thumbnails", lambda: self.tell("episodes"))
        self.asking = False
        self.answer: dict[str, Any] | None = None
        self.answer_error = ""
        self.revealed = False
        self.ask_about: Path | None = None
        self.scene = Scene(self.calls, folder / "stills", lambda: self.tell("preview"), self.say)
        self.playback = Playback(self.calls, self.tell, self.say)
        backend = self.job.fields.get(("backend",))
        if backend is not None and "isaac" in backend.choices:
            self.job.set(("backend",), "isaac")

    # ------------------------------------------------------------------ who looks on

    def watch(self, topic: str, watcher: Watcher) -> Callable[[], None]:
        """Call a function whenever something changes; returns what ends that."""
        watchers = self._watchers.setdefault(topic, [])
        watchers.append(watcher)
        return lambda: watchers.remove(watcher)

    def tell(self, topic: str) -> None:
        """Let everyone know that something has changed."""
        for watcher in list(self._watchers.get(topic, ())):
            watcher()

    def say(self, notice: str) -> None:
        """Put a sentence under the title."""
        self.notice = notice
        self.tell("notice")

    def attempt(self, action: Callable[[], Any]) -> bool:
        """Do something that a user may have got wrong; returns whether it went well, else says why not."""
        self.say("")
        try:
            action()
        except BadInputError as error:
            self.say(str(error))
            return False
        except OSError as error:
            where = f" ({error.filename})" if error.filename else ""
            self.say(f"That did not work: {error.strerror}{where}")
            return False
        return True

    # ------------------------------------------------------------------ the job

    def changed(self, topic: str = "edited") -> None:
        """The job or an option was changed: have it checked and estimated soon.

        Args:
            topic: ``edited`` for one value, whose control shows it already; ``job`` for many.
        """
        self._asked_for = self._clock() + SETTLE
        self.tell(topic)

    def change_camera(self, change: Callable[[CameraTable], Any]) -> bool:
        """Change the table of cameras, and with it the rig of the job; returns whether it went well."""
        done = self.attempt(lambda: self.edit_table(change))
        self.changed("cameras")
        return done

    def edit_table(self, change: Callable[[CameraTable], Any]) -> None:
        """Change the table of cameras, and with it the rig of the job.

        Raises:
            BadInputError: It cannot be changed like that.
        """
        if self.table is None:
            raise BadInputError("The cameras are not known yet; hpvqa has not answered")
        change(self.table)
        self.job.set(("rig",), self.table.rig())

    def choose_rig(self, name: str) -> None:
        """Take the cameras of a shipped rig, or of a file."""
        if not name.strip():
            raise BadInputError("Name a camera rig, such as paper, or a YAML file")
        self.table = None
        self.job.set(("rig",), name.strip())
        self.changed("cameras")

    def save_job(self, path: Path) -> None:
        """Write the job as a recipe that ``hpvqa collect --recipe`` takes."""
        path = path if path.suffix in {".yaml", ".yml"} else path.with_name(path.name + ".yaml")
        write_yaml(path, self.job.recipe(), "Made in Isaac Sim; run it with: hpvqa collect --recipe FILE")
        self.say(f"The job is in {path}")

    def save_rig(self, path: Path) -> None:
        """Write the cameras that are on as a rig that ``--rig`` takes."""
        if self.table is None:
            raise BadInputError("The cameras are not known yet; hpvqa has not answered")
        path = path if path.suffix in {".yaml", ".yml"} else path.with_name(path.name + ".yaml")
        write_yaml(path, self.table.rig())
        self.say(f"The camera rig is in {path}")

    def load_job(self, path: Path) -> None:
        """Take over a recipe, once hpvqa has read and checked it."""

        def on_reply(reply: Reply) -> None:
            if reply.error is not None:
                self.say(reply.error)
                return

            def take() -> None:
                self.job.load(reply.data["recipe"])
                self.table = CameraTable(self.job.camera_fields, reply.data["rig"])
                rig = self.job.get(("rig",))
                if isinstance(rig, dict) or Path(rig).suffix:
                    # A file may be named as seen from the recipe's folder, which will not be known later.
                    self.job.set(("rig",), self.table.rig())

            if self.attempt(take):
                self.say(f"Loaded {path}")
            self.changed("job")
            self.tell("cameras")

        nowhere = str(self._folder / "no-data")
        arguments = ["collect", "--recipe", str(path), "--estimate", "--json", "--out", nowhere]
        self.calls.ask("load", [*self.command(), *arguments], on_reply, folder=path.parent)

    @property
    def environ(self) -> dict[str, str]:
        """The environment of the command."""
        named = self.options.isaac.strip()
        return {**self._environ, "HPVQA_ISAAC": named} if named else self._environ

    @property
    def data(self) -> Path:
        """The data folder."""
        return Path(os.path.expanduser(self.options.data))  # noqa: PTH111 - Path's own fails where there is no home

    @property
    def kit_log(self) -> Path | None:
        """The newest log of Isaac Sim in the data folder; None if there is none."""
        logs = [path for path in self.data.glob("isaac-*.log") if path.is_file()]
        return max(logs, key=lambda path: path.stat().st_mtime, default=None)

    @property
    def home(self) -> Path:
        """Where to begin looking for files."""
        return self.data.parent if self.data.parent.is_dir() else home_folder()

    def command(self) -> list[str]:
        """The command line of hpvqa.

        Raises:
            BadInputError: There is none.
        """
        return find_command(self.options.command or self._default_command, self._extension)

    # ------------------------------------------------------------------ collecting

    def generate(self) -> None:
        """Start collecting.

        Raises:
            BadInputError: It cannot be started.
        """
        if self.run.active:
            raise BadInputError("A run is at work; stop it first")
        command = [*self.command(), *self._collect(), "--json", *self._workers()]
        # Nothing else may look for a lock at the moment when the run takes it.
        self.calls.drop("estimate")
        self._asked_for = None
        name = time.strftime("%Y%m%d-%H%M%S-") + f"{time.time_ns() % 10**6:06d}"
        self.run.start(command, self.environ, self.data, name)
        self._next_look = 0.0
        self.tell("run")

    def pause(self) -> None:
        """Hold the run, or let it go on."""
        self.run.pause()
        self.tell("run")

    def stop(self) -> None:
        """Stop collecting, a step harder each time."""
        self.run.stop()
        self.tell("run")

    def stage_closes(self) -> None:
        """The stage is closed: what was drawn on it is gone, and the run ends if the user chose that."""
        if self.run.state in {"running", "paused"} and self.options.when_stage_closes == END:
            self.stop()
        self.tell("preview")
        self.tell("replay")

    def close(self) -> None:
        """The panel goes away for good."""
        self.calls.close()
        self.run.leave(end=self.options.when_closing == END)
        self._watchers.clear()

    # ------------------------------------------------------------------ asking, previewing

    def ask(self) -> None:
        """Ask the server about the newest episode, or about the chosen one."""
        if not self.options.server.strip():
            raise BadInputError("Give the address of a server, such as http://127.0.0.1:8000/v1")
        about = ["--latest", str(self.data)] if self.ask_about is None else [str(self.ask_about)]
        question = [self.options.question.strip()] if self.options.question.strip() else []
        arguments = [*about, "--server", self.options.server.strip(), "--camera", self.options.camera.strip() or "all"]
        command = [*self.command(), "ask", *arguments, "--reveal", "--json", "--", *question]
        self.asking, self.revealed, self.answer, self.answer_error = True, False, None, ""
        self.calls.ask("ask", command, self._on_answer, _ASK_TIMEOUT)
        self.tell("answer")

    def reveal(self) -> None:
        """Show the truth about the episode that was asked about."""
        self.revealed = True
        self.tell("answer")

    def _on_answer(self, reply: Reply) -> None:
        self.asking = False
        self.answer, self.answer_error = reply.data, reply.error or ""
        self.tell("answer")

    def preview(self) -> None:
        """Have the spec of an episode of this job drawn."""
        arguments = ["sample", self.options.preview_task, "--index", str(self.options.preview_index), "--json"]
        command = [*self.command(), *arguments, "--recipe", str(self._write_job())]
        self.scene.ask(command, tuple(self.job.get(("resolution",))))

    def replay(self, folder: Path) -> None:
        """Have an episode read that is to be played back."""
        self.playback.ask([*self.command(), "show", str(folder), "--poses"])

    # ------------------------------------------------------------------ as time goes by

    def tick(self) -> None:
        """Look at everything that may have changed by itself."""
        self.calls.poll()
        was = self.run.active
        if self.run.poll():
            self.tell("run")
        if was and not self.run.active:
            self._next_look = 0.0
            self._asked_for = self._clock()
            self.tell("over")
        if self._asked_for is not None and self._clock() >= self._asked_for and not self.run.active:
            self._asked_for = None
            self._ask_for_estimate()
        if self._clock() >= self._next_look:
            self._next_look = self._clock() + _LOOK if self.run.active else float("inf")
            self.look_for_episodes()

    def look_for_episodes(self) -> None:
        """List the newest episodes of the data folder."""
        self.gallery.look(self.data)

    def _ask_for_estimate(self) -> None:
        def on_reply(reply: Reply) -> None:
            self.estimate, self.problem = reply.data, reply.error or ""
            if reply.data is not None and self.table is None:
                self.table = CameraTable(self.job.camera_fields, reply.data["rig"])
                self.tell("cameras")
            self.tell("estimate")

        self._next_look = 0.0
        try:
            command = [*self.command(), *self._collect(), "--estimate", "--json", *self._workers()]
        except (BadInputError, OSError) as error:
            self.estimate, self.problem = None, str(error)
            self.tell("estimate")
            return
        self.calls.ask("estimate", command, on_reply)
        self._ask_for_schema()

    def _ask_for_schema(self) -> None:
        command = self.command()
        if self._schema.ask(command):
            self.calls.ask("schema", [*command, "schema", "recipe"], self._learn)

    def _learn(self, reply: Reply) -> None:
        try:
            # Why a command does not answer is what the estimate tells.
            job = None if reply.data is None else self._schema.learn(reply.data, self.job)
        except (BadInputError, OSError) as error:
            self.say(str(error))
            return
        if job is not None:
            self.job = job
            self._check_preview()
            self.table = self.table if self.table is not None and self.table.edited else None
            self.changed("job")

    def _check_preview(self) -> None:
        names = [task.name for task in self.job.tasks]
        if self.options.preview_task not in names:
            self.options.preview_task = names[0]

    def _collect(self) -> list[str]:
        if not self.options.data.strip():
            raise BadInputError("Choose a folder for the episodes under Output")
        return ["collect", "--recipe", str(self._write_job()), "--out", str(self.data)]

    def _workers(self) -> list[str]:
        given = self.options.workers and self.job.get(("backend",)) == "mujoco"
        return ["--workers", str(self.options.workers)] if given else []

    def _write_job(self) -> Path:
        path = self._folder / "job.yaml"
        write_yaml(path, self.job.recipe())
        return path

    # ------------------------------------------------------------------ from session to session

    def stored(self) -> str:
        """Everything that should be there in the next session."""
        table = self.table.stored() if self.table is not None and self.table.edited else None
        return json.dumps({"recipe": self.job.recipe(), "options": self.options.stored(), "cameras": table})

    def restore(self, text: str) -> None:
        """Take over what an earlier session stored; what cannot be read is left out."""
        try:
            data = json.loads(text)
            self.options.restore(data["options"])
            self.job.load(data["recipe"])
            if data["cameras"] is not None:
                self.table = CameraTable.restored(self.job.camera_fields, data["cameras"])
        except (ValueError, KeyError, TypeError, AttributeError, BadInputError) as error:
            self.say(f"The settings of the last session could not be read ({error}); these are the defaults")
        self._check_preview()
        self.changed("job")
