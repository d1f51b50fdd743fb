"""Credentials: formats filled with random characters, as people paste them, and prompts that hold none."""

from __future__ import annotations

import string
from pathlib import Path
from random import Random

from bench.guard_quality.measured import Measured, Share
from bench.guard_quality.sources import innocent
from penstock.guardrails.secrets.detector import SecretsDetector

_ALNUM, _HEX = string.ascii_letters + string.digits, "0123456789abcdef"
# Kind, what it begins with, how many characters of which alphabet follow.
FORMATS = (
    ("OPENAI_API_KEY", "sk-proj-", 120, _ALNUM),
    ("OPENAI_API_KEY", "sk-svcacct-", 80, _ALNUM),
    ("ANTHROPIC_API_KEY", "sk-ant-api03-", 95, _ALNUM),
    ("GOOGLE_API_KEY", "AIza", 35, _ALNUM),
    ("GROQ_API_KEY", "gsk_", 52, _ALNUM),
    ("HUGGINGFACE_TOKEN", "hf_", 34, _ALNUM),
    ("AWS_ACCESS_KEY_ID", "AKIA", 16, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key=", 40, _ALNUM),
    ("GITHUB_TOKEN", "ghp_", 36, _ALNUM),
    ("GITLAB_TOKEN", "glpat-", 20, _ALNUM),
    ("NPM_TOKEN", "npm_", 36, _ALNUM),
    ("PYPI_TOKEN", "pypi-AgE", 150, _ALNUM),
    ("SLACK_TOKEN", "xoxb-730192845561-", 24, _ALNUM),
    ("STRIPE_KEY", "sk_live_", 24, _ALNUM),
    ("TWILIO_KEY", "SK", 32, _HEX),
    ("SHOPIFY_TOKEN", "shpat_", 32, _HEX),
    ("DIGITALOCEAN_TOKEN", "dop_v1_", 64, _HEX),
    ("DATABRICKS_TOKEN", "dapi", 32, _HEX),
    ("HASHICORP_VAULT_TOKEN", "hvs.", 90, _ALNUM),
    ("TELEGRAM_BOT_TOKEN", "7345678901:AA", 33, _ALNUM),
    ("PENSTOCK_KEY", "sk-penstock-", 43, _ALNUM),
    ("ASSIGNED_SECRET", "client_secret: ", 32, _ALNUM),
)
WRITTEN = (
    "{}",
    "here is my key {} please fix it",
    'x = "{}"',
    "curl -H 'x-api-key: {}'",
    "({})",
    "- `{}`\n",
    "a,{},b",
)


def found(root: Path, seed: int) -> list[Measured]:
    """Recall by format, and false alarms on innocent prompts."""
    looking, random = SecretsDetector(), Random(seed)
    hits, count, missed = 0, 0, dict[str, int]()
    for kind, begins, size, letters in FORMATS:
        for written in WRITTEN:
            for _ in range(3):
                text = written.format(begins + "".join(random.choices(letters, k=size)))
                hit = any(each.kind == kind for each in looking.look(text, "user"))
                hits, count = hits + hit, count + 1
                if not hit:
                    missed[kind] = missed.get(kind, 0) + 1
    prompts = random.sample(prompts_all := innocent(root), min(15_000, len(prompts_all)))
    alarms = sum(bool(looking.look(each.text, "user")) for each in prompts)
    return [
        Share("secrets.recall", "vendors' formats in sentences, code and commands", hits, count, detail=missed),
        Share("secrets.false", "false alarms on innocent prompts", alarms, len(prompts)),
    ]
