"""What stands beside a message's content, for APIs without a field for it."""

from __future__ import annotations

import pytest

from penstock.core.chat import Message
from penstock.core.losses import Losses, OnUnsupported, UnsupportedError
from penstock.core.parts import Image, Inline, Part, Text, ToolResult
from penstock.core.plain_turns import drop_names, errors_in_words

_PICTURE = Image(Inline("image/png", "AAAA"))


def _told(result: ToolResult, policy: OnUnsupported = "map") -> tuple[ToolResult, str]:
    losses = Losses(policy)
    (message,) = errors_in_words((Message("tool", (result,)),), losses)
    (part,) = message.parts
    assert isinstance(part, ToolResult)
    return part, losses.warning()


@pytest.mark.parametrize(
    ("content", "value", "told"),
    [
        ((Text("No such city."),), None, (Text("Error: No such city."),)),
        ((Text("error: none"), _PICTURE), None, (Text("error: none"), _PICTURE)),
        ((_PICTURE,), None, (Text("Error"), _PICTURE)),
        ((), None, (Text("Error"),)),
        ((), {"code": 7}, (Text('Error: {"code":7}'),)),
    ],
)
def test_a_failed_result_says_so_in_its_text(
    content: tuple[Part, ...], value: object, told: tuple[Part, ...]
) -> None:
    """Once, whatever the result holds."""
    part, warning = _told(ToolResult("a", content=content, value=value, is_error=True))
    assert (part.content, part.value) == (told, None)
    assert warning == "mapped=tool_result.error"


def test_a_result_that_did_not_fail_is_left_alone() -> None:
    """Also where the caller says that it did not."""
    for is_error in (None, False):
        result = ToolResult("a", content=(Text("12"),), is_error=is_error)
        assert _told(result) == (result, "")


def test_the_caller_decides_about_a_failed_result() -> None:
    """Dropped, or an error before anything is sent."""
    failed = ToolResult("a", content=(Text("No."),), is_error=True)
    assert _told(failed, "drop") == (failed, "dropped=tool_result.error")
    with pytest.raises(UnsupportedError, match=r"tool_result\.error"):
        _told(failed, "error")


def test_names_of_speakers_are_noted_as_lost() -> None:
    """Those of tools are not meant."""
    losses = Losses()
    drop_names([Message("tool", (), "weather"), Message("user", (Text("Hi."),))], losses)
    assert losses.warning() == ""
    drop_names([Message("user", (Text("Hi."),), "ada")], losses)
    assert losses.warning() == "dropped=message.name"
