//! Faults on purpose: what a program makes of them is seen before they come by themselves.
//!
//! `AWL_DRILL=lose-device@120` loses the device when step 120 is submitted, `fail-readback@120` has its records not come back, and
//! `out-of-memory@120` takes all the memory that the device gives. Each is the thing itself: the device is destroyed, or the buffer
//! of the records, or buffers are made until one is refused. Devices of your own ([`Gpu::from_device`]) are left alone.

use super::Gpu;
use crate::error::{Error, Result};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};

/// A fault to come.
pub(super) struct Drill {
    fault: Fault,
    step: u64,
    /// Whether the next records are not to come back.
    fails_readback: AtomicBool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    LoseDevice,
    FailReadback,
    OutOfMemory,
}

const VARIABLE: &str = "AWL_DRILL";
const FAULTS: [(&str, Fault); 3] = [
    ("lose-device", Fault::LoseDevice),
    ("fail-readback", Fault::FailReadback),
    ("out-of-memory", Fault::OutOfMemory),
];

/// Buffers of the largest size that are asked for until one must have been refused.
const MOST_BUFFERS: usize = 1 << 16;

impl Drill {
    /// What the environment asks for.
    pub(super) fn asked() -> Result<Option<Self>> {
        std::env::var(VARIABLE).ok().map(|text| Self::read(&text)).transpose()
    }

    fn read(text: &str) -> Result<Self> {
        let parts = text.split_once('@');
        let fault =
            parts.and_then(|(name, _)| FAULTS.iter().find(|it| it.0 == name)).map(|it| it.1);
        let step = parts.and_then(|(_, step)| step.parse().ok()).filter(|step| *step > 0);
        let (Some(fault), Some(step)) = (fault, step) else {
            let names = FAULTS.map(|(name, _)| format!("{name}@STEP")).join(", ");
            return Err(Error::invalid(
                format!("{VARIABLE}={text} is no drill"),
                format!("give one of {names}, with the number of a step from 1, or unset it"),
            ));
        };
        Ok(Self { fault, step, fails_readback: AtomicBool::new(false) })
    }
}

impl Gpu {
    /// Brings about the fault that is to come at one of these steps.
    pub(crate) fn drill(&self, steps: RangeInclusive<u64>) -> Result<()> {
        let Some(drill) = self.inner.drill.as_ref().filter(|it| steps.contains(&it.step)) else {
            return Ok(());
        };
        match drill.fault {
            Fault::LoseDevice => self.device().destroy(),
            Fault::FailReadback => drill.fails_readback.store(true, Ordering::Relaxed),
            Fault::OutOfMemory => self.exhaust()?,
        }
        Ok(())
    }

    /// Whether the records that are waited for are not to come back.
    pub(super) fn readback_is_to_fail(&self) -> bool {
        let drill = self.inner.drill.as_ref();
        drill.is_some_and(|it| it.fails_readback.swap(false, Ordering::Relaxed))
    }

    /// Makes buffers until the device refuses one; all go again.
    fn exhaust(&self) -> Result<()> {
        let size = self.device().limits().max_buffer_size;
        let mut held = Vec::new();
        while self.check().is_ok() {
            if held.len() == MOST_BUFFERS {
                return Err(Error::invalid(
                    format!("{VARIABLE}: the device gave {MOST_BUFFERS} buffers of {size} bytes"),
                    "have another fault there, for it runs out of memory only when it is written to",
                ));
            }
            held.push(self.device().create_buffer(&wgpu::BufferDescriptor {
                label: Some("a drill"),
                size,
                usage: wgpu::BufferUsages::STORAGE,
                mapped_at_creation: false,
            }));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drill_is_a_fault_and_a_step() {
        let read = Drill::read("fail-readback@120").expect("a drill");
        assert_eq!((read.fault, read.step), (Fault::FailReadback, 120));
        for text in ["", "lose-device", "lose-device@", "lose-device@0", "lose-device@x", "rain@3"]
        {
            let error = Drill::read(text).map(|_| ()).expect_err(text).to_string();
            assert!(
                error.contains("AWL_DRILL=") && error.contains("out-of-memory@STEP"),
                "{error}"
            );
        }
    }
}
