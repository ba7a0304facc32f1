"""How alembic runs here: on the connection that `store.open_store` hands over."""

from alembic import context

from tools.acquirer.store import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=False,  # the caller's transaction covers schema and version together
)
context.run_migrations()
