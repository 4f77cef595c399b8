"""What became of the followers that a cascade had named."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from argus_cascade.domain.followers.record import Forecasts, added
from argus_cascade.domain.life.cascade import Cascade
from argus_cascade.domain.life.change import Follower


def settled(cascade: Cascade, ahead: Sequence[Follower], forecasts: Forecasts) -> tuple[Cascade, Forecasts]:
    """The cascade with the followers that are ``ahead`` of it now, and those settled that were named before.

    Who joined is confirmed and stays so; who is not likely any more is withdrawn, and forgotten once that was told. A
    forecast is scored when its server joins or the cascade ends, whether it was withdrawn between or not.
    """
    members, coming = set(cascade.onsets), {follower.server for follower in ahead}
    told = set() if cascade.told is None else {(one.server, one.state) for one in cascade.told.followers}
    past = [
        _seen(one, members)
        for one in cascade.followers
        if one.server in members
        or (one.server not in coming and (one.state == "expected" or (one.server, one.state) not in told))
    ]
    said = {**{one.server: one.probability for one in ahead}, **cascade.foretold}
    came = {server: True for server in said if server in members}
    return _scored(replace(cascade, followers=(*past, *ahead), foretold=said), came, forecasts)


def ended(cascade: Cascade, forecasts: Forecasts) -> tuple[Cascade, Forecasts]:
    """The cascade after its end: nobody follows it any more."""
    members = set(cascade.onsets)
    followers = tuple(_seen(one, members) for one in cascade.followers)
    came = {server: server in members for server in cascade.foretold}
    return _scored(replace(cascade, followers=followers), came, forecasts)


def _seen(follower: Follower, members: set[str]) -> Follower:
    return replace(follower, state="confirmed" if follower.server in members else "withdrawn")


def _scored(cascade: Cascade, came: Mapping[str, bool], forecasts: Forecasts) -> tuple[Cascade, Forecasts]:
    """With these outcomes, which are waited for no longer."""
    waiting = {server: said for server, said in cascade.foretold.items() if server not in came}
    done = replace(cascade, foretold=waiting, record=added(cascade.record, came))
    return done, forecasts.settled(cascade.foretold, came)
