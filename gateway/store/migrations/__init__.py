"""The versions of the database, run by `engine.Store.open`; there is no alembic.ini."""
