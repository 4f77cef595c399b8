"""Numbers for servers: every hot array holds a small integer instead of a name."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from argus_common.errors import MalformedEventError

MAX_NAME = 253
_LEGAL = re.compile(r"[^\x00-\x1f\x7f/\ud800-\udfff]{1,253}")
"""JSON can spell half of a surrogate pair, which no encoding can write again."""

DEFAULT_PROFILE = "generic"


@dataclass(slots=True)
class ServerTable:
    """Gives each (fleet, server) an id, in order of appearance; bounded, since names come from outside."""

    max_servers: int = 200_000
    profile_rules: tuple[tuple[re.Pattern[str], str], ...] = ()
    ids: dict[str, int] = field(default_factory=dict)
    """``fleet/server`` → id."""
    names: list[str] = field(default_factory=list)
    fleets: list[str] = field(default_factory=list)
    servers: list[str] = field(default_factory=list)
    profiles: list[str] = field(default_factory=list)
    unnamed: set[int] = field(default_factory=set)
    """Servers of which no record has named a profile yet: theirs is remembered or guessed."""
    _remembered: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def add(self, fleet: str, server: str, profile: str | None) -> int:
        """The id of a server, new or known. Its profile is the first that a record names, until then the remembered or
        guessed one; a profile that is no legal name counts as absent: it's only a label.

        Raises:
            MalformedEventError: the name is missing or illegal, or there are too many servers already.
        """
        name = f"{fleet}/{server}"
        known = self.ids.get(name)
        if known is not None:
            self._name(known, profile)
            return known
        self._check("server", server)
        self._check("fleet", fleet)
        if len(self.names) >= self.max_servers:
            raise MalformedEventError(
                "too_many_servers",
                f"server {server!r}: {self.max_servers} servers are known already, the limit is reached",
            )
        self.ids[name] = len(self.names)
        self.names.append(name)
        self.fleets.append(fleet)
        self.servers.append(server)
        self.profiles.append(self._remembered.pop(name, "") or self._guess(server))
        self.unnamed.add(self.ids[name])
        self._name(self.ids[name], profile)
        return self.ids[name]

    def remember(self, profiles: Mapping[str, str]) -> None:
        """The profiles of servers, by ``fleet/server``, from before a restart; those that are known already stay."""
        told = {name: profile for name, profile in profiles.items() if profile != DEFAULT_PROFILE}
        self._remembered |= {name: profile for name, profile in told.items() if name not in self.ids}

    def profiles_of(self, names: Iterable[str]) -> dict[str, str]:
        """The profiles of those of ``names`` (``fleet/server``) that the rules would not guess: a rule that is mended
        shall hold after a restart.
        """
        found = {}
        for name in names:
            number = self.ids.get(name)
            profile = self._remembered.get(name) if number is None else self.profiles[number]
            if profile and profile != self._guess(name.partition("/")[2]):
                found[name] = profile
        return found

    def keep(self, kept: Sequence[bool]) -> None:
        """Only the servers in ``kept`` (server,) stay; they are numbered anew, in their order."""
        unnamed = [self.names[number] for number in self.unnamed if kept[number]]
        for column in (self.names, self.fleets, self.servers, self.profiles):
            column[:] = itertools.compress(column, kept)
        self.ids.clear()
        self.ids.update(zip(self.names, itertools.count()))
        self.unnamed.clear()
        self.unnamed.update(self.ids[name] for name in unnamed)

    def _name(self, number: int, profile: str | None) -> None:
        if profile and number in self.unnamed and _LEGAL.fullmatch(profile):
            self.profiles[number] = profile
            self.unnamed.discard(number)

    def _guess(self, server: str) -> str:
        return next((profile for rule, profile in self.profile_rules if rule.search(server)), DEFAULT_PROFILE)

    @staticmethod
    def _check(what: str, name: str) -> None:
        if not name:
            raise MalformedEventError("missing_server", f"the record names no {what}")
        if not _LEGAL.fullmatch(name):
            raise MalformedEventError(
                "invalid_server", f"{what} {name[:80]!r}: expected 1 to {MAX_NAME} printable characters without '/'"
            )
