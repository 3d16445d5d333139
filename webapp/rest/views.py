"""The REST API: importing the resources registers their routes on the blueprint."""

from __future__ import annotations

from webapp.rest import definitions, deployments, history, instances, modification, tasks
from webapp.rest.blueprint import bp

__all__ = ["bp", "definitions", "deployments", "history", "instances", "modification", "tasks"]
