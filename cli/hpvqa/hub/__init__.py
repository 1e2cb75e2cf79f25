"""Data sets, adapters and reports on the Hugging Face hub."""
