"""What holds for all tests."""

from hypothesis import settings

# Machines that run tests are busy: how long an example takes says nothing there.
settings.register_profile("jobengine", deadline=None)
settings.load_profile("jobengine")
