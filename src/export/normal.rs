//! The inverse of the normal distribution in the operators of ONNX, which has none of its own: Wichura's algorithm AS 241 (*Applied
//! Statistics* 37, 1988), `PPND16`, good to 16 digits. Its third range, of ranks nearer to 0 or 1 than e⁻²⁵, is not met here.

use super::graph::{Graph, Kind};
use crate::error::Result;
use crate::tables::OUTERMOST;

/// Ranks no further than this from the middle are of the first range.
const MIDDLE: f64 = 0.425;

/// The coefficients of numerator and denominator in the first range, from that of the highest power.
const CENTRAL: [[f64; 8]; 2] = [
    [
        2.509_080_928_730_122_6e3,
        3.343_057_558_358_813e4,
        6.726_577_092_700_87e4,
        4.592_195_393_154_987e4,
        1.373_169_376_550_946e4,
        1.971_590_950_306_551_4e3,
        1.331_416_678_917_843_8e2,
        3.387_132_872_796_366_6,
    ],
    [
        5.226_495_278_852_854e3,
        2.872_908_573_572_194_3e4,
        3.930_789_580_009_271e4,
        2.121_379_430_158_659_7e4,
        5.394_196_021_424_751e3,
        6.871_870_074_920_579e2,
        4.231_333_070_160_091e1,
        1.0,
    ],
];

/// The same in the second.
const TAIL: [[f64; 8]; 2] = [
    [
        7.745_450_142_783_414e-4,
        2.272_384_498_926_918_4e-2,
        2.417_807_251_774_506e-1,
        1.270_458_252_452_368_4,
        3.647_848_324_763_204_5,
        5.769_497_221_460_691,
        4.630_337_846_156_546,
        1.423_437_110_749_683_5,
    ],
    [
        1.050_750_071_644_416_9e-9,
        5.475_938_084_995_345e-4,
        1.519_866_656_361_645_7e-2,
        1.481_039_764_274_800_8e-1,
        6.897_673_349_851e-1,
        1.676_384_830_183_803_8,
        2.053_191_626_637_759,
        1.0,
    ],
];

/// The normal scores of ranks, both of shape `[rows, columns]`: `double` in, `float` out.
pub(super) fn scores(graph: &mut Graph, ranks: &str) -> Result<String> {
    let mut on = Scores { graph };
    let (low, high) = (on.number("low", OUTERMOST)?, on.number("high", 1.0 - OUTERMOST)?);
    let rank = on.node("Clip", &[ranks, &low, &high], "rank")?;
    let half = on.number("half", 0.5)?;
    // q, from −0.5 to 0.5.
    let q = on.node("Sub", &[&rank, &half], "q")?;

    let square = on.node("Mul", &[&q, &q], "square")?;
    let middle = on.number("middle", MIDDLE * MIDDLE)?;
    let r = on.node("Sub", &[&middle, &square], "central/r")?;
    let ratio = on.ratio("central", &CENTRAL, &r)?;
    let central = on.node("Mul", &[&q, &ratio], "central/score")?;
    let central = on.graph.cast(&central, Kind::Float, "/scores/central")?;

    let distance = on.node("Abs", &[&q], "distance")?;
    let outside = on.node("Sub", &[&half, &distance], "outside")?;
    let logarithm = on.node("Log", &[&outside], "logarithm")?;
    let negated = on.node("Neg", &[&logarithm], "negated")?;
    let root = on.node("Sqrt", &[&negated], "root")?;
    let shift = on.number("shift", 1.6)?;
    let r = on.node("Sub", &[&root, &shift], "tail/r")?;
    let ratio = on.ratio("tail", &TAIL, &r)?;
    let sign = on.node("Sign", &[&q], "sign")?;
    let tail = on.node("Mul", &[&sign, &ratio], "tail/score")?;
    let tail = on.graph.cast(&tail, Kind::Float, "/scores/tail")?;

    let edge = on.number("edge", MIDDLE)?;
    let is_tail = on.node("Greater", &[&distance, &edge], "is_tail")?;
    on.graph.node("Where", &[&is_tail, &tail, &central], "/scores", vec![])
}

/// Makes values of `double` under `/scores/`.
struct Scores<'a> {
    graph: &'a mut Graph,
}

impl Scores<'_> {
    fn number(&mut self, name: &str, value: f64) -> Result<String> {
        self.graph.tensor(&format!("/scores/{name}"), &[], &[value])
    }

    fn node(&mut self, operator: &str, inputs: &[&str], name: &str) -> Result<String> {
        self.graph.node(operator, inputs, &format!("/scores/{name}"), vec![])
    }

    /// A quotient of two polynomials in `r`.
    fn ratio(&mut self, range: &str, coefficients: &[[f64; 8]; 2], r: &str) -> Result<String> {
        let above = self.polynomial(&format!("{range}/above"), &coefficients[0], r)?;
        let below = self.polynomial(&format!("{range}/below"), &coefficients[1], r)?;
        self.node("Div", &[&above, &below], &format!("{range}/ratio"))
    }

    /// By Horner's rule.
    fn polynomial(&mut self, name: &str, coefficients: &[f64; 8], r: &str) -> Result<String> {
        let mut sum = self.number(&format!("{name}.7"), coefficients[0])?;
        for (power, &coefficient) in (0..7).rev().zip(&coefficients[1..]) {
            let product = self.node("Mul", &[&sum, r], &format!("{name}.{power}.product"))?;
            let coefficient = self.number(&format!("{name}.{power}"), coefficient)?;
            sum = self.node("Add", &[&product, &coefficient], &format!("{name}.{power}.sum"))?;
        }
        Ok(sum)
    }
}
