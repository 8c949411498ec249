"""Bundles that Slurm runs: by its programs on this machine, or by a service that speaks HTTP."""
