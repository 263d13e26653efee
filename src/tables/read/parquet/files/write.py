# Writes the files beside it, with pyarrow: python write.py .
import pyarrow as pa, pyarrow.parquet as pq, sys
out = sys.argv[1]
table = pa.table({
    "kind": pa.array(["owl", None, "hawk", "NA", " Zoë "], pa.string()),
    "code": pa.array(["007", "12", "7", "1", "2"], pa.string()),
    "small": pa.array([1, None, -3, 4, 5], pa.int8()),
    "count": pa.array([4294967295, 0, 7, None, 1], pa.uint32()),
    "large": pa.array([-9007199254740991, 2, None, 4, 5], pa.int64()),
    "half": pa.array([0.5, float("nan"), None, -2.25, 1e30], pa.float32()),
    "length": pa.array([38.1, 54.0, None, 1e-300, -0.1], pa.float64()),
    "wet": pa.array([True, False, None, True, False], pa.bool_()),
    "group": pa.array(["a", "b", "a", None, "b"]).dictionary_encode(),
})
schema = table.schema.set(4, pa.field("large", pa.int64()))
pq.write_table(table, out + "/birds.parquet", row_group_size=2, compression="snappy")
pq.write_table(table.select(["small"]).slice(0, 1).cast(pa.schema([pa.field("small", pa.int8(), nullable=False)])), out + "/required.parquet", compression="none")
pq.write_table(table.select(["small"]), out + "/zstd.parquet", compression="zstd")
pq.write_table(table.select(["small"]).slice(0, 0), out + "/rowless.parquet")
pq.write_table(pa.table({"x": [1.0, 2.0, float("inf")]}), out + "/infinite.parquet", row_group_size=2)
import datetime
pq.write_table(pa.table({"day": [datetime.date(2026, 1, 1)]}), out + "/date.parquet")
pq.write_table(pa.table({"x": [1], "pair": [[1, 2]]}), out + "/nested.parquet")
ids = [9007199254740993, 9007199254740992, None, -9007199254740993, 5]
hashes = [18446744073709551615, 18446744073709551614, 1152921504606846976, None, 7]
pq.write_table(pa.table({"id": pa.array(ids, pa.int64()), "hash": pa.array(hashes, pa.uint64())}), out + "/whole.parquet", row_group_size=3)
