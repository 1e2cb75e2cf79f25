"""How different two colours look."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.spec import Color

# Linear sRGB to CIE XYZ under D65 (IEC 61966-2-1), rows scaled by the white point so that white is (1, 1, 1).
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
_TO_XYZ /= _TO_XYZ.sum(axis=1, keepdims=True)


def linear(color: Color) -> NDArray[np.float64]:
    """Linear values, shape (3,), of an sRGB colour in [0, 1]; IEC 61966-2-1."""
    rgb = np.asarray(color, float)
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def encoded(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sRGB colour of linear values in [0, 1], any shape; IEC 61966-2-1."""
    return np.where(values <= 0.0031308, 12.92 * values, 1.055 * values ** (1 / 2.4) - 0.055)


def lab(color: Color) -> tuple[float, float, float]:
    """CIE L*a*b* (D65) of an sRGB colour in [0, 1]; CIE 15:2004."""
    t = _TO_XYZ @ linear(color)
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return (float(116 * f[1] - 16), float(500 * (f[0] - f[1])), float(200 * (f[1] - f[2])))


def delta_e(a: Color, b: Color) -> float:
    """CIE 1976 colour difference ΔE*ab of two sRGB colours; 2.3 is just noticeable, 100 is black against white."""
    return float(np.linalg.norm(np.subtract(lab(a), lab(b))))
