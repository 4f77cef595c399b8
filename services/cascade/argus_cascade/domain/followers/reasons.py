"""Where what is known of a dependency comes from, in plain words."""

from collections.abc import Collection, Mapping, Sequence

from argus_cascade.domain.followers.knowledge import Known
from argus_cascade.domain.followers.past import Past


def why(upstream: str, server: str, known: Known) -> str:
    """Why a server should follow a member."""
    topology, role = known.topology, known.travel.reaching.role
    if upstream in known.told.upstream.get(server, ()):
        return f"depends on {upstream}"
    if upstream in known.learned.upstream.get(server, ()):
        met = [past for past in known.pasts if upstream in past.onsets]
        return f"followed {upstream} in {_followed(upstream, server, met)} of {len(met)} past cascades"
    if role(upstream) in known.told.profiles.get(role(server), ()):
        return f"{role(server)} depends on {role(upstream)}, and {upstream} is one"
    cascades = len(_teaching({upstream}, {server}, known, topology.roles))
    return f"{role(server)} followed {role(upstream)} in {_counted(cascades)}, and {upstream} is one"


def taught_by(members: Collection[str], known: Known) -> int:
    """How many past cascades taught the dependencies between the members that nobody wrote down."""
    return len(_teaching(members, members, known, known.topology.roles)) if known.learned else 0


def _teaching(
    upstreams: Collection[str], dependents: Collection[str], known: Known, roles: Mapping[str, str]
) -> list[Past]:
    """The past cascades that a learned dependency of one of ``dependents`` on one of ``upstreams`` was seen in."""
    learned = known.learned
    pairs = {(one, other) for one in dependents for other in learned.upstream.get(one, frozenset()) & set(upstreams)}
    profiles = {
        (roles[one], roles[other])
        for one in dependents
        for other in upstreams
        if (one, other) not in pairs
        and one in roles
        and other in roles
        and roles[other] in learned.profiles.get(roles[one], ())
    }
    return [
        past
        for past in known.pasts
        if any(_followed(upstream, dependent, [past]) for dependent, upstream in pairs)
        or any(_followed_by_profile(past, dependent, upstream, roles) for dependent, upstream in profiles)
    ]


def _followed(upstream: str, server: str, pasts: Sequence[Past]) -> int:
    """In how many of them it did so."""
    return sum(past.onsets.get(server, -1) > past.onsets.get(upstream, past.longest) for past in pasts)


def _followed_by_profile(past: Past, dependent: str, upstream: str, roles: Mapping[str, str]) -> bool:
    first = min((onset for one, onset in past.onsets.items() if roles.get(one) == upstream), default=past.longest)
    return any(onset > first for one, onset in past.onsets.items() if roles.get(one) == dependent)


def _counted(cascades: int) -> str:
    return f"{cascades} past cascade{'' if cascades == 1 else 's'}"
