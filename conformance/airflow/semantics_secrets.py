"""Answers what Airflow's own code makes of secrets: connections as URIs and JSON, names that hide, Fernet tokens, and exported files."""

import contextlib
import io
import json
import os
import sys
import tempfile
from types import SimpleNamespace

asked = json.load(sys.stdin)
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp()
os.environ["AIRFLOW__LOGGING__LOGGING_LEVEL"] = "CRITICAL"
os.environ["AIRFLOW__CORE__FERNET_KEY"] = asked["fernetKeys"]

from airflow._shared.secrets_masker.secrets_masker import DEFAULT_SENSITIVE_FIELDS, SecretsMasker
from airflow.cli.commands import connection_command, variable_command
from airflow.models import Connection, Variable
from airflow.models.crypto import get_fernet
from airflow.secrets.local_filesystem import load_connections_dict, load_variables

masker = SecretsMasker()
masker.hide_sensitive_var_conn_fields = True
masker.sensitive_variables_fields = list(DEFAULT_SENSITIVE_FIELDS)
fields = ("conn_type", "host", "port", "schema", "login", "password")


def read(connection):
    return {**{name: getattr(connection, name) for name in fields}, "extra": connection.extra_dejson}


def attempt(work):
    try:
        return work()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def made(facts):
    extra = json.dumps(facts["extra"]) if facts["extra"] else None
    return Connection(conn_id=facts["conn_id"], description=facts["description"], extra=extra, **{name: facts[name] for name in fields})


def exported_variables(variables):
    """What the command line writes, with these variables in place of those of a database."""
    rows = [SimpleNamespace(key=one["key"], val=one["value"], description=one["description"]) for one in variables]

    @contextlib.contextmanager
    def session():
        yield SimpleNamespace(scalars=lambda _: rows)

    class File(io.StringIO):
        name = "variables.json"

        def __exit__(self, *_):
            return None

    variable_command.create_session = session
    variable_command.print_export_output = lambda *_: None
    file = File()
    export(file)
    return file.getvalue()


def export(file):
    command = variable_command.variables_export
    while hasattr(command, "__wrapped__"):
        command = command.__wrapped__
    command(SimpleNamespace(file=file))


def file_of(text, ending):
    path = os.path.join(tempfile.mkdtemp(), f"file.{ending}")
    with open(path, "w") as file:
        file.write(text)
    return path


connections = [made(facts) for facts in asked["connections"]]
print(
    json.dumps(
        {
            "fromUri": [attempt(lambda: read(Connection(uri=uri))) for uri in asked["uris"]],
            "readAgain": [read(Connection(uri=connection.get_uri())) for connection in connections],
            "uris": [connection.get_uri() for connection in connections],
            "jsons": [connection.as_json() for connection in connections],
            "fromJson": [attempt(lambda: read(Connection.from_json(text, conn_id="c"))) for text in asked["jsons"]],
            "hides": [masker.should_hide_value_for_key(name) for name in asked["names"]],
            "redacted": [masker.redact(value) for value in asked["values"]],
            "decrypted": [get_fernet().decrypt(token.encode()).decode() for token in asked["tokens"]],
            "tokens": [get_fernet().encrypt(text.encode()).decode() for text in asked["texts"]],
            "rotated": [get_fernet().rotate(token.encode()).decode() for token in asked["tokens"]],
            "exports": {
                "json": connection_command._format_connections(connections, ".json", "json"),
                "yaml": connection_command._format_connections(connections, ".yaml", "json"),
                "env": connection_command._format_connections(connections, ".env", "uri"),
                "envJson": connection_command._format_connections(connections, ".env", "json"),
                "variables": exported_variables(asked["variables"]),
            },
            "imported": {
                "connections": {key: read(one) for key, one in load_connections_dict(file_of(asked["ours"]["connections"], "json")).items()},
                "lines": {key: read(one) for key, one in load_connections_dict(file_of(asked["ours"]["lines"], "env")).items()},
                "variables": {key: getattr(value, "val", value) for key, value in load_variables(file_of(asked["ours"]["variables"], "json")).items()},
            },
        },
        default=str,
    )
)
