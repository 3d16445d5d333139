"""The execution of BPMN 2.0 in memory, on SpiffWorkflow: compile a model, run an instance, keep its state as bytes.

Carried out: start (none, message, signal, timer) and end (none, message, signal, error, escalation, terminate,
compensation, cancel), intermediate catch (message, signal, timer, condition, link) and throw (none, message, signal,
escalation, compensation, link), boundary events (message, signal, timer, condition, error, escalation, compensation,
cancel; interrupting or not), user, service, send, receive, script, business rule, manual and plain tasks, call
activities, subprocesses, transactions, event subprocesses, multi-instance and standard loops, exclusive, parallel,
inclusive and event-based gateways, data objects. All else is refused at deployment (table: docs/bpmn-support.md).

Where the standard leaves a choice, Camunda 7 is followed, except: a condition that is neither true nor false is an
incident; an error end event that nothing catches fails the instance; compensation handlers run one after the other.
"""

from __future__ import annotations

from webapp.engine.bpmn.execution import Execution
from webapp.engine.bpmn.linting import Sources, lint
from webapp.engine.bpmn.model import CompiledProcess, Known
from webapp.engine.bpmn.parser import compile_bpmn
from webapp.engine.bpmn.reporting import Report, Reported, normalised, report, variables
from webapp.engine.bpmn.state import decode_variables

__all__ = [
    "CompiledProcess",
    "Execution",
    "Known",
    "Report",
    "Reported",
    "Sources",
    "compile_bpmn",
    "decode_variables",
    "lint",
    "normalised",
    "report",
    "variables",
]
