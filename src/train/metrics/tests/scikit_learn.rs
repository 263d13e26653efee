//! The figures against scikit-learn's, on inputs written out here.

use super::*;

/// Whether a figure is the expected one, or both are missing.
fn close(found: Option<f64>, expected: Option<f64>) -> bool {
    match (found, expected) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-12 * (1.0 + b.abs()),
        (a, b) => a == b,
    }
}

/// One row a case: logits `[rows, classes]`, labels, and accuracy, macro F1, log loss, AUC, average precision and confusion matrix by
/// scikit-learn 1.9.1: `accuracy_score`, `f1_score(average="macro")`, `log_loss` and `confusion_matrix` with all
/// classes as labels, of `softmax(logits)` and its argmax; `roc_auc_score` of class 1 of two, with `multi_class="ovr"`
/// of more, and where a class has no label the mean of `roc_auc_score(labels == c, p[:, c])` over the others;
/// the mean of `average_precision_score(labels == c, p[:, c])` over the classes with a label.
#[test]
fn figures_of_classes_are_those_of_scikit_learn() {
    for (
        what,
        width,
        logits,
        labels,
        [accuracy, macro_f1, log_loss],
        [auc, precision],
        confusion,
    ) in [
        (
            "three classes; two rows with equal probabilities and other labels, ties for the highest logit",
            3,
            &[
                2., 1., 0., 0., 1., 2., 3., 2., 1., -1., 0.5, 0.5, 0., 3., -2., 1., 1., 1., -0.5,
                2., 2.5, 4., -1., 0., 0.25, 0.75, 0.5, 2., 1., 0.,
            ][..],
            &[0, 2, 1, 1, 1, 2, 2, 0, 0, 1][..],
            [0.6, 0.6238095238095238, 0.7481617443551288],
            [Some(0.8095238095238096), Some(0.7685185185185185)],
            vec![vec![2, 1, 0], vec![2, 2, 0], vec![1, 0, 2]],
        ),
        (
            "four classes: one has no label, one neither label nor answer",
            4,
            &[
                2., 1., 0., 0.5, 0., 1., 2., -1., 1., 2., 0., 0., -1., 0., 1., 0.5, 1.5, 0., 1.,
                1., 2., 0., 2.25, 2.5,
            ],
            &[0, 2, 0, 2, 2, 0],
            [0.5, 0.3, 1.003363774281375],
            [Some(0.8333333333333335), Some(0.861111111111111)],
            vec![vec![1, 1, 0, 1], vec![0; 4], vec![1, 0, 2, 0], vec![0; 4]],
        ),
        (
            "all labels of one class",
            3,
            &[2., 0., 1., 0., 1., 0., 1., 0.5, 0.5],
            &[0, 0, 0],
            [2.0 / 3.0, 0.4, 0.9178091492646915],
            [None, None],
            vec![vec![2, 1, 0], vec![0; 3], vec![0; 3]],
        ),
        (
            "two classes, with ties between the labels",
            2,
            &[0., 1., 1., 0., 0.5, 0.5, 2., -1., -1., 0.25, 0., 1.],
            &[1, 0, 1, 1, 0, 0],
            [1.0 / 3.0, 1.0 / 3.0, 1.1972414460056213],
            [Some(0.2777777777777778), Some(0.4555555555555556)],
            vec![vec![1, 2], vec![2, 1]],
        ),
    ] {
        let task = Task::new("t", Loss::cross_entropy(), width);
        let found = class_scores(of(task, logits, classes(labels)).unwrap());
        let scores = &found.scores;
        assert!(close(Some(scores.accuracy), Some(accuracy)), "{what}: {scores:?}");
        assert!(close(Some(scores.macro_f1), Some(macro_f1)), "{what}: {scores:?}");
        assert!(close(scores.log_loss, Some(log_loss)), "{what}: {scores:?}");
        assert!(close(scores.auc, auc), "{what}: {scores:?}, not AUC {auc:?}");
        assert!(close(scores.average_precision, precision), "{what}: {scores:?}");
        assert_eq!(scores.confusion, confusion, "{what}");
        // Plain cross-entropy is the log loss.
        assert!(close(found.loss, Some(log_loss)), "{what}: {found:?}");
        assert!(found.columns.is_empty(), "{what}");
    }
}

/// As above, of `expit(logits)`, a column at a time.
#[test]
fn figures_of_two_values_are_those_of_scikit_learn() {
    let columns = [
        ([0.5, -1., 0.5, 2., 0.5, -3., 0., 1.5], [1., 0., 0., 1., 1., 0., 1., 0.]),
        ([1., -1., 0.25, -2., 3., -0.5, 1., -4.], [1., 1., 0., 0., 1., 0., 0., 0.]),
    ];
    let expected = [
        ClassScores {
            accuracy: 0.625,
            macro_f1: 0.6190476190476191,
            auc: Some(0.6875),
            // By hand ¼·1/1 + ²⁄₄·3/5 + ¼·4/6: three rows have the same score.
            average_precision: Some(0.7166666666666667),
            log_loss: Some(0.6006960576522444),
            unknown: 0,
            confusion: vec![vec![2, 2], vec![1, 3]],
        },
        ClassScores {
            accuracy: 0.625,
            macro_f1: 0.6190476190476191,
            auc: Some(0.7666666666666666),
            average_precision: Some(0.7222222222222222),
            log_loss: Some(0.5541833446435178),
            unknown: 0,
            confusion: vec![vec![3, 2], vec![1, 2]],
        },
    ];
    let same = |found: &ClassScores, expected: &ClassScores| {
        let figures = |it: &ClassScores| [it.accuracy, it.macro_f1, it.log_loss.unwrap()];
        let pairs = figures(found).into_iter().zip(figures(expected));
        assert!(pairs.into_iter().all(|(a, b)| close(Some(a), Some(b))), "{found:?}, {expected:?}");
        assert!(close(found.auc, expected.auc), "{found:?}, not {expected:?}");
        let [own, other] = [found, expected].map(|it| it.average_precision);
        assert!(close(own, other), "{found:?}, not {expected:?}");
        assert_eq!(found.confusion, expected.confusion);
    };
    for ((logits, labels), expected) in columns.iter().zip(&expected) {
        let found = of(Task::new("t", Loss::Bce, 1), logits, numbers(1, labels)).unwrap();
        let found = class_scores(found);
        same(&found.scores, expected);
        assert!(close(found.loss, expected.log_loss), "{found:?}");
    }
    let interleaved = |[first, second]: [&[f32; 8]; 2]| -> Vec<f32> {
        first.iter().zip(second).flat_map(|(a, b)| [*a, *b]).collect()
    };
    let [(first_logits, first_labels), (second_logits, second_labels)] = &columns;
    let logits = interleaved([first_logits, second_logits]);
    let labels = numbers(2, &interleaved([first_labels, second_labels]));
    let found = of(Task::new("t", Loss::Bce, 2), &logits, labels).unwrap();
    let found = class_scores(found);
    found.columns.iter().zip(&expected).for_each(|(found, expected)| same(found, expected));
    let together = ClassScores {
        auc: Some((0.6875 + 0.7666666666666666) / 2.0),
        average_precision: Some((0.7166666666666667 + 0.7222222222222222) / 2.0),
        log_loss: Some((0.6006960576522444 + 0.5541833446435178) / 2.0),
        unknown: 0,
        confusion: vec![vec![5, 4], vec![2, 5]],
        ..expected[0].clone()
    };
    same(&found.scores, &together);
    let only_yes = of(Task::new("t", Loss::Bce, 1), &[1., -1., 2.], numbers(1, &[1.; 3])).unwrap();
    let expected = ClassScores {
        accuracy: 2.0 / 3.0,
        macro_f1: 0.4,
        auc: None,
        average_precision: None,
        log_loss: Some(0.5844837953598061),
        unknown: 0,
        confusion: vec![vec![0, 0], vec![1, 2]],
    };
    same(&class_scores(only_yes).scores, &expected);
}

/// Logits so far apart that their probabilities are 1 in `f64`: the higher one must still rank higher.
#[test]
fn probabilities_next_to_one_keep_their_order() {
    let task = || Task::new("t", Loss::cross_entropy(), 3);
    let logits = [50., 0., 0., 60., 0., 0., 70., 0., 0.];
    let found = class_scores(of(task(), &logits, classes(&[1, 0, 0])).unwrap());
    assert_eq!(found.scores.auc, Some(1.0));
    // A class more than the logits' differences: nothing changes but the constant.
    let shifted = logits.map(|logit| logit - 64.0);
    let found_shifted = class_scores(of(task(), &shifted, classes(&[1, 0, 0])).unwrap());
    assert_eq!(found_shifted, found);
}

/// `root_mean_squared_error`, `mean_absolute_error` and `r2_score` (mean over the columns) of scikit-learn 1.9.1.
#[test]
fn figures_of_numbers_are_those_of_scikit_learn() {
    let fit = |rmse, mae, r2| Fit { rmse, mae, r2 };
    for (what, width, predictions, labels, expected) in [
        (
            "a good fit",
            1,
            &[2.5, 0., 2., 8., -1.25][..],
            &[3., -0.5, 2., 7., -1.][..],
            fit(0.5590169943749475, 0.45, Some(0.9620752427184466)),
        ),
        (
            "worse than the mean",
            1,
            &[1., 1., 1.],
            &[5., 4., 7.5],
            fit(4.73462423711393, 4.5, Some(-9.346153846153847)),
        ),
        (
            "far from 0",
            1,
            &[100.5, 99., 101.25],
            &[100., 99.5, 102.],
            fit(0.5951190357119042, 0.5833333333333334, Some(0.6964285714285714)),
        ),
        (
            "two columns",
            2,
            &[2.5, 1., 0., 1., 2., 1.],
            &[3., 5., -0.5, 4., 2., 7.5],
            // The last is the square root of mean_squared_error, which is what rmse is over several columns.
            fit(3.3603075256093256, 2.4166666666666665, Some(-4.211538461538462)),
        ),
        (
            "constant labels have no variance to explain: 0.1 + 0.1 + 0.1 is not 3 x 0.1",
            1,
            &[0.25, 0.25, 0.25],
            &[0.1, 0.1, 0.1],
            fit(0.25 - f64::from(0.1_f32), 0.25 - f64::from(0.1_f32), None),
        ),
        ("a single label", 1, &[1.], &[3.], fit(2.0, 2.0, None)),
        (
            "two columns, one of them constant",
            2,
            &[1., 1., 2., 2.],
            &[1., 3., 3., 3.],
            fit(1.5_f64.sqrt(), 1.0, Some(0.5)),
        ),
    ] {
        let task = Task::new("t", Loss::Huber { delta: 0.5 }, width);
        let found = fits(of(task, predictions, numbers(width, labels)).unwrap());
        assert!(close(Some(found.fit.rmse), Some(expected.rmse)), "{what}: {found:?}");
        assert!(close(Some(found.fit.mae), Some(expected.mae)), "{what}: {found:?}");
        assert!(close(found.fit.r2, expected.r2), "{what}: {found:?}");
        assert_eq!(found.columns.len(), if width == 1 { 0 } else { width }, "{what}");
    }
}
