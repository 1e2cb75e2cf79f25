"""What the panel knows and does, without a window: nothing in here needs Kit, or any package beside Python's own."""
