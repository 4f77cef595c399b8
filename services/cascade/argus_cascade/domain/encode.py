"""What happened to a cascade, as an event."""

from argus_cascade.domain.life.change import Change, Changed, Follower, Member, Opened, Origin, Resolved
from argus_common.events import (
    CascadeEvent,
    CascadeFollower,
    CascadeMember,
    CascadeOpened,
    CascadeOrigin,
    CascadeResolved,
    CascadeUpdated,
    OnsetIn,
)

SOURCE = "/argus/cascade"
DIGITS = 4


def event_of(change: Changed) -> CascadeEvent:
    """The event that tells of ``change``: the same change always gives the same bytes."""
    if isinstance(change, Resolved):
        return CascadeResolved.model_validate(_common(change) | _ending(change))
    return (CascadeOpened if isinstance(change, Opened) else CascadeUpdated).model_validate(_common(change))


def _common(change: Change) -> dict[str, object]:
    return {
        "cascade": change.cascade,
        "fingerprint": change.fingerprint,
        "sequence": change.sequence,
        "fleet": change.fleet,
        "step_seconds": change.step_seconds,
        "step": change.step,
        "opened": change.opened,
        "kind": change.kind,
        "severity": change.severity,
        "score": round(change.score, 1),
        "members": [_member(one) for one in change.members],
        "origins": [_origin(one) for one in change.origins],
        "followers": [_follower(one) for one in change.followers],
        "peak_members": change.peak_members,
        "silenced": change.silenced,
        "message": change.reason,
        "look_first": change.look_first,
    }


def _ending(change: Resolved) -> dict[str, object]:
    return {
        "outcome": change.outcome,
        "duration_seconds": change.duration_seconds,
        "merged_into": change.merged_into,
        "followers_confirmed": change.followers_score.confirmed,
        "followers_withdrawn": change.followers_score.withdrawn,
    }


def _member(one: Member) -> CascadeMember:
    return CascadeMember(
        server=one.server,
        profile=one.profile,
        onset=one.onset,
        joined=one.joined,
        target=one.target,
        strength=round(one.strength, 2),
        observed=one.observed,
        silent=one.silent,
        recovered=one.recovered,
    )


def _origin(one: Origin) -> CascadeOrigin:
    return CascadeOrigin(server=one.server, probability=round(one.probability, DIGITS), reasons=list(one.reasons))


def _follower(one: Follower) -> CascadeFollower:
    p10, p50, p90 = (round(max(seconds, 0.0), 1) for seconds in one.seconds)
    return CascadeFollower(
        server=one.server,
        probability=round(one.probability, DIGITS),
        onset_in=OnsetIn(p10=p10, p50=p50, p90=p90),
        state=one.state,
        reason=one.reason,
    )
