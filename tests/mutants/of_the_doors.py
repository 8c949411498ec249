"""Bugs in what callers meet: rights, headers, bodies, configuration."""

from tests.mutants.mutant import Mutant

DOORS: tuple[Mutant, ...] = (
    Mutant(
        name="403 for a hidden queue",
        breaks="A stranger learns which queues there are.",
        file="jobengine/access/rights.py",
        old="""
            raise NotFound
        if rights.isdisjoint(RULES[action]):
""",
        new="""
            raise Forbidden("no") if queue in self._queues else NotFound
        if rights.isdisjoint(RULES[action]):
""",
        test="tests/web/test_rights.py::test_nobody_learns_which_queues_and_jobs_there_are",
    ),
    Mutant(
        name="readers may delete",
        breaks="A service that may only read removes jobs.",
        file="jobengine/access/rights.py",
        old="Action.DELETE: frozenset({Right.WRITE}),",
        new="Action.DELETE: frozenset({Right.WRITE, Right.READ}),",
        test="tests/web/test_rights.py::test_a_route_is_open_to_those_who_may_and_to_nobody_else",
    ),
    Mutant(
        name="no check of rights on delete",
        breaks="Whoever knows a uid removes the job.",
        file="jobengine/web/v1/doors.py",
        old="""
        caller = self._caller(request, Action.DELETE)
        delete = Control(caller.queue, (variables["uid"],), Act.DELETE)
""",
        new="""
        delete = Control(only_header(request, "X-Queue"), (variables["uid"],), Act.DELETE)
""",
        test="tests/web/test_rights.py::test_a_route_is_open_to_those_who_may_and_to_nobody_else",
    ),
    Mutant(
        name="the first of two names counts",
        breaks="A proxy that checks the last X-Name lets in whom the server takes for another.",
        file="jobengine/web/caller.py",
        old="if len(values) > 1:",
        new="if len(values) > 2:",
        test="tests/web/test_headers_refused.py::test_nobody_can_say_which_of_two_headers_counts",
    ),
    Mutant(
        name="content is not checked",
        breaks="Content with duplicate names, 1e999 or bad UTF-8 is handed on to workers.",
        file="jobengine/web/strict_json.py",
        old="if not is_surely_right(body):",
        new="if not body:",
        test="tests/web/test_strict_json.py::test_wrong_json_is_refused_wherever_it_stands",
    ),
    Mutant(
        name="chunks without end",
        breaks="One client fills the memory.",
        file="jobengine/web/body.py",
        old="""
                if len(pieces) > self._most_bytes:
                    raise self._too_large()
""",
        new="""
""",
        test="tests/web/test_bodies_refused.py::test_chunks_over_the_limit_are_refused_while_they_come",
    ),
    Mutant(
        name="any Host will do",
        breaks="A web page in its reader's browser drives a server on 127.0.0.1.",
        file="jobengine/web/hosts.py",
        old='"." not in name or ',
        new='"." in name or ',
        test="tests/web/test_headers_refused.py::test_a_host_that_is_not_allowed_is_misdirected",
    ),
    Mutant(
        name="the body is read before rights are checked",
        breaks="Strangers make the server read megabytes.",
        file="jobengine/web/v1/doors.py",
        old="""
        caller = self._caller(request, Action.CREATE)
        body = await _parsed(read_create, await self._bodies.read(request))
""",
        new="""
        body = await _parsed(read_create, await self._bodies.read(request))
        caller = self._caller(request, Action.CREATE)
""",
        test="tests/web/test_rights.py::test_rights_are_checked_before_the_body_is_read",
    ),
    Mutant(
        name="a default beside a database",
        breaks="A volume that was not mounted empties all queues.",
        file="jobengine/settings/default.py",
        old="if database.exists():",
        new="if database.is_dir():",
        test=(
            "tests/settings/test_default_configuration.py"
            "::test_a_configuration_lost_beside_a_database_is_a_mistake_and_stays_lost"
        ),
    ),
    Mutant(
        name="half a configuration counts",
        breaks="An editor that truncates before it writes drops queues with their jobs.",
        file="jobengine/settings/watch.py",
        old="if is_still or not self._drops_jobs(settings):",
        new="if is_still or self._drops_jobs(settings) or True:",
        test="tests/settings/test_configuration_watch.py::test_a_half_written_file_drops_nothing",
    ),
    Mutant(
        name="the secret stays in the environment",
        breaks="Whoever may look into /proc reads the SECRET while the server runs.",
        file="jobengine/cli/main.py",
        old='if "SECRET" in os.environ:',
        new='if "SECRET" in os.environ and "SECRET_FILE" in os.environ:',
        test=("tests/cli/test_secret_hidden.py::test_the_environment_of_the_server_does_not_hold_the_secret"),
    ),
    Mutant(
        name="exit 0 after the disk has failed",
        breaks="Whatever watches over the server believes that it ended in good order.",
        file="jobengine/compose/server.py",
        old="""
        if self._failure is not None:
            raise self._failure
""",
        new="""
        if self._failure is not None:
            log.error(self._failure.detail)
""",
        test="tests/web/test_failed_sync.py::test_after_a_failed_sync_nothing_is_promised_and_the_next_start_is_right",
    ),
    Mutant(
        name="many are changed unseen",
        breaks="A purge of queued jobs removes one that somebody has claimed meanwhile.",
        file="jobengine/web/v2/slices.py",
        old="control = Control(selection.queue, uids, doing.act, doing.target, versions)",
        new="control = Control(selection.queue, uids, doing.act, doing.target)",
        test="tests/web/v2/test_slices.py::test_a_purge_leaves_alone_what_was_claimed_meanwhile",
    ),
    Mutant(
        name="dead letters go home unasked",
        breaks="Who may write to a dead letter queue puts jobs into queues that are closed to it.",
        file="jobengine/web/v2/slices.py",
        old="refusals = self._strangers(doing, selected.page.jobs)",
        new="refusals: dict[str, JobEngineError] = {}",
        test="tests/web/v2/test_queues.py"
        "::test_dead_letters_go_back_only_to_queues_into_which_one_may_put_jobs",
    ),
    Mutant(
        name="any queue for dead letters",
        breaks="Who administers one queue fills those of others by it.",
        file="jobengine/web/v2/administering.py",
        old='self._check_dead_letter(caller, settings.get("dead_letter"))',
        new="pass",
        test="tests/web/v2/test_queues.py::test_a_queues_own_administrators_fill_no_queue_of_others",
    ),
    Mutant(
        name="the gone keep their jobs",
        breaks="A job that was claimed for a client that is gone is nobody's until the lease is over.",
        file="jobengine/web/v2/claiming.py",
        old="""
        if request.transport is None:
            await self._give_back(jobs)
""",
        new="""
        pass
""",
        test="tests/web/v2/test_gone_clients.py::test_who_goes_while_a_big_content_is_fetched_holds_nothing",
    ),
)
