//! Kernels that are made for a shape: WGSL with Jinja's marks in it (`minijinja`), for what WGSL's own constants cannot say,
//! such as a line for each layer. The templates lie among the other shaders, in the folder of their program.

use super::shaders::TEMPLATES;
use crate::error::{Error, Result};
use minijinja::value::{Serde, ValueKind};
use minijinja::{Environment, UndefinedBehavior, escape_formatter};
use serde::Serialize;

/// The WGSL that a template of [`TEMPLATES`] makes with these values.
///
/// # Errors
/// [`Validation`](Error::Validation) where the template is wrong or a value is missing, which is a bug.
pub(crate) fn render(name: &str, values: &impl Serialize) -> Result<String> {
    make(name, values).map_err(|error| {
        let message =
            format!("the kernel \"{name}\" could not be made for this network: {error:#}");
        Error::Validation { message }
    })
}

fn make(name: &str, values: &impl Serialize) -> std::result::Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // WGSL has `true` where Jinja, like Python, writes `True`.
    environment.set_formatter(|out, state, value| match value.kind() {
        ValueKind::Bool => Ok(write!(out, "{}", value.is_true())?),
        _ => escape_formatter(out, state, value),
    });
    for (name, text) in TEMPLATES {
        environment.add_template(name, text)?;
    }
    environment.get_template(name)?.render(Serde(values))
}
