"""Which rule decides which command."""

from typing import assert_never

from jobengine.model.commands import Answer, Claim, Command, Configure, Create, Delete, Sweep, Update
from jobengine.model.decision import Decision
from jobengine.model.moment import Moment
from jobengine.model.rules.claim import claim
from jobengine.model.rules.configure import configure
from jobengine.model.rules.create import create
from jobengine.model.rules.delete import delete
from jobengine.model.rules.sweep import sweep
from jobengine.model.rules.update import update
from jobengine.model.view import View


def decide(view: View, command: Command, moment: Moment) -> Decision[Answer]:
    """What is to be stored and answered. Raises errors of errors.py; then nothing changes."""
    match command:
        case Create():
            return create(view, command, moment)
        case Claim():
            return claim(view, command, moment)
        case Update():
            return update(view, command, moment)
        case Delete():
            return delete(view, command, moment)
        case Sweep():
            return sweep(view, command, moment)
        case Configure():
            return configure(view, command)
        case _:
            assert_never(command)
