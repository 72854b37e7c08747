"""Values, errors, registry, ports and statistics that every layer shares. Imports nothing of Gambeson."""
