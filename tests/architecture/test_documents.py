"""What the documents point at exists: files, sections, commands and their options."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import click
import pytest

from penstock.cli import main
from tests.architecture.sources import ROOT, text_files

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)
_QUOTED = re.compile(r"`([\w.-]+/[\w./-]*)`")
_MADE = re.compile(r"^(bench/results/|dist/)|<|…")
_COMMAND = re.compile(r"(?<![\w/.-])penstock ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)?)([^\n`|;&#]*)")
_OPTION = re.compile(r"(?<!\S)(--[a-z][a-z-]*)")


def documents() -> list[tuple[str, str]]:
    """Markdown files and their text."""
    return [(name, text) for name, text in text_files() if name.endswith(".md")]


def commands() -> dict[str, click.Command]:
    """Every command by its words, groups included: `config`, `config show`."""
    found: dict[str, click.Command] = {}

    def visit(group: click.Group, words: tuple[str, ...]) -> None:
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            found[" ".join((*words, name))] = command
            if isinstance(command, click.Group):
                visit(command, (*words, name))

    visit(main, ())
    return found


def anchors(text: str) -> set[str]:
    """The anchors that a document's headings get where it is shown."""
    titles = (re.sub(r"[`*]", "", title) for title in _HEADING.findall(_FENCE.sub("", text)))
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_every_relative_link_leads_to_a_file_and_a_heading() -> None:
    """A reader never meets a dead link inside the repository."""
    dead: list[str] = []
    for name, text in documents():
        for target in _LINK.findall(_FENCE.sub("", text)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            place = (ROOT / name).parent / path if path else ROOT / name
            if not place.exists():
                dead.append(f"{name}: {target}")
            elif anchor and place.suffix == ".md" and anchor not in anchors(place.read_text("utf-8")):
                dead.append(f"{name}: {target} (no such heading)")
    assert dead == []


def test_every_file_of_ours_that_a_document_names_exists() -> None:
    """A path in backticks is one of the repository, or below src/penstock; renaming a file renames it there."""
    packages = {path.name for path in (ROOT / "src" / "penstock").iterdir()}
    folders = {path.name for path in ROOT.iterdir() if path.is_dir()}
    gone: list[str] = []
    for name, text in documents():
        for path in _QUOTED.findall(_FENCE.sub("", text)):
            first = path.split("/")[0]
            if _MADE.search(path) or first not in folders | packages:
                continue
            if not any((ROOT / start / path).exists() for start in ("", "src/penstock")):
                gone.append(f"{name}: {path}")
    assert gone == []


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_explains_itself(name: str) -> None:
    """`--help` begins with a sentence, and every option says what it does."""
    command = commands()[name]
    assert (command.help or "").strip().split("\n\n")[0].rstrip().endswith(".")
    silent = [p.name for p in command.params if isinstance(p, click.Option) and not p.help]
    assert silent == []


def test_the_list_of_commands_matches_their_names() -> None:
    """The short sentences of `penstock --help` are written for commands that can be imported."""
    context = click.Context(main)
    assert [name for name in main.list_commands(context) if main.get_command(context, name) is None] == []


def test_every_dependency_has_its_line() -> None:
    """A dependency enters with what it is for, why this one, and what it costs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wanted = [
        *project["project"]["dependencies"],
        *(each for extra in project["project"].get("optional-dependencies", {}).values() for each in extra),
        *(each for group in project["dependency-groups"].values() for each in group if isinstance(each, str)),
    ]
    text = (ROOT / "docs" / "dependencies.md").read_text("utf-8").lower()
    names = {re.split(r"[^\w.-]", each)[0].lower() for each in wanted}
    assert sorted(name for name in names if name not in text) == []


def test_every_option_in_the_documents_exists() -> None:
    """What a document tells somebody to type is understood by the command."""
    known = commands()
    wrong: list[str] = []
    for name, text in documents():
        for words, rest in _COMMAND.findall(text):
            command = known.get(words) or known.get(words.split(" ")[0])
            if command is None:
                continue
            options = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}
            wrong += [
                f"{name}: penstock {words}{rest}: {option}"
                for option in _OPTION.findall(rest)
                if option not in options | {"--help"}
            ]
    assert wrong == []


def test_the_documents_name_only_commands_that_exist() -> None:
    """In a code block of the README or of docs/, `penstock X` is a command of this version."""
    known = {name.split(" ")[0] for name in commands()}
    unknown: list[str] = []
    for name, text in documents():
        if not (name == "README.md" or Path(name).parent == Path("docs")):
            continue
        for block in _FENCE.findall(text):
            for line in block.splitlines():
                if found := re.match(r"(?:\$ )?penstock ([a-z]+)", line):
                    unknown += [f"{name}: {line}"] if found[1] not in known else []
    assert unknown == []
