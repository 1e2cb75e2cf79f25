"""Episodes, clips in step, and what runs answered, as pages for a browser: served, or written as files."""
