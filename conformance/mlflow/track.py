"""Drives a server with MLflow's own client as a training script does: run, search, artifacts, model, registry, stage, alias, load.

Reads {"uri", "folder"} from stdin; the token is in MLFLOW_TRACKING_TOKEN. Writes what it saw as JSON on its last line.
"""
import json
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")
given = json.load(sys.stdin)

import lightgbm
import mlflow
import numpy
import pandas
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models import infer_signature

mlflow.set_tracking_uri(given["uri"])
client = MlflowClient()
seen = {"version": mlflow.__version__}

experiment = mlflow.set_experiment("conformance")
seen["experiment"] = [experiment.experiment_id, mlflow.set_experiment("conformance").experiment_id]

rows = numpy.random.default_rng(1).normal(size=(200, 3))
frame = pandas.DataFrame(rows, columns=["price", "hour", "views"])
labels = (rows[:, 0] + rows[:, 1] > 0).astype(int)
booster = lightgbm.train({"objective": "binary", "num_leaves": 7, "verbose": -1, "seed": 1}, lightgbm.Dataset(frame, labels), 5)

with mlflow.start_run(run_name="python") as run:
    mlflow.log_param("num_leaves", 7)
    mlflow.log_params({"objective": "binary", "trees": 5})
    for step, auc in enumerate([0.7, 0.8]):
        mlflow.log_metric("auc", auc, step=step)
    mlflow.log_metrics({"logloss": float("nan"), "ratio": float("inf")})
    mlflow.set_tags({"branch": "staging", "data set": "week"})
    now = int(time.time() * 1000)
    batch = [Metric("many", float(step), now, step) for step in range(300)]
    client.log_batch(run.info.run_id, batch, [Param("batch", "yes")], [RunTag("tagged", "yes")])
    dataset = mlflow.data.from_pandas(frame, source="gs://data/primary", name="purchases")
    mlflow.log_input(dataset, context="training")
    note = os.path.join(given["folder"], "encoders.json")
    with open(note, "w") as file:
        file.write('{"brand": 1}')
    mlflow.log_artifact(note, "transform")
    mlflow.log_text("a note", "notes/é note.txt")
    signature = infer_signature(frame, booster.predict(frame))
    info = mlflow.lightgbm.log_model(booster, name="model", signature=signature, input_example=frame.head(2))

found = client.get_run(run.info.run_id)
seen["run"] = {
    "status": found.info.status,
    "name": found.info.run_name,
    "params": found.data.params,
    "auc": found.data.metrics["auc"],
    "isNaN": found.data.metrics["logloss"] != found.data.metrics["logloss"],
    "isInfinite": found.data.metrics["ratio"] == float("inf"),
    "branch": found.data.tags["branch"],
    "dataset": found.inputs.dataset_inputs[0].dataset.name,
    "models": len(found.outputs.model_outputs),
}
seen["history"] = [metric.value for metric in client.get_metric_history(run.info.run_id, "auc")]
seen["long history"] = len(client.get_metric_history(run.info.run_id, "many"))
for query in ["metrics.auc > 0.75 and params.objective = 'binary'", "tags.`data set` LIKE 'we%'", "dataset.name = 'purchases'", "metrics.auc > 0.9"]:
    seen.setdefault("searches", []).append(len(mlflow.search_runs(filter_string=query, order_by=["metrics.auc DESC"], output_format="list")))
seen["experiments"] = [each.name for each in client.search_experiments(filter_string="name LIKE 'conf%'")]
seen["artifacts"] = sorted(each.path for each in client.list_artifacts(run.info.run_id, "transform"))
seen["text"] = mlflow.artifacts.load_text(f"runs:/{run.info.run_id}/notes/é note.txt")
try:
    client.log_param(run.info.run_id, "num_leaves", 8)
except MlflowException as error:
    seen["changed param"] = error.error_code

first = mlflow.register_model(info.model_uri, "conformance_model", tags={"branch": "staging"})
second = mlflow.register_model(f"runs:/{run.info.run_id}/model", "conformance_model")
seen["versions"] = [first.version, second.version]
client.transition_model_version_stage("conformance_model", "1", "Staging")
client.transition_model_version_stage("conformance_model", "2", "Staging", archive_existing_versions=True)
client.transition_model_version_stage("conformance_model", "1", "Production")
client.set_registered_model_alias("conformance_model", "champion", "1")
client.set_model_version_tag("conformance_model", "1", "gate", "passed")
client.update_model_version("conformance_model", "1", description="the first")
seen["stages"] = {each.version: each.current_stage for each in client.search_model_versions("name = 'conformance_model'")}
seen["models"] = [each.name for each in client.search_registered_models()]
seen["by alias"] = client.get_model_version_by_alias("conformance_model", "champion").version
seen["logged models"] = len(mlflow.search_logged_models([experiment.experiment_id], output_format="list"))

expected = booster.predict(frame)
uris = ["Staging", "Production", "1", "latest"]
loaded = [mlflow.pyfunc.load_model(f"models:/conformance_model/{uri}").predict(frame) for uri in uris]
loaded.append(mlflow.pyfunc.load_model("models:/conformance_model@champion").predict(frame))
loaded.append(mlflow.lightgbm.load_model(f"runs:/{run.info.run_id}/model").predict(frame))
loaded.append(mlflow.lightgbm.load_model(info.model_uri).predict(frame))
seen["difference"] = max(float(numpy.abs(each - expected).max()) for each in loaded)

try:
    mlflow.pyfunc.load_model("models:/conformance_model/Archived")
except MlflowException as error:
    seen["no such stage"] = "No versions of model" in str(error)
client.delete_registered_model_alias("conformance_model", "champion")
client.rename_registered_model("conformance_model", "renamed_model")
client.delete_model_version("renamed_model", "2")
client.delete_registered_model("renamed_model")
client.delete_run(run.info.run_id)
seen["after delete"] = len(mlflow.search_runs(experiment_ids=[experiment.experiment_id], output_format="list"))
client.restore_run(run.info.run_id)

seen["model"] = {"text": booster.model_to_string(), "row": frame.iloc[0].to_dict(), "prediction": float(expected[0])}
print(json.dumps(seen))
