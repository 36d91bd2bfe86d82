//! The loops that send a request, and repeat it, can be read: their functions are short and flat.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a broken set-up ends the test"
)]

use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// Where the loops are: a file, or all files of a folder.
const LOOPS: [&str; 5] = [
    "acs-client/src/send",
    "acs-sts/src/client.rs",
    "oss-client/src/send",
    "oss-credentials-kms-client-key/src/exchange/gateway",
    "oss-credentials-kms-client-key/src/exchange/mod.rs",
];

/// Most lines of a function that are neither empty nor comments, with its head.
const MOST_LINES: usize = 40;
/// Most blocks of conditions and loops around a line.
const MOST_NESTED: usize = 3;

fn files() -> Vec<PathBuf> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut files = Vec::new();
    for place in LOOPS {
        let place = crates.join(place);
        if place.is_dir() {
            let entries = std::fs::read_dir(place).unwrap();
            files.extend(entries.map(|entry| entry.unwrap().path()));
        } else {
            files.push(place);
        }
    }
    files
}

#[derive(Default)]
struct Functions<'a> {
    lines: Vec<&'a str>,
    depth: usize,
    deepest: usize,
    seen: Vec<(String, usize, usize)>,
}

impl Functions<'_> {
    fn function(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let outer = (self.depth, self.deepest);
        (self.depth, self.deepest) = (0, 0);
        visit::visit_block(self, block);
        let first = signature.fn_token.span.start().line;
        let last = block.brace_token.span.close().end().line;
        let lines = &self.lines[first - 1..last];
        let lines = lines.iter().map(|line| line.trim());
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
        self.seen
            .push((signature.ident.to_string(), lines.count(), self.deepest));
        (self.depth, self.deepest) = outer;
    }

    fn nested(&mut self, visit: impl FnOnce(&mut Self)) {
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        visit(self);
        self.depth -= 1;
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
    }

    fn visit_item_mod(&mut self, _: &'ast syn::ItemMod) {
        // Tests.
    }

    fn visit_expr_if(&mut self, found: &'ast syn::ExprIf) {
        // `else if` continues on the same level.
        self.visit_expr(&found.cond);
        self.nested(|this| this.visit_block(&found.then_branch));
        match found.else_branch.as_ref().map(|(_, branch)| &**branch) {
            Some(syn::Expr::If(next)) => self.visit_expr_if(next),
            Some(branch) => self.nested(|this| this.visit_expr(branch)),
            None => {}
        }
    }

    fn visit_expr_match(&mut self, found: &'ast syn::ExprMatch) {
        self.nested(|this| visit::visit_expr_match(this, found));
    }

    fn visit_expr_loop(&mut self, found: &'ast syn::ExprLoop) {
        self.nested(|this| visit::visit_expr_loop(this, found));
    }

    fn visit_expr_while(&mut self, found: &'ast syn::ExprWhile) {
        self.nested(|this| visit::visit_expr_while(this, found));
    }

    fn visit_expr_for_loop(&mut self, found: &'ast syn::ExprForLoop) {
        self.nested(|this| visit::visit_expr_for_loop(this, found));
    }
}

#[test]
fn functions_of_the_loops_are_short_and_flat() {
    let mut problems = Vec::new();
    let mut seen = 0;
    for path in files() {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut functions = Functions {
            lines: text.lines().collect(),
            ..Functions::default()
        };
        functions.visit_file(&syn::parse_file(&text).unwrap());
        seen += functions.seen.len();
        let large = functions.seen.iter();
        let large = large.filter(|(_, lines, nested)| *lines > MOST_LINES || *nested > MOST_NESTED);
        problems.extend(large.map(|(name, lines, nested)| {
            let place = path.display();
            format!("{place}: {name} has {lines} lines, nested {nested} deep")
        }));
    }
    assert!(problems.is_empty(), "{problems:#?}");
    assert!(seen > 80, "{seen}");
}
