"""Members of a consumer group that were killed, and that the broker need not wait for."""

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import UnknownMemberIdError, for_code
from aiokafka.protocol.group import LeaveGroupRequest

from argus_common.settings import KafkaSettings


async def evict(kafka: KafkaSettings, group: str) -> None:
    """Let every member of ``group`` leave, as the end of their sessions would seconds later."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        coordinator = await admin.find_coordinator(group)
        (found,) = await admin.describe_consumer_groups([group])
        for member in [member[0] for described in found.groups for member in described[5]]:
            left = await admin._send_request(LeaveGroupRequest(group, member), coordinator)
            if left.error_code not in (0, UnknownMemberIdError.errno):  # it has left by itself meanwhile
                raise for_code(left.error_code)(f"{member} of {group}")
    finally:
        await admin.close()
