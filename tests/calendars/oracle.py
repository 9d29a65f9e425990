"""What recess makes of calendars, against Python: icalendar reads them, dateutil follows the rules, zoneinfo has the zones.

    python3 oracle.py RECESS TRAPS WORK

In: holidays of 20 countries as PyPI's holidays exports them, the files in TRAPS, and calendars made at random. Each excludes
a window that is open all day long, so what `recess plan` leaves of two years shows what it took the calendar for.
Out: the calendar that recess prints must have the instants of its JSON, and the same bytes twice.
"""

import datetime as dt
import json
import os
import pathlib
import random
import subprocess
import sys
import tomllib
from zoneinfo import ZoneInfo

import holidays
from dateutil.rrule import rrulestr
from holidays.ical import ICalExporter
from icalendar import Calendar

UTC = dt.timezone.utc
FIRST, LAST = dt.datetime(2026, 1, 1, tzinfo=UTC), dt.datetime(2028, 1, 1, tzinfo=UTC)
DAY = dt.timedelta(days=1)
OPEN = DAY - dt.timedelta(seconds=1)

COUNTRIES = {
    "AU": ("NSW", "Australia/Sydney"), "BR": ("SP", "America/Sao_Paulo"), "CA": ("ON", "America/Toronto"),
    "CH": ("ZH", "Europe/Zurich"), "CL": (None, "America/Santiago"), "CN": (None, "Asia/Shanghai"),
    "DE": ("BY", "Europe/Berlin"), "EG": (None, "Africa/Cairo"), "ES": ("MD", "Europe/Madrid"),
    "FR": (None, "Europe/Paris"), "GB": ("ENG", "Europe/London"), "IL": (None, "Asia/Jerusalem"),
    "IN": ("MH", "Asia/Kolkata"), "JP": (None, "Asia/Tokyo"), "MX": (None, "America/Mexico_City"),
    "NZ": ("AUK", "Pacific/Auckland"), "PL": (None, "Europe/Warsaw"), "US": ("NY", "America/New_York"),
    "SA": (None, "Asia/Riyadh"), "ZA": (None, "Africa/Johannesburg"),
}
ZONES = sorted({zone for _, zone in COUNTRIES.values()} | {"UTC", "America/St_Johns", "Asia/Kathmandu", "Pacific/Chatham"})


def instant(civil, zone):
    """RFC 5545, 3.3.5: of two the first, in a gap by the offset before it. That is zoneinfo's fold of 0."""
    return civil.replace(tzinfo=zone, fold=0).astimezone(UTC)


def midnight(date, zone):
    """The first instant of a day: after a gap, where the clocks skip midnight."""
    civil = dt.datetime.combine(date, dt.time())
    found = instant(civil, zone)
    if found.astimezone(zone).replace(tzinfo=None) == civil:
        return found
    low, high = found - DAY, found + DAY
    while high - low > dt.timedelta(seconds=1):
        middle = low + (high - low) / 2
        if middle.astimezone(zone).replace(tzinfo=None) < civil:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def is_day(value):
    return not isinstance(value, dt.datetime)


def zone_of(value, zone):
    if value.tzinfo is None:
        return zone
    return UTC if value.utcoffset() == dt.timedelta() and not hasattr(value.tzinfo, "key") else ZoneInfo(value.tzinfo.key)


def values(event, name):
    found = event.get(name, [])
    found = found if isinstance(found, list) else [found]
    return [one.dt for each in found for one in each.dts]


def times(event, zone):
    start = event.decoded("DTSTART")
    days = is_day(start)
    own = None if days else zone_of(start, zone)
    first = dt.datetime.combine(start, dt.time()) if days else start.replace(tzinfo=None)
    begins = [first]
    if "RRULE" in event:
        text = event["RRULE"].to_ical().decode()
        parts = dict(part.split("=") for part in text.split(";"))
        until = parts.pop("UNTIL", None)
        rule = rrulestr(";".join(f"{key}={value}" for key, value in parts.items()), dtstart=first)
        last = dt.datetime(2030, 1, 1)
        if until is not None:
            form = {8: "%Y%m%d", 15: "%Y%m%dT%H%M%S", 16: "%Y%m%dT%H%M%SZ"}[len(until)]
            last = dt.datetime.strptime(until, form)
            if until.endswith("Z"):
                last = last.replace(tzinfo=UTC).astimezone(own).replace(tzinfo=None)
        begins = [one for one in rule.between(first, min(last, dt.datetime(2030, 1, 1)), inc=True)]
    begins = [(one, own) for one in begins]
    for one in values(event, "RDATE"):
        begins.append((dt.datetime.combine(one, dt.time()), None) if days else (one.replace(tzinfo=None), zone_of(one, zone)))
    at = lambda one, of: midnight(one.date(), zone) if days else instant(one, of)
    left_out = {at(dt.datetime.combine(one, dt.time()) if days else one.replace(tzinfo=None), None if days else zone_of(one, zone))
                for one in values(event, "EXDATE")}
    for one, of in begins:
        begin = at(one, of)
        if begin in left_out:
            continue
        if days:
            if "DTEND" in event:
                length = max(event.decoded("DTEND") - start, DAY)
            else:
                length = event.decoded("DURATION", DAY)
            yield begin, midnight(one.date() + length, zone)
        elif "DTEND" in event:
            end = event.decoded("DTEND")
            yield begin, begin + (instant(end.replace(tzinfo=None), zone_of(end, zone)) - at(first, own))
        else:
            length = event.decoded("DURATION")
            whole = dt.timedelta(days=length.days)
            yield begin, (instant(one + whole, of) if whole else begin) + (length - whole)


def excluded(path, zone):
    spans = []
    # Some files have P1DT, which icalendar does not read.
    text = path.read_bytes().replace(b":P1DT\r", b":P1D\r")
    for event in Calendar.from_ical(text).walk("VEVENT"):
        if str(event.get("STATUS", "")).upper() != "CANCELLED":
            spans += [(begin, end) for begin, end in times(event, zone) if begin < end]
    return sorted(spans)


def left(spans):
    """What is left of a window that is open from each midnight of UTC to the next, but for a second."""
    pieces, day = [], FIRST - DAY
    while day < LAST:
        at, close = day, day + OPEN
        for begin, end in spans:
            if end <= at or begin >= close:
                continue
            if begin > at:
                pieces.append((at, begin))
            at = max(at, end)
        if at < close:
            pieces.append((at, close))
        day += DAY
    return [(begin, end) for begin, end in pieces if end > FIRST and begin < LAST]


def at_random(number, work):
    """A calendar of a few events, near changes of the clocks more often than not."""
    dice = random.Random(number)
    some = lambda of, most: ",".join(map(str, sorted(dice.sample(list(of), dice.randint(1, most)))))
    names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
    zone = dice.choice(ZONES)
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//random//EN"]
    # A calendar of which exceptions leave nothing is refused.
    lines += ["BEGIN:VEVENT", "DTSTART;VALUE=DATE:20260202", "END:VEVENT"]
    for index in range(dice.randint(1, 6)):
        lines += ["BEGIN:VEVENT", f"UID:{number}.{index}", f"SUMMARY:event {index}"]
        days, own = dice.random() < 0.4, dice.choice(ZONES)
        near = dice.choice(["2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01", "2026-04-05", "2026-09-06"])
        day = dt.date.fromisoformat(near) + DAY * dice.randint(-2, 2)
        start = dt.datetime.combine(day, dt.time() if days else dt.time(dice.choice([0, 1, 2, 3, 23]), dice.choice([0, 30])))
        rule = None
        if dice.random() < 0.7:
            freq = dice.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
            rule = f"FREQ={freq}"
            if dice.random() < 0.4:
                rule += f";INTERVAL={dice.randint(1, 4)}"
            if freq == "WEEKLY" and dice.random() < 0.6:
                rule += ";BYDAY=" + ",".join(dice.sample(names, dice.randint(1, 4))) + dice.choice(["", ";WKST=SU", ";WKST=MO"])
            if freq in ("MONTHLY", "YEARLY"):
                rule += dice.choice([
                    "", f";BYMONTHDAY={dice.choice([1, 15, 28, 29, 30, 31, -1, -2])}",
                    f";BYDAY={dice.choice([1, 2, 3, 4, -1, -2])}{dice.choice(names)}" + (f";BYMONTH={some(range(1, 13), 3)}" if freq == "YEARLY" else ""),
                    f";BYDAY=MO,TU,WE,TH,FR;BYSETPOS={dice.choice([1, 2, -1])}" + (f";BYMONTH={dice.randint(1, 12)}" if freq == "YEARLY" else ""),
                ])
            if freq == "YEARLY" and "BY" not in rule:
                rule += dice.choice(["", f";BYYEARDAY={dice.choice([1, 60, 100, 366, -1])}", f";BYWEEKNO={dice.choice([1, 20, 52, 53])};BYDAY=MO,FR"])
            found = next(iter(rrulestr(rule, dtstart=start)), None)
            if found is None or found.year > 2027 or rrulestr(rule, dtstart=found)[0] != found:
                rule = None
            else:
                start = found
        text = lambda civil: civil.strftime("%Y%m%d" if days else "%Y%m%dT%H%M%S")
        form = ";VALUE=DATE" if days else dice.choice([f";TZID={own}", "", "Z"])
        moment = lambda name, civil: f"{name}:{text(civil)}Z" if form == "Z" else f"{name}{form}:{text(civil)}"
        lines.append(moment("DTSTART", start))
        if days:
            lines += dice.choice([[], [f"DURATION:P{dice.randint(1, 3)}D"], ["DURATION:P1W"], [moment("DTEND", start + DAY * dice.randint(1, 5))]])
        else:
            ends = start + dt.timedelta(minutes=30 * dice.randint(2, 60))
            lines += dice.choice([[f"DURATION:PT{dice.randint(1, 30)}H30M"], [f"DURATION:P1DT{dice.randint(0, 5)}H"], [moment("DTEND", ends)]])
        if rule:
            zoned = {"Z": UTC, "": ZoneInfo(zone)}.get(form, ZoneInfo(own))
            last = start + DAY * dice.randint(0, 500)
            until = text(last) if days else instant(last, zoned).strftime("%Y%m%dT%H%M%SZ")
            # What leaves no gap for ever is refused, so what recurs often ends.
            ends = [""] if freq in ("MONTHLY", "YEARLY") else []
            lines.append(f"RRULE:{rule}" + dice.choice([*ends, f";COUNT={dice.randint(1, 40)}", f";UNTIL={until}"]))
            if dice.random() < 0.5:
                some_of = rrulestr(rule, dtstart=start).xafter(start, count=8, inc=True)
                lines += [moment("EXDATE", one) for one in some_of if dice.random() < 0.3]
        if dice.random() < 0.3:
            lines.append(moment("RDATE", start + DAY * dice.randint(3, 300)))
        lines.append("END:VEVENT")
    lines += ["END:VCALENDAR", ""]
    path = work / f"random-{number}.ics"
    path.write_text("\r\n".join(lines), newline="")
    return path, zone


def config(calendars):
    text = 'instance = "oracle"\nnats.servers = ["nats://127.0.0.1:4222"]\n'
    for name, (path, zone) in calendars.items():
        text += f'[[window]]\nname = "{name}"\nconsumers = ["S/{name}"]\nschedule = "0 0 * * *"\nduration = "23h 59m 59s"\n'
        text += f'[[exclusion]]\nname = "{name}"\ncalendar = "{path}"\ntimezone = "{zone}"\nwindows = ["{name}"]\n'
    return text


def ask(recess, *arguments):
    return subprocess.run([recess, *arguments], capture_output=True, text=True, timeout=300, env={**os.environ, "NO_COLOR": "1"})


def plan(recess, path, *more):
    done = ask(recess, "plan", "--config", str(path), *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read_in(recess, traps, work, count):
    calendars = {}
    for country, (subdivision, zone) in COUNTRIES.items():
        path = work / f"{country}.ics"
        days = holidays.country_holidays(country, subdiv=subdivision, years=[2026, 2027])
        ICalExporter(days).save_ics(str(path))
        calendars[country] = (path, zone)
    files = sorted(traps.glob("*.ics"))
    refused = [path for path in files if path.name.startswith("refused-")]
    followed = [path for path in files if path not in refused]
    assert len(followed) >= 14 and len(refused) >= 5, files
    calendars |= {path.stem: (path, "Europe/Zurich") for path in followed}
    calendars |= {f"random-{number}": at_random(number, work) for number in range(count)}
    path = work / "recess.toml"
    path.write_text(config(calendars))
    span = [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (FIRST, LAST)]
    rows = json.loads(plan(recess, path, "--format", "json", "--from", span[0], "--until", span[1]))
    found = {name: [] for name in calendars}
    for row in rows:
        found[row["window"]].append(tuple(dt.datetime.fromisoformat(row[key]) for key in ("opens", "closes")))
    wrong, spans = 0, 0
    for name, (file, zone) in calendars.items():
        taken = excluded(file, ZoneInfo(zone))
        spans += len(taken)
        expected = left(taken)
        if expected != found[name]:
            wrong += 1
            strange = sorted(set(expected) ^ set(found[name]))[:3]
            print(f"{file} ({zone}): {strange}\n{file.read_text()}")
    for file in refused:
        path.write_text(config({"refused": (file, "Europe/Zurich")}))
        done = ask(recess, "check", "--config", str(path))
        # The line before the one at fault says so.
        line = 2 + ["AT-FAULT" in text for text in file.read_text().splitlines()].index(True)
        if done.returncode != 78 or f"{file}:{line}: " not in done.stderr:
            wrong += 1
            print(f"{file} was to be refused for line {line}:\n{done.stdout}{done.stderr}")
    assert spans > 1000, spans
    print(f"in: {len(calendars)} calendars, {spans} spans, {len(refused)} refused, {wrong} differences")
    return wrong


def written_out(recess, work):
    path = work / "windows.toml"
    path.write_text("""
        instance = "out"
        nats.servers = ["nats://127.0.0.1:4222"]
        [[window]]
        name = "night; \\"half\\", half"
        consumers = ["ORDERS/*", "!ORDERS/audit"]
        schedule = "30 2 * * *"
        duration = "2h"
        timezone = "Europe/Zurich"
        [[window]]
        name = "Gr\u00fc\u00dfe aus Z\u00fcrich, mit einem Namen, der l\u00e4nger als eine Zeile ist, und das ist er"
        consumers = ["ORDERS/billing"]
        schedule = "*/7 3 * * MON"
        duration = "3m"
        resume_spread = "10m"
        [[exclusion]]
        name = "easter"
        dates = [2027-03-28]
    """)
    wrong = events = 0
    names = [window["name"] for window in tomllib.loads(path.read_text())["window"]]
    choices = [[], ["--window", names[0]], ["--window", names[1]], ["--consumer", "ORDERS/billing"]]
    for choice in choices:
        more = [*choice, "--from", "2026-06-01T00:00:00Z", "--until", "2027-06-01T00:00:00Z"]
        text = plan(recess, path, *more, "--format", "ics")
        rows = json.loads(plan(recess, path, *more, "--format", "json"))
        keys = ("from", "until", "consumer") if "consumer" in rows[0] else ("opens", "closes", "window")
        expected = [tuple(row[key] for key in keys) for row in rows]
        show = lambda at: f"{at:%Y-%m-%dT%H:%M:%SZ}"
        found = []
        calendar = Calendar.from_ical(text)
        for event in calendar.walk("VEVENT"):
            name = str(event["SUMMARY"]) if keys[2] == "window" else "ORDERS/billing"
            found.append((show(event.decoded("DTSTART")), show(event.decoded("DTEND")), name))
            assert str(event["TRANSP"]) == "TRANSPARENT" and str(event["STATUS"]) == "CONFIRMED", event
        uids = [str(event["UID"]) for event in calendar.walk("VEVENT")]
        if found != expected or len(set(uids)) != len(uids) or not calendar.errors == []:
            wrong += 1
            print(f"{choice}: {sorted(set(found) ^ set(expected))[:4]}")
        if text != plan(recess, path, *more, "--format", "ics"):
            wrong += 1
            print(f"{choice}: another run prints other bytes")
        events += len(found)
    assert events > 500, events
    print(f"out: {events} events, {wrong} differences")
    return wrong


def main():
    recess, traps, work = (str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(sys.argv[3]))
    wrong = read_in(recess, traps, work.resolve(), int(os.environ.get("CALENDARS", "200")))
    wrong += written_out(recess, work.resolve())
    sys.exit(wrong > 0)


main()
