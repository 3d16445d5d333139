"""Migrations of the database, run by Alembic through `webapp.migrate`."""
