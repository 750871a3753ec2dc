"""Runs Spark SQL scripts in Apache Spark, statement by statement, each script in a session of its own.

Reads {"folder", "columns", "scripts": [{"sql", "variables", "tables": {NAME: CSV}}]} from stdin. A view `USING bigquery` reads the CSV file of its
table with `columns` as the declared schema, because there is no BigQuery; Spark itself reads the statement and applies its filter.
Writes {"version", "stopped"} on its last line: for each script what stopped it, or null.
"""
import json
import os
import re
import sys

given = json.load(sys.stdin)

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

# What may hold a semicolon that ends no statement, else one that does, else any letter.
PIECE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|(;)|.", re.DOTALL)


def statements_of(sql):
    statements = [""]
    for piece in PIECE.finditer(sql):
        if piece.group(1):
            statements.append("")
        else:
            statements[-1] += piece.group(0)
    return [each for each in statements if re.sub(r"--[^\n]*|\s", "", each)]


def read_table(session, view, tables):
    options = view.options()
    # The table holds moments, which the session's zone must not change.
    rows = session.read.option("timeZone", "UTC").csv(
        tables[options.apply("table")],
        schema=given["columns"],
        header=True,
        escape='"',
        multiLine=True,
        mode="FAILFAST",
        timestampFormat="yyyy-MM-dd HH:mm:ss 'UTC'",
    )
    rows.where(options.apply("filter")).persist().createOrReplaceTempView(view.tableIdent().table())


def run(session, script):
    # The parser fills in the variables of the active session.
    session._jvm.SparkSession.setActiveSession(session._jsparkSession)
    for name, value in script["variables"].items():
        session.sql(f"SET `{name}`={value}")
    for statement in statements_of(script["sql"]):
        plan = session._jsparkSession.sessionState().sqlParser().parsePlan(statement)
        if plan.nodeName() == "CreateTempViewUsing" and plan.provider() == "bigquery":
            read_table(session, plan, script["tables"])
        else:
            session.sql(statement).collect()


def reason_of(error):
    if not isinstance(error, Py4JJavaError):
        return str(error)
    cause = error.java_exception
    while cause.getCause() is not None:
        cause = cause.getCause()
    return cause.getMessage()


spark = (
    SparkSession.builder.master("local[2]")
    .config("spark.driver.memory", "1g")
    # It lives too short for the thorough compiler to pay.
    .config("spark.driver.extraJavaOptions", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")
    .config("spark.ui.enabled", "false")
    .config("spark.ui.showConsoleProgress", "false")
    .config("spark.local.dir", given["folder"])
    .config("spark.sql.warehouse.dir", os.path.join(given["folder"], "warehouse"))
    .config("spark.sql.shuffle.partitions", "2")
    # Planning anew between the stages takes longer than so little data.
    .config("spark.sql.adaptive.enabled", "false")
    # Where a cluster stands must not matter: the script sets the zone that it counts in.
    .config("spark.sql.session.timeZone", "Europe/Paris")
    .getOrCreate()
)
spark.sparkContext.setLogLevel("OFF")
stopped = []
for script in given["scripts"]:
    try:
        run(spark.newSession(), script)
        stopped.append(None)
    except (PySparkException, Py4JJavaError) as error:
        stopped.append(reason_of(error))
    spark.catalog.clearCache()
print(json.dumps({"version": spark.version, "stopped": stopped}))
spark.stop()
