"""The peer of bench/boost.ts: LightGBM trains on the same rows, on one thread."""

import json
import sys
import time

import lightgbm
import numpy

request = json.load(sys.stdin)


def table(path, rows):
    values = numpy.fromfile(path, dtype="<f8").reshape(request["features"] + 1, rows)
    return numpy.ascontiguousarray(values[:-1].T), values[-1]


features, label = table(request["training"], request["rows"])
test_features, test_label = table(request["test"], request["testRows"])
parameters = {**request["parameters"], "verbose": -1, "num_threads": 1}
trees = parameters.pop("n_estimators")
started = time.perf_counter()
booster = lightgbm.train(parameters, lightgbm.Dataset(features, label), trees)
train_seconds = time.perf_counter() - started

started = time.perf_counter()
predicted = booster.predict(test_features, num_threads=1)
predict_seconds = time.perf_counter() - started
print(
    json.dumps(
        {
            "version": lightgbm.__version__,
            "trainSeconds": round(train_seconds, 3),
            "predictRowsPerSecond": round(len(predicted) / predict_seconds),
            "predicted": predicted.tolist(),
        }
    )
)
