"""A conversation in one field: `messages`, ShareGPT `conversations`, dialogues with roles of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from tilth.builders.records import BadRecord, Record, put, take
from tilth.builders.two_way import TwoWay, Unfit
from tilth.core.rows import ROLES, message

SHAREGPT = {"user": "human", "assistant": "gpt", "system": "system"}
KNOWN = {"human": "user", "gpt": "assistant", "bot": "assistant", **{role: role for role in ROLES}}


class Chat(TwoWay, name="chat", version=1):
    """A list of turns. Roles are those of the field's formats (user, human, gpt …) or named in `roles`."""

    makes = "sft"
    messages: str = Field("messages", description="field that holds the list of turns")
    role: str = Field("role", description="field of a turn that says who speaks (`from` in ShareGPT)")
    text: str = Field("content", description="field of a turn that says what (`value` in ShareGPT)")
    roles: dict[str, str] = Field(default_factory=dict, description="role in the source → system, user or assistant")

    def parse(self, record: Record) -> dict[str, Any]:
        turns = take(record, self.messages)
        if not isinstance(turns, list) or not turns:
            raise BadRecord(f"field {self.messages!r} is not a list of turns")
        known = KNOWN | self.roles
        messages = []
        for number, turn in enumerate(turns, start=1):
            if not isinstance(turn, dict):
                raise BadRecord(f"turn {number} is not an object")
            role, text = take(turn, self.role), take(turn, self.text)
            if not isinstance(role, str) or role not in known:
                raise BadRecord(f"turn {number} has the role {role!r}")
            if not isinstance(text, str):
                raise BadRecord(f"turn {number} has no text")
            messages.append(message(known[role], text))
        return {"messages": messages}

    def plain(self, row: Mapping[str, Any]) -> Record:
        if not row["messages"]:
            raise Unfit("it has no messages")
        named = {role: role for role in ROLES} if self.role != "from" else SHAREGPT
        named = named | {ours: theirs for theirs, ours in reversed(list(self.roles.items()))}
        made: Record = {}
        put(made, self.messages, [{self.role: named[turn["role"]], self.text: turn["content"]} for turn in row["messages"]])
        return made
