"""The little of OpenGL 3.3 that the renderer needs."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL

_FORMATS = {
    GL.GL_RGBA8: (GL.GL_RGBA, GL.GL_UNSIGNED_BYTE),
    GL.GL_RG8: (GL.GL_RG, GL.GL_UNSIGNED_BYTE),
    GL.GL_RG16: (GL.GL_RG, GL.GL_UNSIGNED_SHORT),
    GL.GL_R32F: (GL.GL_RED, GL.GL_FLOAT),
    GL.GL_DEPTH_COMPONENT24: (GL.GL_DEPTH_COMPONENT, GL.GL_UNSIGNED_INT),
}


Pixels = tuple[int, int, int, int]
"""A rectangle of a picture: left, bottom, right, top; the last two are just outside."""


def rectangle(pixels: Pixels) -> tuple[int, int, int, int]:
    """The same as OpenGL wants it: left, bottom, width, height."""
    left, low, right, high = pixels
    return left, low, right - left, high - low


def read(pixels: Pixels, into: NDArray[np.uint8]) -> None:
    """Copy pixels of what is drawn into the same place of a picture, shape (height, width, 3), upside down."""
    for name, value in (
        (GL.GL_PACK_ALIGNMENT, 1),
        (GL.GL_PACK_ROW_LENGTH, into.shape[1]),
        (GL.GL_PACK_SKIP_PIXELS, pixels[0]),
        (GL.GL_PACK_SKIP_ROWS, pixels[1]),
    ):
        GL.glPixelStorei(name, value)
    GL.glReadPixels(*rectangle(pixels), GL.GL_RGB, GL.GL_UNSIGNED_BYTE, into)


def cover_all() -> None:
    """Run the program in use, whose vertex shader is ``screen.vert``, for every pixel."""
    GL.glBindVertexArray(0)
    GL.glDrawArrays(GL.GL_TRIANGLES, 0, 3)


def largest_texture() -> int:
    """Most texels of a side of a texture."""
    return int(GL.glGetIntegerv(GL.GL_MAX_TEXTURE_SIZE))


class Program:
    """A vertex and a fragment shader, and their uniforms by name."""

    def __init__(self, vertex: str, fragment: str, **constants: float) -> None:
        self._number = GL.glCreateProgram()
        for kind, name in ((GL.GL_VERTEX_SHADER, vertex), (GL.GL_FRAGMENT_SHADER, fragment)):
            shader = GL.glCreateShader(kind)
            GL.glShaderSource(shader, _source(name, constants))
            GL.glCompileShader(shader)
            if not GL.glGetShaderiv(shader, GL.GL_COMPILE_STATUS):
                raise RuntimeError(f"{name}: {GL.glGetShaderInfoLog(shader).decode(errors='replace')}")
            GL.glAttachShader(self._number, shader)
            GL.glDeleteShader(shader)
        GL.glLinkProgram(self._number)
        if not GL.glGetProgramiv(self._number, GL.GL_LINK_STATUS):
            raise RuntimeError(f"{vertex}, {fragment}: {GL.glGetProgramInfoLog(self._number).decode(errors='replace')}")
        self._places: dict[str, int] = {}

    def use(self, **values: Any) -> None:
        """Make it current, and set uniforms: numbers, vectors, arrays of vectors, matrices, textures."""
        GL.glUseProgram(self._number)
        unit = 0
        for name, value in values.items():
            place = self._place(name)
            if isinstance(value, Texture):
                GL.glActiveTexture(GL.GL_TEXTURE0 + unit)
                GL.glBindTexture(GL.GL_TEXTURE_2D, value.number)
                GL.glUniform1i(place, unit)
                unit += 1
            elif isinstance(value, int):
                GL.glUniform1i(place, value)
            elif isinstance(value, float):
                GL.glUniform1f(place, value)
            else:
                _set_array(place, np.ascontiguousarray(value))

    def _place(self, name: str) -> int:
        if name not in self._places:
            self._places[name] = GL.glGetUniformLocation(self._number, name)
        return self._places[name]


def _set_array(place: int, value: NDArray[Any]) -> None:
    if value.dtype.kind == "i":
        {3: GL.glUniform3iv, 4: GL.glUniform4iv}[value.size](place, 1, value)
        return
    data = value.astype(np.float32)
    if data.shape in ((3, 3), (4, 4)):
        (GL.glUniformMatrix3fv if data.shape == (3, 3) else GL.glUniformMatrix4fv)(place, 1, GL.GL_TRUE, data)
        return
    count = len(data) if data.ndim == 2 else 1
    {2: GL.glUniform2fv, 3: GL.glUniform3fv, 4: GL.glUniform4fv}[data.shape[-1]](place, count, data)


def _source(name: str, constants: dict[str, float]) -> str:
    folder = resources.files(__package__) / "shaders"
    common = (folder / "common.glsl").read_text(encoding="utf-8")
    defines = "".join(f"#define {key} {value}\n" for key, value in constants.items())
    version, _, rest = common.partition("\n")
    return f"{version}\n{defines}{rest}\n{(folder / name).read_text(encoding='utf-8')}"


class Texture:
    """A texture of one size, not repeated.

    Args:
        form: Internal format.
        size: Width and height [texels].
        smooth: Whether lookups mix neighbouring texels.
        levels: How many levels it has, each of half the size of the one before.
    """

    def __init__(self, form: int, size: tuple[int, int], *, smooth: bool = False, levels: int = 1) -> None:
        self.number = int(GL.glGenTextures(1))
        self.size = size
        self.levels = levels
        GL.glBindTexture(GL.GL_TEXTURE_2D, self.number)
        for level in range(levels):
            width, height = (max(1, side >> level) for side in size)
            GL.glTexImage2D(GL.GL_TEXTURE_2D, level, form, width, height, 0, *_FORMATS[form], None)
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MAX_LEVEL, levels - 1)
        mixing = GL.GL_LINEAR if smooth else GL.GL_NEAREST
        GL.glTexParameteri(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MAG_FILTER, mixing)
        GL.glTexParameteri(
            GL.GL_TEXTURE_2D, GL.GL_TEXTURE_MIN_FILTER, GL.GL_LINEAR_MIPMAP_LINEAR if levels > 1 else mixing
        )
        for axis in (GL.GL_TEXTURE_WRAP_S, GL.GL_TEXTURE_WRAP_T):
            GL.glTexParameteri(GL.GL_TEXTURE_2D, axis, GL.GL_CLAMP_TO_BORDER)
        # Outside of what a light sees, nothing is covered.
        GL.glTexParameterfv(GL.GL_TEXTURE_2D, GL.GL_TEXTURE_BORDER_COLOR, [0.0] * 4)

    def free(self) -> None:
        """Free its memory on the device."""
        GL.glDeleteTextures(1, [self.number])


class Target:
    """Something to draw into.

    Args:
        colors: Textures for colours.
        depth: A texture for depth.
        level: Which level of them.
    """

    def __init__(self, colors: Sequence[Texture], depth: Texture | None = None, level: int = 0) -> None:
        (self.size,) = {texture.size for texture in (*colors, depth) if texture is not None}
        self._level = level
        self._number = int(GL.glGenFramebuffers(1))
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._number)
        for place, color in enumerate(colors):
            GL.glFramebufferTexture2D(
                GL.GL_FRAMEBUFFER, GL.GL_COLOR_ATTACHMENT0 + place, GL.GL_TEXTURE_2D, color.number, level
            )
        if depth is not None:
            GL.glFramebufferTexture2D(GL.GL_FRAMEBUFFER, GL.GL_DEPTH_ATTACHMENT, GL.GL_TEXTURE_2D, depth.number, 0)
        if colors:
            GL.glDrawBuffers(len(colors), [GL.GL_COLOR_ATTACHMENT0 + place for place in range(len(colors))])
        else:
            GL.glDrawBuffer(GL.GL_NONE)
            GL.glReadBuffer(GL.GL_NONE)
        if GL.glCheckFramebufferStatus(GL.GL_FRAMEBUFFER) != GL.GL_FRAMEBUFFER_COMPLETE:
            raise RuntimeError("this OpenGL cannot draw into such textures")

    def bind(self) -> None:
        """Draw into it from now on."""
        GL.glBindFramebuffer(GL.GL_FRAMEBUFFER, self._number)
        GL.glViewport(0, 0, *(max(1, side >> self._level) for side in self.size))

    def free(self) -> None:
        """Free it, but not its textures."""
        GL.glDeleteFramebuffers(1, [self._number])


class Shape:
    """Triangles on the device, of several parts, at several levels of detail.

    Args:
        vertices: Shape (n, 7), float32: position, normal, number of the part.
        levels: For each level the corners of its triangles, shape (m, 3), indices of vertices.
    """

    def __init__(self, vertices: NDArray[np.float32], levels: Sequence[NDArray[np.uint32]]) -> None:
        self._array = int(GL.glGenVertexArrays(1))
        GL.glBindVertexArray(self._array)
        self._buffers = [int(number) for number in GL.glGenBuffers(2)]
        GL.glBindBuffer(GL.GL_ARRAY_BUFFER, self._buffers[0])
        GL.glBufferData(GL.GL_ARRAY_BUFFER, vertices.nbytes, vertices, GL.GL_STATIC_DRAW)
        corners = np.concatenate(levels).astype(np.uint32).ravel()
        GL.glBindBuffer(GL.GL_ELEMENT_ARRAY_BUFFER, self._buffers[1])
        GL.glBufferData(GL.GL_ELEMENT_ARRAY_BUFFER, corners.nbytes, corners, GL.GL_STATIC_DRAW)
        for place, (width, offset) in enumerate(((3, 0), (3, 12), (1, 24))):
            GL.glEnableVertexAttribArray(place)
            GL.glVertexAttribPointer(place, width, GL.GL_FLOAT, False, 28, GL.GLvoidp(offset))
        ends = np.cumsum([0, *(level.size for level in levels)])
        self._ranges = [(int(end - begin), GL.GLvoidp(4 * int(begin))) for begin, end in pairwise(ends)]

    def draw(self, level: int) -> None:
        """Draw one level, or the coarsest instead of one that it lacks or of -1, with the program in use."""
        GL.glBindVertexArray(self._array)
        count, offset = self._ranges[level if level < len(self._ranges) else -1]
        GL.glDrawElements(GL.GL_TRIANGLES, count, GL.GL_UNSIGNED_INT, offset)

    def free(self) -> None:
        """Free its memory on the device."""
        GL.glDeleteBuffers(2, self._buffers)
        GL.glDeleteVertexArrays(1, [self._array])
