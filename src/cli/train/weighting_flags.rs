//! The flags of the weighting: scheme, settings, and what is said of σ.

use super::arguments::{set, set_some};
use super::config::{SigmaForm, SigmaInit, Weighting};
use awl::weighting::{SCHEMES, Scheme};
use clap::builder::{PossibleValue, PossibleValuesParser};

#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = "Weighting")]
pub struct WeightingFlags {
    /// How the losses become one [default: awl].
    #[arg(long, value_name = "SCHEME", value_parser = schemes())]
    weighting: Option<String>,
    /// A setting of that scheme; again for another (docs/choosing.md has all, and their defaults).
    #[arg(long, value_name = "NAME=VALUE", value_parser = setting)]
    setting: Vec<(String, f64)>,
    /// A learning rate of its own for σ, or for what else the scheme learns [default: as --lr].
    #[arg(long, value_name = "RATE")]
    sigma_lr: Option<f64>,
    /// Where σ starts [default: 1]: a number, one a task, or closed-form (where it would come to rest).
    #[arg(long, value_name = "σ|σ,…|closed-form", value_parser = sigma_init, allow_hyphen_values = true)]
    sigma_init: Option<SigmaInit>,
    /// What is learned of σ, with the same objective [default: plain].
    #[arg(long, value_enum)]
    sigma_form: Option<SigmaForm>,
    /// The smallest σ of the form log [default: 0.01]: no weight passes 0.5/σ².
    #[arg(long, value_name = "σ")]
    sigma_floor: Option<f32>,
}

impl WeightingFlags {
    /// Changes the configuration by every flag that was given. Another scheme than before leaves the former's settings behind.
    pub fn apply(&self, config: &mut Weighting) {
        if let Some(scheme) = &self.weighting {
            if *scheme != config.scheme {
                config.settings.clear();
            }
            config.scheme.clone_from(scheme);
        }
        config.settings.extend(self.setting.iter().cloned());
        set_some(&mut config.sigma_lr, &self.sigma_lr);
        set_some(&mut config.sigma_init, &self.sigma_init);
        set(&mut config.sigma_form, &self.sigma_form);
        set_some(&mut config.sigma_floor, &self.sigma_floor);
    }
}

/// The names of the registry, with what is said of each.
fn schemes() -> PossibleValuesParser {
    let value = |scheme: &&dyn Scheme| PossibleValue::new(scheme.name()).help(scheme.summary());
    SCHEMES.iter().map(value).into()
}

/// `temperature=0.5`
fn setting(text: &str) -> Result<(String, f64), String> {
    let parts = text.split_once('=').map(|(name, value)| (name.trim(), value.trim().parse()));
    match parts {
        Some((name, Ok(value))) => Ok((name.into(), value)),
        _ => Err("give a name and a number, such as temperature=0.5".into()),
    }
}

fn sigma_init(text: &str) -> Result<SigmaInit, String> {
    if text == "closed-form" {
        return Ok(SigmaInit::Word(text.into()));
    }
    let numbers: Result<Vec<f32>, _> =
        text.split(',').map(|number| number.trim().parse()).collect();
    match numbers.as_deref() {
        Ok(&[number]) => Ok(SigmaInit::All(number)),
        Ok(numbers) => Ok(SigmaInit::Each(numbers.to_vec())),
        Err(_) => Err("use a number, one number a task with commas between, or closed-form".into()),
    }
}
