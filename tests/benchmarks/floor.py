"""The floor: a bare Flask view that does one UPDATE and two INSERTs in one transaction, and nothing else."""

from __future__ import annotations

import os
import uuid

from flask import Flask
from sqlalchemy import create_engine, text

URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://", 1)

UPDATE = text("update floor_instance set version = version + 1, status = 'open', state = :state where id = :id")
HISTORY = text("insert into floor_history values (:id, :instance, 'ask', now(), :data)")
TASK = text("insert into floor_task values (:id, :instance, 'approve', 'open', now())")

app = Flask(__name__)
engine = create_engine(URL, pool_size=10)


@app.post("/step/<uuid:instance>")
def step(instance: uuid.UUID) -> tuple[str, int]:
    task = uuid.uuid4()
    with engine.begin() as connection:
        connection.execute(UPDATE, {"id": instance, "state": b"x" * 600})
        connection.execute(HISTORY, {"id": uuid.uuid4(), "instance": instance, "data": "x" * 200})
        connection.execute(TASK, {"id": task, "instance": instance})
    return "", 204
