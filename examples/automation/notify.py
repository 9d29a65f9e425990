#!/usr/bin/env python3
"""Posts events of windows to a chat's webhook. Needs nats-py (pip install nats-py), and [events] in recess's config.

    NATS_URL=nats://127.0.0.1:4222 WEBHOOK=https://chat.example.com/hooks/abc notify.py

Events are sent at most once by each copy of recess, with the same id: this ignores the second.
"""

import asyncio
import collections
import json
import os
import urllib.request

import nats

SUBJECT = os.environ.get("SUBJECT", "recess.events.>")
WEBHOOK = os.environ["WEBHOOK"]
# The kinds that are worth a line in a chat.
LINES = {
    "opened": "window {window} is open until {closes}",
    "drained": "window {window}: all {consumers} consumers are drained",
    "closed": "window {window} is closed",
    "missed": "window {window} has closed, and none of its consumers was paused",
    "unobserved": "window {window} has closed, and whether its consumers were paused is unknown",
    "contested": "window {window}: another client keeps resuming {names}",
    "at_risk": "window {window}: messages that wait for {names} will be lost before it closes",
    "released": "window {window}: {names} was released before messages were lost",
}


def line(event):
    """What to post, or None."""
    data = event["data"]
    text = LINES.get(event["type"].rsplit(".", 1)[-1])
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
