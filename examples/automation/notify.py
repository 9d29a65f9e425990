#!/usr/bin/env python3
"""Posts what happens to windows to a chat's webhook. Needs nats-py (pip install nats-py), and [events] in recess's config.

    NATS_URL=nats://127.0.0.1:4222 WEBHOOK=https://chat.example.com/hooks/abc notify.py

Events come at most once, and by each copy of recess with the same id: the second is passed over.
"""

import asyncio
import collections
import json
import os
import urllib.request

import nats

SUBJECT = os.environ.get("SUBJECT", "recess.events.>")
WEBHOOK = os.environ["WEBHOOK"]
# What is worth a line in a chat. The others are for programs.
TOLD = {
    "opened": "window {window} is open until {closes}",
    "drained": "window {window}: all {consumers} consumers are quiet",
    "closed": "window {window} is closed",
    "missed": "window {window} is over, and none of its consumers was ever paused",
    "unobserved": "window {window} is over, and whether its consumers were paused is unknown",
    "contested": "window {window}: somebody keeps on resuming {names}",
}


def line(event):
    """What to post, or None."""
    data = event["data"]
    text = TOLD.get(event["type"].rsplit(".", 1)[-1])
    return text and text.format(
        window=data["window"],
        closes=data["closes"],
        consumers=data["counts"]["consumers"],
        names=", ".join(data["consumers"]),
    )


def post(text):
    body = json.dumps({"text": text}).encode()
    request = urllib.request.Request(WEBHOOK, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10):
        pass


async def main():
    known = collections.deque(maxlen=1000)
    client = await nats.connect(os.environ.get("NATS_URL", "nats://127.0.0.1:4222"), max_reconnect_attempts=-1)
    events = await client.subscribe(SUBJECT)
    async for message in events.messages:
        event = json.loads(message.data)
        if event["id"] in known:
            continue
        known.append(event["id"])
        if text := line(event):
            try:
                await asyncio.to_thread(post, text)
            except OSError as error:
                print(f"{text!r} was not posted: {error}", flush=True)


asyncio.run(main())
