"""What went wrong with the Hub, in one sentence that says what to do; no token is in any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hpvqa.errors import HpvqaError, RunError, UsageError

TOO_LARGE = 413
"""HTTP status of a request that holds too much."""

_LONGEST = 200
"""Characters of what a server said that are shown."""
_AGAIN = "give the same command again, and it goes on where it stopped"


@contextmanager
def told(name: str) -> Iterator[None]:
    """Turn every error of the Hub's client into one of ours.

    Args:
        name: What is sent or fetched, ``owner/name``.

    Raises:
        UsageError: The name cannot be, is not there, or may not be used with this login.
        RunError: The Hub cannot be reached, refuses or breaks off.
    """
    try:
        yield
    except HpvqaError:
        raise
    except Exception as error:
        chain = [error]
        while isinstance(chain[-1].__cause__, Exception):
            chain.append(chain[-1].__cause__)
        ours = next((found for one in chain if (found := _explained(name, one))), None)
        disk = next((one for one in chain if isinstance(one, OSError) and one.errno is not None), None)
        raise ours or disk or error from None


def _explained(name: str, error: Exception) -> HpvqaError | None:
    """Our own error for one of the client's; None where what caused it says more, or it is the disk's."""
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    if isinstance(error, HFValidationError):
        return UsageError(
            f"{name!r} is not a name on the Hub; it looks like owner/name, of letters, digits, '.', '-' and '_'"
        )
    if isinstance(error, OfflineModeIsEnabled):
        return RunError("HF_HUB_OFFLINE forbids to use the network; unset it for this command")
    if isinstance(error, HfHubHTTPError):
        return _refused(name, error.response.status_code, error.server_message or "")
    if isinstance(error, httpx2.HTTPError | ConnectionError | TimeoutError):
        return RunError(f"The Hub cannot be reached, or broke off ({type(error).__name__}); {_AGAIN}")
    if error.__cause__ is not None or (isinstance(error, OSError) and error.errno is not None):
        return None
    if isinstance(error, OSError | ValueError | RuntimeError):
        # Files that end too early, replies that make no sense, and what the parts of the client that are no Python say.
        return RunError(f"The Hub's client failed ({_said(str(error))}); {_AGAIN}")
    return None


def _refused(name: str, code: int, said: str) -> HpvqaError:
    if code == 401:
        return UsageError(
            f"The Hub does not know you, or hides {name} from you (401); log in with `hf auth login`, or set HF_TOKEN"
        )
    if code == 403:
        return UsageError(f"Your login may not do this with {name} (403); use a token that may, or another name")
    if code == 404:
        return UsageError(f"There is no {name} on the Hub, or your login may not see it (404)")
    if code in (409, 412):
        return RunError(f"Something else changed {name} at the same time ({code}); {_AGAIN}")
    if code == TOO_LARGE:
        return RunError(f"The Hub refused a file as too large ({TOO_LARGE}); what came before it is there")
    if code == 429:
        return RunError(f"The Hub wants fewer requests (429); wait some minutes, then {_AGAIN}")
    if code >= 500:
        return RunError(f"The Hub failed ({code}); {_AGAIN}")
    return RunError(f"The Hub refused ({code}): {_said(said) or 'it does not say why'}")


def _said(text: str) -> str:
    """What a server said, on one line, without the token that it may have been sent."""
    from huggingface_hub import get_token

    token = get_token()
    shown = text.replace(token, "***") if token else text
    return " ".join(shown.split())[:_LONGEST]
