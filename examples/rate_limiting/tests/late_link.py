"""A process that listens on loopback and passes everything on, late, at first even later, or with TLS."""

import asyncio
import ssl
import sys
from contextlib import suppress


async def serve(target, first_seconds, delay_seconds, certificate):
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)

    async def pipe(reader, writer):
        hold_seconds = first_seconds
        with suppress(OSError):
            while data := await reader.read(65_536):
                await asyncio.sleep(hold_seconds)
                hold_seconds = delay_seconds
                writer.write(data)
        writer.close()

    async def join(reader, writer):
        there = await asyncio.open_connection("127.0.0.1", target)
        await asyncio.gather(pipe(reader, there[1]), pipe(there[0], writer))

    server = await asyncio.start_server(join, "127.0.0.1", 0, ssl=context)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4]))
