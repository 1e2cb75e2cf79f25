import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.sim.mujoco.impact import MIN_SPEED, bounce

G = 9.81
DT = 1 / 1200


def fall(height: float, restitution: float, timestep: float = DT) -> float:
    """Highest point after the first impact of a fall, integrated semi-implicitly as the simulator does."""
    z, v, hit = height, 0.0, False
    top = 0.0
    for _ in range(round(2 / timestep)):
        before = (z, v)
        v -= G * timestep
        z += v * timestep
        if z <= 0 and not hit:
            result = bounce(*before, restitution, G, timestep)
            assert result is not None
            z, v, hit = result.height, result.velocity, True
        elif hit:
            if v <= 0:
                break
            top = max(top, z)
    return top


@given(height=st.floats(0.28, 0.32), restitution=st.floats(0.05, 1.0))
def test_rebound_height_is_the_square_of_the_restitution(height: float, restitution: float) -> None:
    assert fall(height, restitution) / height == pytest.approx(restitution**2, abs=3e-4)


@given(height=st.floats(1e-6, 0.003), speed=st.floats(MIN_SPEED, 3), restitution=st.floats(0, 1))
def test_the_impact_law_holds_at_the_contact(height: float, speed: float, restitution: float) -> None:
    result = bounce(height, -speed, restitution, G, DT)
    if result is not None:
        assert 0 <= result.delay <= DT
        assert result.speed_after == pytest.approx(restitution * result.speed_before)
        assert result.speed_before >= speed - G * DT


def test_no_impact_without_a_fast_fall_onto_the_table() -> None:
    assert bounce(0.1, -1.0, 0.5, G, DT) is None
    assert bounce(0.0001, -0.05, 0.5, G, DT) is None
    assert bounce(0.0001, 1.0, 0.5, G, DT) is None
    assert bounce(-0.0001, -1.0, 0.5, G, DT) is None
