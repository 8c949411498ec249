"""`jobengine db`: looking after the database file. One file per command."""
