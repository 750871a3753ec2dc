"""The real LightGBM's side of the exchange: reads our models, and writes its own for us to read."""

import json
import sys

import lightgbm
import numpy

request = json.load(sys.stdin)
table = numpy.array(
    [[float("nan") if value is None else value for value in column] for column in request["columns"]]
).T
label = numpy.array(request["label"])


def written(parameters, trees, categorical=()):
    data = lightgbm.Dataset(table, label, categorical_feature=list(categorical), feature_name=request["featureNames"])
    booster = lightgbm.train({"verbose": -1, "num_threads": 1, "seed": 1, **parameters}, data, trees)
    return {"text": booster.model_to_string(), "predicted": booster.predict(table).tolist()}


def forest_of_whole_numbers(parameters, trees):
    plain = request["wholeNumbers"]
    rows = numpy.array(plain["columns"]).T
    data = lightgbm.Dataset(rows, numpy.array(plain["label"]))
    fixed = {"boosting": "rf", "objective": "regression", "num_leaves": 8, "verbose": -1, "num_threads": 1, "seed": 1}
    return lightgbm.train({**fixed, **parameters}, data, trees).predict(rows).tolist()


ours = [lightgbm.Booster(model_str=text) for text in request["models"]]
loose = {"min_data_per_group": 5, "cat_smooth": 1, "min_data_in_leaf": 5}
answer = {
    "version": lightgbm.__version__,
    "ours": [
        {
            "predicted": booster.predict(table).tolist(),
            "featureNames": booster.feature_name(),
            "splits": booster.feature_importance("split").tolist(),
            "gains": booster.feature_importance("gain").tolist(),
            "trees": booster.num_trees(),
            # Written by LightGBM after it has read ours: nothing may be lost on the way.
            "rewritten": booster.model_to_string(),
        }
        for booster in ours
    ],
    "forests": {
        # A share that rounds up to all features: no sampling, so that what is learned can be compared number by number.
        "same": forest_of_whole_numbers({"feature_fraction": 0.95}, 3),
        "sampled": forest_of_whole_numbers({"bagging_freq": 1, "bagging_fraction": 0.6}, 200),
    },
    "theirs": {
        "binary": written({"objective": "binary"}, 30),
        "regression": written({"objective": "regression"}, 30),
        "categorical": written({"objective": "binary", **loose}, 30, [request["categorical"]]),
        "zero_as_missing": written({"objective": "binary", "zero_as_missing": True}, 10),
        "poisson": written({"objective": "poisson"}, 10),
        "random_forest": written(
            {"objective": "binary", "boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.6}, 10
        ),
        "constant": written({"objective": "binary", "min_data_in_leaf": 100000}, 3),
    },
}
print(json.dumps(answer))
