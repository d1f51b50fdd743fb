"""Questions in each client's words, written from its API's documentation."""

from __future__ import annotations

from typing import Any

from tests.translation.matrix.request_probes import PDF, PNG, SCHEMA

Json = dict[str, Any]
_URL = "https://example.org/a.png"
_FUNCTION = {"name": "weather", "description": "The weather of a city", "parameters": SCHEMA}
_CITY = {"type": "object", "properties": {"capital": {"type": "string"}}, "required": ["capital"]}


def _chat() -> dict[str, Json]:
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}", "detail": "low"}}
    linked = {"type": "image_url", "image_url": {"url": _URL}}
    file = {"type": "file", "file": {"filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}}
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
    return {
        "conversation": {
            "messages": [
                {"role": "system", "content": "Be brief."},
                {"role": "user", "content": [{"type": "text", "text": "Compare."}, image, linked, file]},
                {"role": "user", "content": "And the weather?"},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "call_1", "content": "12 degrees"},
                {"role": "system", "content": "Answer in German."},
                {"role": "user", "content": ""},
            ],
            "tools": [{"type": "function", "function": _FUNCTION}],
            "tool_choice": "required",
            "parallel_tool_calls": False,
            "max_completion_tokens": 9000,
            "stop": ["END"],
            "reasoning_effort": "high",
        },
        "structured": {
            "messages": [{"role": "user", "content": "Of Norway?"}],
            "response_format": {"type": "json_schema", "json_schema": {"name": "city", "schema": _CITY}},
            "logprobs": True,
            "top_logprobs": 2,
            "n": 2,
        },
    }


def _responses() -> dict[str, Json]:
    image = {"type": "input_image", "image_url": _URL}
    file = {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
    return {
        "conversation": {
            "instructions": "Be brief.",
            "input": [
                {"role": "user", "content": [{"type": "input_text", "text": "Compare."}, image, file]},
                {
                    "type": "function_call",
                    "call_id": "call_1",
                    "name": "weather",
                    "arguments": '{"city":"Oslo"}',
                },
                {"type": "function_call_output", "call_id": "call_1", "output": "12 degrees"},
                {"role": "developer", "content": "Answer in German."},
            ],
            "tools": [{"type": "function", **_FUNCTION, "strict": True}],
            "reasoning": {"effort": "low", "summary": "auto"},
            "max_output_tokens": 9000,
        },
        "structured": {
            "input": "Of Norway?",
            "text": {"format": {"type": "json_schema", "name": "city", "schema": _CITY}},
        },
    }


def _anthropic() -> dict[str, Json]:
    source = {"type": "base64", "media_type": "image/png", "data": PNG}
    image = {"type": "image", "source": source}
    paper = {"type": "document", "source": {"type": "base64", "media_type": "application/pdf", "data": PDF}}
    thought = {"type": "thinking", "thinking": "I should ask.", "signature": "c2VhbA=="}
    call = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Oslo"}}
    rich = [{"type": "text", "text": "See."}, image]
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": rich, "is_error": True}
    return {
        "conversation": {
            "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Compare."}, image, paper]},
                {"role": "assistant", "content": [thought, call]},
                {"role": "user", "content": [result]},
                {"role": "user", "content": "Well?"},
            ],
            "tools": [{"name": "weather", "description": "The weather of a city", "input_schema": SCHEMA}],
            "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
            "thinking": {"type": "enabled", "budget_tokens": 4096},
            "max_tokens": 9000,
            "stop_sequences": ["END"],
        },
        "plain": {"max_tokens": 50, "messages": [{"role": "user", "content": "Hello."}], "top_k": 4},
    }


def _gemini() -> dict[str, Json]:
    inline = {"inlineData": {"mimeType": "image/png", "data": PNG}}
    paper = {"inlineData": {"mimeType": "application/pdf", "data": PDF}}
    call = {"functionCall": {"name": "weather", "args": {"city": "Oslo"}}, "thoughtSignature": "c2VhbA=="}
    result = {"functionResponse": {"name": "weather", "response": {"output": "12 degrees"}}}
    return {
        "conversation": {
            "systemInstruction": {"parts": [{"text": "Be brief."}]},
            "contents": [
                {"role": "user", "parts": [{"text": "Compare."}, inline, paper]},
                {"role": "model", "parts": [call]},
                {"role": "user", "parts": [result]},
            ],
            "tools": [{"functionDeclarations": [_FUNCTION]}],
            "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
            "generationConfig": {
                "maxOutputTokens": 9000,
                "stopSequences": ["END"],
                "thinkingConfig": {"thinkingBudget": 2048},
            },
        },
        "structured": {
            "contents": [{"parts": [{"text": "Of Norway?"}]}],
            "generationConfig": {
                "responseMimeType": "application/json",
                "responseJsonSchema": _CITY,
                "candidateCount": 2,
            },
        },
    }


def _converse() -> dict[str, Json]:
    image = {"image": {"format": "png", "source": {"bytes": PNG}}}
    paper = {"document": {"format": "pdf", "name": "a", "source": {"bytes": PDF}}}
    call = {"toolUse": {"toolUseId": "tooluse_1", "name": "weather", "input": {"city": "Oslo"}}}
    result = {
        "toolResult": {"toolUseId": "tooluse_1", "content": [{"json": {"degrees": 12}}], "status": "error"}
    }
    spec = {"name": "weather", "description": "The weather of a city", "inputSchema": {"json": SCHEMA}}
    return {
        "conversation": {
            "system": [{"text": "Be brief."}],
            "messages": [
                {"role": "user", "content": [{"text": "Compare."}, image, paper]},
                {"role": "assistant", "content": [call]},
                {"role": "user", "content": [result]},
            ],
            "toolConfig": {"tools": [{"toolSpec": spec}], "toolChoice": {"tool": {"name": "weather"}}},
            "inferenceConfig": {"maxTokens": 900, "temperature": 0.2, "stopSequences": ["END"]},
        }
    }


QUESTIONS: dict[str, dict[str, Json]] = {
    "openai.chat": _chat(),
    "openai.completions": {
        "prompt": {"prompt": "Once upon", "max_tokens": 9, "stop": "END", "logprobs": 2, "echo": True}
    },
    "openai.responses": _responses(),
    "anthropic": _anthropic(),
    "gemini": _gemini(),
    "converse": _converse(),
}
