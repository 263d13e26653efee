//! How a task is written on the command line.

use super::config::Task;
use awl::Loss;
use awl::tables::{Transform, name_list};

/// A task as the flag writes it: `COLUMN`, `COLUMN:LOSS`, `COLUMN:LOSS:TRANSFORM` or `NAME=COLUMN,COLUMN:LOSS`.
///
/// A text that is a column's name as it stands is that column, whatever signs are in it.
pub fn task(text: &str, columns: &[String]) -> Result<Task, String> {
    let is_column = |name: &str| columns.iter().any(|column| column == name);
    let mut task = Task {
        name: None,
        columns: vec![text.into()],
        loss: None,
        delta: None,
        quantile: None,
        beta: None,
        transform: None,
        label_smoothing: None,
        class_weights: None,
        threshold: None,
        weight: None,
    };
    if is_column(text) {
        return Ok(task);
    }
    let mut rest = text;
    if let Some((before, last)) = rest.rsplit_once(':') {
        let (before, last) = (before, last.trim());
        // With a loss before it, as in price:mse:log: quantile is the name of both.
        let loss = before.rsplit_once(':').map(|(before, loss)| (before, loss.trim()));
        let loss = loss.filter(|(_, loss)| !is_column(before) && loss.parse::<Loss>().is_ok());
        match (loss, last.parse::<Transform>()) {
            (Some((before, loss)), transform) => {
                task.transform =
                    Some(transform.map_err(|error| format!("--task {text}: {error}"))?);
                task.loss = Some(loss.into());
                rest = before;
            }
            (None, Ok(Transform::Log | Transform::Log1p)) => {
                return Err(format!(
                    "--task {text}: {last} is a transform: name the loss before it, as in {before}:mse:{last}"
                ));
            }
            (None, _) => {
                task.loss = Some(last.into());
                rest = before;
            }
        }
    }
    if !is_column(rest)
        && let Some((name, after)) = rest.split_once('=')
    {
        task.name = Some(name.trim().into());
        rest = after;
    }
    let shape = || {
        format!(
            "--task {text}: write COLUMN, COLUMN:LOSS, COLUMN:LOSS:TRANSFORM or NAME=COLUMN,COLUMN:LOSS"
        )
    };
    if rest.trim().is_empty() || rest.trim().ends_with(',') || task.name.as_deref() == Some("") {
        return Err(shape());
    }
    let named = name_list(rest, columns);
    task.columns = match (&task.name, named) {
        (Some(_), named) => named?,
        // One column, also where its name is written in another form of Unicode.
        (None, Ok(named)) if named.len() == 1 => named,
        (None, Ok(_)) => {
            return Err(format!("--task {text}: name a task of several columns: NAME={text}"));
        }
        // Whoever looks for the column has the words.
        (None, Err(_)) => vec![rest.trim().into()],
    };
    Ok(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Option<String>, Vec<String>, Option<String>) {
        let columns = ["price", "a:b", "x=y", "u,v"].map(String::from);
        let task = task(text, &columns).expect("a task");
        (task.name, task.columns, task.loss)
    }

    #[test]
    fn a_task_is_a_column_with_or_without_a_loss_or_a_name_with_columns() {
        let case = |name: Option<&str>, columns: &[&str], loss: Option<&str>| {
            (
                name.map(Into::into),
                columns.iter().map(|&c| c.into()).collect(),
                loss.map(Into::into),
            )
        };
        assert_eq!(parsed("price"), case(None, &["price"], None));
        assert_eq!(parsed("price:mae"), case(None, &["price"], Some("mae")));
        assert_eq!(parsed("at=price,x=y:mse"), case(Some("at"), &["price", "x=y"], Some("mse")));
        assert_eq!(parsed("at=u,v,price"), case(Some("at"), &["u,v", "price"], None));
        assert_eq!(parsed("prise:mse"), case(None, &["prise"], Some("mse")));
        assert_eq!(parsed("cost=price"), case(Some("cost"), &["price"], None));
        // Columns with such signs in their names.
        assert_eq!(parsed("a:b"), case(None, &["a:b"], None));
        assert_eq!(parsed("a:b:bce"), case(None, &["a:b"], Some("bce")));
        assert_eq!(parsed("x=y:mse"), case(None, &["x=y"], Some("mse")));
        assert_eq!(parsed("w=u,v"), case(Some("w"), &["u,v"], None));
        assert!(
            task("", &[]).is_err() && task("=a", &[]).is_err() && task("a=b,:mse", &[]).is_err()
        );
        let several = task("price,u,v", &["price", "u,v"].map(String::from)).unwrap_err();
        assert!(several.contains("name a task of several columns"), "{several}");
    }
}
