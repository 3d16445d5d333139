"""Variables in scopes, as in Camunda 7: instance, subprocess, instance of a loop, activity with input parameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webapp.engine.bpmn.codec import clone
from webapp.engine.bpmn.specs import Activity
from webapp.engine.bpmn.tokens import Token


class Scopes:
    """What a workflow does with the variables that its tokens hold."""

    copy = staticmethod(clone)

    def visible(self, token: Token | None) -> Mapping[str, Any]:
        """The variables that a token sees: its own scope over those of the scopes around it. Not to be changed."""
        chain: list[dict[str, Any]] = []
        while token is not None:
            if token.locals:
                chain.append(token.locals)
            token = token.up
        if len(chain) == 1:
            return chain[0]
        merged: dict[str, Any] = {}
        for scope in reversed(chain):
            merged.update(scope)
        return merged

    def assign(self, token: Token, values: Mapping[str, Any], *, by: Token | None = None) -> None:
        """Set variables from a token outward: where a name already lives, else in the instance (Camunda 7's rule)."""
        for name, value in values.items():
            kept = clone(value)
            holder: Token | None = token
            while holder is not None and (holder.locals is None or name not in holder.locals):
                if holder.up is None:
                    break
                holder = holder.up
            assert holder is not None
            if holder.locals is None:
                holder.locals = {}
            holder.locals[name] = kept
            (by or token).changed[name] = kept

    def results(self, token: Token, values: Mapping[str, Any]) -> None:
        """What an activity brought: local to it when it maps outputs, else set outward."""
        spec = token.task_spec
        if isinstance(spec, Activity) and spec.maps_out:
            token.locals = {**(token.locals or {}), **clone(dict(values))}
            token.changed.update(clone(dict(values)))
        else:
            self.assign(token, values)
