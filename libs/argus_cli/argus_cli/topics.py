"""``argus topics list|provision``: the topic catalogue."""

import asyncio
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from argus_common.kafka.provision import provision as create
from argus_common.settings import KafkaSettings, load
from argus_common.topics import TOPICS

app = typer.Typer(
    help="The topic catalogue: list it, create it on a broker.", no_args_is_help=True, add_completion=False
)
console = Console()


@app.command("list")
def list_topics() -> None:
    """Show every topic: key, partitions, retention, events."""
    table = Table(title="Topics", title_justify="left")
    for column in ("topic", "key", "partitions", "retention", "events", "what"):
        table.add_column(column)
    for topic in TOPICS:
        hours = f"{topic.retention.total_seconds() / 3600:g} h" + (
            ", newest of a key for ever" if topic.compacted else ""
        )
        events = ", ".join(event.__name__ for event in topic.events)
        table.add_row(topic.name, topic.key, str(topic.partitions), hours, events, topic.summary)
    console.print(table)


@app.command()
def provision(
    partitions: Annotated[
        int | None, typer.Option(min=1, help="At most so many partitions per topic, for a small installation.")
    ] = None,
) -> None:
    """Create the topics that are missing on the broker of ARGUS_KAFKA_BOOTSTRAP_SERVERS.

    Existing topics are left as they are.
    """
    created = asyncio.run(create(load(KafkaSettings), partitions=partitions))
    console.print("\n".join(f"created {name}" for name in created) or "All topics exist already.")
