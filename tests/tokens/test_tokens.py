"""Tokens (JWT) as API credentials: what is taken, what is refused, whose they are."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import OctKey, RSAKey

from penstock.adapters.jose.signatures import verifying_keys
from penstock.config.load import load_text
from penstock.config.problem import ConfigError
from penstock.core.errors import Refusal
from tests.tokens.issuing import (
    CONFIG,
    ISSUER,
    KEYS,
    NOW_MS,
    NOW_S,
    OTHER,
    Gate,
    claims,
    published,
    token,
    unsigned,
)


def refused(gate: Gate, made: bytes, now_ms: int = NOW_MS) -> str:
    """The code with which a token is refused; empty where it counts as no token."""
    try:
        assert gate.key(made, now_ms) is None
    except Refusal as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_a_signed_token_is_a_key(algorithm: str) -> None:
    """Whatever it is signed with, it is of its organisation, user and limits, and known from then on."""
    gate = Gate()
    made = token(algorithm=algorithm)
    key = gate.key(made)
    assert key is not None
    assert (key.subject.org, key.subject.team, key.subject.key) == ("acme", "", "jwt:staff")
    assert key.tags == {"user": "alice"}
    assert key.accounts == ("org:acme",)
    assert key.bounds is not None
    assert key.bounds.expires_ms == NOW_MS + 630_000
    assert gate.key(made) is key


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(unsigned({"alg": "none"}, claims()), id="none"),
        pytest.param(unsigned({"alg": "None", "kid": "rsa"}, claims()), id="None"),
        pytest.param(unsigned({"alg": ["RS256"], "kid": "rsa"}, claims(), b"x" * 256), id="list"),
        pytest.param(unsigned({"kid": "rsa"}, claims(), b"x" * 256), id="no-alg"),
        pytest.param(unsigned({"alg": "RS256", "kid": "rsa"}, claims(), b""), id="no-signature"),
        pytest.param(unsigned({"alg": "ES256", "kid": "ec"}, claims(), b"\0" * 64), id="zeros"),
        pytest.param(unsigned({"alg": "EdDSA", "kid": "rsa"}, claims(), b"x" * 64), id="alg-of-another-key"),
        pytest.param(token(key=OTHER), id="another-key"),
        pytest.param(token(kid="gone"), id="unknown-kid"),
        pytest.param(token(algorithm="RS384", key=KEYS["RS256"]), id="not-listed"),
        pytest.param(token(crit=["b64"], b64=True), id="crit"),
    ],
)
def test_a_token_that_is_not_signed_by_its_issuer_is_refused(made: bytes) -> None:
    """No signature, another's, or one by an algorithm that the key or the issuer is not for."""
    assert refused(Gate(), made) == "token_rejected"


def test_a_public_key_is_no_shared_secret() -> None:
    """Signed with the public key as an HMAC secret, a token is refused."""
    public = KEYS["RS256"].as_pem(private=False)
    signed = unsigned({"alg": "HS256", "kid": "rsa"}, claims()).rpartition(b".")[0]
    signature = base64.urlsafe_b64encode(hmac.digest(public, signed, "sha256")).rstrip(b"=")
    assert refused(Gate(), signed + b"." + signature) == "token_rejected"
    with pytest.raises(ConfigError):
        load_text(CONFIG.format(issuer=ISSUER, more="org: acme, algorithms: [HS256]"), {})


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (claims(iss="https://evil.example"), "token_rejected"), (claims(iss=None), "token_rejected"),
        (claims(aud="other"), "token_rejected"), (claims(aud=None), "token_rejected"),
        (claims(aud=["other", "penstock"]), ""), (claims(exp=None), "token_rejected"),
        (claims(exp="soon"), "token_rejected"), (claims(exp=True), "token_rejected"),
        (claims(exp=1e300), "token_rejected"), (claims(exp=NOW_S - 29), ""),
        (claims(exp=NOW_S - 31), "key_expired"), (claims(nbf=NOW_S + 29), ""),
        (claims(nbf=NOW_S + 31), "token_rejected"), (claims(sub=None), "token_rejected"),
        (claims(sub="a\nb"), "token_rejected"), (claims(sub="a" * 129), "token_rejected"),
        (claims(sub=7), "token_rejected"),
    ],
)  # fmt: skip
def test_what_a_token_must_claim(said: dict[str, Any], code: str) -> None:
    """Issuer, audience, times within the leeway, and a name for the user."""
    gate, made = Gate(), token(said)
    if code:
        assert refused(gate, made) == code
    else:
        assert gate.key(made) is not None


def test_claims_say_whose_it_is() -> None:
    """Organisation, team and routes from claims, within what the configuration knows and allows."""
    gate = Gate(
        "org_claim: org, team_claim: grp.team, routes: [echo], routes_claim: may, require: {tier: gold}"
    )
    good = claims(org="acme", grp={"team": "red"}, may=["echo", "other"], tier=["gold", "x"])
    key = gate.key(token(good))
    assert key is not None
    assert (key.subject.org, key.subject.team, key.routes) == ("acme", "red", frozenset({"echo"}))
    assert set(key.accounts) == {"org:acme", "team:acme/red"}
    for wrong in ({"org": "nobody"}, {"grp": {"team": "blue"}}, {"org": "beta"}, {"tier": "x"}, {"grp": 1}):
        assert refused(gate, token({**good, **wrong})) == "token_rejected", wrong
    none = gate.key(token({**good, "may": "other"}))
    assert none is not None
    assert none.routes == frozenset()


def test_teams_do_not_share_what_is_counted() -> None:
    """Keys of one issuer differ in their ids where their accounts do."""
    gate = Gate("org_claim: org")
    first, second = gate.key(token(claims(org="acme"))), gate.key(token(claims(org="beta")))
    assert first is not None
    assert second is not None
    assert first.id != second.id
    assert (first.accounts, second.accounts) == (("org:acme",), ())


def test_an_issuers_own_limits_bind_all_of_its_tokens() -> None:
    """Limits, bounds and tags of the entry hold for each token."""
    more = "limits: {rpm: 5}, max_tokens: 10, endpoints: [chat], tags: {via: sso, user: x}"
    key = Gate(f"org: acme, {more}").key(token())
    assert key is not None
    assert key.accounts == ("key:jwt:staff", "org:acme")
    assert key.bounds is not None
    assert (key.bounds.max_tokens, key.bounds.endpoints) == (10, frozenset({"chat"}))
    assert key.tags == {"via": "sso", "user": "alice"}


def test_new_keys_are_asked_for_and_old_ones_end() -> None:
    """A token of an unknown key asks for newer keys, now and then; a removed key's tokens are refused."""
    new = RSAKey.generate_key(2048, {"kid": "new"})
    gate = Gate()
    made = token(key=new)
    assert [refused(gate, made) for _ in range(3)] == ["token_rejected"] * 3
    assert gate.asked == 1
    assert refused(gate, token(claims(sub="bob"), key=new), NOW_MS + 5_000) == "token_rejected"
    assert gate.asked == 2
    after = Gate(jwks=published(new))
    assert after.key(made) is not None
    assert refused(after, token()) == "token_rejected"


def test_without_any_key_it_is_ours_to_say_so() -> None:
    """Before the first fetch the client is told to try again, and it is not held against its token."""
    gate = Gate(jwks=b"")
    assert refused(gate, token()) == "token_keys_missing"
    assert gate.asked == 1


def test_only_public_keys_that_verify_are_taken() -> None:
    """Secrets, keys for encryption, short ones and nonsense are passed over; the others still count."""
    # 1,024 bits, which no library makes any more.
    modulus = base64.urlsafe_b64encode(b"\xc1" + b"\x01" * 127).decode().rstrip("=")
    short = {"kty": "RSA", "kid": "short", "e": "AQAB", "n": modulus}
    rows = [
        OctKey.generate_key(256).as_dict(private=True), {**KEYS["RS256"].as_dict(private=False), "use": "enc"},
        short, {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, {"kty": "RSA"}, 7, {},
        {"kty": "OKP", "crv": "Ed25519", "x": 1}, KEYS["ES256"].as_dict(private=False),
    ]  # fmt: skip
    assert [key.kid for key in verifying_keys(json.dumps({"keys": rows}).encode())] == ["ec"]
    for nonsense in (b"", b"[]", b"{}", b'{"keys": 1}', b"\xff"):
        assert verifying_keys(nonsense) == []


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_changed_token_is_never_taken(data: st.DataObject) -> None:
    """Whatever byte of a token is changed, it is refused or is no token."""
    made = bytearray(token(algorithm=data.draw(st.sampled_from(["ES256", "EdDSA", "RS256"]))))
    # The last sign of a part has bits that mean nothing; a decoder may pass over them.
    ends = {made.index(b"."), made.rindex(b"."), len(made)}
    place = data.draw(st.integers(0, len(made) - 1).filter(lambda at: at + 1 not in ends))
    made[place] = data.draw(st.sampled_from(range(256)).filter(lambda byte: byte != made[place]))
    assert refused(Gate(), bytes(made)) in {"", "token_rejected"}


@settings(deadline=None)
@given(st.binary(max_size=80) | st.lists(st.binary(max_size=20), min_size=3, max_size=3).map(b".".join))
def test_anything_else_is_no_token(given_: bytes) -> None:
    """What is sent as a key and is no token is left to be refused as an unknown key."""
    assert refused(Gate(), given_) in {"", "token_rejected"}


@pytest.mark.parametrize(
    "more",
    [
        "org: nobody", "org_claim: a, org: acme", "team: red, org_claim: a", "org: acme, team: blue",
        "org: acme, routes: [nowhere]", "org: acme, jwks_url: 'http://id.example/keys'",
        "org: acme, endpoints: [chatt]", "org: acme, networks: []", "org: acme, audience: []",
        "user_claim: sub",
    ],
)  # fmt: skip
def test_mistakes_in_an_issuer_are_found(more: str) -> None:
    """Each is reported with its path before anything is served."""
    text = CONFIG.format(issuer=ISSUER, more=more)
    if "audience: []" in more:
        text = text.replace("audience: [penstock], ", "")
    with pytest.raises(ConfigError) as caught:
        load_text(text, {})
    assert all(problem.path.startswith("auth.tokens.staff") for problem in caught.value.problems)
    with pytest.raises(ConfigError):
        load_text(CONFIG.format(issuer="http://id.example", more="org: acme"), {})
