//! A configuration: `config.toml` of a run, or a stranger's.

use crate::cli::train::config::Config;
use crate::cli::train::recipe;
use awl::tables::TargetSpec;
use awl::{Encoder, Loss, Table};

/// Units of all networks; more are the business of the check of memory, which asks the machine.
const MOST_UNITS: usize = 1 << 9;

/// Parses it, writes it again, and makes what it asks for on a small table.
pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(config) = Config::parse("config.toml", text) else { return };
    let written = config.to_toml();
    let Ok(written) = written else { return };
    let again = Config::parse("config.toml", &written).and_then(|it| it.to_toml());
    assert_eq!(again, Ok(written), "what was written is read as something else");
    assert!(config.to_json().is_ok(), "a run of it could not say what it was");
    let options = config.data.read_options();
    let Ok(table) = Table::from_csv_with("a table", TABLE.as_bytes(), &options) else { return };
    let tasks = [TargetSpec::new("b").with_loss(Loss::Mse), TargetSpec::new("c")];
    let options = config.data.encoder_options();
    let Ok(encoder) = Encoder::fit_with(&table, &["a"], &tasks, options) else { return };
    let units = config.model.hidden.iter().fold(1_usize, |all, &it| all.saturating_add(it));
    if units.saturating_mul(config.train.members) < MOST_UNITS
        && let Ok(recipes) = recipe::recipes(&config, &encoder, table.rows())
        && let Ok(data) = encoder.encode(&table)
    {
        let _ = recipes[0].check(&data);
    }
}

const TABLE: &str = "a,b,c\n1,2,x\n2,3,y\n3,5,x\n4,7,y\n";
