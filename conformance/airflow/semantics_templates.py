"""Renders templates as Airflow's workers do, with the context that they give to a task."""

import json
import os
import sys
import tempfile
import uuid
from types import SimpleNamespace

os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp()
os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "CRITICAL"

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, Asset
from airflow.sdk.api.datamodels._generated import AssetEventDagRunReference, AssetReferenceAssetEventDagRun
from airflow.sdk.execution_time.task_runner import RuntimeTaskInstance


def instant(text):
    return None if text is None else pendulum.parse(text)


def assets(named):
    return [Asset(name=one["name"], uri=one["uri"]) for one in named]


def consumed(event):
    return AssetEventDagRunReference(
        asset=AssetReferenceAssetEventDagRun(name=event["name"], uri=event["uri"], extra={}),
        extra=event["extra"],
        source_dag_id=event["source"]["dagId"],
        source_run_id=event["source"]["runId"],
        source_task_id=event["source"]["taskId"],
        source_map_index=event["source"]["mapIndex"],
        source_aliases=[],
        timestamp=instant(event["at"]),
    )


def answers(case):
    with DAG(case["dagId"], schedule=None, params=case["params"], tags=["t"]) as dag:
        task = BashOperator(
            task_id=case["taskId"],
            bash_command="true",
            owner="ml",
            inlets=assets(case.get("inlets", [])),
            outlets=assets(case.get("outlets", [])),
        )
    ti = RuntimeTaskInstance.model_construct(
        id=uuid.uuid4(),
        task=task,
        dag_id=case["dagId"],
        task_id=case["taskId"],
        run_id=case["runId"],
        try_number=case["tryNumber"],
        max_tries=case["maxTries"],
        map_index=-1,
        start_date=instant(case["dataIntervalEnd"]),
    )
    ti._ti_context_from_server = SimpleNamespace(
        dag_run=SimpleNamespace(
            dag_id=case["dagId"],
            run_id=case["runId"],
            run_type=case["runType"],
            conf=case["conf"],
            logical_date=instant(case["logicalDate"]),
            data_interval_start=instant(case["dataIntervalStart"]),
            data_interval_end=instant(case["dataIntervalEnd"]),
            partition_key=None,
            partition_date=None,
            consumed_asset_events=[consumed(event) for event in case.get("events", [])],
        ),
        task_reschedule_count=0,
        upstream_map_indexes=None,
    )
    context = ti.get_template_context()
    env = dag.get_template_env()

    def render(template):
        try:
            return task.render_template(template, context, env)
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}

    return [render(template) for template in case["templates"]]


print(json.dumps([answers(case) for case in json.load(sys.stdin)], default=str))
