"""What can be known: the exact posterior over hidden contents, and what each action would tell."""
