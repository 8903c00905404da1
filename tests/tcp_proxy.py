#!/usr/bin/env python3
"""A TCP proxy on loopback that misbehaves on command, for fault tests.

    tcp_proxy.py --to 8554 [--listen 0] [--delay 50] [--jitter 20] [--seed 1]

Prints "port N" when it listens, then reads commands from standard input, one a line, and answers each with "ok" or
"error: ...". It exits when standard input ends.

    delay MS      forward each piece MS milliseconds later, in both directions; 0: at once
    jitter MS     plus a random 0 to MS (order is kept: this is TCP)
    rate BYTES    at most so many bytes a second and direction; 0: no limit
    stall         forward nothing, connections stay open
    go            the end of stall
    drop BYTES    lose the next BYTES from the server to the clients
    flip BYTES    invert the next BYTES from the server to the clients
    cut           reset every connection
    refuse        accept no new connection: the port is closed
    accept        the end of refuse
    count         answers "ok CONNECTIONS BYTES": open connections, and bytes from the server so far
"""

import argparse
import asyncio
import contextlib
import dataclasses
import random
import socket
import struct
import sys

PIECE = 16384
PIECES_AHEAD = 64  # bound of what waits in one direction; then the sender is held back


@dataclasses.dataclass
class Faults:
    delay_s: float = 0.0
    jitter_s: float = 0.0
    bytes_per_s: float = 0.0
    drop: int = 0
    flip: int = 0


class Proxy:
    def __init__(self, target_port, faults, seed):
        self.target_port = target_port
        self.faults = faults
        self.random = random.Random(seed)
        self.going = asyncio.Event()
        self.going.set()
        self.clients = set()  # writers of the accepted connections
        self.bytes_from_server = 0
        self.server = None
        self.port = 0

    async def listen(self, port):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", port)
        self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, client_reader, client_writer):
        self.clients.add(client_writer)
        server_writer = None
        try:
            server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
            directions = [asyncio.create_task(self.forward(client_reader, server_writer, from_server=False)),
                          asyncio.create_task(self.forward(server_reader, client_writer, from_server=True))]
            await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
            for task in directions:
                task.cancel()
            await asyncio.gather(*directions, return_exceptions=True)
        except OSError:
            pass  # nobody listens at the target: the client sees its connection closed
        finally:
            self.clients.discard(client_writer)
            for writer in (client_writer, server_writer):
                if writer is not None:
                    writer.close()

    async def forward(self, reader, writer, from_server):
        waiting = asyncio.Queue(PIECES_AHEAD)
        sender = asyncio.create_task(self.send(waiting, writer))
        try:
            while piece := await reader.read(PIECE):
                if from_server:
                    self.bytes_from_server += len(piece)
                    piece = self.spoil(piece)
                late = self.faults.delay_s + self.faults.jitter_s * self.random.random()
                await waiting.put((asyncio.get_running_loop().time() + late, piece))
            await waiting.put((0, b""))
            await sender
        except OSError:
            pass
        finally:
            sender.cancel()

    async def send(self, waiting, writer):
        loop = asyncio.get_running_loop()
        while True:
            due, piece = await waiting.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            await self.going.wait()
            if not piece:
                return
            writer.write(piece)
            await writer.drain()
            if self.faults.bytes_per_s:
                await asyncio.sleep(len(piece) / self.faults.bytes_per_s)

    def spoil(self, piece):
        lost = min(self.faults.drop, len(piece))
        self.faults.drop -= lost
        piece = piece[lost:]
        wrong = min(self.faults.flip, len(piece))
        self.faults.flip -= wrong
        return bytes(b ^ 0xFF for b in piece[:wrong]) + piece[wrong:]

    def cut(self):
        for writer in list(self.clients):
            connection = writer.get_extra_info("socket")
            if connection is not None:  # closing with zero linger sends a reset
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def command(self, line):
        name, _, value = line.strip().partition(" ")
        if name == "delay":
            self.faults.delay_s = float(value) / 1000
        elif name == "jitter":
            self.faults.jitter_s = float(value) / 1000
        elif name == "rate":
            self.faults.bytes_per_s = float(value)
        elif name == "stall":
            self.going.clear()
        elif name == "go":
            self.going.set()
        elif name == "drop":
            self.faults.drop = int(value)
        elif name == "flip":
            self.faults.flip = int(value)
        elif name == "cut":
            self.cut()
        elif name == "refuse":
            self.server.close()
        elif name == "accept":
            if not self.server.is_serving():
                await self.listen(self.port)
        elif name == "count":
            return f"ok {len(self.clients)} {self.bytes_from_server}"
        else:
            return f"error: unknown command '{name}'"
        return "ok"


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=int, required=True, metavar="PORT")
    parser.add_argument("--listen", type=int, default=0, metavar="PORT")
    parser.add_argument("--delay", type=float, default=0, metavar="MS")
    parser.add_argument("--jitter", type=float, default=0, metavar="MS")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    proxy = Proxy(args.to, Faults(delay_s=args.delay / 1000, jitter_s=args.jitter / 1000), args.seed)
    await proxy.listen(args.listen)
    print(f"port {proxy.port}", flush=True)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        try:
            answer = await proxy.command(line.decode())
        except (ValueError, OSError) as e:
            answer = f"error: {e}"
        print(answer, flush=True)
    proxy.cut()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
