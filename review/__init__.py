"""Review: a page on this machine where people judge what models judge."""
