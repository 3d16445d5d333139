"""The command line `qianyin`. Each command is one unit of work; without DATABASE_URL it joins a running `make run`."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from webapp import config as settings
from webapp import db, logs
from webapp.errors import QianyinError


class Program(click.Group):
    """Commands whose errors are sentences, not tracebacks."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except QianyinError as error:
            fields = "".join(f"\n  {name}: {'；'.join(words)}" for name, words in getattr(error, "fields", {}).items())
            raise click.ClickException(error.message + fields) from None


def _settings() -> settings.Config:
    """Errors: ClickException for a setting that is none, or a data directory that cannot be written."""
    try:
        config = settings.load()
    except ValueError as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        raise click.ClickException(f"数据目录不能写入：{error.filename}（{error.strerror}）。") from None
    logs.configure(config.log_level)
    return config


def _configure() -> settings.Config:
    """Settings with a database: the one named, else the embedded server when it runs. Errors: ClickException."""
    from dataclasses import replace

    from webapp.postgres import Server

    config = _settings()
    if not config.database_url:
        server = Server(config.data_dir / "postgres")
        if not server.is_running():
            raise click.ClickException("数据库没有运行：请先 make run，或用 DATABASE_URL 指明数据库。")
        config = replace(config, database_url=server.url())
    if db.current_url() != config.database_url:
        db.configure(config.database_url, pool_size=4)
    return config


@click.group(cls=Program)
def main() -> None:
    """Qianyin 牵引: the command line of the program."""


@main.command()
def migrate() -> None:
    """Bring the database to the program's schema."""
    from webapp import migrate as migration

    migration.upgrade(_configure().database_url)


@main.command(hidden=True)
def prepare() -> None:
    """Migrate, deploy the processes, load the demo where it belongs (used by `make run`)."""
    from webapp import supervisor

    supervisor.prepare(_configure())


@main.command()
def worker() -> None:
    """Run the job worker until SIGTERM or SIGINT."""
    from webapp import children, composition
    from webapp import worker as worker_program

    children.leave_with_parent()
    config = _configure()
    composition.build_engine(config)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    worker_program.run(config, stop)


@main.command()
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--comment", default="", help="Why this version.")
def deploy(directory: Path, comment: str) -> None:
    """Check and deploy one process folder."""
    from webapp import composition
    from webapp.accounts.roles import ROLES
    from webapp.engine import deployment
    from webapp.engine.errors import DeploymentRefused
    from webapp.engine.handler_api import hooks

    composition.build_engine(_configure())
    try:
        with db.transaction() as session:
            result = deployment.deploy_directory(
                session, directory, hooks=hooks, comment=comment, roles=frozenset(ROLES)
            )
    except DeploymentRefused as error:
        for finding in error.findings:
            click.echo(f"{finding.severity}\t{finding.element_id or '-'}\t{finding.code}\t{finding.message}", err=True)
        sys.exit(1)
    click.echo(result)


@contextmanager
def _database() -> Iterator[settings.Config]:
    """Settings with a database that runs: the embedded server is started for the command when `make run` is not up."""
    from dataclasses import replace

    from webapp import supervisor
    from webapp.postgres import Server

    config = _settings()
    server = Server(config.data_dir / "postgres")
    if config.database_url or server.is_running():
        yield _configure()
        return
    try:
        with supervisor.only_one(config.data_dir):
            config = replace(config, database_url=server.start())
            db.configure(config.database_url, pool_size=4)
            try:
                yield config
            finally:
                db.dispose()
                server.stop()
    except supervisor.CannotStart as error:
        raise click.ClickException(str(error)) from None


def _say(sentence: str) -> None:
    click.echo(sentence, err=True)


#: Exit status when a command has done its work and found damage; 1: it could not do it.
DAMAGED = 3


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> None:
    """Write database and documents, as of one moment, into the archive FILE; work may go on meanwhile."""
    from webapp.backup import making
    from webapp.documents import storage

    with _database() as config, _told(file):
        storage.configure(config)
        end = making.make(config.database_url, storage.store(), file, _say)
    rows = sum(count for count, _ in end.tables.values())
    click.echo(
        f"已备份：{len(end.tables)} 张表 {rows} 行，文件 {end.documents} 个 → {file}（{file.stat().st_size} 字节）"
    )
    for digest in end.damaged:
        click.echo(f"文件 {digest} 缺失或已被改动，未能备份", err=True)
    if end.damaged:
        sys.exit(DAMAGED)


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Throw away what the database holds; asks for its name.")
def restore(file: Path, replace: bool) -> None:
    """Restore the archive FILE into an empty database, and verify what came of it."""
    from sqlalchemy.engine import make_url

    from webapp.backup import restoring
    from webapp.documents import storage

    with _database() as config, _told(file):
        storage.configure(config)
        db.dispose()
        if replace:
            name = make_url(config.database_url).database or ""
            typed = click.prompt(f"现有数据将全部被取代。请输入数据库名 {name} 以确认", default="", show_default=False)
            if typed != name:
                raise click.ClickException("没有确认，没有恢复任何内容。")
        end = restoring.restore(config.database_url, file, replace=replace, say=_say)
        click.echo(
            f"已恢复：{len(end.tables)} 张表 {sum(n for n, _ in end.tables.values())} 行，文件 {end.documents} 个"
        )
        db.configure(config.database_url, pool_size=4)
        _verify(config, with_documents=True)


@main.command()
@click.option("--no-documents", is_flag=True, help="Leave out the documents' bytes.")
def verify(no_documents: bool) -> None:
    """Look whether everything is there and fits together: states, tasks, documents, audit trail, numbers, history."""
    from webapp.documents import storage

    with _database() as config:
        storage.configure(config)
        _verify(config, with_documents=not no_documents)


def _verify(config: settings.Config, *, with_documents: bool) -> None:
    from webapp import composition, migrate
    from webapp.backup import verifying

    engine = composition.build_engine(config)
    with db.transaction() as session:
        if not migrate.is_current(session.connection()):
            raise click.ClickException("数据库的结构不是本程序的版本；请先运行 qianyin migrate。")
    with db.transaction() as session:
        found = verifying.verify(session, engine, _say, with_documents=with_documents)
    for finding in found.findings:
        click.echo(f"{finding.kind}\t{finding.where}\t{finding.words}")
    click.echo(f"已核对：实例 {found.instances} 个，文件 {found.documents} 个，审计记录 {found.chain.sealed} 条")
    click.echo(f"审计封存摘要：{found.chain.head}")
    if found.findings:
        click.echo(f"发现问题 {len(found.findings)} 处（见上）。")
        sys.exit(DAMAGED)
    click.echo("没有发现问题。")


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """What disk and database refuse, as sentences."""
    import psycopg
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except FileExistsError:
        raise click.ClickException(f"{file} 已经存在，没有覆盖；请换一个文件名。") from None
    except OSError as error:
        raise click.ClickException(f"{error.filename or file}：{error.strerror or error}。") from None
    except (psycopg.Error, DBAPIError) as error:
        raise click.ClickException(f"数据库出错：{getattr(error, 'orig', None) or error}") from None


@main.group()
def demo() -> None:
    """The demo: its data and its clock."""


@demo.command("load")
def demo_load() -> None:
    """Fill the database with the demo's accounts, registers and cases."""
    from webapp import supervisor

    supervisor.load_demo(_configure())


@demo.command("advance")
@click.argument("duration")
def demo_advance(duration: str) -> None:
    """Move the demo's clock forward by an ISO 8601 duration (P6D, PT4H)."""
    from webapp import clock, demo_clock
    from webapp.audit import service as audit

    if not _configure().demo:
        raise click.ClickException("只有演示环境（DEMO=1）可以调整时间。")
    with db.transaction() as session:
        demo_clock.advance(session, demo_clock.parse(duration))
        audit.record(session, "demo.clock", None, subject=duration)
        click.echo(clock.now().astimezone(clock.BEIJING).isoformat(timespec="seconds"))


@main.group()
def account() -> None:
    """Accounts: the first administrators of a new installation, and a lost password."""


@account.command("add")
@click.argument("username")
@click.argument("name")
@click.option("--role", "roles", multiple=True, help="A role id of processes/roles.toml; may be given several times.")
@click.option("--organisation", help="Name of an existing organisation.")
@click.password_option()
def account_add(username: str, name: str, roles: tuple[str, ...], organisation: str | None, password: str) -> None:
    """Make an account with roles."""
    from sqlalchemy import select

    from webapp.accounts import service
    from webapp.accounts.models import Organisation

    _configure()
    with db.transaction() as session:
        of = session.scalar(select(Organisation.id).where(Organisation.name == organisation)) if organisation else None
        if organisation and of is None:
            raise click.ClickException(f"没有名为 {organisation} 的单位。")
        made = service.create_account(
            session, None, username=username, name=name, password=password, organisation_id=of
        )
        service.set_roles(session, None, made, roles)
    click.echo(f"{username}: {', '.join(sorted(roles)) or '-'}")


@account.command("password")
@click.argument("username")
@click.password_option()
def account_password(username: str, password: str) -> None:
    """Set an account's password anew; its sessions end."""
    from webapp.accounts import service

    _configure()
    with db.transaction() as session:
        found = service.find(session, username)
        if found is None:
            raise click.ClickException(f"没有账号 {username}。")
        service.set_password(session, None, found, password)


@main.command()
def routes() -> None:
    """Every route with the rule of who may call it."""
    from webapp import access
    from webapp.app import create_app

    app = create_app(settings.load())
    for rule in sorted(app.url_map.iter_rules(), key=lambda r: r.rule):
        methods = ",".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        click.echo(f"{methods:8} {rule.rule:60} {access.RULES[rule.endpoint]}")


if __name__ == "__main__":
    main()
