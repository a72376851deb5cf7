"""Run by alembic with the connection that the store hands over, inside the transaction that it
began.
"""

from alembic import context

from gateway.store import schema

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=schema.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
context.run_migrations()
