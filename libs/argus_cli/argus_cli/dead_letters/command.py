"""``argus dead-letters list|show|resend``."""

import asyncio
import heapq
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from argus_cli.dead_letters.letters import Letter, Selection, moment_ms
from argus_cli.dead_letters.topic import letters, send_again
from argus_cli.screen import wide_console
from argus_common.clock import SystemClock
from argus_common.errors import ConfigurationError
from argus_common.settings import KafkaSettings, load

app = typer.Typer(help="What could not be read, and why; send it again.", no_args_is_help=True, add_completion=False)
console = wide_console()

ReasonOption = Annotated[list[str] | None, typer.Option("--reason", help="Only of this reason; may be repeated.")]
TopicOption = Annotated[list[str] | None, typer.Option("--topic", help="Only from this topic; may be repeated.")]
ContainsOption = Annotated[str, typer.Option(help="Only with this text in its key, value or detail.")]
SinceOption = Annotated[str | None, typer.Option(help="Buried since then: 30m, 2h, 7d ago, or a time (UTC).")]
UntilOption = Annotated[str | None, typer.Option(help="Buried before then, likewise.")]


@app.command("list")
def list_letters(
    reason: ReasonOption = None,
    topic: TopicOption = None,
    contains: ContainsOption = "",
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="The newest so many are shown.")] = 20,
) -> None:
    """Count the dead letters by topic and reason, and show the newest.

    Examples: argus dead-letters list --since 1h   ·   argus dead-letters list --reason out_of_range --contains web1
    """
    selection = _selection(reason, topic, contains, since, until)
    newest, counts = asyncio.run(_newest(letters(load(KafkaSettings), selection), limit))
    if not counts:
        console.print("No dead letters.")
        return
    console.print(_counts(counts))
    _show_newest(newest, sum(counts.values()))


@app.command()
def show(
    letter: Annotated[str, typer.Argument(metavar="ID", help="PARTITION/OFFSET, as `list` shows it.")],
) -> None:
    """Show one dead letter whole: why, where from, and its bytes.

    Example: argus dead-letters show 1/4711
    """
    found, _ = asyncio.run(_newest(letters(load(KafkaSettings), Selection(ids=frozenset([letter]))), 1))
    if not found:
        raise ConfigurationError(f"there is no dead letter {letter}; `argus dead-letters list` shows their ids")
    _tell(found[0])


@app.command()
def resend(
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="These letters; else the options.")] = None,
    reason: ReasonOption = None,
    topic: TopicOption = None,
    contains: ContainsOption = "",
    since: SinceOption = None,
    until: UntilOption = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the oldest first.")] = 1000,
    yes: Annotated[bool, typer.Option("--yes", help="Without asking.")] = False,
) -> None:
    """Send originals again to the partitions they came from, once the cause is mended.

    What still can't be read becomes a new dead letter. Sending twice is harmless: a sample counts once. One whose step
    is closed comes late again. The letters stay on their topic until it forgets them.

    Examples: argus dead-letters resend 1/4711   ·   argus dead-letters resend --reason unknown_metric --since 2h
    """
    selection = _selection(reason, topic, contains, since, until, ids)
    if selection == Selection():
        raise ConfigurationError("say which: by ID, --reason, --topic, --contains, --since or --until")
    settings = load(KafkaSettings)
    chosen, refused, more = asyncio.run(_oldest(letters(settings, selection), limit))
    for why, count in refused.items():
        console.print(f"{count:,} can't be sent again: {why}.")
    if not chosen:
        console.print("Nothing to send again.")
        return
    targets = ", ".join(sorted({one.topic for one in chosen}))
    if not yes:
        typer.confirm(f"Send {len(chosen):,} records again to {targets}?", abort=True)
    sent = asyncio.run(send_again(settings, chosen))
    left = f" {more:,} more were left for the next time (--limit)." if more else ""
    console.print(f"Sent {sent:,} {'record' if sent == 1 else 'records'} again to {targets}.{left}")


def _selection(
    reasons: list[str] | None,
    topics: list[str] | None,
    contains: str,
    since: str | None,
    until: str | None,
    ids: list[str] | None = None,
) -> Selection:
    now = SystemClock().now_ms()
    return Selection(
        frozenset(reasons or ()),
        frozenset(topics or ()),
        frozenset(ids or ()),
        contains,
        None if since is None else moment_ms(since, now),
        None if until is None else moment_ms(until, now),
    )


async def _newest(found: AsyncIterator[Letter], limit: int) -> tuple[list[Letter], Counter[tuple[str, str]]]:
    """The newest ``limit`` letters, newest first, and how many there are by (topic, reason)."""
    kept: list[tuple[int, int, int, Letter]] = []
    counts: Counter[tuple[str, str]] = Counter()
    async for letter in found:
        counts[letter.topic, letter.reason] += 1
        heapq.heappush(kept, (letter.buried_ms, letter.partition, letter.offset, letter))
        if len(kept) > limit:
            heapq.heappop(kept)
    return [letter for *_, letter in sorted(kept, reverse=True)], counts


async def _oldest(found: AsyncIterator[Letter], limit: int) -> tuple[list[Letter], Counter[str], int]:
    """At most ``limit`` letters that can be sent again, in the order of their burial; how many can't be, and why; how
    many more there are.
    """
    kept: list[tuple[int, int, int, Letter]] = []
    refused: Counter[str] = Counter()
    more = 0
    async for letter in found:
        why = letter.why_not_again()
        if why is not None:
            refused[why] += 1
            continue
        heapq.heappush(kept, (-letter.buried_ms, -letter.partition, -letter.offset, letter))
        if len(kept) > limit:
            heapq.heappop(kept)
            more += 1
    return [letter for *_, letter in sorted(kept, reverse=True)], refused, more


def _counts(counts: Counter[tuple[str, str]]) -> Table:
    table = Table("topic", "reason", "letters")
    for (topic, reason), count in counts.most_common():
        table.add_row(topic, reason, f"{count:,}")
    return table


def _show_newest(newest: list[Letter], total: int) -> None:
    """Two lines a letter: where and when, and what was wrong."""
    console.print(f"\nThe newest {len(newest):,} of {total:,}, times in UTC", highlight=False)
    columns = [[one.id, _time(one.buried_ms), one.reason, _place(one), f"key {_key(one)}"] for one in newest]
    widths = [max(map(len, column)) for column in zip(*columns, strict=True)]
    for letter, cells in zip(newest, columns, strict=True):
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        console.print(Text(line.rstrip(), style="bold"), soft_wrap=True)
        console.print(Text(f"    {letter.detail}", style="dim"), no_wrap=True, overflow="ellipsis")


def _tell(letter: Letter) -> None:
    lines = {
        "letter": letter.id,
        "buried": f"{_time(letter.buried_ms)} UTC by {letter.service}",
        "reason": letter.reason,
        "detail": letter.detail,
        "from": _place(letter),
        "written": "unknown" if letter.source_ms is None else f"{_time(letter.source_ms)} UTC",
        "key": _key(letter),
        "bytes": f"{letter.original_bytes:,}",
        "again": letter.why_not_again() or f"argus dead-letters resend {letter.id}",
    }
    for name, text in lines.items():
        console.print(Text(f"{name:8} {text}"), soft_wrap=True)
    console.print()
    typer.echo(letter.value.decode(errors="backslashreplace"))


def _place(letter: Letter) -> str:
    return f"{letter.topic}/{letter.source_partition}/{letter.source_offset}"


def _key(letter: Letter) -> str:
    return "-" if letter.key is None else letter.key.decode(errors="backslashreplace")


def _time(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
