"""The PostgreSQL backend of this installation: Django's own, with short ways for what every push does."""
