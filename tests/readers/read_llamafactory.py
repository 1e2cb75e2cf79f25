"""Says as JSON what LLaMA-Factory reads of an export, and the pictures that it gives a model; in its environment."""

import hashlib
import json
import re
import sys
import types
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from pathlib import Path

import yaml

# For sound alone: its build for CUDA cannot be loaded beside a torch without it.
sys.modules["torchaudio"] = types.ModuleType("torchaudio")
sys.modules["torchaudio"].__spec__ = ModuleSpec("torchaudio", None)
from llamafactory.data.loader import _get_merged_dataset  # noqa: E402
from llamafactory.data.mm_plugin import get_mm_plugin  # noqa: E402
from llamafactory.hparams import DataArguments, ModelArguments  # noqa: E402
from transformers import Seq2SeqTrainingArguments  # noqa: E402

root = Path(sys.argv[1])
# What the export says that a training is to be told.
settings = yaml.safe_load(re.search("```yaml\n(.*?)```", (root / "README.md").read_text(), re.DOTALL)[1])
data = DataArguments(dataset_dir=str(root), dataset=settings["dataset"])
model = ModelArguments(
    model_name_or_path=".", video_fps=settings["video_fps"], video_max_pixels=settings["video_max_pixels"]
)
training = Seq2SeqTrainingArguments(output_dir=str(root / "none"), use_cpu=True, report_to=[])
plugin = get_mm_plugin("qwen2_vl", "<|image_pad|>", "<|video_pad|>")
found = {"version": version("llamafactory")}
for split in ("train", "eval"):
    found[split] = []
    for row in _get_merged_dataset([f"hpvqa_{split}"], model, data, training, stage="sft"):
        said = [{"role": "system", "content": row["_system"]}, *row["_prompt"], *row["_response"]]
        (pictures,) = plugin._regularize_videos(
            row["_videos"],
            image_max_pixels=model.video_max_pixels,
            image_min_pixels=model.video_min_pixels,
            video_fps=model.video_fps,
            video_maxlen=model.video_maxlen,
        )["videos"]
        found[split].append(
            {
                "messages": [[message["role"], message["content"]] for message in said],
                "pictures": [hashlib.sha256(picture.tobytes()).hexdigest() for picture in pictures],
            }
        )
print("\n" + json.dumps(found))
