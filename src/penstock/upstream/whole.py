"""Read a whole answer: what it tells, or why it cannot be taken for one."""

from __future__ import annotations

import msgspec

from penstock.core.errors import ShapeError
from penstock.providers.openai.errors import Failure, failure_of_cause, failure_of_event
from penstock.shapes.openai import Answer, decode_answer, given
from penstock.upstream.codec import AnswerIsErrorError, Codec, Whole


def read_whole(codec: Codec | None, body: bytes) -> Answer | Whole | Failure:
    """The answer as read, by the attempt's codec or, without one, as OpenAI's; a Failure where it is none."""
    try:
        if codec is not None:
            return codec.whole(body)
        answer = decode_answer(body)
    except AnswerIsErrorError as answer_is:
        return failure_of_event(answer_is.told)
    except (ShapeError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        text = body[:500].decode("utf-8", "replace")
        return failure_of_cause("garbage", f"{error}; the answer was: {text}")
    if given(answer.error) and not answer.choices:
        return failure_of_event(bytes(answer.error))
    return answer
