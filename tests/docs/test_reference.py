"""Nothing is undocumented, and nothing that the documentation says of the code is out of date."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest

from jobengine.access import Access
from jobengine.engine.interface import Engine
from jobengine.errors import Fatal
from jobengine.journal import anchor, frame, header
from jobengine.model.states import Event
from jobengine.web.body import BodyReader
from jobengine.web.metrics import Metrics
from jobengine.web.probes import Probes
from jobengine.web.routes import Route
from jobengine.web.v1.doors import V1
from tests.docs.generated import DOCS, PARTS, filled, pages
from tests.support import openapi

ROOT = DOCS.parent
ROUTES = DOCS / "reference/http-v1.md"
FILE_FORMAT = DOCS / "explanation/file-format.md"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.stem)
def test_what_is_generated_is_what_the_code_says_now(page: Path) -> None:
    text = page.read_text()
    assert filled(text) == text, "make reference writes it anew"


def test_every_generated_part_stands_in_one_page() -> None:
    everything = "".join(page.read_text() for page in pages())
    assert sorted(re.findall(r"<!-- generated: (\w+) -->", everything)) == sorted(PARTS)


def test_every_route_is_documented_and_no_other() -> None:
    documented = re.findall(r"^(?:## |\| )`([A-Z]+ /\S+)`", ROUTES.read_text(), re.MULTILINE)
    assert sorted(documented) == sorted(f"{route.method} {route.path}" for route in _routes())


def test_every_kind_of_operation_is_documented() -> None:
    metrics = (DOCS / "reference/metrics.md").read_text()
    row = next(line for line in metrics.splitlines() if line.startswith("| `kind`"))
    assert set(re.findall(r"`(\w+)`", row)) == {"kind", "none", *(route.kind for route in openapi.routes())}


def test_every_event_in_the_life_of_a_job_is_explained() -> None:
    rows = re.findall(r"^\| ([a-z ,]+) \|", (DOCS / "explanation/states.md").read_text(), re.MULTILINE)
    explained = {event.strip() for row in rows for event in row.split(",")}
    assert explained == {"event", *(event.replace("_", " ") for event in Event)}


def test_every_exit_code_has_its_advice() -> None:
    advice = (DOCS / "how-to/when-it-does-not-start.md").read_text()
    documented = {int(code) for code in re.findall(r"^\| (\d+) \|", advice, re.MULTILINE)}
    assert documented == {64, *(refusal.exit_code for refusal in Fatal.__subclasses__())}


@pytest.mark.parametrize(("heading", "module"), [("Header", header), ("Frame", frame), ("Anchor", anchor)])
def test_a_byte_diagram_has_the_places_that_stand_above_the_code(heading: str, module: ModuleType) -> None:
    section = FILE_FORMAT.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    assert _places(section) == _places(module.__doc__ or "") != []


def test_the_layers_are_those_that_are_checked() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    assert "```text\n" + "\n".join(layers) + "\n```" in (DOCS / "explanation/architecture.md").read_text()


def test_every_decision_stands_in_the_index() -> None:
    index = (DOCS / "decisions/index.md").read_text()
    assert all(f"({page.name})" in index for page in DOCS.glob("decisions/0*.md"))


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")), ids=lambda page: page.stem)
def test_every_link_outside_of_docs_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_link_inside_of_docs_leads_somewhere(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr


def _routes() -> list[Route]:
    access = Access()
    no_engine = cast(Engine, None)  # nothing is asked of it
    v1 = V1(no_engine, access, BodyReader(most_bytes=0, seconds=0))
    probes = Probes(why_not_ready=lambda: None, access=access, metrics=Metrics())
    return [*v1.routes(), *probes.routes()]


def _places(text: str) -> list[tuple[str, str]]:
    """Offset and length of each line of a byte diagram; the length is empty where zeros follow."""
    return re.findall(r"^ +(\d+) {1,3}(\d*) {2,}\S", text, re.MULTILINE)
