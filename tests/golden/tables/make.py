"""Writes one table of judged pairs as pandas and pyarrow do: in many encodings of Parquet, as CSV and as TSV.

    python tests/golden/tables/make.py

Needs pandas 3.1 and pyarrow 26. `expected.json` has the rows that every file must give back.
"""

import csv
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HERE = Path(__file__).parent
ROWS = [
    {"query": "why is ice slippery?", "document": "A film of water,\nthin as \"breath\".", "label": 2},
    {"query": "why is ice slippery?", "document": "Glaciers\tcalve; 冰川.", "label": 0},
    {"query": "¿qué es el hielo?", "document": "Agua en estado sólido", "label": 1},
    {"query": "why is ice slippery?", "document": "Agua en estado sólido", "label": 0},
    {"query": "ice", "document": " leading and trailing ", "label": -1},
]
# Repeated until dictionaries and several pages and row groups are worth while; a repeated pair
# counts once.
REPEATS = 40

rows = ROWS * REPEATS
table = pa.Table.from_pylist(rows)
text, large = pa.string(), pa.large_string()


def parquet(name, table=table, **options):
    pq.write_table(table, HERE / f"{name}.parquet", **options)


for codec in ["none", "snappy", "gzip", "zstd", "lz4", "brotli"]:
    parquet(codec, compression=codec)
parquet("plain", use_dictionary=False, data_page_size=256, row_group_size=70)
parquet("pages-v2", data_page_version="2.0", write_statistics=False)
parquet("delta", use_dictionary=False, column_encoding={
    "query": "DELTA_BYTE_ARRAY", "document": "DELTA_LENGTH_BYTE_ARRAY", "label": "DELTA_BINARY_PACKED"})
parquet("large-string", table.cast(pa.schema([("query", large), ("document", large), ("label", pa.int32())])))
parquet("narrow", table.cast(pa.schema([("query", text), ("document", text), ("label", pa.int8())])))
parquet("category", pa.table({
    "query": table["query"].dictionary_encode(), "document": table["document"], "label": table["label"]}))
parquet("other-columns", table.append_column("when", pa.array([pd.Timestamp("2026-01-02")] * len(rows)))
        .append_column("vector", pa.array([[0.5, 1.5]] * len(rows))))

frame = pd.DataFrame(rows)
frame.to_parquet(HERE / "pandas.parquet")
# A column with a gap anywhere becomes one of floats.
frame.astype({"label": "float64"}).to_parquet(HERE / "pandas-float.parquet")
frame.astype({"label": "Int64"}).to_parquet(HERE / "pandas-nullable.parquet")
frame.head(len(ROWS)).to_csv(HERE / "pandas.csv", index=False)
frame.head(len(ROWS)).to_csv(HERE / "pandas-index.csv.gz", compression={"method": "gzip", "mtime": 1})
frame.head(len(ROWS)).to_csv(HERE / "pandas.tsv", index=False, sep="\t", lineterminator="\r\n")
frame.head(len(ROWS)).astype({"label": "float64"}).to_csv(
    HERE / "quoted-bom.csv", index=False, encoding="utf-8-sig", quoting=csv.QUOTE_ALL)

expected = json.dumps(ROWS, ensure_ascii=False, indent=1)
(HERE / "expected.json").write_text(expected + "\n", encoding="utf-8")
