"""Asks everything that Airflow's own client can ask: each answer must be what its models expect.

Reads {"uri", "username", "password", "values", "special"} from stdin: values of the parameters by their names, and others for some operations.
Writes, as JSON on its last line, for each operation "ok", or the status with which the server refused.
"""
import inspect
import json
import sys
import time
import urllib.request

import airflow_client.client as airflow
from airflow_client.client.exceptions import ApiException

given = json.load(sys.stdin)
body = json.dumps({"username": given["username"], "password": given["password"]}).encode()
request = urllib.request.Request(given["uri"] + "/auth/token", body, {"Content-Type": "application/json"})
with urllib.request.urlopen(request) as response:
    token = json.load(response)["access_token"]
client = airflow.ApiClient(airflow.Configuration(host=given["uri"], access_token=token))
runs, tasks = airflow.DagRunApi(client), airflow.TaskInstanceApi(client)

# A run that has ended, and one that asks a question.
for dag_id in ("operate", "ask"):
    runs.trigger_dag_run(dag_id, airflow.TriggerDAGRunPostBody(dag_run_id="walk", logical_date=None))
while runs.get_dag_run("operate", "walk").state != "success" or not tasks.get_hitl_details("ask", "walk").hitl_details:
    time.sleep(0.05)
batches = {"dag_runs_batch_body": airflow.DAGRunsBatchBody(), "task_instances_batch_body": airflow.TaskInstancesBatchBody()}

seen = {}
for api_name in sorted(name for name in dir(airflow) if name.endswith("Api")):
    api = getattr(airflow, api_name)(client)
    for name in dir(api):
        if not name.startswith(("get_", "list_", "import_errors")) or name.endswith(("_with_http_info", "_without_preload_content")):
            continue
        operation = getattr(api, name)
        required = [
            parameter.name
            for parameter in inspect.signature(operation).parameters.values()
            if parameter.default is inspect.Parameter.empty and not parameter.name.startswith("_")
        ]
        values = {**batches, **given["values"], **given["special"].get(name, {})}
        try:
            operation(**{parameter: values[parameter] for parameter in required})
            seen[name] = "ok"
        except ApiException as error:
            seen[name] = error.status
        except Exception as error:
            seen[name] = f"{type(error).__name__}: {error}"
print(json.dumps(seen))
