"""Answers what Airflow's own timetables say: chains of runs at given times, and the intervals of runs by hand."""

import datetime
import itertools
import json
import os
import sys
import tempfile
import types

os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp()
os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "CRITICAL"

import pendulum
from airflow.serialization.definitions.dag import SerializedDAG
from airflow.timetables import events, interval, simple, trigger
from airflow.timetables.base import DataInterval, TimeRestriction

now = None


def set_clock():
    """Airflow's timetables read the time from these names."""
    clock = lambda: now
    trigger.utcnow = interval.utcnow = clock
    simple.timezone.utcnow = clock
    events.timezone.utcnow = clock
    trigger.time = types.SimpleNamespace(time=lambda: now.timestamp())


def instant(text):
    return None if text is None else pendulum.parse(text)


def seconds(length):
    return datetime.timedelta(seconds=length)


def made(schedule, zone):
    kind = schedule["kind"]
    if kind == "cron":
        return interval.CronDataIntervalTimetable(schedule["expression"], zone)
    if kind == "delta":
        return interval.DeltaDataIntervalTimetable(seconds(schedule["seconds"]))
    if kind == "deltaTrigger":
        return trigger.DeltaTriggerTimetable(seconds(schedule["seconds"]), interval=seconds(schedule["intervalSeconds"]))
    if kind == "events":
        return events.EventsTimetable([instant(one) for one in schedule["dates"]], restrict_to_events=schedule["restricts"])
    if kind == "once":
        return simple.OnceTimetable()
    if kind == "continuous":
        return simple.ContinuousTimetable()
    expressions = schedule["expressions"]
    at_once = schedule["runImmediately"]
    options = {
        "timezone": zone,
        "interval": seconds(schedule["intervalSeconds"]),
        "run_immediately": at_once if isinstance(at_once, bool) else seconds(at_once),
    }
    if len(expressions) == 1:
        return trigger.CronTriggerTimetable(expressions[0], **options)
    return trigger.MultipleCronTriggerTimetable(*expressions, **options)


def span(found):
    return [milliseconds(found.start), milliseconds(found.end)]


def neighbours(timetable, info):
    """The logical dates from which Airflow 2 makes `next_ds` and `prev_ds`."""
    if info is None:
        return {"next": None, "previous": None}
    global now
    asked_at, now = now, max(now, info.run_after)  # Templates are rendered when the run runs.
    following = timetable.next_dagrun_info(
        last_automated_data_interval=info.data_interval, restriction=TimeRestriction(None, None, True)
    )
    now = asked_at
    has_previous = isinstance(timetable, interval._DataIntervalTimetable)
    return {
        "next": following and milliseconds(following.logical_date),
        "previous": milliseconds(timetable._get_prev(info.logical_date)) if has_previous else None,
    }


def between(case):
    """The dates of a backfill; only the timetable of the DAG is asked."""
    dag = types.SimpleNamespace(timetable=made(case["schedule"], case["zone"]))
    infos = SerializedDAG.iter_dagrun_infos_between(dag, instant(case["from"]), instant(case["to"]))
    return [[milliseconds(info.logical_date), *span(info.data_interval)] for info in itertools.islice(infos, case["limit"])]


def milliseconds(at):
    return round(at.timestamp() * 1000)


def chain(case):
    global now
    timetable = made(case["schedule"], case["zone"])
    restriction = TimeRestriction(instant(case["startDate"]), instant(case["endDate"]), case["catchup"])
    last = case["last"] and DataInterval(*map(instant, case["last"]))
    answers = []
    for text in case["nows"]:
        now = instant(text)
        try:
            info = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
            manual = span(timetable.infer_manual_data_interval(run_after=now))
        except Exception as error:
            answers.append(f"{type(error).__name__}: {error}")
            break
        run = info and [milliseconds(info.logical_date), *span(info.data_interval), milliseconds(info.run_after)]
        answers.append({"run": run, "manual": manual, **neighbours(timetable, info)})
        # As the scheduler does: the run is made when its time has come.
        if info is not None and (case["catchup"] or info.run_after <= now):
            last = info.data_interval
    return answers


set_clock()
asked = json.load(sys.stdin)
print(json.dumps({"chains": [chain(case) for case in asked["chains"]], "backfills": [between(case) for case in asked["backfills"]]}))
