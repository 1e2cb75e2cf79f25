"""How the panel looks: colours as Kit has them, 0xAABBGGRR."""

from __future__ import annotations

LABEL_WIDTH = 150
ROW_HEIGHT = 22
GAP = 4

GREEN, RED, AMBER, FAINT = 0xFF70C070, 0xFF6060F0, 0xFF40B8F0, 0xFF909090

STYLE = {
    "Button::primary": {"background_color": 0xFF2F7A3A, "color": 0xFFFFFFFF, "border_radius": 3},
    "Button::primary:disabled": {"background_color": 0xFF3A3A3A, "color": 0xFF808080},
    "Button::stop": {"background_color": 0xFF3038A0, "color": 0xFFFFFFFF, "border_radius": 3},
    "Button::stop:disabled": {"background_color": 0xFF3A3A3A, "color": 0xFF808080},
    "Label::faint": {"color": FAINT},
    "Label::good": {"color": GREEN},
    "Label::bad": {"color": RED},
    "Label::warning": {"color": AMBER},
    "Label::title": {"font_size": 18},
}
