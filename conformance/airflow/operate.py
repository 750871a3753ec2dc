"""Operates a platform with Airflow's own client: clear, mark, backfill, pools, assets, answers to questions, event log, settings.

Reads {"uri", "username", "password"} from stdin. Writes what it saw as JSON on its last line.
"""
import json
import sys
import time
import urllib.request
from datetime import datetime, timezone

import airflow_client.client as airflow
from airflow_client.client.exceptions import ApiException

given = json.load(sys.stdin)
seen = {}


def token():
    body = json.dumps({"username": given["username"], "password": given["password"]}).encode()
    request = urllib.request.Request(given["uri"] + "/auth/token", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as response:
        return json.load(response)["access_token"]


def status_of(call):
    try:
        call()
    except ApiException as error:
        return error.status
    return None


def until(look):
    """What `look` answers, as soon as it answers something."""
    for _ in range(600):
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError("It never came.")


client = airflow.ApiClient(airflow.Configuration(host=given["uri"], access_token=token()))
dags, runs, tasks = airflow.DAGApi(client), airflow.DagRunApi(client), airflow.TaskInstanceApi(client)
variables, connections, pools = airflow.VariableApi(client), airflow.ConnectionApi(client), airflow.PoolApi(client)
backfills, assets, xcoms = airflow.BackfillApi(client), airflow.AssetApi(client), airflow.XComApi(client)
logs, config = airflow.EventLogApi(client), airflow.ConfigApi(client)


def states(dag_id, run_id):
    return sorted([one.task_id, one.map_index, one.state] for one in tasks.get_task_instances(dag_id, run_id).task_instances)


def waited(dag_id, run_id):
    """The lines of the stream that ends with the run."""
    response = runs.wait_dag_run_until_finished_without_preload_content(dag_id, run_id, 0.2, result=["load"])
    return [json.loads(line) for line in response.read().decode().splitlines()]


until(lambda: dags.get_dags(tags=["operate"]).total_entries == 3)
seen["paused"] = sorted([dag.dag_id, dag.is_paused] for dag in dags.patch_dags(airflow.DAGPatchBody(is_paused=False), tags=["operate"]).dags)

# Trigger, wait, see what failed, mend it, clear it, see it succeed.
pool = pools.post_pool(airflow.PoolBody(name="narrow", slots=1))
seen["pool"] = [pool.name, pool.slots, pool.open_slots]
variables.post_variable(airflow.VariableBody(key="mended", value="no"))
triggered = runs.trigger_dag_run("operate", airflow.TriggerDAGRunPostBody(dag_run_id="op", logical_date=None, conf={"n": 1}))
lines = waited("operate", "op")
seen["waited"] = [lines[-1]["state"], lines[-1]["results"]]
seen["states"] = states("operate", "op")
log = tasks.get_log("operate", "op", "fails", 1, full_content=True)
seen["log"] = any("not mended" in line.event for line in log.content.actual_instance)
variables.patch_variable("mended", airflow.VariableBody(key="mended", value="yes"))
planned = tasks.post_clear_task_instances("operate", airflow.ClearTaskInstancesBody(dag_run_id="op"))
seen["would clear"] = sorted(one.actual_instance.task_id if hasattr(one, "actual_instance") else one.task_id for one in planned.task_instances)
tasks.post_clear_task_instances("operate", airflow.ClearTaskInstancesBody(dag_run_id="op", dry_run=False))
seen["again"] = waited("operate", "op")[-1]["state"]
tries = tasks.get_task_instance_tries("operate", "op", "fails").task_instances
seen["tries"] = [[one.try_number, one.state] for one in tries]
seen["mapped"] = [one.map_index for one in tasks.get_mapped_task_instances("operate", "op", "each").task_instances]
seen["mapped xcom"] = xcoms.get_xcom_entry("operate", "each", "op", "return_value", map_index=1).actual_instance.value
seen["why"] = [one.name for one in tasks.get_task_instance_dependencies("operate", "op", "fails").dependencies]
seen["whole run"] = runs.clear_dag_run("operate", "op", airflow.DAGRunClearBody(dry_run=False)).actual_instance.state in ("queued", "running")
seen["rerun"] = waited("operate", "op")[-1]["state"]
marked = tasks.patch_task_instance("operate", "op", "fails", airflow.PatchTaskInstanceBody(new_state="skipped", note="not today"))
seen["marked"] = [[one.task_id, one.state, one.note] for one in marked.task_instances if one.task_id == "fails"]
seen["marked run"] = runs.patch_dag_run("operate", "op", airflow.DAGRunPatchBody(state="failed")).state
seen["written"] = xcoms.create_xcom_entry(dag_id="operate", dag_run_id="op", task_id="load", x_com_create_body=airflow.XComCreateBody(key="rows", value=[1, 2])).value

# A backfill of three days, one at a time.
body = dict(dag_id="operate", from_date=datetime(2019, 10, 1, tzinfo=timezone.utc), to_date=datetime(2019, 10, 4, tzinfo=timezone.utc), max_active_runs=1)
dry = backfills.create_backfill_dry_run(airflow.BackfillPostBody(**body))
seen["dry backfill"] = [one.logical_date.isoformat() for one in dry.backfills]
backfill = backfills.create_backfill(airflow.BackfillPostBody(**body))
seen["one at a time"] = status_of(lambda: backfills.create_backfill(airflow.BackfillPostBody(**body)))
seen["pause"] = [backfills.pause_backfill(backfill.id).is_paused, backfills.unpause_backfill(backfill.id).is_paused]
until(lambda: backfills.get_backfill(backfill.id).completed_at)
seen["backfilled"] = sorted([run.logical_date.day, run.state] for run in runs.get_dag_runs("operate", run_type=["backfill"]).dag_runs)
seen["listed backfills"] = backfills.list_backfills("operate").total_entries
other = backfills.create_backfill(airflow.BackfillPostBody(**{**body, "dag_id": "ask"}))
until(lambda: runs.get_dag_runs("ask").total_entries)
seen["cancelled"] = backfills.cancel_backfill(other.id).completed_at is not None

# Pools, variables and connections, many at once.
seen["slots"] = pools.patch_pool("narrow", airflow.PoolPatchBody(slots=3), update_mask=["slots"]).slots
bulk = {
    "actions": [
        {"action": "create", "entities": [{"name": "a", "slots": 1}, {"name": "narrow", "slots": 1}], "action_on_existence": "skip"},
        {"action": "delete", "entities": ["a"]},
    ]
}
done = pools.bulk_pools(airflow.BulkBodyPoolBody.from_dict(bulk))
seen["bulk pools"] = [done.create.success, done.delete.success]
done = variables.bulk_variables(
    airflow.BulkBodyVariableBody.from_dict({"actions": [{"action": "create", "entities": [{"key": "k1", "value": "1"}, {"key": "k2", "value": "2"}]}]})
)
seen["bulk variables"] = [done.create.success, variables.get_variables(variable_key_pattern="k_", order_by=["-key"]).variables[0].key]
connections.create_default_connections()
seen["defaults"] = [one.connection_id for one in connections.get_connections().connections]
seen["test"] = connections.test_connection(airflow.ConnectionBody(connection_id="c", conn_type="http")).status

# Assets: what the task has updated, and an update from outside that starts the DAG that waits for it.
[asset] = assets.get_assets(name_pattern="rows").assets
seen["asset"] = [asset.name, [one.task_id for one in asset.producing_tasks], [one.dag_id for one in asset.scheduled_dags]]
before = runs.get_dag_runs("waits").total_entries
event = assets.create_asset_event(airflow.CreateAssetEventsBody(asset_id=asset.id, extra={"by": "hand"}))
seen["event"] = event.extra["by"]
until(lambda: runs.get_dag_runs("waits", state=["success"]).total_entries > before)
[started] = runs.get_dag_runs("waits", order_by=["-id"], limit=1).dag_runs
seen["started"] = [started.run_type, len(runs.get_upstream_asset_events("waits", started.dag_run_id).asset_events) > 0]
seen["materialized"] = assets.materialize_asset(asset.id, airflow.MaterializeAssetBody()).dag_id

# A task asks, somebody answers.
runs.trigger_dag_run("ask", airflow.TriggerDAGRunPostBody(dag_run_id="asks", logical_date=None))
asked = until(lambda: tasks.get_hitl_details("ask", "asks", response_received=False).hitl_details)
seen["asked"] = [asked[0].subject, asked[0].options]
answer = airflow.UpdateHITLDetailPayload(chosen_options=[asked[0].options[0]])
seen["answered"] = tasks.update_hitl_detail("ask", "asks", asked[0].task_instance.task_id, -1, answer).responded_by.name
until(lambda: runs.get_dag_run("ask", "asks").state == "success")

seen["event log"] = [
    [one.event, one.owner] for one in logs.get_event_logs(dag_id="operate", run_id="op", order_by=["id"]).event_logs if one.event != "create_xcom_entry"
]
options = {option.key: option.value for section in config.get_config(section="core").sections for option in section.options}
seen["config"] = [options["load_examples"].actual_instance, config.get_config_value("core", "fernet_key").sections[0].options[0].value.actual_instance]
runs.delete_dag_run("operate", "op")
seen["deleted"] = status_of(lambda: runs.get_dag_run("operate", "op"))
print(json.dumps(seen))
