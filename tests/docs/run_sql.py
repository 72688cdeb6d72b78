#!/usr/bin/env python3
"""Runs a file of SQL in DuckDB, and prints the result of each query as CSV. Nothing is loaded from a network."""

import csv
import pathlib
import sys

import duckdb
import duckdb_extension_httpfs

connection = duckdb.connect()
connection.execute("SET autoinstall_known_extensions = false")
extension = next(pathlib.Path(duckdb_extension_httpfs.__file__).parent.rglob("httpfs.duckdb_extension"))
connection.execute(f"LOAD '{extension}'")
output = csv.writer(sys.stdout, lineterminator="\n")
with open(sys.argv[1], encoding="utf-8") as file:
    statements = duckdb.extract_statements(file.read())
for statement in statements:
    result = connection.execute(statement)
    if statement.type == duckdb.StatementType.SELECT:
        output.writerow(column[0] for column in result.description)
        for row in result.fetchall():
            output.writerow(str(value).lower() if isinstance(value, bool) else value for value in row)
