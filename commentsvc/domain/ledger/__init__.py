"""The ledger of erasures, ended mail and suppressions: a table, and a file beside the backups."""
