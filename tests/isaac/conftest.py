"""Tests of the panel run with the stand-in of `omni.ui`, and a second time with the real one where it is installed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import pytest

from tests.isaac import panel_fixtures
from tests.isaac.kit import session
from tests.isaac.kit.real import RealSession, is_installed
from tests.isaac.kit.session import Session

Opens = Callable[..., AbstractContextManager[Session]]
KINDS = [pytest.param(Session, id="stand-in")]
if is_installed():
    KINDS.append(pytest.param(RealSession, id="omni.ui", marks=pytest.mark.ovui))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> type[Session]:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def panel(kind: type[Session]) -> Opens:
    return partial(panel_fixtures.panel, kind=kind)


@pytest.fixture
def kit_session(kind: type[Session]) -> Opens:
    return partial(session.kit_session, kind)
