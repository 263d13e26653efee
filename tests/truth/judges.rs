//! Judges: programs that know nothing of this one and say whether it is right. A machine need not have them all. One that
//! is absent is named on stderr, once, with the reason; where `AWL_JUDGES=spirv-val,onnxruntime` asks for it, it fails.
//! The library's own tests take this file in as well (src/gpu/mod.rs).

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Mutex, PoisonError};

/// Every judge, and where to get it.
const JUDGES: [(&str, &str); 6] = [
    ("spirv-val", "Debian's spirv-tools or the Vulkan SDK"),
    ("glslangValidator", "Debian's glslang-tools or the Vulkan SDK"),
    ("tint", "a build of Dawn, https://dawn.googlesource.com/dawn"),
    ("radv", "Debian's mesa-vulkan-drivers and libvulkan1, of the version that tests/amd names"),
    ("python3", "python.org, or set PYTHON to another interpreter"),
    (
        "onnxruntime",
        "pip install numpy onnx onnxruntime, and set PYTHON to the interpreter that has them",
    ),
];

/// Goes on without a judge that is absent for this reason, or panics where it is asked for.
pub fn absent(judge: &'static str, reason: &str) {
    static TOLD: Mutex<BTreeSet<&str>> = Mutex::new(BTreeSet::new());
    let asked = std::env::var("AWL_JUDGES").unwrap_or_default();
    let told = verdict(&asked, judge, reason).unwrap_or_else(|error| panic!("{error}"));
    if TOLD.lock().unwrap_or_else(PoisonError::into_inner).insert(judge) {
        // Past the test harness, which keeps what passing tests print.
        let _ = writeln!(std::io::stderr(), "SKIPPED: {told}");
    }
}

/// The judges asked for, of which each must be known: a slip would ask for nothing.
fn judges(asked: &str) -> Result<Vec<&str>, String> {
    let known = JUDGES.map(|(name, _)| name);
    let names = asked.split(',').map(str::trim).filter(|name| !name.is_empty());
    let check = |name| match known.contains(&name) {
        true => Ok(name),
        false => {
            Err(format!("AWL_JUDGES asks for \"{name}\", which is none of {}", known.join(", ")))
        }
    };
    names.map(check).collect()
}

/// What is said of an absent judge: an error where it is among those asked for.
fn verdict(asked: &str, judge: &str, reason: &str) -> Result<String, String> {
    let asked = judges(asked)?;
    let found = JUDGES.iter().find(|(name, _)| *name == judge);
    let (_, source) = found.ok_or_else(|| format!("{judge} is not among the judges"))?;
    let told = format!("{judge} judged nothing: {reason}. To get it: {source}");
    match asked.contains(&judge) {
        true => Err(format!("AWL_JUDGES asks for {judge}, and {told}")),
        false => Ok(told),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Also where no judge is absent, which is when others look.
    #[test]
    fn the_judges_asked_for_are_known() {
        let asked = std::env::var("AWL_JUDGES").unwrap_or_default();
        judges(&asked).unwrap_or_else(|error| panic!("{error}"));
    }

    #[test]
    fn an_absent_judge_fails_only_where_it_is_asked_for() {
        for (asked, judge, passes) in [
            ("", "tint", true),
            ("spirv-val", "tint", true),
            ("spirv-val, ", "onnxruntime", true),
            ("tint", "tint", false),
            ("spirv-val, tint", "tint", false),
            // Slips.
            ("onxruntime", "onnxruntime", false),
            ("spirv", "spirv-val", false),
            ("tint,SPIRV-VAL", "spirv-val", false),
        ] {
            let told = verdict(asked, judge, "not found");
            assert_eq!(told.is_ok(), passes, "asked {asked:?}, absent {judge}: {told:?}");
        }
    }

    #[test]
    fn what_is_told_names_judge_reason_and_remedy() {
        let told = verdict("", "spirv-val", "not found").expect("nobody asked");
        assert_eq!(
            told,
            "spirv-val judged nothing: not found. To get it: Debian's spirv-tools or the Vulkan SDK"
        );
        let error = verdict("spirv-val", "spirv-val", "not found").expect_err("it was asked for");
        assert_eq!(error, format!("AWL_JUDGES asks for spirv-val, and {told}"));
        let error = verdict("spirv", "tint", "not found").expect_err("a slip");
        assert!(
            error.contains("\"spirv\", which is none of spirv-val, glslangValidator, tint"),
            "{error}"
        );
    }
}
