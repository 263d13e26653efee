//! Tables in Parquet files.

use super::table::learn;
use awl::Table;

/// Reads a file that begins as Parquet does.
pub fn parquet(bytes: &[u8]) {
    if let Ok(table) = Table::from_csv("a table", bytes) {
        learn(&table, 0);
    }
}
