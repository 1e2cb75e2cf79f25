"""What every answerer is asked besides the question itself."""

from __future__ import annotations

from hpvqa.scene.spec import SIDES, Side

SYSTEM_PROMPT = "You are a helpful assistant. Answer with only a single word: 'right' or 'left'."
"""The paper's system prompt at inference."""

CHOICES: tuple[Side, ...] = SIDES
"""The words to choose from, in the order in which they are scored."""
