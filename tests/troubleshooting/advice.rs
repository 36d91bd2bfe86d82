//! Whether an error that is made says what to do.

use syn::Expr;

use crate::evaluate::{Evaluator, binds, inside};
use crate::model::{Model, Unit};

/// Functions of `CredentialsError` that make one.
const MAKERS: &[&str] = &[
    "not_configured",
    "invalid_config",
    "denied",
    "unavailable",
    "invalid_response",
    "expired",
];
/// Deeper than any text is handed from function to function.
const DEPTH: usize = 8;

/// Files and functions in which an error is made without advice.
pub(crate) fn without_advice(model: &Model, evaluator: &Evaluator<'_>) -> Vec<String> {
    let search = Search { model, evaluator };
    let made = model.calls.iter().filter(|call| {
        call.qualifier.as_deref() == Some("CredentialsError") && MAKERS.contains(&call.name.as_str())
    });
    made.filter(|call| {
        !call
            .arguments
            .iter()
            .all(|detail| search.has_advice(detail, call.unit, DEPTH))
    })
    .map(|call| model.named(call.unit))
    .collect()
}

struct Search<'s> {
    model: &'s Model,
    evaluator: &'s Evaluator<'s>,
}

impl Search<'_> {
    fn has_advice(&self, detail: &Expr, unit: usize, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else {
            return true;
        };
        match detail {
            Expr::MethodCall(call) => {
                call.method == "hint"
                    || self.has_advice(&call.receiver, unit, depth)
                    || self.is_given(&call.method.to_string(), |unit| unit.takes_self, depth)
            }
            Expr::Call(call) => {
                let Expr::Path(path) = &*call.func else {
                    return false;
                };
                let name = path.path.segments.last().map(|last| last.ident.to_string());
                self.is_given(&name.unwrap_or_default(), |unit| !unit.takes_self, depth)
            }
            Expr::Path(path) => {
                let Some(name) = path.path.get_ident() else {
                    return false;
                };
                self.is_bound_with(&name.to_string(), unit, depth)
            }
            // `self`, or a field.
            Expr::Field(_) => false,
            _ => inside(detail).is_some_and(|leaves| {
                !leaves.is_empty() && leaves.iter().all(|leaf| self.has_advice(leaf, unit, depth))
            }),
        }
    }

    /// Whether all functions of this name give it.
    fn is_given(&self, name: &str, is_meant: impl Fn(&Unit) -> bool, depth: usize) -> bool {
        let units = self.model.units.iter().enumerate();
        let mut named = units
            .filter(|(_, unit)| unit.name.as_deref() == Some(name) && is_meant(unit))
            .peekable();
        named.peek().is_some() && named.all(|(index, unit)| self.has_advice(&unit.body, index, depth))
    }

    /// Whether a variable has it: some binding of it, or what it is called with.
    fn is_bound_with(&self, name: &str, unit: usize, depth: usize) -> bool {
        for unit in self.model.around(unit) {
            let here = &self.model.units[unit];
            let mut values = here
                .bindings
                .iter()
                .filter(|binding| binds(&binding.pat, name))
                .peekable();
            if values.peek().is_some() {
                return values.any(|binding| self.has_advice(&binding.value, unit, depth));
            }
            if let Some(index) = here.parameters.iter().position(|pat| binds(pat, name)) {
                let calls = self.evaluator.calls_of(unit);
                let mut arguments = calls
                    .iter()
                    .filter_map(|call| Some((call.arguments.get(index)?, call.unit)));
                return arguments.all(|(argument, caller)| self.has_advice(argument, caller, depth));
            }
        }
        // Bound by a pattern: another error's.
        true
    }
}
