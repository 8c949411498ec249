"""Deterministic simulation: a whole broker in one thread, in which a seed decides all that happens.

loop        an event loop: what is ready runs in the order that the seed decides, and time is virtual
threads     what stands in for the journal's writer thread
clock       the clocks of the machine
disk        the simulated disk, which the seed lets crash and refuse
room        how much there is on it
keyring     which SECRET opens the file
engine      the real engine, and a look over its shoulder
book        what was stored, one change after the other
passing     what time does to a job
settling    what the holders of jobs say of them
judging     what the answer to a command must be
promises    what no change may break
oracle      what must be true
clients     those of API v1, and what each asks
v2_clients  those of API v2
chaos       what befalls the broker
life        from a start to the end, whatever that is
simulation  life after life on one disk
counts      how many of each
"""
