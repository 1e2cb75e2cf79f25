"""Which frames of a clip a model sees: one place for training, evaluation, serving and asking."""
