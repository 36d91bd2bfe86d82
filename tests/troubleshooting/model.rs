//! What the sources of a crate say, as far as texts are made of it: functions, calls and literals, without tests.

use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::Parser;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Expr, Pat, Token};

/// The sources of one crate.
#[derive(Default)]
pub(crate) struct Model {
    files: Vec<PathBuf>,
    pub(crate) units: Vec<Unit>,
    pub(crate) constants: Vec<(usize, String, Expr)>,
    pub(crate) calls: Vec<Call>,
    pub(crate) fields: Vec<Field>,
    /// `#[error("…")]`: where, the text, and of which structure or variant.
    pub(crate) attributes: Vec<(Location, String, String)>,
    /// Arguments of `write!(f, …)`.
    pub(crate) writes: Vec<(Vec<Expr>, usize)>,
    pub(crate) logs: Vec<Log>,
    pub(crate) literals: Vec<(Location, String)>,
}

/// File (index), line and column.
pub(crate) type Location = (usize, usize, usize);

/// A function or a closure.
pub(crate) struct Unit {
    pub(crate) file: usize,
    pub(crate) parent: Option<usize>,
    /// A closure has the name of its variable, if it has one.
    pub(crate) name: Option<String>,
    pub(crate) is_closure: bool,
    /// The type that it is a function of.
    pub(crate) owner: Option<String>,
    pub(crate) displays: bool,
    pub(crate) takes_self: bool,
    pub(crate) parameters: Vec<Pat>,
    /// What fails, if this is the closure that is told of its failure.
    pub(crate) fails: Option<Expr>,
    /// What `return` gives.
    pub(crate) returns: Vec<Expr>,
    pub(crate) bindings: Vec<Binding>,
    pub(crate) body: Expr,
}

/// `let`, or an assignment.
pub(crate) struct Binding {
    pub(crate) pat: Pat,
    pub(crate) value: Expr,
    pub(crate) is_assignment: bool,
}

pub(crate) struct Call {
    pub(crate) name: String,
    /// `Type` of `Type::name(..)`.
    pub(crate) qualifier: Option<String>,
    /// `value` of `value.name(..)`.
    pub(crate) receiver: Option<Expr>,
    pub(crate) arguments: Vec<Expr>,
    pub(crate) unit: usize,
}

/// A field of a structure (or variant) where that is made.
pub(crate) struct Field {
    pub(crate) structure: String,
    pub(crate) name: String,
    pub(crate) value: Expr,
    pub(crate) unit: usize,
}

pub(crate) struct Log {
    pub(crate) location: Location,
    pub(crate) level: String,
    pub(crate) message: String,
    /// Variables that stand in it, and where.
    pub(crate) variables: Vec<String>,
    pub(crate) unit: usize,
}

impl Model {
    pub(crate) fn read(mut folders: Vec<PathBuf>) -> Self {
        let mut model = Self::default();
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                // For tests of users and our own.
                if path.is_dir() && !path.ends_with("test_util") {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs")
                    && !path.ends_with("tests.rs")
                {
                    model.read_file(path);
                }
            }
        }
        model
    }

    fn read_file(&mut self, path: PathBuf) {
        let text = std::fs::read_to_string(&path).unwrap();
        self.read_text(path, &text);
    }

    pub(crate) fn read_text(&mut self, path: PathBuf, text: &str) {
        let file = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        self.files.push(path);
        let mut reader = Reader {
            model: self,
            stack: Vec::new(),
            owner: None,
            displays: false,
            closure_name: None,
            fails: None,
            structure: String::new(),
        };
        // What stands outside of functions.
        reader.enter(None, false, false, Vec::new(), nothing());
        reader.visit_file(&file);
    }

    pub(crate) fn shown(&self, (file, line, _): Location) -> String {
        format!("{}:{line}", self.files[file].display())
    }

    pub(crate) fn is_module(&self, file: usize, name: &str) -> bool {
        let path = self.files[file].with_extension("");
        path.ends_with(name) || path.ends_with(Path::new(name).join("mod"))
    }

    /// File and function.
    pub(crate) fn named(&self, unit: usize) -> String {
        let name = self.around(unit).find_map(|unit| {
            self.units[unit]
                .name
                .as_deref()
                .filter(|_| !self.units[unit].is_closure)
        });
        format!(
            "{}, {}",
            self.files[self.units[unit].file].display(),
            name.unwrap_or_default()
        )
    }

    pub(crate) fn location(&self, file: usize, literal: &syn::LitStr) -> Location {
        let _ = self;
        let start = literal.span().start();
        (file, start.line, start.column)
    }

    /// The unit itself, and those around it.
    pub(crate) fn around(&self, unit: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(Some(unit), |unit| self.units[*unit].parent)
    }
}

/// The arguments of a macro that takes expressions.
pub(crate) fn arguments(tokens: &TokenStream) -> Option<Vec<Expr>> {
    let parser = Punctuated::<Expr, Token![,]>::parse_terminated;
    Some(parser.parse2(tokens.clone()).ok()?.into_iter().collect())
}

struct Reader<'m> {
    model: &'m mut Model,
    stack: Vec<usize>,
    owner: Option<String>,
    displays: bool,
    closure_name: Option<String>,
    fails: Option<Expr>,
    /// The structure or variant that is being declared.
    structure: String,
}

impl Reader<'_> {
    fn file(&self) -> usize {
        self.model.files.len() - 1
    }

    fn enter(
        &mut self,
        name: Option<String>,
        is_closure: bool,
        takes_self: bool,
        pats: Vec<&Pat>,
        body: Expr,
    ) {
        let unit = Unit {
            file: self.file(),
            parent: self.stack.last().copied(),
            name,
            is_closure,
            owner: self.owner.clone(),
            displays: self.displays,
            takes_self,
            parameters: pats.into_iter().cloned().collect(),
            fails: self.fails.take(),
            returns: Vec::new(),
            bindings: Vec::new(),
            body,
        };
        self.stack.push(self.model.units.len());
        self.model.units.push(unit);
    }

    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let pats = signature.inputs.iter().filter_map(|input| match input {
            syn::FnArg::Typed(typed) => Some(&*typed.pat),
            syn::FnArg::Receiver(_) => None,
        });
        let body = Expr::Block(syn::ExprBlock {
            attrs: Vec::new(),
            label: None,
            block: block.clone(),
        });
        let name = Some(signature.ident.to_string());
        self.enter(name, false, signature.receiver().is_some(), pats.collect(), body);
        self.visit_block(block);
        self.stack.pop();
    }

    fn unit(&self) -> usize {
        self.stack.last().copied().unwrap_or_default()
    }

    fn read_tokens(&mut self, tokens: &TokenStream) {
        for token in tokens.clone() {
            match token {
                TokenTree::Group(group) => self.read_tokens(&group.stream()),
                token => text_of(token).iter().for_each(|text| self.visit_lit_str(text)),
            }
        }
    }

    fn bind(&mut self, pat: &Pat, value: &Expr, is_assignment: bool) {
        // What there is, if there is something.
        let pat = match pat {
            Pat::TupleStruct(some) if some.path.is_ident("Some") => some.elems.first().unwrap_or(pat),
            _ => pat,
        };
        let unit = self.unit();
        self.model.units[unit].bindings.push(Binding {
            pat: pat.clone(),
            value: value.clone(),
            is_assignment,
        });
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Mod(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !attributes.iter().any(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        let owner = match &*item.self_ty {
            syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        let before = (self.owner.take(), self.displays);
        self.owner = owner;
        self.displays = item
            .trait_
            .as_ref()
            .is_some_and(|(_, path, _)| path.segments.last().is_some_and(|last| last.ident == "Display"));
        visit::visit_item_impl(self, item);
        (self.owner, self.displays) = before;
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.function(&item.sig, block);
        }
    }

    fn visit_item_const(&mut self, item: &'ast syn::ItemConst) {
        let constant = (self.file(), item.ident.to_string(), (*item.expr).clone());
        self.model.constants.push(constant);
        visit::visit_item_const(self, item);
    }

    fn visit_expr_closure(&mut self, closure: &'ast syn::ExprClosure) {
        let name = self.closure_name.take();
        self.enter(
            name,
            true,
            false,
            closure.inputs.iter().collect(),
            (*closure.body).clone(),
        );
        self.visit_expr(&closure.body);
        self.stack.pop();
    }

    fn visit_local(&mut self, local: &'ast syn::Local) {
        if let Some(init) = &local.init {
            self.bind(&local.pat, &init.expr, false);
            if matches!(&*init.expr, Expr::Closure(_)) {
                self.closure_name = named(&local.pat);
            }
        }
        visit::visit_local(self, local);
    }

    fn visit_expr_assign(&mut self, assign: &'ast syn::ExprAssign) {
        if let Expr::Path(path) = &*assign.left
            && let Some(name) = path.path.get_ident()
        {
            let pat = Pat::Ident(syn::PatIdent {
                attrs: Vec::new(),
                by_ref: None,
                mutability: None,
                ident: name.clone(),
                subpat: None,
            });
            self.bind(&pat, &assign.right, true);
        }
        visit::visit_expr_assign(self, assign);
    }

    fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
        if let Expr::Path(path) = &*call.func {
            let mut segments = path
                .path
                .segments
                .iter()
                .rev()
                .map(|segment| segment.ident.to_string());
            self.model.calls.push(Call {
                name: segments.next().unwrap_or_default(),
                qualifier: segments.next(),
                receiver: None,
                arguments: call.args.iter().cloned().collect(),
                unit: self.unit(),
            });
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.model.calls.push(Call {
            name: call.method.to_string(),
            qualifier: None,
            receiver: Some((*call.receiver).clone()),
            arguments: call.args.iter().cloned().collect(),
            unit: self.unit(),
        });
        // What is looked for is not said.
        if [
            "starts_with",
            "ends_with",
            "contains",
            "strip_prefix",
            "strip_suffix",
        ]
        .contains(&&*call.method.to_string())
        {
            return self.visit_expr(&call.receiver);
        }
        self.visit_expr(&call.receiver);
        for argument in &call.args {
            if call.method == "map_err" {
                self.fails = Some((*call.receiver).clone());
            }
            self.visit_expr(argument);
            self.fails = None;
        }
    }

    fn visit_expr_binary(&mut self, binary: &'ast syn::ExprBinary) {
        for side in [&binary.left, &binary.right] {
            // What is compared is not said.
            if !matches!(**side, Expr::Lit(_)) {
                self.visit_expr(side);
            }
        }
    }

    fn visit_expr_return(&mut self, expr: &'ast syn::ExprReturn) {
        let unit = self.unit();
        self.model.units[unit]
            .returns
            .extend(expr.expr.as_deref().cloned());
        visit::visit_expr_return(self, expr);
    }

    fn visit_expr_struct(&mut self, structure: &'ast syn::ExprStruct) {
        for field in &structure.fields {
            if let syn::Member::Named(name) = &field.member {
                let last = structure.path.segments.last().map(|last| last.ident.to_string());
                let own = || self.owner.clone().unwrap_or_default();
                self.model.fields.push(Field {
                    structure: last.filter(|last| last != "Self").unwrap_or_else(own),
                    name: name.to_string(),
                    value: field.expr.clone(),
                    unit: self.unit(),
                });
            }
        }
        visit::visit_expr_struct(self, structure);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        self.structure = item.ident.to_string();
        visit::visit_item_struct(self, item);
    }

    fn visit_variant(&mut self, variant: &'ast syn::Variant) {
        self.structure = variant.ident.to_string();
        visit::visit_variant(self, variant);
    }

    fn visit_expr_let(&mut self, expr: &'ast syn::ExprLet) {
        self.bind(&expr.pat, &expr.expr, false);
        visit::visit_expr_let(self, expr);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let name = call.path.segments.last().map(|last| last.ident.to_string());
        let name = name.unwrap_or_default();
        if call
            .path
            .segments
            .first()
            .is_some_and(|first| first.ident == "tracing")
        {
            if let Some(literal) = call.tokens.clone().into_iter().filter_map(text_of).last() {
                let location = self.model.location(self.file(), &literal);
                self.model.logs.push(Log {
                    location,
                    level: name,
                    message: literal.value(),
                    variables: call.tokens.clone().into_iter().filter_map(name_of).collect(),
                    unit: self.unit(),
                });
            }
            return;
        }
        if name == "json" {
            return self.read_tokens(&call.tokens);
        }
        let Some(arguments) = arguments(&call.tokens) else {
            return;
        };
        for argument in &arguments {
            self.visit_expr(argument);
        }
        if name == "write" {
            self.model.writes.push((arguments, self.unit()));
        }
    }

    /// Of all attributes only the texts of errors count: no comments, no reasons.
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if !attribute.path().is_ident("error") {
            return;
        }
        let syn::Meta::List(list) = &attribute.meta else {
            return;
        };
        if let Some(literal) = list.tokens.clone().into_iter().next().and_then(text_of) {
            let location = self.model.location(self.file(), &literal);
            self.model
                .attributes
                .push((location, literal.value(), self.structure.clone()));
        }
    }

    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        let location = self.model.location(self.file(), literal);
        self.model.literals.push((location, literal.value()));
    }
}

fn text_of(token: TokenTree) -> Option<syn::LitStr> {
    match token {
        TokenTree::Literal(literal) => syn::parse2(TokenTree::Literal(literal).into()).ok(),
        _ => None,
    }
}

fn name_of(token: TokenTree) -> Option<String> {
    match token {
        TokenTree::Ident(name) => Some(name.to_string()),
        _ => None,
    }
}

pub(crate) fn named(pat: &Pat) -> Option<String> {
    match pat {
        Pat::Ident(pat) => Some(pat.ident.to_string()),
        Pat::Type(pat) => named(&pat.pat),
        _ => None,
    }
}

fn is_for_tests(attribute: &syn::Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else {
        return false;
    };
    list.path.is_ident("cfg") && list.tokens.to_string() == "test"
}

/// `()`.
fn nothing() -> Expr {
    Expr::Tuple(syn::ExprTuple {
        attrs: Vec::new(),
        paren_token: syn::token::Paren::default(),
        elems: Punctuated::new(),
    })
}
