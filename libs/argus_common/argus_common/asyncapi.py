"""The AsyncAPI 3.0 document of Argus: every topic, its key, partitions and retention, its messages and examples.

References: AsyncAPI Specification 3.0.0; AsyncAPI Kafka bindings 0.5.0; CloudEvents 1.0.2, Kafka protocol binding.
"""

import inspect
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from typing import Any

from pydantic.json_schema import models_json_schema

from argus_common.events import Event
from argus_common.kafka.dead_letters import MAX_KEPT_BYTES
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.topics import DEAD_LETTERS, METRICS, TOPICS, Topic

Json = dict[str, Any]
Examples = Mapping[str, Iterable[Json]]
"""Topic name → example records, each with ``key``, ``headers`` and ``payload``."""

BINDING_VERSION = "0.5.0"
REFERENCES = "#/components/schemas/{model}"

_TEXT: Json = {"type": "string"}
CLOUDEVENTS_HEADERS: Json = {
    "type": "object",
    "description": "CloudEvents 1.0 in binary mode; header values are UTF-8 text",
    "properties": {
        "ce_specversion": {"const": "1.0"},
        "ce_type": {"type": "string", "description": "reverse DNS with the version at the end"},
        "ce_source": {"type": "string", "description": "the service that speaks, such as /argus/ingest"},
        "ce_id": {"type": "string", "description": "the same for the same fact, however often it is told"},
        "ce_time": {"type": "string", "format": "date-time", "description": "event time, UTC"},
        "content-type": {"const": "application/json"},
        "argus_read_up_to": {
            "type": "string",
            "description": "of a window: partition:offset up to which the metrics topic had been read when it closed",
        },
    },
    "required": ["ce_specversion", "ce_type", "ce_source", "ce_id", "ce_time", "content-type"],
}
DEAD_LETTER_HEADERS: Json = {
    "type": "object",
    "properties": {
        "ce_id": {"type": "string", "description": "topic/partition/offset/service: the same for the same record"},
        "argus_reason": {"type": "string", "description": "a closed, countable word"},
        "argus_detail": {"type": "string", "description": "what was wrong, for a person"},
        "argus_service": {"type": "string", "description": "who could not read it"},
        "argus_topic": {"type": "string", "description": "where it came from"},
        "argus_partition": {"type": "string", "description": "its partition there, decimal"},
        "argus_offset": {"type": "string", "description": "its offset there, decimal"},
        "argus_timestamp": {"type": "string", "description": "when it was written there, epoch milliseconds, decimal"},
        "argus_original_bytes": {"type": "string", "description": "size before it was cut, decimal"},
        "argus_key": {"type": "string", "description": "its key, as it was; absent where it had none"},
    },
    "required": ["argus_reason", "argus_service", "argus_topic", "argus_partition", "argus_offset"],
}


def document(examples: Examples | None = None, topics: tuple[Topic, ...] = TOPICS) -> Json:
    """The whole document, the same bytes for the same catalogue, events and examples."""
    messages = {name: message for topic in topics for name, message in _messages(topic, examples or {}).items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Argus",
            "version": version("argus-common"),
            "description": "Forecasts of server fleets: samples in, windows, forecasts and dead letters out.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "kafka": {
                "host": "{host}",
                "protocol": "kafka",
                "variables": {"host": {"default": "localhost:9092", "description": "ARGUS_KAFKA_BOOTSTRAP_SERVERS"}},
            }
        },
        "channels": {channel_name(topic): _channel(topic) for topic in topics},
        "components": {"messages": messages, "schemas": _schemas(topics)},
    }


def channel_name(topic: Topic) -> str:
    """The middle of the topic's name.

    >>> channel_name(METRICS)
    'metrics'
    """
    return topic.name.split(".")[1]


def _channel(topic: Topic) -> Json:
    configuration = topic.configuration()
    names = [_message_name(event) for event in topic.events] or [_raw_name(topic)]
    return {
        "address": topic.name,
        "description": topic.summary,
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": topic.partitions,
                "topicConfiguration": {
                    "cleanup.policy": [configuration["cleanup.policy"]],
                    "retention.ms": int(configuration["retention.ms"]),
                },
                "bindingVersion": BINDING_VERSION,
            }
        },
    }


def _messages(topic: Topic, examples: Examples) -> Json:
    found = list(examples.get(topic.name, ()))
    if not topic.events:
        return {_raw_name(topic): _raw_message(topic)}
    return {_message_name(event): _event_message(topic, event, found) for event in topic.events}


def _message_name(event: type[Event]) -> str:
    return event.__name__


def _raw_name(topic: Topic) -> str:
    return {METRICS.name: "Samples", DEAD_LETTERS.name: "DeadLetter"}.get(topic.name, channel_name(topic).capitalize())


def _event_message(topic: Topic, event: type[Event], examples: list[Json]) -> Json:
    ours = [example for example in examples if example["headers"]["ce_type"] == event.type]
    shown = [{"headers": example["headers"], "payload": example["payload"]} for example in ours]
    return {
        "name": event.type,
        "title": event.__name__,
        "summary": inspect.getdoc(event),
        "contentType": "application/json",
        "headers": {"$ref": "#/components/schemas/CloudEventsHeaders"},
        "payload": {"$ref": REFERENCES.format(model=event.__name__)},
        "bindings": _key_binding(topic),
        **({"examples": shown} if shown else {}),
    }


def _raw_message(topic: Topic) -> Json:
    message: Json = {
        "name": _raw_name(topic),
        "title": _raw_name(topic),
        "summary": topic.summary,
        "bindings": _key_binding(topic),
    }
    if topic == METRICS:
        return message | {"payload": {"$ref": "#/components/schemas/Samples"}}
    if topic == DEAD_LETTERS:
        return message | {
            "contentType": "application/octet-stream",
            "headers": {"$ref": "#/components/schemas/DeadLetterHeaders"},
            "payload": {"type": "string", "format": "binary", "maxLength": MAX_KEPT_BYTES},
        }
    return message | {"payload": {"type": "object"}}


def _key_binding(topic: Topic) -> Json:
    key = {"type": "string", "description": topic.key}
    return {"kafka": {"key": key, "bindingVersion": BINDING_VERSION}}


def _schemas(topics: tuple[Topic, ...]) -> Json:
    events = [event for topic in topics for event in topic.events]
    _, generated = models_json_schema([(event, "validation") for event in events], ref_template=REFERENCES)
    named = {
        "CloudEventsHeaders": CLOUDEVENTS_HEADERS,
        "DeadLetterHeaders": DEAD_LETTER_HEADERS,
        "Samples": samples_schema(),
    }
    return dict(sorted({**named, **generated["$defs"]}.items()))


def samples_schema() -> Json:
    """What Argus itself would send on the metrics topic: one record, one sample, or a batch of them."""
    timestamp: Json = {
        "description": "epoch milliseconds (below 1e11: seconds) or RFC 3339",
        "oneOf": [{"type": "number"}, {"type": "string", "format": "date-time"}],
    }
    common: Json = {"server": {**_TEXT, "minLength": 1, "maxLength": 253}, "timestamp": timestamp}
    labels: Json = {"fleet": _TEXT, "profile": _TEXT}
    known = {metric.name: _metric_schema(metric.unit, metric.description) for metric in DEFAULT_CATALOGUE.received()}
    metrics: Json = {"type": "object", "properties": known, "additionalProperties": {"type": ["number", "null"]}}
    record: Json = {
        "title": "one record",
        "type": "object",
        "properties": {**common, **labels, "metrics": metrics},
        "required": ["server", "timestamp", "metrics"],
    }
    sample: Json = {
        "title": "one sample",
        "type": "object",
        "properties": {**common, **labels, "metric": _TEXT, "value": {"type": "number"}},
        "required": ["server", "timestamp", "metric", "value"],
    }
    either = {"anyOf": [record, sample]}
    batch: Json = {"title": "a batch", "type": "array", "items": either}
    wrapped: Json = {
        "title": "a wrapped batch",
        "type": "object",
        "properties": {"records": batch},
        "required": ["records"],
    }
    return {
        "description": "The native form. Other formats are accepted through a mapping file.",
        "anyOf": [record, sample, batch, wrapped],
    }


def _metric_schema(unit: str, description: str) -> Json:
    return {"type": ["number", "null"], "description": f"{description}, {unit}" if unit else description}
