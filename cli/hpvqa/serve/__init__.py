"""A model behind vLLM's OpenAI-compatible server, started with everything that matters set right."""
