"""Runs the event source as ansible-rulebook does, and prints what it puts on the queue: source.py PLUGIN ARGUMENTS EVENTS."""
import asyncio
import json
import logging
import runpy
import sys

logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format='%(name)s: %(message)s')
module = runpy.run_path(sys.argv[1])
wanted = int(sys.argv[3])


class Queue:
    def __init__(self):
        self.done = asyncio.Event()
        self.count = 0

    async def put(self, event):
        print(json.dumps(event), flush=True)
        self.count += 1
        if self.count == wanted:
            self.done.set()


async def run():
    queue = Queue()
    source = asyncio.ensure_future(module['main'](queue, json.loads(sys.argv[2])))
    enough = asyncio.ensure_future(queue.done.wait())
    await asyncio.wait([source, enough], return_when=asyncio.FIRST_COMPLETED)
    if source.done():
        source.result()
    await asyncio.sleep(0.2)  # so that the state is kept
    source.cancel()
    try:
        await source
    except asyncio.CancelledError:
        pass


try:
    asyncio.run(run())
except module['ChangesError'] as err:
    sys.exit('refused: %s' % err)
