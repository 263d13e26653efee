//! The list of all schemes: what the command line, configurations, documents and tests go through.

use super::awl::Awl;
use super::dwa::Dwa;
use super::famo::Famo;
use super::fixed::{Equal, Fixed};
use super::geometric::Geometric;
use super::gradients::{
    AlignedMtl, Cagrad, DbMtl, Fairgrad, GradNorm, ImtlG, Mgda, NashMtl, NtkMtl, Pcgrad, Upgrad,
};
use super::inverse::{AwlClosedForm, ScaleInvariant, UwO, UwSo};
use super::rlw::Rlw;
use super::scheme::Scheme;
use super::stch::Stch;
use super::uncertainty::{ImtlL, Uncertainty};
use crate::error::{Error, Result};
use crate::nearest::nearest;

/// All schemes, in the order in which they are told of.
pub static SCHEMES: &[&dyn Scheme] = &[
    &Awl,
    &Equal,
    &Fixed,
    &Rlw,
    &Uncertainty,
    &ImtlL,
    &Dwa,
    &AwlClosedForm,
    &UwO,
    &UwSo,
    &ScaleInvariant,
    &Geometric,
    &Stch,
    &Famo,
    &GradNorm,
    &Mgda,
    &Pcgrad,
    &Cagrad,
    &ImtlG,
    &Fairgrad,
    &NashMtl,
    &AlignedMtl,
    &Upgrad,
    &DbMtl,
    &NtkMtl,
];

/// The scheme of this name.
///
/// # Errors
/// [`Error::Invalid`] with the nearest name if there is none.
pub fn find(name: &str) -> Result<&'static dyn Scheme> {
    let found = SCHEMES.iter().copied().find(|scheme| scheme.name() == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = SCHEMES.iter().map(|scheme| scheme.name()).collect();
        let remedy = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean {near}? There are {}", names.join(", ")),
            None => format!("use one of {}", names.join(", ")),
        };
        Error::invalid(format!("there is no weighting \"{name}\""), remedy)
    })
}

/// The values of a scheme's settings, in its order: these, and the others' defaults.
///
/// # Errors
/// [`Error::Invalid`] for one that the scheme has not, with the nearest, and for a value out of its range.
pub(super) fn settings(scheme: &dyn Scheme, given: &[(&str, f64)]) -> Result<Vec<f64>> {
    let known = scheme.settings();
    let mut values: Vec<f64> = known.iter().map(|setting| setting.default).collect();
    for &(name, value) in given {
        let Some(at) = known.iter().position(|setting| setting.name == name) else {
            return Err(unknown_setting(scheme, name));
        };
        let [least, most] = known[at].range;
        if !(least..=most).contains(&value) {
            let bound = if most == f64::MAX { "without bound".into() } else { most.to_string() };
            return Err(Error::invalid(
                format!("{name} of the weighting {} is {value}", scheme.name()),
                format!("give it a number from {least} to {bound}: {}", known[at].summary),
            ));
        }
        values[at] = value;
    }
    Ok(values)
}

fn unknown_setting(scheme: &dyn Scheme, name: &str) -> Error {
    let names: Vec<&str> = scheme.settings().iter().map(|setting| setting.name).collect();
    let remedy = match (nearest(name, names.iter().copied()), names.is_empty()) {
        (_, true) => "it has none: leave it out".to_string(),
        (Some(near), _) => format!("did you mean {near}? It has {}", names.join(", ")),
        (None, _) => format!("it has {}", names.join(", ")),
    };
    Error::invalid(format!("the weighting {} has no setting \"{name}\"", scheme.name()), remedy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Weighting;

    #[test]
    fn a_slip_in_a_name_or_a_setting_is_told() {
        let told = |name: &str, settings: &[(&str, f64)]| {
            Weighting::named(name, settings, &[false]).unwrap_err().to_string()
        };
        assert!(told("awll", &[]).contains("did you mean awl?"));
        assert!(told("gradient", &[]).contains("use one of awl, equal"));
        assert!(told("awl", &[("flor", 0.1)]).contains("did you mean floor?"));
        assert!(told("equal", &[("floor", 0.1)]).contains("it has none"));
        assert!(told("awl", &[("log", 2.0)]).contains("from 0 to 1"));
        assert!(told("awl", &[("log", f64::NAN)]).contains("from 0 to 1"));
    }

    #[test]
    fn every_scheme_says_who_it_is() {
        for (at, scheme) in SCHEMES.iter().enumerate() {
            let name = scheme.name();
            assert_eq!(find(name).unwrap().name(), name);
            assert!(SCHEMES[..at].iter().all(|other| other.name() != name), "{name} stands twice");
            assert!(!scheme.summary().is_empty() && !scheme.source().is_empty(), "{name}");
            for setting in scheme.settings() {
                let [least, most] = setting.range;
                assert!((least..=most).contains(&setting.default), "{name}: {}", setting.name);
            }
        }
    }
}
