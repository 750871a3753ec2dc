"""Walks DAGs of Airflow 2 through their runs, in a database of their own, and renders templates in each as its workers do."""

import datetime
import functools
import json
import os
import sys
import tempfile
import warnings

home = tempfile.TemporaryDirectory()
os.environ["AIRFLOW_HOME"] = home.name
os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "CRITICAL"
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
os.environ["AIRFLOW__CORE__UNIT_TEST_MODE"] = "False"
warnings.simplefilter("ignore")

import pendulum
from airflow import DAG, models, settings
from airflow.models.base import Base
from airflow.models.tasklog import LogTemplate
from airflow.operators.empty import EmptyOperator
from airflow.timetables import interval, simple, trigger
from airflow.utils.state import DagRunState
from airflow.utils.types import DagRunType
from sqlalchemy import Column, Integer, Table, event

now = None


def set_clock():
    """Airflow's timetables read the time from these names."""
    clock = lambda: now
    trigger.utcnow = interval.utcnow = clock
    simple.timezone.utcnow = clock


def instant(text):
    return None if text is None else pendulum.parse(text)


def milliseconds(at):
    return round(at.timestamp() * 1000)


def span(found):
    return [milliseconds(found.start), milliseconds(found.end)]


def schedule_of(schedule, zone):
    """What an author writes: texts and lengths are left to Airflow's own reading of them."""
    kind = schedule["kind"]
    if kind == "cron":
        return schedule["expression"]
    if kind == "delta":
        return datetime.timedelta(seconds=schedule["seconds"])
    if kind == "cronTrigger":
        return trigger.CronTriggerTimetable(schedule["expression"], timezone=zone)
    return {"once": "@once", "none": None}[kind]


def dag_of(case):
    zone = pendulum.timezone(case["zone"])
    end = instant(case["endDate"])
    dag = DAG(
        case["dagId"],
        schedule=schedule_of(case["schedule"], case["zone"]),
        # The zone of a DAG is that of its start date.
        start_date=instant(case["startDate"]).in_timezone(zone),
        end_date=end and end.in_timezone(zone),
        catchup=case["catchup"],
        max_active_runs=1,
        params=case["params"],
    )
    with dag:
        EmptyOperator(task_id="train", owner="ml", retries=2)
    return dag


def made(session, dag, kind, date, data_interval, step):
    run = dag.create_dagrun(
        run_type=DagRunType(kind),
        run_id=f"{kind}__{date.isoformat()}",
        execution_date=date,
        data_interval=data_interval,
        state=DagRunState(step["state"]),
        start_date=instant(step["startedAt"]),
        external_trigger=kind == "manual",
        conf=step["conf"],
        session=session,
    )
    run.end_date = instant(step["endedAt"])
    return run


def walked(session, dag, case):
    """The run that is due at each time, and one by hand beside it."""
    global now
    last = None
    answers = []
    for step in case["steps"]:
        now = instant(step["now"])
        info = dag.next_dagrun_info(last)
        manual = dag.timetable.infer_manual_data_interval(run_after=instant(step["manual"]["now"]))
        answer = {"manual": span(manual), "runs": [], "run": None}
        if info is not None:
            answer["run"] = [milliseconds(info.logical_date), *span(info.data_interval), milliseconds(info.run_after)]
            if info.run_after <= now:
                last = info.data_interval
                answer["runs"].append(made(session, dag, "scheduled", info.logical_date, last, step["scheduled"]))
        answer["runs"].append(made(session, dag, "manual", instant(step["manual"]["now"]), manual, step["manual"]))
        answers.append(answer)
    session.flush()
    return answers


environment = None


def rendered(session, run, case):
    global environment
    dag = dag_of(case)  # Each worker reads the file anew; params remember the conf of a run.
    if environment is None:
        environment = dag.get_template_env()
        environment.from_string = functools.cache(environment.from_string)
    task = dag.get_task("train")
    ti = run.get_task_instance("train", session=session)
    if ti is None:  # Tasks do not begin before the start date, nor after the end date.
        return []
    ti.task = task
    ti.test_mode = case["isTest"]
    context = ti.get_template_context(session=session)

    def render(template):
        try:
            return task.render_template(template, context, environment)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}

    return [render(template) for template in case["templates"]]


def answers(case):
    dag = dag_of(case)
    with settings.Session() as session:
        found = walked(session, dag, case)
        for answer in found:
            answer["runs"] = [
                {"runId": run.run_id, "texts": rendered(session, run, case)} for run in answer["runs"]
            ]
        session.rollback()
    return found


@event.listens_for(settings.engine, "connect")
def keep_in_memory(connection, _):
    """The database is thrown away: nothing needs to reach the disk."""
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = MEMORY")


models.import_all_models()
# Notes point at the users of a web interface that is not there.
Table("ab_user", Base.metadata, Column("id", Integer, primary_key=True))
Base.metadata.create_all(settings.engine)
with settings.Session() as session:
    session.add(LogTemplate(filename="log", elasticsearch_id="log"))
    session.commit()
set_clock()
print(json.dumps([answers(case) for case in json.load(sys.stdin)], default=str))
