//! Reports for people: tables in the terminal. Knows what training produces, and nothing of how.

mod epochs;

pub use self::epochs::EpochTable;
