"""Kafka's libraries are taken from the Maven folder, whole or not at all, and what is missing is said."""

from pathlib import Path

import pytest

from argus_common.errors import ConfigurationError, TransientError
from argus_local import Stack
from argus_local.jars import Jar, default_cache, kafka_jars, locked_jars
from argus_local.ports import free_ports


@pytest.fixture
def linked_cache(stack: object, tmp_path: Path) -> Path:
    """A Maven folder of this test's own with links to the jars that the session's broker runs on."""
    assert stack is not None
    for jar in locked_jars():
        (tmp_path / jar.path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / jar.path).symlink_to(default_cache() / jar.path)
    return tmp_path


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_ports(1)[0]}")  # nobody answers there


def test_the_lock_names_the_broker_first_and_a_log_binding() -> None:
    jars = locked_jars()
    assert (jars[0].artifact, jars[0].version) == ("kafka_2.13", "4.3.1")
    assert "slf4j-simple" in [jar.artifact for jar in jars]
    assert {len(jar.sha256) for jar in jars} == {64}


def test_a_jar_lies_where_maven_puts_it() -> None:
    jar = Jar("org.example.deep", "thing", "1.2", "0" * 64)
    assert jar.path == Path("org/example/deep/thing/1.2/thing-1.2.jar")


@pytest.mark.usefixtures("no_network")
def test_cached_jars_need_no_network(linked_cache: Path) -> None:
    assert kafka_jars(linked_cache) == [linked_cache / jar.path for jar in locked_jars()]


def test_offline_a_broken_off_download_counts_as_missing(linked_cache: Path) -> None:
    broken = linked_cache / locked_jars()[3].path
    content = broken.read_bytes()
    broken.unlink()
    broken.write_bytes(content[: len(content) // 2])
    with pytest.raises(TransientError, match="offline mode forbids a download"):
        kafka_jars(linked_cache, offline=True)


@pytest.mark.usefixtures("no_network")
def test_a_failed_download_says_what_to_do_and_leaves_nothing_behind(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data", jar_cache=tmp_path / "empty")
    with pytest.raises(TransientError, match=r"(?s)the download failed .*45 MB.* M2_REPO"):
        stack.start()
    assert stack.status() == []
    assert list((tmp_path / "empty").iterdir()) == []


def test_offline_without_cached_jars_says_what_to_do(tmp_path: Path) -> None:
    stack = Stack(tmp_path / "data", jar_cache=tmp_path / "empty", offline=True)
    with pytest.raises(TransientError, match=r"4\.3\.1 is not complete in .*empty.*Connect this machine"):
        stack.start()
    assert stack.status() == []


def test_a_cache_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationError, match=r"can't be kept in .*file.*M2_REPO"):
        kafka_jars(tmp_path / "file" / "repository")


def test_the_cache_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path))
    assert default_cache() == tmp_path
    monkeypatch.delenv("M2_REPO")
    assert default_cache() == Path.home() / ".m2" / "repository"
