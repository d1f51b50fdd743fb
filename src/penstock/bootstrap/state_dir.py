"""Where the processes of one installation keep what they share."""

from __future__ import annotations

from pathlib import Path


class StateDir:
    """Paths below `server.state_dir`, which only this user may read: key hashes stand there."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.snapshot = root / "snapshot"
        self.journal = root / "journal"
        self.ledger = root / "ledger.db"
        self.owned = root / "owned.db"
        self.answers = root / "answers.db"
        self.keyring = root / "keyring.json"
        self.alerts = root / "alerts.db"
        # Live scores, which the worker publishes to gateways.
        self.scores = root / "scores.snapshot"
        self.admin_key = root / "admin_key.json"
        self.run = root / "run"
        # Control's: its database, the socket of its API, what it published last in a form that needs no
        # database, and the newest link of the audit chain.
        self.control_db = root / "control.db"
        self.control_socket = root / "control.sock"
        self.known = root / "control.known"
        self.audit_head = root / "audit.head"
        self.operator = self.run / "operator.token"
        self.cache = root / "cache"
        # The socket of the owner of accounts.
        self.accounts = self.run / "accounts.sock"
        # The socket of the credentials process, and the file that says that there has to be one.
        self.credentials = self.run / "credentials.sock"
        # Keys of token issuers, and the file by which gateways ask for newer ones.
        self.token_keys = root / "cache" / "jwks"
        self.token_keys_wanted = self.run / "jwks.wanted"
        self.credentials_wanted = self.run / "credentials.wanted"

        # The same for the inference process.
        self.inference = self.run / "inference.sock"
        self.inference_wanted = self.run / "inference.wanted"
        # What the semantic cache knows of questions.
        self.questions = root / "questions"

    def create(self) -> None:
        """Make the folders."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.journal, self.run, self.cache):
            folder.mkdir(mode=0o700, exist_ok=True)

    def ack(self, boot: str) -> Path:
        """Where a gateway says which revision it serves."""
        return self.run / f"{boot}.json"

    def draining(self, place: int) -> Path:
        """Where the gateway at this place says, by its pid, that it accepts nothing more."""
        return self.run / f"gateway-{place}.draining"

    def alive(self, boot: str) -> Path:
        """What a gateway keeps locked as long as it lives, where it has leases."""
        return self.run / f"{boot}.alive"

    def door(self, boot: str) -> Path:
        """The socket at which a gateway answers the other processes of this installation."""
        return self.run / f"{boot}.sock"
