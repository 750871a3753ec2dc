"""Loads a model that another client logged, by both of MLflow's ways, and predicts one row.

Reads {"uri", "model", "row"} from stdin; writes {"pyfunc", "booster", "inputs", "example"} on its last line.
"""
import json
import sys
import warnings

warnings.filterwarnings("ignore")
given = json.load(sys.stdin)

import mlflow
import pandas

mlflow.set_tracking_uri(given["uri"])
frame = pandas.DataFrame([given["row"]])
model = mlflow.pyfunc.load_model(given["model"])
booster = mlflow.lightgbm.load_model(given["model"])
path = mlflow.artifacts.download_artifacts(given["model"])
example = mlflow.models.Model.load(path).load_input_example(path)
print(
    json.dumps(
        {
            "pyfunc": float(model.predict(frame)[0]),
            "booster": float(booster.predict(frame)[0]),
            "inputs": model.metadata.get_input_schema().input_names(),
            "example": example.to_dict("records"),
        }
    )
)
