"""Answers what Airflow's own code makes of DAGs: verdicts of trigger rules, priorities, relatives to clear, waits before retries, mapped elements."""

import datetime
import json
import os
import sys
import tempfile
from types import SimpleNamespace

os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp()
os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "CRITICAL"

from airflow.models.taskinstance import TaskInstance
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG
from airflow.sdk.definitions._internal.expandinput import DictOfListsExpandInput
from airflow.serialization.serialized_objects import DagSerialization
from airflow.ti_deps.dep_context import DepContext
from airflow.ti_deps.deps.trigger_rule_dep import TriggerRuleDep

FINISHED = {"success", "failed", "upstream_failed", "skipped", "removed"}


def built(tasks):
    """The DAG as Airflow's scheduler has it."""
    with DAG("wind", schedule=None) as dag:
        made = {}
        for task_id, task in tasks.items():
            options = {"task_id": task_id, "priority_weight": task["priorityWeight"], "weight_rule": task["weightRule"]}
            if task["role"] != "teardown":
                options["trigger_rule"] = task["triggerRule"]
            if task["instances"] is None:
                made[task_id] = BashOperator(bash_command="true", **options)
            else:
                made[task_id] = BashOperator.partial(**options).expand(bash_command=["true"] * 3)
        for task_id, task in tasks.items():
            if task["role"] == "setup":
                made[task_id].as_setup()
            if task["role"] == "teardown":
                made[task_id].as_teardown()
            for other in task["upstream"]:
                made[other].set_downstream(made[task_id])
    return DagSerialization.from_dict(DagSerialization.to_dict(dag))


class Counts:
    """Answers the one question that a rule asks of the database: how many instances tasks have."""

    def __init__(self, tasks):
        self.tasks = tasks

    def execute(self, statement):
        params = statement.compile().params
        ids = {one for value in params.values() if isinstance(value, (list, tuple, set)) for one in value}
        found = [(task_id, len(self.tasks[task_id]["instances"] or [0])) for task_id in self.tasks if task_id in ids]
        return Answer(found)

    def scalar(self, statement):
        return sum(count for _, count in self.execute(statement))


class Answer(list):
    def all(self):
        return self


def verdict(dag, tasks, task_id, map_index):
    finished = []
    for other, task in tasks.items():
        states = [task["state"]] if task["instances"] is None else task["instances"]
        for index, state in enumerate(states):
            if state in FINISHED:
                place = -1 if task["instances"] is None else index
                finished.append(SimpleNamespace(task=dag.get_task(other), task_id=other, map_index=place, state=state))
    found = []
    ti = SimpleNamespace(
        task=dag.get_task(task_id),
        task_id=task_id,
        dag_id="wind",
        run_id="run",
        map_index=map_index,
        get_dagrun=lambda session: None,
        set_state=lambda state, session: found.append(str(getattr(state, "value", state))) or True,
    )
    context = DepContext(flag_upstream_failed=True, finished_tis=finished)
    statuses = list(TriggerRuleDep()._get_dep_statuses(ti, context, session=Counts(tasks)))
    return found[0] if found else "run" if all(status.passed for status in statuses) else "wait"


def graph(case):
    tasks = case["tasks"]
    dag = built(tasks)
    return {
        "verdicts": {
            task_id: [verdict(dag, tasks, task_id, index) for index in ([-1] if task["instances"] is None else range(len(task["instances"])))]
            for task_id, task in tasks.items()
        },
        "weights": {task_id: dag.get_task(task_id).weight_rule.get_weight(SimpleNamespace(task=dag.get_task(task_id))) for task_id in tasks},
        "cleared": [
            sorted(dag.partial_subset([task_id], include_upstream=upstream, include_downstream=downstream).task_dict)
            for task_id in tasks
            for upstream in (False, True)
            for downstream in (False, True)
        ],
    }


def wait(case):
    longest = case["maxRetryDelaySeconds"]
    task = SimpleNamespace(
        retry_delay=datetime.timedelta(seconds=case["retryDelaySeconds"]),
        retry_exponential_backoff=case["retryBackoff"],
        max_retry_delay=None if longest is None else datetime.timedelta(seconds=longest),
    )
    end = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
    ti = SimpleNamespace(
        task=task,
        dag_id=case["dagId"],
        task_id=case["taskId"],
        logical_date=datetime.datetime.fromisoformat(case["logicalDate"].replace("Z", "+00:00")),
        try_number=case["tryNumber"],
        end_date=end,
        retry_delay_override=None,
        log=SimpleNamespace(warning=lambda *_: None),
    )
    return (TaskInstance.next_retry_datetime(ti) - end).total_seconds()


def elements(case):
    """The elements of a product, in the order of their indices."""
    lengths = {name: len(values) for name, values in case.items()}
    count = 1
    for length in lengths.values():
        count *= length
    given = DictOfListsExpandInput(case)
    return [
        {name: given._expand_mapped_field(name, values, index, all_lengths=lengths) for name, values in case.items()}
        for index in range(count)
    ]


asked = json.load(sys.stdin)
print(
    json.dumps(
        {
            "graphs": [graph(case) for case in asked["graphs"]],
            "waits": [wait(case) for case in asked["waits"]],
            "elements": [elements(case) for case in asked["elements"]],
        }
    )
)
