//! The heads' keys in the state dictionary: the tasks' names, changed where PyTorch's `nn.ModuleDict` cannot hold them.
//!
//! A `ModuleDict` refuses names with a dot, which separates modules, and names that are attributes of its own, such as
//! `type` or `values`. A file under names that it cannot hold would never load with `strict=True`, so the keys are made here
//! by a rule that tests/check_pytorch.py follows in Python.

use super::Network;
use std::collections::{HashMap, HashSet};

/// The public attributes of an `nn.ModuleDict` of PyTorch 2.15 (`dir(nn.ModuleDict())`), sorted.
const ATTRIBUTES: [&str; 60] = [
    "T_destination",
    "add_module",
    "apply",
    "bfloat16",
    "buffers",
    "call_super_init",
    "children",
    "clear",
    "compile",
    "cpu",
    "cuda",
    "double",
    "dump_patches",
    "eval",
    "extra_repr",
    "float",
    "forward",
    "get_buffer",
    "get_extra_state",
    "get_parameter",
    "get_submodule",
    "half",
    "ipu",
    "items",
    "keys",
    "load_state_dict",
    "modules",
    "mtia",
    "named_buffers",
    "named_children",
    "named_modules",
    "named_parameters",
    "parameters",
    "pop",
    "register_backward_hook",
    "register_buffer",
    "register_forward_hook",
    "register_forward_pre_hook",
    "register_full_backward_hook",
    "register_full_backward_pre_hook",
    "register_load_state_dict_post_hook",
    "register_load_state_dict_pre_hook",
    "register_module",
    "register_parameter",
    "register_state_dict_post_hook",
    "register_state_dict_pre_hook",
    "requires_grad_",
    "set_extra_state",
    "set_submodule",
    "share_memory",
    "state_dict",
    "to",
    "to_empty",
    "train",
    "training",
    "type",
    "update",
    "values",
    "xpu",
    "zero_grad",
];

impl Network {
    /// The key of each task's head in the state dictionary, where its tensors are `heads.<key>.weight` and
    /// `heads.<key>.bias`: the task's name, where PyTorch's `nn.ModuleDict` can hold it and it does not begin with `_`, as
    /// PyTorch's private attributes do.
    ///
    /// In other names every dot becomes `_`. Then one that begins with `_` gets `task` before it, and one that is an
    /// attribute of `nn.ModuleDict` gets `_` after it. Where another head has that key already, it ends in `_2`, `_3`, … in
    /// the order of the tasks; a name that needs no change keeps it.
    ///
    /// ```
    /// use awl::{Activation, Loss, Network, Task};
    /// let tasks = ["price", "Petal.Width", "type"].map(|name| Task::new(name, Loss::Mse, 1));
    /// let network = Network::new(4, &[8], Activation::Relu, &tasks)?;
    /// assert_eq!(network.head_keys(), ["price", "Petal_Width", "type_"]);
    /// # Ok::<(), awl::Error>(())
    /// ```
    pub fn head_keys(&self) -> Vec<String> {
        let names = || self.tasks.iter().map(|task| task.name.as_str());
        let mut taken: HashSet<String> =
            names().filter(|name| holdable(name) == *name).map(String::from).collect();
        // Of each key the number to be tried next: those before it are taken.
        let mut next: HashMap<String, usize> = HashMap::new();
        let key = |name: &str| {
            let key = holdable(name);
            if key == name {
                return key;
            }
            let number = next.entry(key.clone()).or_insert(1);
            loop {
                let numbered = match *number {
                    1 => key.clone(),
                    number => format!("{key}_{number}"),
                };
                *number += 1;
                if taken.insert(numbered.clone()) {
                    return numbered;
                }
            }
        };
        names().map(key).collect()
    }
}

/// The name as a `ModuleDict` can hold it.
fn holdable(name: &str) -> String {
    let name = name.replace('.', "_");
    if name.starts_with('_') {
        format!("task{name}")
    } else if ATTRIBUTES.binary_search(&name.as_str()).is_ok() {
        format!("{name}_")
    } else {
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, Loss, Task};

    #[test]
    fn every_head_has_a_key_of_its_own_that_a_module_dict_can_hold() {
        assert!(ATTRIBUTES.is_sorted());
        for (names, keys) in [
            (
                &["price", "size of it", "größe", "a/b"][..],
                &["price", "size of it", "größe", "a/b"][..],
            ),
            (&["Petal.Width", "Petal.Length"], &["Petal_Width", "Petal_Length"]),
            (&["type", "values", "training", "Type"], &["type_", "values_", "training_", "Type"]),
            (&["_modules", "__init__", ".x"], &["task_modules", "task__init__", "task_x"]),
            (&["requires_grad."], &["requires_grad__"]),
            // What stands as it is has its key, wherever it comes.
            (&["a.b", "a_b"], &["a_b_2", "a_b"]),
            (&["a_b", "a.b"], &["a_b", "a_b_2"]),
            (&["type", "type_", "type."], &["type__2", "type_", "type__3"]),
            (&["a.b.c", "a_b.c", "a.b_c", "a_b_c_2"], &["a_b_c", "a_b_c_3", "a_b_c_4", "a_b_c_2"]),
            (&["_x", ".x", "task_x"], &["task_x_2", "task_x_3", "task_x"]),
        ] {
            let tasks: Vec<Task> =
                names.iter().map(|&name| Task::new(name, Loss::Mse, 1)).collect();
            let network = Network::new(2, &[], Activation::Relu, &tasks).unwrap();
            assert_eq!(network.head_keys(), keys, "{names:?}");
        }
    }
}
