"""Drives a platform with Airflow's own client: DAGs, runs, tasks, logs, XComs, variables, connections, import errors, health.

Reads {"uri", "username", "password"} from stdin. Writes what it saw as JSON on its last line.
"""
import json
import sys
import urllib.request
from datetime import datetime, timezone

import airflow_client.client as airflow
from airflow_client.client.exceptions import ApiException

given = json.load(sys.stdin)
seen = {}


def token():
    """As Airflow's documentation has it: the client itself does not log in."""
    body = json.dumps({"username": given["username"], "password": given["password"]}).encode()
    request = urllib.request.Request(given["uri"] + "/auth/token", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)["access_token"]


def status_of(call):
    """The status with which the server refuses, and its words."""
    try:
        call()
    except ApiException as error:
        return [error.status, json.loads(error.body)["detail"]]
    return None


client = airflow.ApiClient(airflow.Configuration(host=given["uri"], access_token=token()))
dags, runs, tasks = airflow.DAGApi(client), airflow.DagRunApi(client), airflow.TaskInstanceApi(client)
xcoms, errors = airflow.XComApi(client), airflow.ImportErrorApi(client)
variables, connections = airflow.VariableApi(client), airflow.ConnectionApi(client)

seen["version"] = airflow.VersionApi(client).get_version().version
health = airflow.MonitorApi(client).get_health()
seen["health"] = [health.metadatabase.status, health.scheduler.status]
stranger = airflow.ApiClient(airflow.Configuration(host=given["uri"], access_token="nonsense"))
seen["stranger"] = status_of(lambda: airflow.DAGApi(stranger).get_dags())

# Every file of the folder is read soon after the start, the broken one too.
while errors.get_import_errors().total_entries < 1 or dags.get_dags().total_entries < 5:
    pass
[broken] = errors.get_import_errors().import_errors
seen["import error"] = [broken.filename, broken.stack_trace.split("\n")[0]]
seen["one import error"] = errors.get_import_error(broken.import_error_id).filename

found = dags.get_dags(order_by=["dag_id"])
seen["dags"] = [[dag.dag_id, dag.is_paused, dag.timetable_summary, [tag.name for tag in dag.tags]] for dag in found.dags]
seen["tagged"] = [dag.dag_id for dag in dags.get_dags(tags=["shop"]).dags]
details = dags.get_dag_details("weekly")
seen["details"] = [details.description, details.catchup, details.max_active_runs, details.params, details.timezone]
seen["tasks"] = sorted([task.task_id, task.downstream_task_ids] for task in airflow.TaskApi(client).get_tasks("weekly").tasks)
seen["source"] = "dag('weekly'" in airflow.DagSourceApi(client).get_dag_source("weekly").content
seen["no such dag"] = status_of(lambda: dags.get_dag("weekli"))

connection = connections.post_connection(
    airflow.ConnectionBody(
        connection_id="shop_db", conn_type="postgres", host="db", port=5432, schema="shop", login="ada",
        password="correct horse", extra=json.dumps({"api_key": "battery", "region": "eu"}),
    )
)
seen["connection"] = [connection.host, connection.port, connection.var_schema, connection.login, connection.password, json.loads(connection.extra)]
changed = connections.patch_connection(
    "shop_db", airflow.ConnectionBody(connection_id="shop_db", conn_type="postgres", host="db2", password=connection.password)
)
seen["changed connection"] = [changed.host, changed.port]
seen["twice"] = status_of(lambda: connections.post_connection(airflow.ConnectionBody(connection_id="shop_db", conn_type="x")))[0]
variable = variables.post_variable(airflow.VariableBody(key="factor", value="2", description="times"))
seen["variable"] = [variable.key, variable.value, variable.description]
seen["secret variable"] = variables.post_variable(airflow.VariableBody(key="api_token", value="hunter2")).value
seen["changed variable"] = variables.patch_variable("factor", airflow.VariableBody(key="factor", value="3")).value
seen["variables"] = [variable.key for variable in variables.get_variables().variables]


def ended(dag_id, run_id):
    """The run, once it has ended."""
    while True:
        run = runs.get_dag_run(dag_id, run_id)
        if run.state in ("success", "failed"):
            return run


# A DAG that comes off its pause gets the run of the last interval that has ended, and no earlier one.
seen["unpaused"] = dags.patch_dag("weekly", airflow.DAGPatchBody(is_paused=False)).is_paused
while runs.get_dag_runs("weekly").total_entries < 1:
    pass
[scheduled] = runs.get_dag_runs("weekly").dag_runs
scheduled = ended("weekly", scheduled.dag_run_id)
interval = scheduled.data_interval_end - scheduled.data_interval_start
now = datetime.now(timezone.utc)
seen["scheduled"] = [scheduled.run_type, scheduled.state, interval.days, scheduled.data_interval_end <= now, (now - scheduled.data_interval_end).days < 7]
seen["scheduled id"] = scheduled.dag_run_id == f"scheduled__{scheduled.logical_date.isoformat()}"

triggered = runs.trigger_dag_run(
    "weekly",
    airflow.TriggerDAGRunPostBody(
        dag_run_id="by_hand", logical_date=datetime(2019, 10, 7, 5, tzinfo=timezone.utc), conf={"plus": 1}, note="from Python"
    ),
)
seen["triggered"] = [triggered.state in ("queued", "running"), triggered.run_type, triggered.note, triggered.conf, triggered.triggering_user_name]
seen["triggered twice"] = status_of(
    lambda: runs.trigger_dag_run("weekly", airflow.TriggerDAGRunPostBody(dag_run_id="by_hand", logical_date=None))
)[0]
seen["ended"] = ended("weekly", "by_hand").state
instances = tasks.get_task_instances("weekly", "by_hand").task_instances
seen["instances"] = sorted([one.task_id, one.state, one.try_number] for one in instances)
seen["instance"] = tasks.get_task_instance("weekly", "by_hand", "double").operator
log = tasks.get_log("weekly", "by_hand", "count", 1, full_content=True)
seen["log"] = [line.event for line in log.content.actual_instance]
listed = xcoms.get_xcom_entries("weekly", "by_hand", "double").xcom_entries
seen["xcoms"] = [entry.key for entry in listed]
seen["xcom"] = [
    xcoms.get_xcom_entry("weekly", task_id, "by_hand", "return_value").actual_instance.value for task_id in ("count", "double")
]

# A broken file and a failing DAG keep nobody else from running.
dags.patch_dag("failing", airflow.DAGPatchBody(is_paused=False))
failed = runs.trigger_dag_run("failing", airflow.TriggerDAGRunPostBody(logical_date=None))
seen["failed"] = ended("failing", failed.dag_run_id).state
[instance] = tasks.get_task_instances("failing", failed.dag_run_id, state=["failed"]).task_instances
seen["failed task"] = [instance.task_id, instance.state]
seen["failed runs"] = runs.get_dag_runs("~", state=["failed"]).total_entries
seen["marked"] = runs.patch_dag_run("failing", failed.dag_run_id, airflow.DAGRunPatchBody(note="known")).note

connections.delete_connection("shop_db")
variables.delete_variable("factor")
variables.delete_variable("api_token")
seen["deleted"] = [
    status_of(lambda: connections.get_connection("shop_db"))[0],
    status_of(lambda: variables.get_variable("factor"))[0],
]
print(json.dumps(seen))
