"""Answerers behind one protocol: baselines now, vision-language models beside them."""
