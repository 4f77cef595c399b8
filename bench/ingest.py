"""Ingest: CPU per record beside a bare consumer of the same bytes, and memory at 10,000 servers."""

import asyncio

from argus_local import Stack
from bench.report import Measurement
from bench.samples import NAMES, Records, single, wide
from bench.site import fill, raw_rate, service, settings

PATIENT = {"ARGUS_INGEST_IDLE_TIMEOUT": "3600"}


def _rates(stack: Stack, prefix: str, records: Records, start_up: float) -> tuple[float, float]:
    """(ingest, bare consumer), records per CPU second; what starting costs is not counted."""
    kafka = settings(stack, prefix)
    count = asyncio.run(fill(kafka, records))
    bare = asyncio.run(raw_rate(kafka, count))
    with service("argus_ingest", stack, prefix, ARGUS_INGEST_GROUP=prefix, **PATIENT) as ingest:
        done = ingest.wait_for("argus_ingest_records_total", count)
    return count / (done["process_cpu_seconds_total"] - start_up), bare


def _start_up(stack: Stack) -> float:
    """CPU seconds of ingest until it is ready, with nothing to read."""
    asyncio.run(fill(settings(stack, "empty-"), iter(())))
    with service("argus_ingest", stack, "empty-", **PATIENT) as ingest:
        return ingest.series()["process_cpu_seconds_total"]


def measure(stack: Stack) -> list[Measurement]:
    """Wide records, single samples, memory."""
    start_up = _start_up(stack)
    wide_rate, wide_bare = _rates(stack, "wide-", wide(1000, 400), start_up)
    single_rate, single_bare = _rates(stack, "single-", single(1000, 30), start_up)
    return [
        Measurement("ingest, wide records, share of bare getmany", wide_rate / wide_bare, "", 0.35, 0.60,
                    note=f"{wide_rate:,.0f} against {wide_bare:,.0f} records per CPU second"),
        Measurement("ingest, wide records", wide_rate * len(NAMES), "samples/cpu-s", 200_000),
        Measurement("ingest, one sample a record", single_rate, "records/cpu-s", 25_000, 50_000,
                    note=f"{single_rate / single_bare:.0%} of bare getmany"),
        Measurement("ingest, memory at 10,000 servers", _memory(stack), "MB", 500, 250, higher=False),
    ]  # fmt: skip


def _memory(stack: Stack) -> float:
    """Resident megabytes while two steps of 10,000 servers, sampled every 10 s, pass through."""
    count = asyncio.run(fill(settings(stack, "memory-"), wide(10_000, 64)))
    with service("argus_ingest", stack, "memory-", ARGUS_INGEST_GROUP="memory", **PATIENT) as ingest:
        done = ingest.wait_for("argus_ingest_records_total", count)
        return done["process_resident_memory_bytes"] / 1e6
