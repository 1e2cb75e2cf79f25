"""LoRA fine-tuning: from a data set and a model to an adapter that says how it was made."""
