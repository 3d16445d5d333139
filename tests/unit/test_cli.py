"""The command line: the first accounts, the demo's clock, the list of routes; errors are sentences."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from tests.support import make_organisation
from webapp import clock
from webapp.accounts import service
from webapp.cli import main
from webapp.engine.tables import audit


@pytest.fixture
def run(database, config, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", database)
    monkeypatch.setenv("DATA_DIR", str(config.data_dir))
    return lambda *words, **kw: CliRunner().invoke(main, words, **kw)


def test_the_first_administrator_is_made_and_gets_a_new_password(run, session):
    made = run("account", "add", "admin", "系统管理员", "--role", "sysadmin", "--password", "Erstes-Passwort-1")
    assert made.exit_code == 0, made.output
    assert service.verify(session, "admin", "Erstes-Passwort-1").roles == {"sysadmin"}
    assert run("account", "password", "admin", "--password", "Neues-Passwort-9").exit_code == 0
    session.expire_all()
    assert service.verify(session, "admin", "Neues-Passwort-9") is not None


def test_roles_that_exclude_each_other_and_weak_passwords_are_refused_with_a_sentence(run, session):
    both = ("--role", "sysadmin", "--role", "auditor", "--password", "Erstes-Passwort-1")
    refused = run("account", "add", "admin", "管理员", *both)
    assert refused.exit_code == 1
    assert "三员分立" in refused.output
    weak = run("account", "add", "admin", "管理员", "--password", "kurz")
    assert "密码长度应为" in weak.output
    assert "Traceback" not in weak.output
    assert run("account", "password", "nobody", "--password", "Neues-Passwort-9").exit_code == 1
    assert service.find(session, "admin") is None


def test_a_lead_units_account_needs_its_organisation(run, session):
    make_organisation(session, "粤工智造")
    session.commit()
    arguments = ("account", "add", "wang", "王经办", "--role", "lead_unit", "--password", "Erstes-Passwort-1")
    assert run(*arguments, "--organisation", "没有的单位").exit_code == 1
    assert run(*arguments, "--organisation", "粤工智造").exit_code == 0
    assert service.find(session, "wang").organisation_name == "粤工智造"


def test_the_demo_clock_moves_and_the_trail_says_so(run, session):
    before = clock.today()
    moved = run("demo", "advance", "P6D")
    assert moved.exit_code == 0, moved.output
    assert (clock.today() - before).days == 6
    assert session.scalars(select(audit.c.action)).all() == ["demo.clock"]
    assert "ISO 8601" in run("demo", "advance", "six days").output


def test_outside_of_demo_mode_the_clock_stays(run, monkeypatch):
    monkeypatch.setenv("DEMO", "0")
    assert run("demo", "advance", "P6D").exit_code == 1


def test_without_a_database_the_sentence_says_what_to_do(run, monkeypatch, tmp_path):
    monkeypatch.delenv("DATABASE_URL")
    monkeypatch.setenv("DATA_DIR", str(tmp_path))
    answer = run("migrate")
    assert answer.exit_code == 1
    assert "make run" in answer.output


def test_every_route_is_listed_with_its_rule(run):
    listed = run("routes").output
    assert "/admin/audit" in listed
    assert next(line for line in listed.splitlines() if " /admin/audit " in line).endswith("auditor")


def test_migrating_twice_changes_nothing(run):
    assert [run("migrate").exit_code, run("migrate").exit_code] == [0, 0]
