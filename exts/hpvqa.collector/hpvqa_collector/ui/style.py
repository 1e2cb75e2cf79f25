"""How the panel looks: colours as Kit has them, 0xAABBGGRR."""

from __future__ import annotations

LABEL_WIDTH = 150
ROW_HEIGHT = 24
GAP = 4

GREEN, RED, AMBER, FAINT, DIM = 0xFF70C070, 0xFF6060F0, 0xFF40B8F0, 0xFF909090, 0xFF6A6A6A

STYLE = {
    # As high as fields, so that rows which hold both are even.
    "Button": {"margin_height": 0, "margin_width": 0, "padding": 2},
    # What a button says is a label of its own, which its colours do not reach.
    "Button.Label::primary": {"color": 0xFFFFFFFF},
    "Button.Label::stop": {"color": 0xFFFFFFFF},
    "Button.Label:disabled": {"color": DIM},
    "Button.Label::primary:disabled": {"color": DIM},
    "Button.Label::stop:disabled": {"color": DIM},
    "Button:disabled": {"background_color": 0xFF2A2A2A},
    "Button::primary": {"background_color": 0xFF2F7A3A, "border_radius": 3},
    "Button::primary:disabled": {"background_color": 0xFF2A2A2A},
    "Button::stop": {"background_color": 0xFF3038A0, "border_radius": 3},
    "Button::stop:disabled": {"background_color": 0xFF2A2A2A},
    "ProgressBar": {"color": 0xFF2F7A3A, "secondary_color": 0xFFFFFFFF, "background_color": 0xFF202020},
    "Label::faint": {"color": FAINT},
    # As far from the edge as the text that takes its place.
    "Label::hint": {"color": DIM, "margin_width": 8},
    "Label::good": {"color": GREEN},
    "Label::bad": {"color": RED},
    "Label::warning": {"color": AMBER},
    "Label::title": {"font_size": 18},
}
