//! Which texts an expression may be. Order of execution and conditions do not count, and what is only known when the
//! program runs is `…`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use syn::{Expr, Lit, Pat};

use crate::format::{Piece, pieces};
use crate::model::{Call, Location, Model, Unit, arguments, named};

/// Alternatives.
pub(crate) type Texts = BTreeSet<String>;

pub(crate) const ANYTHING: &str = "…";
/// More alternatives are taken for anything.
const MOST: usize = 400;

/// As for words, which are names of fields and the like.
const MOST_NAMES: usize = 8;

pub(crate) struct Evaluator<'m> {
    model: &'m Model,
    /// What a `BodyDefect` may say: the end of a sentence, where `{defect}` stands.
    defects: Texts,
    /// What a parameter is, in place of what the calls within the crate say.
    given: Option<(usize, String, Texts)>,
    /// Names of parameters and functions that are being looked at.
    open: RefCell<Vec<(usize, String)>>,
    /// Which binding of a name is being looked at.
    binding: RefCell<BTreeMap<(usize, String), usize>>,
    /// Names that such a binding uses itself.
    used: RefCell<BTreeSet<(usize, String)>>,
    /// Literals that have been reached.
    reached: RefCell<BTreeSet<Location>>,
    /// What a field may be that may also be anything.
    among_others: RefCell<Texts>,
}

fn anything() -> Texts {
    Texts::from([ANYTHING.to_owned()])
}

fn at_most(texts: Texts) -> Texts {
    let are_names = texts.len() > MOST_NAMES && texts.iter().all(|text| !text.contains(' '));
    if are_names || texts.len() > MOST {
        anything()
    } else {
        texts
    }
}

impl<'m> Evaluator<'m> {
    pub(crate) fn new(model: &'m Model, defects: Texts) -> Self {
        Self {
            model,
            defects,
            given: None,
            open: RefCell::default(),
            binding: RefCell::default(),
            used: RefCell::default(),
            reached: RefCell::default(),
            among_others: RefCell::default(),
        }
    }

    pub(crate) fn with_parameter(mut self, unit: usize, name: &str, texts: Texts) -> Self {
        self.given = Some((unit, name.to_owned(), texts));
        self
    }

    pub(crate) fn is_reached(&self, location: &Location) -> bool {
        self.reached.borrow().contains(location)
    }

    /// What may stand in a text where that is `…`, since it may be anything there.
    pub(crate) fn among_others(&self) -> Texts {
        self.among_others.borrow().clone()
    }

    pub(crate) fn texts(&self, expr: &Expr, unit: usize) -> Texts {
        at_most(self.any_texts(expr, unit))
    }

    fn any_texts(&self, expr: &Expr, unit: usize) -> Texts {
        match expr {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => {
                    let location = self.model.location(self.model.units[unit].file, text);
                    self.reached.borrow_mut().insert(location);
                    Texts::from([text.value()])
                }
                Lit::Int(number) => Texts::from([number.base10_digits().to_owned()]),
                _ => anything(),
            },
            Expr::Macro(call) => self.macro_texts(&call.mac, unit),
            Expr::Path(path) => match path.path.segments.last() {
                Some(name) => self.variable(&name.ident.to_string(), unit),
                None => anything(),
            },
            Expr::Field(field) => match &field.member {
                syn::Member::Named(name) => {
                    let is_self = matches!(&*field.base, Expr::Path(path) if path.path.is_ident("self"));
                    let owner = self.model.units[unit].owner.as_deref().filter(|_| is_self);
                    self.field(owner.unwrap_or_default(), &name.to_string())
                }
                syn::Member::Unnamed(_) => anything(),
            },
            Expr::MethodCall(call) => self.method(call, unit),
            Expr::Call(call) => self.call(call, unit),
            // Advice that depends on what failed.
            Expr::Closure(closure) => self.texts(&closure.body, unit),
            _ => match inside(expr) {
                Some(leaves) => leaves
                    .into_iter()
                    .flat_map(|leaf| self.texts(leaf, unit))
                    .collect(),
                None => anything(),
            },
        }
    }

    pub(crate) fn variable(&self, name: &str, unit: usize) -> Texts {
        let unknown = || {
            if name == "defect" {
                self.defects.clone()
            } else {
                anything()
            }
        };
        for unit in self.model.around(unit) {
            let here = &self.model.units[unit];
            if let Some(texts) = self.bindings(name, unit) {
                return texts;
            }
            let Some(index) = here.parameters.iter().position(|pat| binds(pat, name)) else {
                continue;
            };
            if let Some((given, parameter, texts)) = &self.given
                && (*given, parameter.as_str()) == (unit, name)
            {
                return texts.clone();
            }
            let arguments: Vec<_> = if let Some(fails) = &here.fails {
                self.failures(fails, unit)
            } else {
                let calls = self.calls_of(unit).into_iter();
                calls
                    .filter_map(|call| Some((call.arguments.get(index)?.clone(), call.unit)))
                    .collect()
            };
            if arguments.is_empty() {
                return unknown();
            }
            let mut texts = Texts::new();
            self.once(unit, name, || {
                for (argument, caller) in &arguments {
                    texts.extend(self.bound(&here.parameters[index], argument, name, *caller));
                }
            });
            return at_most(texts);
        }
        let file = self.model.units[unit].file;
        let constants = || {
            self.model
                .constants
                .iter()
                .filter(|(_, constant, _)| constant == name)
        };
        let constant = constants()
            .find(|(at, ..)| *at == file)
            .or_else(|| constants().next());
        match constant {
            Some((at, _, value)) => {
                let unit = self.model.units.iter().position(|unit| unit.file == *at);
                unit.map_or_else(anything, |unit| self.texts(value, unit))
            }
            None => unknown(),
        }
    }

    /// What a name is that is bound in this function. A binding sees those before it; one that uses the name takes
    /// the place of those.
    fn bindings(&self, name: &str, unit: usize) -> Option<Texts> {
        let key = (unit, name.to_owned());
        let before = self.binding.borrow().get(&key).copied();
        if before.is_some() {
            self.used.borrow_mut().insert(key.clone());
        }
        let mut found: Option<Texts> = None;
        let bindings = &self.model.units[unit].bindings;
        for (index, binding) in bindings.iter().enumerate().take(before.unwrap_or(bindings.len())) {
            if !binds(&binding.pat, name) {
                continue;
            }
            let outer = self.binding.borrow_mut().insert(key.clone(), index);
            let outer_used = self.used.borrow_mut().remove(&key);
            let texts = self.bound(&binding.pat, &binding.value, name, unit);
            let takes_the_place = self.used.borrow_mut().remove(&key) && !binding.is_assignment;
            match outer {
                Some(outer) => self.binding.borrow_mut().insert(key.clone(), outer),
                None => self.binding.borrow_mut().remove(&key),
            };
            if outer_used {
                self.used.borrow_mut().insert(key.clone());
            }
            let found = found.get_or_insert_default();
            if takes_the_place {
                found.clear();
            }
            found.extend(texts);
        }
        found.or_else(|| before.map(|_| Texts::new()))
    }

    /// Does it, unless it is being done: a text that holds itself has no other parts than those found once.
    fn once(&self, unit: usize, name: &str, work: impl FnOnce()) {
        let key = (unit, name.to_owned());
        if self.open.borrow().contains(&key) {
            return;
        }
        self.open.borrow_mut().push(key);
        work();
        self.open.borrow_mut().pop();
    }

    /// What the name is in a pattern that holds it.
    fn bound(&self, pat: &Pat, value: &Expr, name: &str, unit: usize) -> Texts {
        let tuple = match pat {
            Pat::Tuple(tuple) => tuple,
            Pat::Type(pat) => return self.bound(&pat.pat, value, name, unit),
            _ => return self.texts(value, unit),
        };
        let index = tuple.elems.iter().position(|pat| binds(pat, name));
        let Some(index) = index else { return anything() };
        let mut leaves = vec![value];
        let mut texts = Texts::new();
        while let Some(leaf) = leaves.pop() {
            match leaf {
                Expr::Tuple(tuple) => texts.extend(
                    tuple
                        .elems
                        .get(index)
                        .iter()
                        .flat_map(|elem| self.texts(elem, unit)),
                ),
                _ => leaves.extend(inside(leaf).unwrap_or_default()),
            }
        }
        if texts.is_empty() { anything() } else { texts }
    }

    /// What the function fails with that this expression calls.
    fn failures(&self, fails: &Expr, caller: usize) -> Vec<(Expr, usize)> {
        let (name, module) = match fails {
            Expr::Call(call) => match &*call.func {
                Expr::Path(path) => {
                    let mut segments = path
                        .path
                        .segments
                        .iter()
                        .rev()
                        .map(|segment| segment.ident.to_string());
                    (segments.next(), segments.next())
                }
                _ => (None, None),
            },
            Expr::MethodCall(call) => (Some(call.method.to_string()), None),
            _ => (None, None),
        };
        let (here, units) = (self.model.units[caller].file, &self.model.units);
        let is_near = |unit: usize| match &module {
            Some(module) if module.starts_with(char::is_lowercase) => {
                self.model.is_module(units[unit].file, module)
            }
            Some(owner) if owner != "Self" => units[unit].owner.as_ref() == Some(owner),
            _ => {
                units[unit].file == here
                    || !units
                        .iter()
                        .any(|unit| unit.file == here && unit.name.is_some() && unit.name == name)
            }
        };
        let is_it = |unit: usize| units[unit].name.is_some() && units[unit].name == name && is_near(unit);
        let mut failures = Vec::new();
        for call in &self.model.calls {
            let Some(argument) = call.arguments.last() else {
                continue;
            };
            if !self.model.around(call.unit).any(is_it) {
                continue;
            }
            match (call.name.as_str(), argument) {
                ("Err" | "ok_or", value) => failures.push((value.clone(), call.unit)),
                ("map_err" | "ok_or_else", Expr::Closure(closure)) => {
                    failures.push(((*closure.body).clone(), call.unit));
                }
                _ => {}
            }
        }
        failures
    }

    pub(crate) fn calls_of(&self, unit: usize) -> Vec<&'m Call> {
        let called = &self.model.units[unit];
        let calls = self.model.calls.iter();
        calls.filter(|call| self.may_call(call, called)).collect()
    }

    fn may_call(&self, call: &Call, called: &Unit) -> bool {
        if Some(&call.name) != called.name.as_ref() || call.arguments.len() != called.parameters.len() {
            return false;
        }
        let here = &self.model.units[call.unit];
        if called.is_closure {
            let is_inside = |around| self.model.around(call.unit).any(|unit| unit == around);
            return call.receiver.is_none()
                && call.qualifier.is_none()
                && called.parent.is_some_and(is_inside);
        }
        if called.takes_self {
            return match &call.receiver {
                Some(Expr::Path(path)) if path.path.is_ident("self") => here.owner == called.owner,
                receiver => receiver.is_some(),
            };
        }
        let is_type = |word: &&String| word.starts_with(char::is_uppercase);
        match (&called.owner, call.qualifier.as_ref().filter(is_type)) {
            _ if call.receiver.is_some() => false,
            (Some(owner), Some(of)) => of == owner || (of == "Self" && here.owner == called.owner),
            (None, None) => {
                // A function or closure of the same name is nearer.
                let is_near =
                    |other: &Unit| other.file == here.file && other.name == called.name && !other.takes_self;
                here.file == called.file || !self.model.units.iter().any(is_near)
            }
            _ => false,
        }
    }

    /// A field of a structure, or of any if nobody knows of which.
    fn field(&self, structure: &str, name: &str) -> Texts {
        let of_that_name: Vec<_> = self
            .model
            .fields
            .iter()
            .filter(|field| field.name == name)
            .collect();
        let is_known = of_that_name.iter().any(|field| field.structure == structure);
        let mut texts = Texts::new();
        self.once(usize::MAX, &format!("{structure}.{name}"), || {
            for field in of_that_name
                .iter()
                .filter(|field| !is_known || field.structure == structure)
            {
                texts.extend(self.texts(&field.value, field.unit));
            }
        });
        // Names and paths.
        if texts.is_empty() || texts.contains(ANYTHING) {
            // What every text has behind it anyway is not looked for.
            if name != "hint" {
                self.among_others.borrow_mut().extend(texts);
            }
            anything()
        } else {
            texts
        }
    }

    fn method(&self, call: &syn::ExprMethodCall, unit: usize) -> Texts {
        match call.method.to_string().as_str() {
            "to_owned" | "to_string" | "into" | "clone" | "as_str" | "as_ref" | "as_deref"
            | "to_lowercase" => self.texts(&call.receiver, unit),
            // A hint, and the setting that it is about.
            "setting" if call.args.len() == 2 => self.texts(&call.receiver, unit),
            "map_or" | "unwrap_or" => {
                let mut texts = anything();
                texts.extend(
                    call.args
                        .first()
                        .iter()
                        .flat_map(|default| self.texts(default, unit)),
                );
                texts
            }
            name => {
                // What a function fails with is declared where that function is.
                let file = self.failing(&call.receiver, unit);
                self.result(name, |unit| {
                    unit.takes_self && file.is_none_or(|file| unit.file == file)
                })
            }
        }
    }

    fn call(&self, call: &syn::ExprCall, unit: usize) -> Texts {
        let Expr::Path(path) = &*call.func else {
            return anything();
        };
        match path
            .path
            .segments
            .last()
            .map(|last| last.ident.to_string())
            .as_deref()
        {
            Some("Some" | "Ok" | "Borrowed" | "Owned" | "from" | "new") => match call.args.first() {
                Some(argument) if call.args.len() == 1 => self.texts(argument, unit),
                _ => anything(),
            },
            Some(name) => self.result(name, |unit| !unit.takes_self),
            None => anything(),
        }
    }

    /// The file of the function whose failure this is.
    fn failing(&self, expr: &Expr, unit: usize) -> Option<usize> {
        let Expr::Path(path) = expr else { return None };
        let name = path.path.get_ident()?.to_string();
        let is_told = |unit: &usize| {
            self.model.units[*unit]
                .parameters
                .iter()
                .any(|pat| binds(pat, &name))
        };
        let unit = self.model.around(unit).find(is_told)?;
        let failures = self.failures(self.model.units[unit].fails.as_ref()?, unit);
        failures.first().map(|(_, unit)| self.model.units[*unit].file)
    }

    /// What a function gives that is passed on by its name.
    pub(crate) fn returned(&self, function: &Expr) -> Texts {
        let Expr::Path(path) = function else {
            return anything();
        };
        let name = path.path.segments.last().map(|last| last.ident.to_string());
        name.map_or_else(anything, |name| self.result(&name, |unit| !unit.takes_self))
    }

    /// What the functions of this name give.
    fn result(&self, name: &str, is_meant: impl Fn(&Unit) -> bool) -> Texts {
        let mut texts = Texts::new();
        let named = |unit: &&Unit| unit.name.as_deref() == Some(name) && is_meant(unit);
        for (index, unit) in self
            .model
            .units
            .iter()
            .enumerate()
            .filter(|(_, unit)| named(unit))
        {
            self.once(index, "", || {
                texts.extend(self.texts(&unit.body, index));
                texts.extend(unit.returns.iter().flat_map(|value| self.texts(value, index)));
            });
        }
        if texts.is_empty() { anything() } else { texts }
    }

    fn macro_texts(&self, call: &syn::Macro, unit: usize) -> Texts {
        let name = call.path.segments.last().map(|last| last.ident.to_string());
        let arguments = arguments(&call.tokens).unwrap_or_default();
        match name.as_deref() {
            Some("format" | "format_args") => self.format(&arguments, unit),
            Some("concat") => {
                let parts: Vec<Texts> = arguments.iter().map(|part| self.texts(part, unit)).collect();
                joined(&parts)
            }
            _ => anything(),
        }
    }

    /// The text of `#[error("…")]`, with what the fields are.
    pub(crate) fn attribute(&self, format: &str, structure: &str) -> Texts {
        let parts: Vec<Texts> = pieces(format)
            .into_iter()
            .map(|piece| match piece {
                Piece::Text(text) => Texts::from([text]),
                Piece::Argument { is_debug: true, .. } => Texts::from([format!("\"{ANYTHING}\"")]),
                Piece::Argument { name, .. } => self.field(structure, &name),
            })
            .collect();
        joined(&parts)
    }

    /// A format string and its arguments.
    pub(crate) fn format(&self, arguments: &[Expr], unit: usize) -> Texts {
        let Some((Expr::Lit(literal), arguments)) = arguments.split_first() else {
            return anything();
        };
        let Lit::Str(text) = &literal.lit else {
            return anything();
        };
        let location = self.model.location(self.model.units[unit].file, text);
        self.reached.borrow_mut().insert(location);
        let mut parts = Vec::new();
        let mut next = 0;
        for piece in pieces(&text.value()) {
            let (name, is_debug) = match piece {
                Piece::Text(text) => {
                    parts.push(Texts::from([text]));
                    continue;
                }
                Piece::Argument { name, is_debug } => (name, is_debug),
            };
            let named = arguments.iter().find_map(|argument| match argument {
                Expr::Assign(assign) => match &*assign.left {
                    Expr::Path(path) if path.path.is_ident(&name) => Some(&*assign.right),
                    _ => None,
                },
                _ => None,
            });
            let value = match (named, name.parse::<usize>()) {
                (Some(value), _) => self.texts(value, unit),
                (None, Ok(index)) => arguments
                    .get(index)
                    .map_or_else(anything, |value| self.texts(value, unit)),
                (None, Err(_)) if name.is_empty() => {
                    next += 1;
                    arguments
                        .get(next - 1)
                        .map_or_else(anything, |value| self.texts(value, unit))
                }
                (None, Err(_)) => self.variable(&name, unit),
            };
            if is_debug {
                parts.push(Texts::from([format!("\"{ANYTHING}\"")]));
            } else {
                parts.push(value);
            }
        }
        joined(&parts)
    }
}

pub(crate) fn binds(pat: &Pat, name: &str) -> bool {
    match pat {
        Pat::Tuple(tuple) => tuple.elems.iter().any(|pat| binds(pat, name)),
        Pat::Type(pat) => binds(&pat.pat, name),
        _ => named(pat).is_some_and(|bound| bound == name),
    }
}

/// The expressions that an expression is one of; `None` if it is itself.
pub(crate) fn inside(expr: &Expr) -> Option<Vec<&Expr>> {
    Some(match expr {
        Expr::Reference(inner) => vec![&inner.expr],
        Expr::Paren(inner) => vec![&inner.expr],
        Expr::Group(inner) => vec![&inner.expr],
        Expr::Try(inner) => vec![&inner.expr],
        Expr::Unary(inner) => vec![&inner.expr],
        Expr::Return(inner) => inner.expr.iter().map(|expr| &**expr).collect(),
        Expr::Block(inner) => last(&inner.block),
        Expr::If(inner) => {
            let mut leaves = last(&inner.then_branch);
            leaves.extend(inner.else_branch.iter().map(|(_, expr)| &**expr));
            leaves
        }
        Expr::Match(inner) => inner.arms.iter().map(|arm| &*arm.body).collect(),
        _ => return None,
    })
}

fn last(block: &syn::Block) -> Vec<&Expr> {
    match block.stmts.last() {
        Some(syn::Stmt::Expr(expr, None)) => vec![expr],
        _ => Vec::new(),
    }
}

/// Every way to put one of each together.
fn joined(parts: &[Texts]) -> Texts {
    let mut texts = Texts::from([String::new()]);
    for part in parts {
        if texts.len() * part.len() > MOST {
            texts = texts.iter().map(|text| format!("{text}{ANYTHING}")).collect();
            continue;
        }
        texts = texts
            .iter()
            .flat_map(|text| part.iter().map(move |end| format!("{text}{end}")))
            .collect();
    }
    texts
}
