"""What the README promises: its examples decode, its tables are complete."""

import re
from pathlib import Path

import pytest
from ingest_domain import START_MS
from prometheus_client import CollectorRegistry

from argus_common.metrics import DEFAULT_CATALOGUE
from argus_ingest.domain.decode import Decoder
from argus_ingest.domain.mapping import Mapping, load_mapping
from argus_ingest.domain.servers import ServerTable
from argus_ingest.domain.verdicts import REASONS
from argus_ingest.metrics import IngestMetrics
from argus_ingest.settings import IngestSettings

PATH = Path(__file__).parents[1] / "README.md"
README = PATH.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_there_is_an_example_of_every_form() -> None:
    assert len(blocks("json")) == 6
    assert len(blocks("yaml")) == 1


@pytest.mark.parametrize(
    ("number", "rows", "samples"), [(0, 1, 2), (1, 1, 2), (2, 1, 1), (3, 2, 2), (4, 2, 2), (5, 1, 14)]
)
def test_every_example_decodes_whole(number: int, rows: int, samples: int) -> None:
    decoder = Decoder(DEFAULT_CATALOGUE, Mapping(), ServerTable(), 300_000)
    decoded = decoder.decode([blocks("json")[number].encode()], [0], START_MS)
    assert decoded.verdicts.by_record == {}
    assert (len(decoded.rows), decoded.samples) == (rows, samples)
    assert set(decoded.rows.time_ms.tolist()) == {START_MS}


def test_the_mapping_file_of_the_readme_does_what_its_comments_say(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yaml"
    path.write_text(blocks("yaml")[0], encoding="utf-8")
    mapping = load_mapping(path, DEFAULT_CATALOGUE)
    servers = ServerTable(profile_rules=mapping.profile_rules())
    value = (
        b'{"server":"proddb7","timestamp":1735689600000,"metrics":'
        b'{"system.cpu.idle":50,"system.mem.used_ratio":0.25,"net.rx.bytes_per_s":3000000,"debug.x":1,"y_internal":2}}'
    )
    decoded = Decoder(DEFAULT_CATALOGUE, mapping, servers, 300_000).decode([value], [0], START_MS)
    names = [metric.name for metric in DEFAULT_CATALOGUE.received()]
    row = dict(zip(names, decoded.rows.values[0].tolist(), strict=True))
    assert (row["cpu_idle_pct"], row["mem_used_pct"], row["net_in_mb_s"]) == (50, 25, 3)
    assert decoded.verdicts.by_record == {}
    assert servers.profiles == ["database"]


def test_every_reason_is_explained() -> None:
    section = README.split("## Dead letters")[1].split("\n## ")[0]
    table = re.findall(r"^\| `(\w+)` \| .+ \| .+ \|$", section, re.MULTILINE)
    assert tuple(table) == REASONS


def test_every_metric_is_explained() -> None:
    collected = CollectorRegistry()
    IngestMetrics(collected)
    told = {
        name + ("_total" if family.type == "counter" else "")
        for family in collected.collect()
        for name in [family.name]
    }
    assert set(re.findall(r"^\| `(argus_ingest_\w+?)(?:\{\w+\})?` \|", README, re.MULTILINE)) == told


def test_every_setting_that_is_named_exists() -> None:
    known = {f"ARGUS_INGEST_{name.upper()}" for name in IngestSettings.model_fields}
    assert set(re.findall(r"ARGUS_INGEST_[A-Z_]+[A-Z]", README)) <= known


def test_the_pages_that_it_points_to_exist() -> None:
    links = re.findall(r"\]\((\.\./[^)]+)\)", README)
    assert len(links) == 2
    assert all((PATH.parent / link).is_file() for link in links)
