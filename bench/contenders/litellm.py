"""LiteLLM's proxy: one worker, master key, its default log; no database, no limits, no fallback."""

from __future__ import annotations

from pathlib import Path

from bench import payload
from bench.process import free_port, spawn
from bench.stage import GATEWAY_CORE, Running, Stage, wait_for_answer

HERE = Path(__file__).resolve().parent.parent
HOME = HERE / ".env" / "litellm"
LOCK = HERE / "requirements-litellm.lock"
START_S = 90.0
CONFIG = """
model_list:
  - model_name: {model}
    litellm_params: {{model: openai/gpt-4o-mini, api_base: "{base_url}", api_key: sk-upstream}}
litellm_settings: {{telemetry: false}}
general_settings: {{master_key: {key}}}
"""


class LiteLlm:
    """Configured as its quick start says, which is less than Penstock is asked to do."""

    name = "litellm"
    max_rate = 20
    idle_streams = 300
    start_runs = 2

    def missing(self) -> str | None:
        """Installed by bench.install."""
        return None if (HOME / "bin" / "litellm").exists() else "its environment could not be installed"

    def version(self) -> str:
        """As locked."""
        pins = [line for line in LOCK.read_text().splitlines() if line.startswith("litellm==")]
        return pins[0].removeprefix("litellm==").rstrip(" \\")

    def start(self, stage: Stage, *, pinned: bool = True) -> Running:
        """One process on the gateway's core; it takes its price map from its own package."""
        port = free_port()
        config = stage.folder / f"litellm-{port}.yaml"
        config.write_text(CONFIG.format(model=payload.MODEL, base_url=stage.base_url, key=payload.KEY))
        environment = {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "SSL_CERT_FILE": str(stage.certificate.ca),
        }
        process = spawn(
            self.name,
            [
                str(HOME / "bin" / "litellm"),
                "--config",
                str(config),
                "--host",
                "127.0.0.1",
                "--port",
                str(port),
            ],
            stage.folder / f"litellm-{port}.log",
            core=GATEWAY_CORE if pinned else None,
            env=environment,
            cwd=stage.folder,
        )
        headers = {"authorization": f"Bearer {payload.KEY}"}
        wait_for_answer(process, port, headers, limit_s=START_S, streaming=stage.streaming)
        return Running(self.name, port, process, process.tree(), headers)
