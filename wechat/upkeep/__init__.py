"""What is done to a whole installation from the command line: a backup, its restoration, the move to another database.

One module per topic: the file of a backup (`archive`), the database as one thing (`sqlite`, `postgres`), a backup and its
restoration (`backup`, `restore`), what a restored database must not send again (`restored`), and the move (`move`,
`changes`, `rows`).
"""


class Impossible(Exception):
    """It cannot be done; the text says why and what to do, without a secret."""
