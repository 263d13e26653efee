//! Tests: kernels that count the rounds of their loops, by what is put into every loop of their text. What they count is held
//! against what was said of every dispatch (`rounds.rs`).

use super::shaders::{Access, Source};
use super::{Buffer, Gpu};
use crate::error::Result;
use std::collections::HashMap;
use std::fmt::Write;

/// A kernel's bindings, and one more where it counts.
pub(super) fn bindings(bindings: &[Access], counts: bool) -> Vec<Access> {
    let counter = counts.then_some(Access::Write);
    bindings.iter().copied().chain(counter).collect()
}

/// Where a dispatch counts: the most rounds of an invocation.
pub(super) fn counter(gpu: &Gpu) -> Result<Buffer<u32>> {
    Buffer::zeros(gpu, "most rounds", 1)
}

/// The buffers of a dispatch, and its counter behind them.
pub(super) fn with<'a>(
    buffers: &[wgpu::BindingResource<'a>],
    counter: Option<&'a Buffer<u32>>,
) -> Vec<wgpu::BindingResource<'a>> {
    buffers.iter().cloned().chain(counter.map(Buffer::binding)).collect()
}

/// The text of a kernel that counts as llvmpipe does: every time that a loop's condition is asked, by which it ends too; and
/// at every branch the loops on the side that is not taken, which go round once. Loops of vector kernels with constant
/// bounds are unrolled, and are not counted.
pub(super) fn text(source: &Source, text: &str) -> String {
    let mut counted = format!(
        "@group(0) @binding({}) var<storage, read_write> most_rounds: atomic<u32>;
        var<private> rounds_made: u32;
        fn rounds(count: u32, goes_on: bool) -> bool {{
            rounds_made += count;
            atomicMax(&most_rounds, rounds_made);
            return goes_on;
        }}
        fn sides(own: u32, other: u32, takes_own: bool) -> bool {{
            return rounds(select(own, other, takes_own), takes_own);
        }}\n",
        source.bindings.len()
    );
    let lines: Vec<&str> = text.lines().map(code).collect();
    let loops = Loops::new(&lines, source.vector);
    for (number, line) in lines.iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = match header(line, source.vector) {
            Header::For(first, condition, next) => {
                writeln!(counted, "for {first}; rounds(1u, {condition}); {next}")
            }
            Header::While(condition) => writeln!(counted, "while rounds(1u, {condition}) {{"),
            Header::Loop => writeln!(counted, "loop {{ _ = rounds(1u, true);"),
            Header::If(before, condition, after) => {
                let [own, other] = loops.on_sides(&lines[number..]);
                writeln!(counted, "{before}sides({own}u, {other}u, {condition}) {{{after}")
            }
            Header::None => writeln!(counted, "{line}"),
        };
    }
    counted
}

/// A line without its comment and indentation.
fn code(line: &str) -> &str {
    line.split("//").next().unwrap_or_default().trim()
}

/// What a line begins.
enum Header<'a> {
    For(&'a str, &'a str, &'a str),
    While(&'a str),
    Loop,
    If(&'a str, &'a str, &'a str),
    None,
}

fn header(line: &str, unrolls: bool) -> Header<'_> {
    match line.split_once(' ') {
        Some(("for", rest)) => {
            let parts: Vec<&str> = rest.splitn(3, "; ").collect();
            let [first, condition, next] = parts[..] else { panic!("no loop: {line}") };
            match unrolls && is_constant(first) && is_constant(condition) {
                true => Header::None,
                false => Header::For(first, condition, next),
            }
        }
        Some(("while", rest)) => {
            Header::While(rest.strip_suffix(" {").expect("a condition on one line"))
        }
        Some(("loop", "{")) => Header::Loop,
        _ if line.starts_with("if ") || line.starts_with("} else if ") => {
            let at = line.find("if ").map_or(0, |at| at + 3);
            let (condition, after) = line[at..].split_once(" {").expect("a condition on one line");
            Header::If(&line[..at], condition, after)
        }
        _ => {
            let is_loop = |word: &str| ["for", "while", "loop"].contains(&word);
            assert!(!words(line).any(is_loop), "a loop within a line: {line}");
            Header::None
        }
    }
}

/// Whether what stands to the right of `=` or of a comparison names no variable.
fn is_constant(part: &str) -> bool {
    let bound = part.split(['=', '<', '>']).next_back().unwrap_or_default();
    let is_variable = |word: &str| word.starts_with(|c: char| c.is_lowercase());
    !words(bound).any(is_variable)
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

/// How many loops every function has, those of the functions that it calls among them.
struct Loops<'a> {
    of: HashMap<&'a str, usize>,
    unrolls: bool,
}

impl<'a> Loops<'a> {
    fn new(lines: &[&'a str], unrolls: bool) -> Self {
        let mut loops = Self { of: HashMap::new(), unrolls };
        let starts = || {
            let line = lines.iter().enumerate();
            line.filter_map(|(at, line)| Some((line.strip_prefix("fn ")?.split_once('(')?.0, at)))
        };
        // Callers after those that they call, however deep: WGSL has no recursion.
        for _ in 0..12 {
            for (name, at) in starts() {
                let count = loops.on_sides(&lines[at..]).iter().sum();
                loops.of.insert(name, count);
            }
        }
        loops
    }

    /// Loops in the block that begins with the first of these lines, and in the other blocks of its chain of `else`.
    fn on_sides(&self, lines: &[&str]) -> [usize; 2] {
        let (mut depth, mut counts, mut side, mut has_begun) = (0, [0, 0], 0, false);
        for (number, line) in lines.iter().enumerate() {
            // The first line of a chain's later part closes what it does not open.
            let line = if number == 0 { line.trim_start_matches("} else ") } else { line };
            if line.starts_with('}') && depth == 1 {
                side = 1;
            }
            let kind = header(line, self.unrolls);
            counts[side] +=
                usize::from(matches!(kind, Header::For(..) | Header::While(_) | Header::Loop));
            if !line.starts_with("fn ") {
                counts[side] += self.called(line);
            }
            let brackets = |bracket: char| line.matches(bracket).count() as i32;
            depth += brackets('{') - brackets('}');
            has_begun |= line.contains('{');
            if has_begun && depth <= 0 {
                break;
            }
        }
        counts
    }

    /// Loops of the functions that a line calls.
    fn called(&self, line: &str) -> usize {
        let names = line.split('(').filter_map(|before| words(before).last());
        names.filter_map(|name| self.of.get(name)).sum()
    }
}
