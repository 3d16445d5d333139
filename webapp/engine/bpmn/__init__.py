"""The execution of BPMN 2.0 in memory, on SpiffWorkflow: compile a model, run an instance, keep its state as bytes."""

from __future__ import annotations

from webapp.engine.bpmn.execution import Execution
from webapp.engine.bpmn.model import CompiledProcess, Known
from webapp.engine.bpmn.parser import compile_bpmn
from webapp.engine.bpmn.state import decode_variables

__all__ = ["CompiledProcess", "Execution", "Known", "compile_bpmn", "decode_variables"]
