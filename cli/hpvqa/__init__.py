"""Robot episodes that show hidden physical properties, and vision-language models asked about them."""

__version__ = "0.1.0"
