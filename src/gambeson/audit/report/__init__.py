"""Reports: every format is rendered from one ``AuditReport``."""
