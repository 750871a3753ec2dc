"""Asks everything that Airflow's own client can ask: each answer must be what its models expect.

Reads {"uri", "username", "password", "values", "special"} from stdin: values of the parameters by their names, and others for some operations.
Writes, as JSON on its last line, {"answers", "unknown"}: for each operation "ok", or the status with which the server refused, and the optional
parameters that the server does not know, such as "get_dags.owners".
"""
import inspect
import json
import re
import sys
import time
import urllib.request
from datetime import datetime, timezone

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

PLAUSIBLE = {"datetime": datetime(2020, 1, 1, tzinfo=timezone.utc), "bool": True, "int": 1, "float": 1.0, "str": "a"}


def plausible(annotation):
    """A value of the type that the client wants for a parameter; whether it is possible is no matter."""
    kind = next((each for each in PLAUSIBLE if re.search(rf"\b{each}\b", str(annotation), re.IGNORECASE)), "str")
    return [PLAUSIBLE[kind]] if re.search(r"\b[Ll]ist\b", str(annotation)) else PLAUSIBLE[kind]


seen, unknown = {}, []
for api_name in sorted(name for name in dir(airflow) if name.endswith("Api")):
    api = getattr(airflow, api_name)(client)
    for name in dir(api):
        if not name.startswith(("get_", "list_", "import_errors")) or name.endswith(("_with_http_info", "_without_preload_content")):
            continue
        operation = getattr(api, name)
        parameters = [each for each in inspect.signature(operation).parameters.values() if not each.name.startswith("_")]
        required = [each.name for each in parameters if each.default is inspect.Parameter.empty]
        values = {**batches, **given["values"], **given["special"].get(name, {})}
        asked = {parameter: values[parameter] for parameter in required}
        try:
            operation(**asked)
            seen[name] = "ok"
        except ApiException as error:
            seen[name] = error.status
        except Exception as error:
            seen[name] = f"{type(error).__name__}: {error}"
        if seen[name] != "ok":
            continue
        for each in parameters:
            if each.name in asked:
                continue
            # The status is looked at, not the answer: an unlikely value may be refused, an unknown name may not.
            try:
                response = getattr(api, name + "_without_preload_content")(**asked, **{each.name: plausible(each.annotation)})
            except AttributeError:
                # The client names no type and wants one of its own words.
                continue
            if f'\\"{each.name}\\" is not known here' in response.read().decode():
                unknown.append(f"{name}.{each.name}")
print(json.dumps({"answers": seen, "unknown": unknown}))
