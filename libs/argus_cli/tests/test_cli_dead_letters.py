"""`argus dead-letters` on a real topic: what is there, why, and the original once more where it came from."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from aiokafka import ConsumerRecord
from typer.testing import CliRunner, Result

from argus_cli.dead_letters import app
from argus_cli.dead_letters.letters import Selection, letter_of, moment_ms
from argus_common.errors import ConfigurationError
from argus_common.kafka import build_consumer
from argus_common.kafka.dead_letters import MAX_KEPT_BYTES, dead_letter
from argus_common.kafka.outbox import Outbox
from argus_common.kafka.provision import provision
from argus_common.settings import KafkaSettings
from argus_common.topics import DEAD_LETTERS, METRICS

NEW_YEAR = 1_735_689_600_000


@dataclass(frozen=True)
class Original:
    """A record that could not be read."""

    offset: int = 5
    value: bytes | None = b'{"server": "web1"}'
    key: bytes | None = b"web1"
    partition: int = 2
    topic: str = METRICS.name
    timestamp: int = NEW_YEAR


@dataclass(frozen=True)
class Buried:
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None
    partition: int = 1
    offset: int = 9
    timestamp: int = NEW_YEAR + 1000
    topic: str = DEAD_LETTERS.name
    key: bytes | None = None


def buried(original: Original, reason: str = "not_json", detail: str = "why") -> Buried:
    made = dead_letter(original, "ingest", reason, detail)
    return Buried(made.headers, made.value)


def test_a_letter_is_read_back_with_all_that_was_buried() -> None:
    letter = letter_of(buried(Original()))
    assert (letter.id, letter.reason, letter.detail, letter.service) == ("1/9", "not_json", "why", "ingest")
    assert (letter.topic, letter.source_partition, letter.source_offset) == (METRICS.name, 2, 5)
    assert (letter.source_ms, letter.key, letter.value) == (NEW_YEAR, b"web1", b'{"server": "web1"}')
    assert letter.why_not_again() is None


@pytest.mark.parametrize(
    ("letter", "why"),
    [
        (buried(Original(value=None)), "the original had no value"),
        (buried(Original(value=bytes(MAX_KEPT_BYTES + 1))), "only the beginning of the original was kept"),
        (Buried([], b"somebody else's"), "it does not say where it came from"),
        (Buried([("argus_partition", b"two"), ("argus_topic", b"t")], b"x"), "it does not say where it came from"),
    ],
)
def test_what_can_not_be_sent_again_says_why(letter: Buried, why: str) -> None:
    assert letter_of(letter).why_not_again() == why


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(), True),
        (Selection(reasons=frozenset({"not_json", "late"})), True),
        (Selection(reasons=frozenset({"late"})), False),
        (Selection(topics=frozenset({METRICS.name})), True),
        (Selection(topics=frozenset({"other"})), False),
        (Selection(ids=frozenset({"1/9"})), True),
        (Selection(ids=frozenset({"1/8"})), False),
        (Selection(contains="web1"), True),
        (Selection(contains="why"), True),
        (Selection(contains="web2"), False),
        (Selection(since_ms=NEW_YEAR + 1000), True),
        (Selection(since_ms=NEW_YEAR + 1001), False),
        (Selection(until_ms=NEW_YEAR + 1001), True),
        (Selection(until_ms=NEW_YEAR + 1000), False),
    ],
)
def test_every_condition_must_hold(selection: Selection, *, wanted: bool) -> None:
    assert selection.wants(letter_of(buried(Original()))) is wanted


@pytest.mark.parametrize(("text", "moment"), [("90s", 10_000), ("1m", 40_000), ("1970-01-01T01:00:05+01:00", 5000)])
def test_a_moment_is_a_time_or_so_long_ago(text: str, moment: int) -> None:
    assert moment_ms(text, now_ms=100_000) == moment


def test_what_is_no_moment_is_explained() -> None:
    with pytest.raises(ConfigurationError, match="yesterday: expected a time such as"):
        moment_ms("yesterday", now_ms=0)


@pytest.fixture
def settings(bootstrap_servers: str, unique_prefix: str, monkeypatch: pytest.MonkeyPatch) -> KafkaSettings:
    """Topics of this test alone; the command finds them through its environment."""
    monkeypatch.setenv("ARGUS_KAFKA_BOOTSTRAP_SERVERS", bootstrap_servers)
    monkeypatch.setenv("ARGUS_KAFKA_TOPIC_PREFIX", unique_prefix)
    settings = KafkaSettings()
    asyncio.run(provision(settings, [replace(METRICS, partitions=3), DEAD_LETTERS]))
    return settings


def bury(settings: KafkaSettings, *letters: tuple[Original, str]) -> None:
    async def send() -> None:
        outbox = Outbox(settings, "argus-test")
        await outbox.start()
        topic = settings.topic(METRICS.name)
        await outbox.bury(dead_letter(replace(one, topic=topic), "ingest", reason, "detail") for one, reason in letters)
        await outbox.stop()

    asyncio.run(send())


def metrics(settings: KafkaSettings, count: int) -> "list[ConsumerRecord[bytes, bytes]]":
    async def read() -> "list[ConsumerRecord[bytes, bytes]]":
        async with build_consumer(settings, settings.topic(METRICS.name), group=None) as consumer:
            found: list[ConsumerRecord[bytes, bytes]] = []
            while len(found) < count:
                found += [r for batch in (await consumer.getmany(timeout_ms=20_000)).values() for r in batch]
            return found

    return asyncio.run(read())


def run(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(app, list(arguments), input=answer, env={"COLUMNS": "200"})


def test_a_broker_without_the_topic_is_told_what_to_do(
    bootstrap_servers: str, unique_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGUS_KAFKA_BOOTSTRAP_SERVERS", bootstrap_servers)
    monkeypatch.setenv("ARGUS_KAFKA_TOPIC_PREFIX", unique_prefix)
    failed = run("list").exception
    assert isinstance(failed, ConfigurationError)
    assert "argus topics provision" in str(failed)


def test_the_list_counts_by_reason_and_shows_the_newest(settings: KafkaSettings) -> None:
    assert "No dead letters." in run("list").output
    bury(settings, *[(Original(n), "late") for n in range(3)], (Original(7, key=None), "not_json"))
    shown = run("list", "--limit", "2").output
    assert "The newest 2 of 4" in shown
    assert [line.split()[-2] for line in shown.splitlines() if line.startswith("│")][:2] == ["3", "1"]
    only = run("list", "--reason", "not_json").output
    assert "late" not in only
    assert f"{settings.topic_prefix}argus.metrics.v1/2/7" in only


def test_one_letter_is_shown_whole(settings: KafkaSettings) -> None:
    bury(settings, (Original(value=b'{"server": "w\xffb1"}'), "not_json"))
    (place,) = [line.split()[0] for line in run("list").output.splitlines() if "argus.metrics.v1/2/5" in line]
    shown = run("show", place).output
    assert '{"server": "w\\xffb1"}' in shown
    assert f"argus dead-letters resend {place}" in shown
    assert isinstance(run("show", "0/99999").exception, ConfigurationError)


def test_originals_go_again_to_the_partition_they_came_from_with_their_key(settings: KafkaSettings) -> None:
    large = Original(9, value=bytes(MAX_KEPT_BYTES + 1))
    bury(
        settings, (Original(3), "unknown_metric"), (Original(4, key=None), "unknown_metric"), (large, "unknown_metric")
    )
    done = run("resend", "--reason", "unknown_metric", "--yes")
    assert "1 can't be sent again: only the beginning of the original was kept." in done.output
    assert "Sent 2 records again" in done.output
    found = metrics(settings, 2)
    assert [(record.partition, record.key, record.value) for record in found] == [
        (2, b"web1", Original().value),
        (2, None, Original().value),
    ]
    assert all(name == "argus_resent_from" for record in found for name, _ in record.headers)


def test_nothing_is_sent_without_a_condition_or_against_a_no(settings: KafkaSettings) -> None:
    bury(settings, (Original(), "late"))
    assert isinstance(run("resend").exception, ConfigurationError)
    assert run("resend", "--reason", "late", answer="n\n").exit_code == 1
    assert "Nothing to send again." in run("resend", "--reason", "empty").output
    assert run("resend", "--reason", "late", answer="y\n").exit_code == 0
    assert len(metrics(settings, 1)) == 1


def test_a_limit_sends_the_oldest_and_says_how_many_are_left(settings: KafkaSettings) -> None:
    for number in range(3):
        bury(settings, (Original(number, value=b"%d" % number), "late"))
    assert "1 more were left for the next time" in run("resend", "--reason", "late", "--limit", "2", "--yes").output
    assert [record.value for record in metrics(settings, 2)] == [b"0", b"1"]
