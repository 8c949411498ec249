"""Junk for whatever reads bytes from outside. Nothing but our own refusals may come of it.

target                one reader of bytes, and the search for an input that it cannot bear
of_the_file           frames, bodies, headers, anchors, whole files
of_the_configuration  YAML
of_the_server         requests and the control socket of a real server
"""
