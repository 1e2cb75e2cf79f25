"""How sure a number is when rows come in episodes: rows of one episode show the same event and are not independent."""
