"""The frame of the command line: quick start, help, errors and exit codes."""

from __future__ import annotations

import errno
import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import click
import pytest
from scripts.pages import every_command

from hpvqa import __version__, main
from hpvqa.errors import RunError, UsageError
from hpvqa.record.episode import find_episodes

HEAVY = {"numpy", "scipy", "pydantic", "yaml", "rich", "pyarrow", "av", "PIL", "mujoco", "matplotlib", "torch"}

COMMANDS = dict(every_command())

NOT_TO_ASK = {"PIL.Image", "pyarrow", "scipy", "mujoco", "matplotlib", "torch"} | {
    f"hpvqa.{name}" for name in ("dataset.card", "dataset.build", "evaluate.prediction", "evaluate.views")
}


def hpvqa(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "hpvqa", *args], capture_output=True, text=True)


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys, hpvqa.main\n"
        "try: hpvqa.main.main(['--help'])\n"
        "except SystemExit: print('loaded:', *{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("loaded:")[2].split())
    assert "hpvqa" in loaded
    assert loaded & HEAVY == set()


def test_a_server_is_asked_without_what_only_other_models_and_reports_need(filmed: Path) -> None:
    """Each import is waited for; what writes data cards, reads runs or encodes pictures is not for a question."""
    episode = next(iter(find_episodes(filmed)))
    script = (
        "import sys, hpvqa.main\ntry: hpvqa.main.main(sys.argv[1:])\nexcept SystemExit: print('loaded:', *sys.modules)"
    )
    words = [sys.executable, "-c", script, "ask", str(episode), "--server", "http://127.0.0.1:9"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.rpartition("loaded:")[2].split())
    # As far as the connection, which nobody takes.
    assert {"hpvqa.vlm.backends.openai.trial", "httpx2", "av"} <= loaded
    assert loaded & NOT_TO_ASK == set()


def test_help_lists_every_command() -> None:
    done = hpvqa("--help")
    assert done.returncode == 0
    for name, line in main.COMMANDS.items():
        assert f"  {name} " in done.stdout
        assert line.split(":")[0] in done.stdout


def test_version() -> None:
    assert hpvqa("--version").stdout == f"hpvqa, version {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    command = COMMANDS[name]
    assert command.help
    assert "Example" in (command.epilog or "")
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_fits_80_columns(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main.main([*name.split(), "--help"])
    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert "None" not in shown  # nor is a range without an end "x<=None"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["colect"], "There is no command 'colect'; did you mean 'collect'?"),
        (["xyzzy"], "There is no command 'xyzzy'; known are: "),
        (["sample", "pusch"], "There is no task 'pusch'; did you mean 'push'?"),
        (["sample", "push", "--indx", "3"], "No such option"),
        (["sample", "push", "--rig", "papr"], "There is no camera rig 'papr'; did you mean 'paper'?"),
        (["sample"], "Missing argument"),
        (["eval", "--model", ""], "What follows --model is empty; give it a value, or leave it out"),
        (["collect", "push", "--recipe="], "Nothing follows --recipe=; give it a value, or leave it out"),
        (["list", ""], "What follows list is empty; give it a value, or leave it out"),
    ],
)
@pytest.mark.slow
def test_a_wrong_call_exits_with_2(args: list[str], message: str) -> None:
    done = hpvqa(*args)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def failing_with(error: Exception, monkeypatch: pytest.MonkeyPatch) -> object:
    def fail(**options: object) -> None:
        raise error

    monkeypatch.setattr(main.cli, "main", fail)
    with pytest.raises(SystemExit) as caught:
        main.main([])
    return caught.value.code


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UsageError("Do it so"), 2, "Error: Do it so\n"),
        (RunError("It broke"), 1, "Error: It broke\n"),
        (OSError(errno.ENOSPC, "No space left on device", "/data/x"), 1, "Error: No space left on device (/data/x)\n"),
        (PermissionError(errno.EACCES, "Permission denied"), 1, "Error: Permission denied\n"),
        *(
            (OSError(number, os.strerror(number), "x"), 1, f"Error: {os.strerror(number)} (x)\n")
            for number in sorted(errno.errorcode)
            if number not in (errno.EPIPE, errno.ESHUTDOWN)
        ),
        (click.Abort(), 130, "Error: Interrupted\n"),
        (RunError("\x1b[2Jno"), 1, "Error: \\x1b[2Jno\n"),
    ],
)
def test_errors_are_one_sentence_and_an_exit_code(
    error: Exception,
    code: int,
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert failing_with(error, monkeypatch) == code
    assert capsys.readouterr().err == message


def test_errors_of_ours_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ZeroDivisionError):
        failing_with(ZeroDivisionError(), monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize(
    "args",
    [
        ("assets",),
        ("doctor",),
        ("collect", "push", "--episodes", "1", "--no-video", "--out", "out"),
        ("sample", "push", "--render", "out"),
        ("explore", "draw", "--family", "stack", "--scenes", "4", "--out", "out"),
        ("ask", "--model", "embedded", "--latest", "nowhere"),
        ("serve", "--model", "nowhere", "--port", "0"),
    ],
    ids=lambda args: args[0],
)
def test_a_user_without_a_home_and_a_name_gets_sentences(
    args: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Such as ``docker run --user 54321`` makes."""

    def nobody(_: object) -> NoReturn:
        raise KeyError("getpwuid(): uid not found")

    for name in ("HOME", "USER", "LOGNAME", "LNAME", "USERNAME", "HPVQA_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main.main(list(args))
    said = capsys.readouterr()
    assert caught.value.code in (0, 1, 2)
    assert "HPVQA_CACHE" in said.err + said.out or args[0] in ("ask", "serve"), said
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_traceback() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "hpvqa", "schema", "episode"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert "Traceback" not in process.stderr.read()
    assert process.wait() == 1
    process.stderr.close()


@pytest.mark.parametrize(
    ("args", "code"), [(["verify", "nowhere"], 2), (["verify", "--no-such-option"], 2), (["schema", "recipe"], 1)]
)
@pytest.mark.slow
def test_where_nothing_can_be_said_the_exit_code_stays(args: list[str], code: int) -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run([sys.executable, "-m", "hpvqa", *args], stdout=full, stderr=full)
    assert ended.returncode == code


def test_what_fails_in_tidying_up_is_a_line() -> None:
    failing = """
import hpvqa.main
from hpvqa.__main__ import run
class Gone:
    def __del__(self): raise FileNotFoundError(2, "gone \u5de6")
def use(): Gone()
hpvqa.main.main = use
run()
"""
    done = subprocess.run([sys.executable, "-c", failing], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stderr == "Note: tidying up: FileNotFoundError(2, 'gone \\u5de6')\n"


def test_ctrl_c_while_modules_are_imported_is_a_sentence() -> None:
    interrupting = (
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'click':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
        "from hpvqa.__main__ import run\n"
        "run()\n"
    )
    done = subprocess.run([sys.executable, "-c", interrupting], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Error: Interrupted\n")
