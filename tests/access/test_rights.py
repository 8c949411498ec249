"""Who may do what."""

from itertools import product

import pytest

from jobengine.access import DOCUMENTED_RIGHTS, Access, Action, QueueRights, Right
from jobengine.access.rights import RULES
from jobengine.errors import BadRequest, Forbidden, NotFound

READ, WRITE, BOTH = {Right.READ}, {Right.WRITE}, {Right.READ, Right.WRITE}

READERS = {Action.CLAIM, Action.LIST, Action.GET, Action.UPDATE, Action.SETTLE, Action.LOOK, Action.FOLLOW}
WRITERS = {
    Action.CREATE,
    Action.UPDATE,
    Action.DELETE,
    Action.AMEND,
    Action.CONTROL,
    Action.LOOK,
    Action.FOLLOW,
    Action.BURY,
}
ADMINS = {Action.LOOK, Action.STEER, Action.PURGE, Action.REDRIVE, Action.CONFIGURE, Action.BURY}

# Written down a second time on purpose: what each service may do with a queue.
ALLOWED = {
    "reader": READERS,
    "writer": WRITERS,
    "both": READERS | WRITERS,
    "boss": ADMINS,
    "ops": ADMINS,
}
ON_QUEUES = [action for action in Action if action is not Action.SCRAPE]


def access(*, read: str = "reader both", write: str = "writer both", admins: str = "ops") -> Access:
    """One queue, and who may do what there."""
    made = Access()
    rights = QueueRights(frozenset(read.split()), frozenset(write.split()), frozenset({"boss"}))
    made.configure({"mail": rights}, admins.split())
    return made


@pytest.mark.parametrize(("service", "action"), list(product(ALLOWED, ON_QUEUES)))
def test_a_service_may_do_what_its_rights_allow_and_nothing_else(service: str, action: Action) -> None:
    if action in ALLOWED[service]:
        assert access().check(service, action, "mail")
    else:
        with pytest.raises(Forbidden):
            access().check(service, action, "mail")


@pytest.mark.parametrize("action", ON_QUEUES)
def test_for_a_stranger_there_is_no_such_queue(action: Action) -> None:
    refusals = []
    for service, queue in (("stranger", "mail"), ("reader", "letters"), ("boss", "letters")):
        with pytest.raises(NotFound) as refusal:
            access().check(service, action, queue)
        refusals.append(refusal.value.detail)
    assert len(set(refusals)) == 1


def test_for_those_who_know_no_administrators_they_are_strangers() -> None:
    for service in ("ops", "boss"):
        with pytest.raises(NotFound):
            access().check(service, Action.LIST, "mail", known=DOCUMENTED_RIGHTS)
    assert access().check("both", Action.LIST, "mail", known=DOCUMENTED_RIGHTS) == BOTH


def test_an_administrator_of_all_may_make_a_queue_that_is_not_there_and_nothing_else() -> None:
    assert access().check("ops", Action.CONFIGURE, "letters") == {Right.ADMIN}
    with pytest.raises(NotFound):
        access().check("ops", Action.LIST, "letters")


def test_an_administrator_of_all_has_beside_that_what_a_queue_gives_it() -> None:
    assert access(read="ops").rights("ops", "mail") == {Right.READ, Right.ADMIN}
    assert access(read="*").rights("ops", "mail") == {Right.READ, Right.ADMIN}


def test_an_administrator_of_all_is_one_by_its_own_name_only() -> None:
    made = access(read="reader *", admins="*")
    for service in ("reader", "writer", "stranger"):
        assert Right.ADMIN not in made.rights(service, "mail")


def test_a_service_sees_the_queues_on_which_it_has_a_right() -> None:
    for service in ("ops", "boss", "reader", "writer"):
        assert access().queues(service) == ["mail"]
    assert access().queues("stranger") == []


def test_every_action_has_a_rule() -> None:
    assert set(RULES) == set(Action)
    assert all(RULES.values())


def test_the_rights_are_told_to_who_passes() -> None:
    assert access().check("reader", Action.UPDATE, "mail") == READ
    assert access().check("writer", Action.UPDATE, "mail") == WRITE
    assert access().check("both", Action.UPDATE, "mail") == BOTH


def test_a_star_stands_for_every_service() -> None:
    open_to_all = access(read="*", write="writer")
    assert open_to_all.rights("anybody", "mail") == READ
    assert open_to_all.rights("writer", "mail") == BOTH
    assert access(read="*", write="*").rights("anybody", "mail") == BOTH


def test_a_star_opens_one_queue_only() -> None:
    with pytest.raises(NotFound):
        access(read="*").check("anybody", Action.LIST, "letters")


MALFORMED = ["", "*", " ", "a b", "-a", ".a", "_a", "a" * 65, "a\n", "ä", "a/b", "a,b", "\x00", "a*"]


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_name_is_not_a_service_that_a_star_stands_for(name: str) -> None:
    with pytest.raises(BadRequest):
        access(read="*", write="*").check(name, Action.LIST, "mail")


@pytest.mark.parametrize("name", MALFORMED)
def test_where_only_named_services_may_a_malformed_name_is_a_stranger(name: str) -> None:
    with pytest.raises(NotFound):
        access().check(name, Action.LIST, "mail")


@pytest.mark.parametrize("name", ["a", "A", "0", "a" * 64, "a.b-c_d", "service1"])
def test_every_good_name_is_one_that_a_star_stands_for(name: str) -> None:
    assert access(read="*").rights(name, "mail") == READ


def test_names_are_compared_exactly() -> None:
    for name in ("Reader", "reader ", "READER"):
        with pytest.raises(NotFound):
            access().check(name, Action.LIST, "mail")


def test_new_rights_take_the_place_of_the_old() -> None:
    changing = access()
    changing.configure({"letters": QueueRights(frozenset({"reader"}), frozenset())}, ["boss"])
    assert changing.rights("reader", "mail") == frozenset()
    assert changing.rights("reader", "letters") == READ
    with pytest.raises(Forbidden):
        changing.check_admin("ops", Action.SCRAPE)


def test_before_it_is_configured_nobody_may_do_anything() -> None:
    with pytest.raises(NotFound):
        Access().check("reader", Action.LIST, "mail")
    with pytest.raises(Forbidden):
        Access().check_admin("ops", Action.SCRAPE)


def test_only_who_is_named_administers_and_no_right_on_a_queue_makes_up_for_it() -> None:
    access().check_admin("ops", Action.SCRAPE)
    for service in ("reader", "writer", "both", "stranger", "*", ""):
        with pytest.raises(Forbidden):
            access().check_admin(service, Action.SCRAPE)
