"""Use-cases: a command value in, a result out. Interfaces above parse and render, nothing else."""
