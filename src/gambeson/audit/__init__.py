"""The audit: checks, the runner, the gate, coverage and reports."""
