"""Progress as a stream of events: a terminal, a file and a graphical panel all read the same ones."""
