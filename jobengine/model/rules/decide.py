"""Which rule decides which command."""

from typing import assert_never

from jobengine.model.commands import (
    Amend,
    Answer,
    Claim,
    ClaimAny,
    Command,
    Configure,
    Control,
    Create,
    Log,
    Settle,
    Steer,
    Sweep,
    Update,
)
from jobengine.model.decision import Decision
from jobengine.model.moment import Moment
from jobengine.model.rules.amend import amend
from jobengine.model.rules.claim import claim, claim_any
from jobengine.model.rules.configure import configure
from jobengine.model.rules.control import control
from jobengine.model.rules.create import create
from jobengine.model.rules.log import log
from jobengine.model.rules.settle import settle
from jobengine.model.rules.steer import steer
from jobengine.model.rules.sweep import sweep
from jobengine.model.rules.update import update
from jobengine.model.view import View


def decide(view: View, command: Command, moment: Moment) -> Decision[Answer]:  # noqa: C901  # a table
    """What is to be stored and answered. Raises errors of errors.py; then nothing changes."""
    match command:
        case Create():
            return create(view, command, moment)
        case Claim():
            return claim(view, command, moment)
        case Settle():
            return settle(view, command, moment)
        case Update():
            return update(view, command, moment)
        case ClaimAny():
            return claim_any(view, command, moment)
        case Amend():
            return amend(view, command, moment)
        case Control():
            return control(view, command, moment)
        case Sweep():
            return sweep(view, command, moment)
        case Log():
            return log(view, command, moment)
        case Steer():
            return steer(view, command)
        case Configure():
            return configure(view, command)
        case _:
            assert_never(command)
