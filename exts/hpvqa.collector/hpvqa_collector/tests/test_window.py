"""The window, in a running Kit."""

import omni.kit.app
import omni.kit.test
import omni.ui as ui

from hpvqa_collector.ui.window import TITLE

_FRAMES = 10
"""After these, windows are docked and drawn."""


class TestWindow(omni.kit.test.AsyncTestCase):
    """The extension is enabled, its window can be shown and hidden."""

    async def test_it_comes_to_the_front_and_goes(self) -> None:
        """Shown, it is in front of the tabs beside it."""
        for shown in (True, False, True):
            ui.Workspace.show_window(TITLE, shown)
            for _ in range(_FRAMES):
                await omni.kit.app.get_app().next_update_async()
            window = ui.Workspace.get_window(TITLE)
            assert window.visible == shown
            if shown and window.docked:
                assert window.selected_in_dock
