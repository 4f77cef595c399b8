"""What became of the followers that a cascade had named."""

from collections.abc import Sequence
from dataclasses import replace

from argus_cascade.domain.followers.record import Forecasts, added
from argus_cascade.domain.life.cascade import Cascade
from argus_cascade.domain.life.change import Follower


def settled(cascade: Cascade, ahead: Sequence[Follower], forecasts: Forecasts) -> tuple[Cascade, Forecasts]:
    """The cascade with the followers that are ``ahead`` of it now, and those settled that were named before.

    Who joined is confirmed and stays so; who is not likely any more is withdrawn, and forgotten once that was told.
    """
    members, coming = set(cascade.onsets), {follower.server for follower in ahead}
    waiting = [one for one in cascade.followers if one.state == "expected"]
    came = {one.server: one.server in members for one in waiting if one.server in members or one.server not in coming}
    told = set() if cascade.told is None else {(one.server, one.state) for one in cascade.told.followers}
    past = [
        one
        for one in cascade.followers
        if one.state == "confirmed" or (one.state == "withdrawn" and (one.server, one.state) not in told)
    ]
    past += [
        replace(one, state="confirmed" if came[one.server] else "withdrawn") for one in waiting if one.server in came
    ]
    said = {**{one.server: one.probability for one in ahead}, **cascade.foretold}
    followers = (*(one for one in past if one.server not in coming), *ahead)
    done = replace(cascade, followers=followers, foretold=said, record=added(cascade.record, came))
    return done, forecasts.settled(said, came)
