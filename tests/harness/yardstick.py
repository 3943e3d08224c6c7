"""DuckDB on the records of London, and on a table grouped beforehand.

In: JSON on standard input (files, wards, months, categories, rounds, questions of blocks).
Out: JSON on standard output: times in seconds, and for each question the groups that it found.
"""

import json
import statistics
import sys
import time

import duckdb

REGION = {0: "'LON'", 1: "'LONDON'", 2: "borough", 3: "ward"}


def texts(values):
    return ", ".join("'" + value.replace("'", "''") + "'" for value in values)


def block_sql(table, measure, block):
    region = REGION[block["level"]]
    all_crime = block["categories"] == []
    category = "'CRIME'" if all_crime else "category::VARCHAR"
    where = f"month IN ({texts(block['months'])})"
    if not all_crime:
        where += f" AND category IN ({texts(block['categories'])})"
    keys = ["month"] + ([] if all_crime else ["category"])
    keys += [region] if block["level"] >= 2 else []
    return (
        f"SELECT {block['level']} AS level, {region}::VARCHAR AS region, {category} AS category, "
        f"month::VARCHAR AS month, {measure}::BIGINT AS n FROM {table} WHERE {where} GROUP BY {', '.join(keys)}"
    )


def timed(connection, name, rounds):
    found, times = [], []
    for _ in range(rounds):
        started = time.perf_counter()
        found = connection.execute(f"EXECUTE {name}").fetchall()
        times.append(time.perf_counter() - started)
    return found, statistics.median(times)


def main():
    asked = json.load(sys.stdin)
    connection = duckdb.connect()
    wards = asked["wards"]
    for name, values in [
        ("month_t", asked["months"]),
        ("category_t", asked["categories"]),
        ("ward_t", [ward for ward, _ in wards]),
        ("borough_t", sorted({borough for _, borough in wards})),
    ]:
        connection.execute(f"CREATE TYPE {name} AS ENUM ({texts(values)})")
    connection.execute("CREATE TABLE wards (ward VARCHAR, borough VARCHAR)")
    connection.executemany("INSERT INTO wards VALUES (?, ?)", wards)

    started = time.perf_counter()
    connection.execute(
        "CREATE TABLE records AS SELECT record_id::BIGINT AS record, month::month_t AS month, "
        "ward::ward_t AS ward, borough::borough_t AS borough, category::category_t AS category "
        f"FROM read_csv([{texts(asked['files'])}], header = true, all_varchar = true) "
        "JOIN wards ON region = ward"
    )
    loaded = time.perf_counter()
    connection.execute(
        "CREATE TABLE grouped AS SELECT ward, borough, month, category, count(*) AS n "
        "FROM records GROUP BY ALL ORDER BY month, category, ward"
    )
    grouped = time.perf_counter()

    questions = []
    for number, blocks in enumerate(asked["questions"]):
        answer = {}
        for table, measure in [("records", "count(*)"), ("grouped", "sum(n)")]:
            parts = " UNION ALL ".join(block_sql(table, measure, block) for block in blocks)
            connection.execute(f"PREPARE {table}_{number} AS {parts}")
            found, median = timed(connection, f"{table}_{number}", asked["rounds"])
            answer[f"{table}_s"] = median
            answer[f"{table}_found"] = found
        questions.append(answer)
    json.dump(
        {
            "version": duckdb.__version__,
            "rows": connection.execute("SELECT count(*) FROM records").fetchone()[0],
            "load_s": loaded - started,
            "group_s": grouped - loaded,
            "questions": questions,
        },
        sys.stdout,
    )


main()
