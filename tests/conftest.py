"""Fixtures: real parts only. One PostgreSQL server per run, a migrated template, a clean database for every test.

`session`    a session of its own; `session.commit()` makes rows visible to `client`
`config`     settings with a data directory of the run
`engine`     the engine as the programs build it, with the domain's handlers
`app`, `client`   the web program; the client sends a CSRF token by itself (`csrf=False` leaves it out)
`sign_in`    sign_in("office") makes an account with that role and signs the client in
`account`    account("office", name=…) makes one without signing in
`clock_at`   clock_at(datetime) sets the one clock
`demo_data`  a database holding the demo's deployments, accounts and registers
"""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy.orm import Session

from webapp import config as settings
from webapp import db, migrate
from webapp.clock import clock
from webapp.postgres import Server

#: A test's password; its argon2 hash is made once per run.
PASSWORD = "Qianyin-2026-test"

CLEAN = """
set session_replication_role = replica;
do $$
declare t text; filled boolean;
begin
  for t in select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
           where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition
             and c.relname <> 'alembic_version'
  loop
    execute format('select exists (select 1 from %I)', t) into filled;
    if filled then execute format('delete from %I', t); end if;
  end loop;
end $$;
set session_replication_role = origin;
"""


#: Long stories first, so that no processor waits for the last one at the end of a run on several.
_LONG = ("reliability", "browser", "frontend")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the files of long stories first; the order within a file stays."""
    items.sort(key=lambda item: not any(part in _LONG for part in item.path.parts))


@pytest.fixture(scope="session")
def run_dir() -> Iterator[Path]:
    """A directory of this run; short, because a Unix socket's address is."""
    directory = Path(tempfile.mkdtemp(prefix="qy-"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="session")
def server(run_dir: Path) -> Iterator[Server]:
    """The run's PostgreSQL. Durability is off: nobody needs these rows after a crash."""
    server = Server(
        run_dir / "postgres",
        {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "60"},
    )
    server.start()
    yield server
    db.dispose()
    server.stop()


def clone_database(server: Server, name: str, template: str) -> str:
    """Make the database `name` anew as a copy of `template`, which nobody may be connected to; gives its URL."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)")
        connection.execute(f"create database {name} template {template}")
    return server.url(name)


@pytest.fixture(scope="session")
def template(server: Server) -> str:
    """The name of a migrated, empty database."""
    migrate.upgrade(server.url())
    return "qianyin"


@pytest.fixture(scope="session")
def _working(server: Server, template: str) -> str:
    return clone_database(server, "working", template)


@pytest.fixture
def database(_working: str) -> Iterator[str]:
    """The URL of a clean, migrated database; the process is configured to use it."""
    if db.current_url() != _working:
        db.configure(_working, pool_size=6)
    clock.offset = timedelta()
    yield _working
    clock.offset = timedelta()
    with psycopg.connect(_working, autocommit=True) as connection:
        connection.execute(CLEAN)


@pytest.fixture
def empty_database(server: Server, template: str) -> Callable[[], str]:
    """Make a further migrated database of one's own (for tests with processes of their own)."""
    number = itertools.count(1)
    return lambda: clone_database(server, f"own_{os.getpid()}_{next(number)}", template)


@pytest.fixture
def session(database: str) -> Iterator[Session]:
    """A session for the test itself. What is not committed is rolled back."""
    with Session(db.engine(), expire_on_commit=False) as session:
        yield session
        session.rollback()


@pytest.fixture(scope="session")
def config(run_dir: Path, server: Server) -> settings.Config:
    """Settings of the run: demo mode, a data directory of its own."""
    environment = {"DATA_DIR": str(run_dir / "data"), "DATABASE_URL": server.url("working"), "DEMO": "1"}
    return settings.load(environment)


@pytest.fixture(scope="session")
def _engine(config: settings.Config) -> Any:
    from webapp import composition

    return composition.build_engine(config)


@pytest.fixture
def engine(database: str, _engine: Any) -> Any:
    """The engine with the domain's handlers, installed as the process's engine."""
    return _engine


@pytest.fixture(scope="session")
def _app(config: settings.Config, _working: str) -> Any:
    from webapp.app import create_app

    app = create_app(config)
    app.testing = False  # errors become pages, as for people
    return app


@pytest.fixture
def app(database: str, _app: Any) -> Any:
    """The web program, on the clean database."""
    return _app


@pytest.fixture
def client(app: Any) -> Any:
    """A browser without scripts: keeps cookies, sends the CSRF token."""
    from tests.support import Client

    return Client(app)


@pytest.fixture
def account(session: Session) -> Callable[..., Any]:
    """Make an account: account("office", "manager", name=…, username=…, organisation=…); committed."""
    from tests.support import make_account

    def make(*roles: str, **details: Any) -> Any:
        made = make_account(session, *roles, password=PASSWORD, **details)
        session.commit()
        return made

    return make


@pytest.fixture
def sign_in(client: Any, account: Callable[..., Any]) -> Callable[..., Any]:
    """Sign the client in as a new account with these roles; gives the account."""

    def enter(*roles: str, **details: Any) -> Any:
        made = account(*roles, **details)
        client.sign_in(made)
        return made

    return enter


@pytest.fixture
def clock_at() -> Iterator[Callable[[datetime], None]]:
    """Set the one clock to an instant (it runs on from there)."""

    def move(instant: datetime) -> None:
        clock.offset = timedelta()
        clock.offset = instant - clock.now()

    yield move
    clock.offset = timedelta()


@pytest.fixture(scope="session")
def _demo_template(server: Server, template: str, config: settings.Config, _engine: Any) -> str:
    from webapp.supervisor import load_demo

    url = clone_database(server, "demo_template", template)
    db.configure(url, pool_size=4)
    load_demo(config)
    db.dispose()
    return "demo_template"


@pytest.fixture
def demo_data(server: Server, _demo_template: str, database: str) -> Iterator[str]:
    """The demo: deployed processes, accounts, registers; gives the URL. Use before `session` and `client`."""
    url = clone_database(server, "demo", _demo_template)
    db.configure(url, pool_size=6)
    yield url
    db.dispose()
