"""/metrics: who may see it, what it names, and that the figures move."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.connection import Connection
from tests.support.ports import free_port
from tests.support.problem import problem
from tests.support.server import ServerProcess
from tests.support.service import Service

Figures = dict[tuple[str, frozenset[tuple[str, str]]], float]


def parsed(text: str) -> Figures:
    families = list(text_string_to_metric_families(text))
    assert all(family.documentation for family in families)
    samples = [sample for family in families for sample in family.samples]
    figures = {(each.name, frozenset(each.labels.items())): each.value for each in samples}
    assert len(figures) == len(samples), "a sample stands twice"
    return figures


def figures(port: int) -> Figures:
    with Connection(port) as connection:
        return parsed(connection.ask("GET", "/metrics", {"X-Name": "ops"}).body.decode())


def figure(of: Figures, name: str, **labels: str) -> float:
    return of.get((name, frozenset(labels.items())), 0.0)


def test_metrics_are_for_administrators(server: ServerProcess, connection: Connection) -> None:
    problem(connection.ask("GET", "/metrics"), 400, "header_missing")
    for name in ("owner", "nobody", "*"):
        problem(connection.ask("GET", "/metrics", {"X-Name": name}), 403, "forbidden")
    answer = connection.ask("GET", "/metrics", {"X-Name": "ops"})
    assert (answer.status, answer.header("Content-Type")) == (200, "text/plain; version=1.0.0; charset=utf-8")


def test_jobs_are_counted_by_queue_and_state(server: ServerProcess, owner: Service) -> None:
    for _ in range(4):
        owner.create()
    owner.update(owner.claim()["uid"], status="complete")
    owner.update(owner.claim()["uid"], status="failed")
    owner.claim()
    seen = figures(server.port)
    counted = {
        state: figure(seen, "jobengine_jobs", queue=owner.queue, state=state)
        for state in ("queued", "inprogress", "complete", "failed", "gone")
    }
    assert counted == {"queued": 1, "inprogress": 1, "complete": 1, "failed": 1, "gone": 0}


def test_the_oldest_queued_job_has_an_age(server: ServerProcess, owner: Service) -> None:
    assert figure(figures(server.port), "jobengine_oldest_queued_seconds", queue=owner.queue) == 0
    owner.create(priority=1)
    owner.create(priority=100)
    first = figure(figures(server.port), "jobengine_oldest_queued_seconds", queue=owner.queue)
    second = figure(figures(server.port), "jobengine_oldest_queued_seconds", queue=owner.queue)
    assert 0 <= first < second < 60


@pytest.mark.parametrize(
    ("method", "path", "kind", "outcome"),
    [
        ("GET", "/api/v1/jobs", "list", "empty"),
        ("GET", "/api/v1/jobs/next", "claim", "empty"),
        ("PUT", "/api/v1/jobs/create", "create", "ok"),
        ("GET", "/api/v1/jobs/x", "get", "not_found"),
        ("POST", "/api/v1/jobs/x", "update", "validation_failed"),
        ("DELETE", "/api/v1/jobs/x", "delete", "not_found"),
        ("GET", "/api/v1/test", "test", "ok"),
        ("GET", "/metrics", "scrape", "forbidden"),
        ("GET", "/nowhere/at/all", "none", "no_such_path"),
        ("PATCH", "/livez", "none", "method_not_allowed"),
    ],
)
def test_every_operation_is_counted_by_kind_and_outcome(
    server: ServerProcess, owner: Service, method: str, path: str, kind: str, outcome: str
) -> None:
    before = figures(server.port)
    owner.ask(method, path, b'{"content":{},"valid_for":60,"priority":5}' if method == "PUT" else b"{}")
    after = figures(server.port)
    name = "jobengine_operations_total"
    moved = figure(after, name, kind=kind, outcome=outcome) - figure(before, name, kind=kind, outcome=outcome)
    assert moved == 1


def test_paths_and_names_of_callers_make_no_new_series(server: ServerProcess, connection: Connection) -> None:
    connection.ask("GET", "/first")
    before = set(figures(server.port))
    for number in range(20):
        connection.ask("GET", f"/path-{number}", {"X-Name": f"name-{number}"})
        connection.ask("GET", "/api/v1/jobs", {"X-Name": f"name-{number}", "X-Queue": f"queue-{number}"})
    new = set(figures(server.port)) - before
    allowed = {"kind": "list", "outcome": "not_found"}
    assert {name for name, _ in new} <= {"jobengine_operations_total"}
    assert all(dict(labels) == allowed for _, labels in new)


@pytest.mark.parametrize(
    "name",
    [
        "jobengine_request_seconds_count",
        "jobengine_request_seconds_sum",
        "jobengine_commit_seconds_count",
        "jobengine_commit_seconds_sum",
        "jobengine_commit_records_count",
        "jobengine_commit_records_sum",
        "jobengine_file_bytes",
    ],
)
def test_the_figures_of_requests_and_commits_move(server: ServerProcess, owner: Service, name: str) -> None:
    before = figures(server.port)
    for _ in range(3):
        owner.create()
    assert figure(figures(server.port), name) > figure(before, name)


def test_histograms_are_cumulative_and_end_with_all(server: ServerProcess, owner: Service) -> None:
    owner.create()
    seen = figures(server.port)
    for name in ("jobengine_request_seconds", "jobengine_commit_seconds", "jobengine_commit_records"):
        buckets = [
            (float(dict(labels)["le"]), value)
            for (each, labels), value in seen.items()
            if each == f"{name}_bucket"
        ]
        counts = [count for _, count in sorted(buckets)]
        assert len(counts) > 10
        assert counts == sorted(counts)
        assert counts[-1] == figure(seen, f"{name}_count") > 0


def test_the_file_has_the_size_that_is_told(server: ServerProcess, owner: Service) -> None:
    owner.create()
    assert 8192 < figure(figures(server.port), "jobengine_file_bytes") <= server.database.stat().st_size


def test_connections_are_counted(server: ServerProcess) -> None:
    before = figure(figures(server.port), "jobengine_connections")
    with server.connect(), server.connect() as connection:
        connection.ask("GET", "/livez")
        assert figure(figures(server.port), "jobengine_connections") == before + 2


def test_what_time_has_done_is_counted(server: ServerProcess, owner: Service) -> None:
    """Every result is there from the start, so that a graph of it begins at nought."""
    seen = figures(server.port)
    results = {dict(labels)["result"] for name, labels in seen if name == "jobengine_swept_jobs_total"}
    assert results == {"expired", "timed_out", "retried", "forgotten"}


def test_metrics_may_have_a_listener_of_their_own(tmp_path: Path) -> None:
    port = free_port()
    configuration = {"metrics": {"host": "127.0.0.1", "port": port}}
    with ServerProcess(tmp_path, configuration) as server, Connection(port) as scraper:
        with server.service("owner") as owner:
            owner.create()
        seen = parsed(scraper.ask("GET", "/metrics").body.decode())
        assert figure(seen, "jobengine_jobs", queue="mail", state="queued") == 1
        assert scraper.ask("GET", "/livez").status == 200
        for path in ("/api/v1/test", "/api/v1/jobs", "/readyz"):
            problem(scraper.ask("GET", path), 404, "no_such_path")
        assert server.stop() == 0
