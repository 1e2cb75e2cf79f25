"""Asking for a file or a folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from omni.kit.window.filepicker import FilePickerDialog


class FileDialogs:
    """At most one dialog at a time."""

    def __init__(self) -> None:
        self._dialog: FilePickerDialog | None = None

    def ask(self, title: str, apply: str, on_path: Callable[[Path], None], start: Path, name: str = "") -> None:
        """Ask for a file.

        Args:
            title: Title of the dialog.
            apply: What its button says.
            on_path: Gets the path.
            start: Folder to begin in.
            name: File name to begin with; empty also means that a folder may be chosen.
        """
        self.close()

        def chosen(file: str, folder: str) -> None:
            self.close()
            on_path(Path(folder or "/") / file if file else Path(folder))

        self._dialog = FilePickerDialog(
            title,
            apply_button_label=apply,
            click_apply_handler=chosen,
            click_cancel_handler=lambda file, folder: self.close(),
            allow_multi_selection=False,
        )
        if name:
            self._dialog.set_filename(name)
        self._dialog.show(str(start))

    def close(self) -> None:
        """Close the dialog, if one is open."""
        if self._dialog is not None:
            self._dialog.hide()
            self._dialog.destroy()
            self._dialog = None
