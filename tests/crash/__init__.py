"""The real server, killed again and again under load, and a ledger that it cannot touch; and commands.

operations, ledger   what was asked and what was answered, written by the process of the clients
client               a service that asks one thing after another
load, load_v2        that process, and those of its clients that speak API v2
life                 one job as the documentation describes it
history              is there an order of the operations that explains what was seen?
checking             that question for all jobs, after each recovery
renewals             compactions, and changes of the SECRET, while there is load
rounds               start, check, load, kill, and again
counts               how many of each
commands             the commands that write whole files, killed at any point
forked, imported     the command `jobengine` as a process that begins at once
"""
