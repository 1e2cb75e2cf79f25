"""What a server is started with, and what is made of its log."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hpvqa.errors import UsageError
from hpvqa.main import main
from hpvqa.serve.command import server_command, server_environment
from hpvqa.serve.hint import ask_command
from hpvqa.serve.key import ApiKey
from hpvqa.serve.plan import Plan, make_plan
from hpvqa.serve.process import free_port
from hpvqa.serve.settings import ServeSettings
from hpvqa.serve.trouble import diagnose, last_error
from hpvqa.vlm.adapter import Adapter
from hpvqa.vlm.choice import ModelChoice, choose_look
from hpvqa.vlm.embedded import adapter_folder, base_folder
from hpvqa.vlm.families import find_family, get_family
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.options import VllmOptions
from hpvqa.vlm.prompt import PromptRecord, load_prompt
from hpvqa.vlm.training_record import RECORD_FILE, TrainingRecord
from tests.adapters import make_adapter
from tests.tiny_models import TinyModel

KEY = "sk-very-secret-4711"
MIDDLEWARE = "hpvqa.serve.middleware"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound


def plan_of(
    folder: Path = Path("some/model"), adapter: Path | None = None, family: str = "qwen3.5", **given: Any
) -> Plan:
    names = VllmOptions.model_fields.keys() - ServeSettings.model_fields.keys()
    options = VllmOptions(model=str(folder), **{name: given.pop(name) for name in list(given) if name in names})
    found = None if adapter is None else Adapter(adapter, "", {}, {"x.lora_A.weight": (12, 4)})
    settings = ServeSettings(model=options, **given)
    return Plan(settings, folder, get_family(family), found, "bfloat16", gpu=True)


def flags_of(command: list[str]) -> dict[str, str]:
    """The command line by flag; for one without a value, an empty text."""
    found: dict[str, str] = {}
    for word in command:
        if word.startswith("--"):
            flag, _, value = word.partition("=")
            found[flag] = value
        elif found:
            found[next(reversed(found))] = word
    return found


def test_the_command_line(tmp_path: Path) -> None:
    folder = tmp_path / "some-model"
    folder.mkdir()
    plan = plan_of(folder, tmp_path / "heavier", media=tmp_path, port=8123, max_videos=3, gpu_memory=0.5)
    command = server_command(plan, ApiKey.of(KEY))
    assert command[1:3] == ["-m", "vllm.entrypoints.openai.api_server"]
    flags = flags_of(command)
    assert flags["--served-model-name"] == "some-model"
    assert (flags["--host"], flags["--port"]) == ("127.0.0.1", "8123")
    assert json.loads(flags["--mm-processor-kwargs"])["do_sample_frames"] is False
    assert json.loads(flags["--media-io-kwargs"]) == {"video": {"num_frames": -1}}
    assert json.loads(flags["--limit-mm-per-prompt"])["video"] == 3
    assert json.loads(flags["--default-chat-template-kwargs"]) == {"enable_thinking": False}
    assert json.loads(flags["--lora-modules"]) == {"name": "heavier", "path": str(tmp_path / "heavier")}
    assert flags["--max-lora-rank"] == "16"
    assert flags["--allowed-local-media-path"] == str(tmp_path)
    assert flags["--gpu-memory-utilization"] == "0.5"
    assert flags["--max-model-len"] == "-1"
    assert {"--no-trust-remote-code", "--enable-prefix-caching", "--trust-request-mm-kwargs"} <= flags.keys()
    assert KEY not in " ".join(command)
    plain = flags_of(server_command(plan_of(context=4096), None))
    assert plain["--max-model-len"] == "4096"
    assert plain.keys() & {"--lora-modules", "--enable-lora", "--allowed-local-media-path"} == set()
    shared = flags_of(server_command(plan_of(tensor_parallel_size=4, data_parallel_size=2, thinking=True), None))
    assert (shared["--tensor-parallel-size"], shared["--data-parallel-size"]) == ("4", "2")
    assert json.loads(shared["--default-chat-template-kwargs"]) == {"enable_thinking": True}
    assert "--data-parallel-size" not in plain
    assert (flags["--middleware"], plain["--middleware"]) == (f"{MIDDLEWARE}.OnlyWithKey", f"{MIDDLEWARE}.OnlyFromHere")


@pytest.mark.long
@pytest.mark.models
def test_vllm_understands_the_command_line(tmp_path: Path) -> None:
    pytest.importorskip("vllm")
    from vllm.entrypoints.launchers.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    plan = plan_of(adapter=tmp_path / "heavier", media=tmp_path)
    parser = make_arg_parser(FlexibleArgumentParser())
    shared = parser.parse_args(server_command(plan_of(tensor_parallel_size=4, data_parallel_size=2), None)[3:])
    assert (shared.tensor_parallel_size, shared.data_parallel_size) == (4, 2)
    arguments = parser.parse_args(server_command(plan, ApiKey.of(KEY))[3:])
    assert arguments.max_model_len == -1
    assert arguments.trust_remote_code is False
    assert arguments.mm_processor_kwargs == {"do_sample_frames": False}
    assert [(module.name, module.path) for module in arguments.lora_modules] == [("heavier", f"{tmp_path}/heavier")]
    assert arguments.allowed_media_domains == ["none.invalid"]
    assert arguments.middleware == ["hpvqa.serve.middleware.OnlyWithKey"]
    assert arguments.generation_config == "vllm"


def test_an_adapter_named_like_its_model_gets_a_name_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "base" / "same"
    folder.mkdir(parents=True)
    plan = plan_of(folder, tmp_path / "same")
    assert (plan.name, plan.asked) == ("same", "same-adapter")
    assert plan_of(Path("Qwen/Qwen3.5-9B")).asked == "Qwen/Qwen3.5-9B"


def test_the_embedded_model_has_one_name_with_its_adapter_and_another_without(tmp_path: Path) -> None:
    def plan(**given: Any) -> Plan:
        settings = ServeSettings(model=VllmOptions(**given))
        adapter = settings.model.adapter
        found = None if adapter is None else Adapter(adapter, "", {}, {"x.lora_A.weight": (12, 4)})
        return Plan(settings, base_folder(), get_family("qwen3-vl"), found, "float32", gpu=False)

    tuned = plan(model="embedded")
    assert (tuned.name, tuned.adapter_name, tuned.asked) == ("embedded-base", "embedded", "embedded")
    flags = flags_of(server_command(tuned, None))
    assert flags["--served-model-name"] == "embedded-base"
    assert json.loads(flags["--lora-modules"]) == {"name": "embedded", "path": str(adapter_folder())}
    assert plan(model="embedded-base").asked == "embedded-base"
    # Nothing else ever gets one of these names.
    other = tmp_path / "embedded"
    other.mkdir()
    assert plan(model="embedded", adapter=other).asked == "embedded-adapter"
    assert plan(model=str(other)).asked == "embedded-model"
    assert plan(model=str(other), adapter=adapter_folder()).asked == "adapter"


@pytest.mark.parametrize("name", ["embedded", "embedded-base"])
def test_the_line_to_try_asks_a_server_as_the_embedded_model_is_asked_here(name: str) -> None:
    there = choose_look(ModelChoice(backend="openai", server="http://127.0.0.1:8000/v1", model=name))
    here = choose_look(ModelChoice(backend="transformers", model=name))
    assert there == here
    settings = ServeSettings(model=VllmOptions(model=name))
    found = None if name == "embedded-base" else Adapter(adapter_folder(), "", {}, {})
    line = ask_command(Plan(settings, base_folder(), find_family(name), found, "float32", gpu=False), Path("data"))
    assert line == f"hpvqa ask --latest data --server http://127.0.0.1:8000/v1 --model {name}"


def test_the_environment_holds_the_key_once_and_what_the_user_has_set() -> None:
    environ = {"HPVQA_API_KEY": "another", "VLLM_LOGGING_LEVEL": "DEBUG", "HOME": "/root"}
    found = server_environment(environ, ApiKey.of(KEY), gpu=True)
    assert [name for name, value in found.items() if value in (KEY, "another")] == ["VLLM_API_KEY"]
    assert (found["VLLM_LOGGING_LEVEL"], found["HOME"], found["HF_HUB_OFFLINE"]) == ("DEBUG", "/root", "1")
    assert "VLLM_CPU_KVCACHE_SPACE" not in found
    assert "VLLM_CPU_KVCACHE_SPACE" in server_environment({}, None, gpu=False)
    assert "VLLM_API_KEY" not in server_environment({"VLLM_API_KEY": KEY}, None, gpu=False)


def test_no_process_of_the_server_runs_a_file_of_the_working_folder(tmp_path: Path) -> None:
    for name in ("token", "timeit"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a stray file ran')")
    # A module of the standard library, and a child that it starts.
    child = f"import subprocess; assert subprocess.call([{sys.executable!r}, '-m', 'tokenize', '-h']) == 0"
    command = [sys.executable, "-m", "timeit", "-n", "1", "-r", "1", child]
    environment = server_environment(os.environ, None, gpu=False)
    found = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found
    assert "stray" not in found.stdout + found.stderr


def test_sockets_fit_into_the_folder_for_temporary_files(tmp_path: Path) -> None:
    assert server_environment({"TMPDIR": "/scratch/me"}, None, gpu=True)["TMPDIR"] == "/scratch/me"
    assert "TMPDIR" not in server_environment({}, None, gpu=True)
    long = "/scratch_of_the_cluster/a_long_user_name/slurm_job_1234567890.node-a100-0123.example.org/tmp"
    found = server_environment({"TMPDIR": long}, None, gpu=True)["TMPDIR"]
    # The longest name that vLLM and multiprocessing give to a socket.
    assert len(f"{found}/pymp-xxxxxxxx/listener-xxxxxxxx") < 107
    assert Path(found).is_dir()


def test_a_user_without_a_name_has_one_for_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(number: int) -> None:
        raise KeyError(number)

    monkeypatch.setattr("pwd.getpwuid", nobody)
    found = server_environment({"HPVQA_CACHE": str(tmp_path)}, None, gpu=True)
    assert (found["HOME"], found["USER"]) == (str(tmp_path), str(os.getuid()))
    given = {"HOME": "/work", "USER": "me", "HPVQA_CACHE": str(tmp_path)}
    assert given.items() <= server_environment(given, None, gpu=True).items()


def test_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=rf"Port {port} is in use.*--port"):
            free_port("127.0.0.1", port)
        other = free_port("127.0.0.1", 0)
        assert other not in (0, port)
    assert free_port("127.0.0.1", port) == port
    with pytest.raises(UsageError, match="no address"):
        free_port("203.0.113.5", 0)
    with pytest.raises(UsageError, match="no address"):
        free_port("nowhere.invalid", 0)
    with pytest.raises(UsageError, match="no address"):
        free_port("x" * 70, 0)


def test_addresses() -> None:
    def url(host: str) -> str:
        return ServeSettings(model=VllmOptions(model="x"), host=host, port=8001).url

    assert url("127.0.0.1") == url(EVERYWHERE) == "http://127.0.0.1:8001/v1"
    assert url("::") == url("::1") == "http://[::1]:8001/v1"


LOGS = {
    "ValueError: Free memory on device cuda:0 (10.1/79.2 GiB) on startup is less than desired GPU memory utilization "
    "(0.9, 71.3 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.": "lower --gpu-mem",
    "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization`": "raise --gpu",
    "ValueError: To serve at least one request with the model's max seq len (262144), (36.0 GiB KV cache is needed, "
    "which is larger than the available KV cache memory (9.0 GiB).": "lower --context",
    "Value error, User-specified max_model_len (99999) is greater than the derived max_model_len "
    "(max_position_embeddings=32768)": "so long a context",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB": "lower --gpu-memory, --batch-size",
    "ValueError: LoRA rank 640 is greater than max_lora_rank 512.": "hpvqa merge",
    "ValueError: Model architectures ['FooForX'] are not supported for now. Supported": "pip install -U vllm",
    "RuntimeError: Failed to infer device type, please set": "no GPU that vLLM can use",
    "ImportError: libcudart.so.12: cannot open shared object file": "does not fit the installed torch",
    "ModuleNotFoundError: No module named 'vllm'": "pip install vllm",
    "OSError: [Errno 98] Address already in use": "choose another --port",
    "api_server.py: error: unrecognized arguments: --skip-mm-profiling": "install vllm 0.32",
}


@pytest.mark.parametrize(("log", "advice"), LOGS.items())
def test_known_troubles_are_told_with_what_to_do(log: str, advice: str) -> None:
    around = (
        "(APIServer pid=1) INFO 11-23 [launcher.py:186] starting\n{}\nRuntimeError: Engine core initialization failed."
    )
    found = diagnose(around.format(log), 1)
    assert found is not None
    assert advice in found


def test_unknown_troubles_are_quoted() -> None:
    log = "INFO fine\n(EngineCore pid=2) ERROR 11-23 [core.py:9] ValueError: The moon is too full\n"
    log += "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}\n"
    assert diagnose(log, 1) is None
    assert last_error(log) == "ValueError: The moon is too full"
    assert last_error("all is well") is None
    assert "memory" in (diagnose("all is well", 137) or "")


def test_the_line_to_try_asks_as_it_was_trained(tmp_path: Path) -> None:
    url = "http://127.0.0.1:8000/v1"
    assert ask_command(plan_of(), Path("data")) == f"hpvqa ask --latest data --server {url}"
    internvl = ask_command(plan_of(family="internvl3.5"), Path("my data"))
    assert internvl == f"hpvqa ask --latest 'my data' --server {url} --resolution 448x448"
    record = TrainingRecord(
        model="x",
        family="qwen3.5",
        dataset="dataset",
        fingerprint="0",
        task=None,
        cameras=(),
        prompt=PromptRecord.of(load_prompt("paper")),
        frames=FrameSampling(sampler="dense", fps=10, count=20, resolution=(64, 96), fit="squeeze"),
        recipe={},
        versions={},
    )
    adapter = tmp_path / "lora"
    adapter.mkdir()
    (adapter / RECORD_FILE).write_text(record.model_dump_json())
    line = ask_command(plan_of(adapter=adapter), Path("data"))
    assert line.endswith(f"{url} --model lora --sampler dense --fps 10 --frames 20 --resolution 64x96 --fit squeeze")


def test_a_plan_is_checked_before_anything_is_started(
    tiny_model: TinyModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("peft")
    # Whether vLLM is installed is not what this is about.
    monkeypatch.setattr("hpvqa.vlm.backends.vllm.VllmAnswerer.packages", ())
    model = tiny_model("qwen3_vl")
    adapter = make_adapter(model, tmp_path / "lora")

    def plan(**given: Any) -> Plan:
        return make_plan(ServeSettings(model=VllmOptions(model=str(model), **given)))

    found = plan(adapter=adapter)
    assert (found.name, found.asked, found.family.name) == (model.name, "lora", "qwen3-vl")
    assert found.adapter is not None
    assert found.adapter.rank == 4
    reaching = make_adapter(model, tmp_path / "reaching", targets=["qkv", "q_proj"])
    with pytest.raises(UsageError, match=r"silently leave out.*hpvqa merge"):
        plan(adapter=reaching)
    with pytest.raises(UsageError, match="holds no adapter"):
        plan(adapter=tmp_path)
    other = tmp_path / "other"
    shutil.copytree(model, other)
    path = other / "processor_config.json"
    config = json.loads(path.read_text())
    config["video_processor"]["image_mean"] = [0.1, 0.2, 0.3]
    path.write_text(json.dumps(config))
    with pytest.raises(UsageError, match="normalise videos with the image_mean of pictures"):
        make_plan(ServeSettings(model=VllmOptions(model=str(other))))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--model", "no/such-model"], "hf download no/such-model"),
        (["--model", "./nowhere"], "There is no model folder ./nowhere"),
        (["--data", "nowhere"], "'nowhere' does not exist"),
        (["--host", "203.0.113.5"], "no address of this machine"),
        (["--port", "99999"], "not in the range"),
    ],
)
def test_wrong_calls(
    args: list[str], message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setattr("hpvqa.vlm.backends.vllm.VllmAnswerer.packages", ())
    monkeypatch.chdir(tmp_path)
    port = [] if "--port" in args else ["--port", "0"]
    with pytest.raises(SystemExit) as caught:
        main(["serve", *port, *args])
    assert caught.value.code == 2
    assert message in capsys.readouterr().err


def test_without_vllm_it_is_said_how_to_install_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    find: Callable[[str], object] = __import__("importlib.util").util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "vllm" else find(name))
    with pytest.raises(SystemExit) as caught:
        main(["serve", "--model", "qwen3.5", "--port", "0"])
    assert caught.value.code == 2
    assert "pip install vllm" in capsys.readouterr().err
    assert "VLLM_API_KEY" not in os.environ
