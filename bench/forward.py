"""Forwards TCP connections, in turn to several targets; one that does not answer within a second is passed over.

python -m bench.forward 127.0.0.1:5432=10.77.0.1:5432 127.0.0.1:8000=10.77.0.2:8000,10.77.0.3:8000
"""

import asyncio
import itertools
import sys
from collections.abc import Sequence

PATIENCE = 1.0  # seconds for a connection
Address = tuple[str, int]


def _address(text: str) -> Address:
    host, _colon, port = text.rpartition(":")
    return host, int(port)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def _connect(targets: Sequence[Address]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    for host, port in targets:
        try:
            return await asyncio.wait_for(asyncio.open_connection(host, port), PATIENCE)
        except (OSError, TimeoutError):
            continue
    raise ConnectionRefusedError


async def _serve(here: Address, targets: Sequence[Address]) -> None:
    turns = itertools.cycle(range(len(targets)))

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = next(turns)
        try:
            back, out = await _connect([*targets[first:], *targets[:first]])
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pipe(reader, out), _pipe(back, writer))

    server = await asyncio.start_server(forward, *here)
    async with server:
        await server.serve_forever()


async def main(rules: Sequence[str]) -> None:
    """Forward by all of these rules, until the process is ended."""
    pairs = [rule.split("=") for rule in rules]
    await asyncio.gather(*(_serve(_address(here), [*map(_address, there.split(","))]) for here, there in pairs))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
