//! What several networks say of classes.

/// What several networks say of the class of one row.
#[derive(Clone, Debug, PartialEq)]
pub struct OfClasses {
    /// The mean probability of every class.
    pub probabilities: Vec<f64>,
    /// The entropy of the mean probabilities, in nats: from 0, sure, to the logarithm of the number of classes.
    pub entropy: f64,
    /// The mutual information between the class and the network that is asked, in nats: the entropy of the mean probabilities less the
    /// mean entropy. 0 where the networks agree.
    pub mutual_information: f64,
}

impl OfClasses {
    /// Of the logarithms of the classes' probabilities, one list a network, one network at least.
    pub fn new(log_probabilities: &[Vec<f64>]) -> Self {
        let networks = log_probabilities.len().max(1) as f64;
        let classes = log_probabilities.first().map_or(0, Vec::len);
        let mean = |class: usize| {
            log_probabilities.iter().map(|it| it[class].exp()).sum::<f64>() / networks
        };
        let probabilities: Vec<f64> = (0..classes).map(mean).collect();
        let of_class = |&p: &f64| if p > 0.0 { -p * p.ln() } else { 0.0 };
        let entropy: f64 = probabilities.iter().map(of_class).sum();
        let own = log_probabilities.iter().map(|it| it.iter().map(entropy_term).sum::<f64>());
        let mean_entropy = own.sum::<f64>() / networks;
        // Of equal networks rounding may leave less than nothing.
        let mutual_information = match log_probabilities {
            [_] => 0.0,
            _ => (entropy - mean_entropy).max(0.0),
        };
        Self { probabilities, entropy: entropy.max(0.0), mutual_information }
    }
}

/// `−p ln p` of a logarithm of a probability.
fn entropy_term(log: &f64) -> f64 {
    match log.exp() {
        0.0 => 0.0,
        probability => -probability * log,
    }
}

/// The logarithms of the softmax of logits.
pub(super) fn log_softmax(logits: &[f32]) -> Vec<f64> {
    let logits = logits.iter().map(|&logit| f64::from(logit));
    let largest = logits.clone().fold(f64::NEG_INFINITY, f64::max);
    let normaliser = largest + logits.clone().map(|it| (it - largest).exp()).sum::<f64>().ln();
    logits.map(|logit| logit - normaliser).collect()
}

/// The logarithms of the probabilities of no and yes by the logit of yes.
pub(super) fn log_sigmoid(logit: f32) -> Vec<f64> {
    log_softmax(&[0.0, logit])
}
