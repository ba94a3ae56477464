//! Where the attribute belongs in one file, what was passed over, and why.

use proc_macro2::LineColumn;
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    AttrStyle, Attribute, File, ImplItem, ItemFn, ItemImpl, ItemMacro, ItemMod, ItemTrait, Macro,
    Signature, TraitItem, Type,
};

use super::attributes::{Verdict, judge};
use super::futures::{Makes, knows_caller, makes};
use super::macros;

/// A place for the attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The byte of the file before which it belongs: the item's first, after its attributes.
    pub(super) offset: usize,
    /// What is tracked by it.
    pub functions: Vec<Function>,
}

/// A function that makes a future.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    pub line: usize,
    /// As it is declared and where: `async fn Store::load`.
    pub name: String,
}

/// What could be tracked and is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    pub function: Function,
    pub why: String,
}

/// What there is in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    pub places: Vec<Place>,
    pub passed: Vec<Passed>,
}

/// Finds the places in a file's text; where it is no Rust, the line and column of the mistake (from 1) and its name.
pub fn find(source: &str) -> Result<Found, (usize, usize, String)> {
    let parsed = syn::parse_file(source).map_err(|error| {
        let LineColumn { line, column } = error.span().start();
        (line, column + 1, error.to_string())
    });
    let found = parsed.map(|file| {
        let mut finder = Finder {
            base: before_tokens(source, &file),
            found: Found::default(),
            covered: false,
        };
        finder.visit_file(&file);
        let mut found = finder.found;
        found.places.sort_by_key(|place| place.offset);
        found.passed.sort_by_key(|passed| passed.function.line);
        found
    });
    // The texts of all files would be kept otherwise; nothing of this one is needed any more.
    proc_macro2::extra::invalidate_current_thread_spans();
    found
}

/// How many bytes of the file were not parsed: spans count from behind them.
fn before_tokens(source: &str, file: &File) -> usize {
    let mark = source.len() - source.trim_start_matches('\u{feff}').len();
    mark + file.shebang.as_ref().map_or(0, String::len)
}

struct Finder {
    base: usize,
    found: Found,
    /// In a module that is tracked as a whole.
    covered: bool,
}

/// A function of a block, and what is to be done with it.
struct Member<'a> {
    item: &'a dyn ToTokens,
    attrs: &'a [Attribute],
    sig: &'a Signature,
    makes: Makes,
}

impl Finder {
    /// A place before this item, for these functions.
    fn place(&mut self, item: &dyn ToTokens, attrs: &[Attribute], functions: Vec<Function>) {
        // An attribute is two tokens: `#` and what is in brackets. Inner ones stand in the item's braces.
        let outer = attrs
            .iter()
            .filter(|attr| matches!(attr.style, AttrStyle::Outer));
        let first = item.to_token_stream().into_iter().nth(2 * outer.count());
        if let Some(first) = first {
            let offset = self.base + first.span().byte_range().start;
            self.found.places.push(Place { offset, functions });
        }
    }

    fn pass(&mut self, function: Function, why: impl Into<String>) {
        let why = why.into();
        self.found.passed.push(Passed { function, why });
    }

    /// A function that stands for itself.
    fn free(&mut self, owner: &str, member: &Member<'_>) {
        let function = function(owner, member.sig);
        if !knows_caller(member.sig) {
            self.pass(function, "an `extern` function does not know its caller");
            return;
        }
        match judge(member.attrs) {
            Verdict::Free => self.place(member.item, member.attrs, vec![function]),
            Verdict::Unknown(name) => self.pass(function, unknown(&name)),
            Verdict::Tracked | Verdict::Entry => {}
        }
    }

    /// An `impl` or a trait: one attribute for all async functions, and one for each that returns a block.
    fn block(
        &mut self,
        owner: &str,
        item: &dyn ToTokens,
        attrs: &[Attribute],
        members: &[Member<'_>],
    ) {
        let (asynchronous, returned): (Vec<_>, Vec<_>) = members
            .iter()
            .filter(|member| member.makes != Makes::Nothing)
            .partition(|member| member.makes == Makes::Async);
        let name = |member: &&Member<'_>| function(owner, member.sig);
        match judge(attrs) {
            Verdict::Free => {}
            Verdict::Tracked => {
                // The block's attribute is for `async fn`.
                for member in returned {
                    self.free(owner, member);
                }
                return;
            }
            Verdict::Entry => return,
            Verdict::Unknown(macro_name) => {
                for member in asynchronous.into_iter().chain(returned) {
                    self.pass(name(&member), unknown(&macro_name));
                }
                return;
            }
        }
        for member in returned {
            self.free(owner, member);
        }
        let stands_alone = |member: &&Member<'_>| {
            matches!(judge(member.attrs), Verdict::Tracked | Verdict::Unknown(_))
        };
        if asynchronous.iter().any(stands_alone) {
            // Somebody chose single ones: one around them would track those twice. And one around a macro of which
            // nobody knows what it makes would reach into that.
            for member in asynchronous {
                self.free(owner, member);
            }
            return;
        }
        let (known, foreign): (Vec<_>, Vec<_>) = asynchronous
            .into_iter()
            .partition(|member| knows_caller(member.sig));
        for member in foreign {
            self.free(owner, member);
        }
        if !known.is_empty() {
            self.place(item, attrs, known.iter().map(name).collect());
        }
    }

    /// Goes on inside: what is declared in a function's body is covered by nothing around it.
    fn inside(&mut self, covered: bool, visit: impl FnOnce(&mut Self)) {
        let before = std::mem::replace(&mut self.covered, covered);
        visit(self);
        self.covered = before;
    }

    fn count(&mut self, name: &str, of: &Macro) {
        let count = macros::async_functions(&of.tokens);
        if count > 0 {
            let line = of.path.segments[0].ident.span().start().line;
            let functions = if count == 1 { "function" } else { "functions" };
            let name = format!("{count} async {functions} in {name}");
            self.pass(Function { line, name }, "the text of a macro");
        }
    }
}

fn unknown(name: &str) -> String {
    format!("what `#[{name}]` makes of it is not known")
}

fn function(owner: &str, sig: &Signature) -> Function {
    let declared = if sig.asyncness.is_some() {
        "async fn"
    } else {
        "fn"
    };
    let between = if owner.is_empty() { "" } else { "::" };
    Function {
        line: sig.ident.span().start().line,
        name: format!("{declared} {owner}{between}{}", sig.ident),
    }
}

/// The name of a type as people say it: without its path and arguments.
fn owner(ty: &Type) -> String {
    match ty {
        Type::Path(ty) => ty.path.segments.last().map(|last| last.ident.to_string()),
        Type::Reference(ty) => Some(owner(&ty.elem)),
        _ => None,
    }
    .unwrap_or_else(|| ty.to_token_stream().to_string())
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        let makes = makes(&item.sig, &item.block);
        let ItemFn { attrs, sig, .. } = item;
        match makes {
            Makes::Nothing => {}
            // A tracked module leaves alone what is not async.
            Makes::Async if self.covered => {}
            _ => {
                let member = Member {
                    item,
                    attrs,
                    sig,
                    makes,
                };
                self.free("", &member);
            }
        }
        self.inside(false, |finder| visit::visit_item_fn(finder, item));
    }

    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if !self.covered {
            let functions = item.items.iter().filter_map(|item| match item {
                ImplItem::Fn(of) => Some(Member {
                    item: of,
                    attrs: &of.attrs,
                    sig: &of.sig,
                    makes: makes(&of.sig, &of.block),
                }),
                _ => None,
            });
            let members: Vec<_> = functions.collect();
            self.block(&owner(&item.self_ty), item, &item.attrs, &members);
        }
        self.inside(false, |finder| visit::visit_item_impl(finder, item));
    }

    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        if !self.covered {
            let functions = item.items.iter().filter_map(|item| match item {
                TraitItem::Fn(of) => Some(Member {
                    item: of,
                    attrs: &of.attrs,
                    sig: &of.sig,
                    // Without a body there is nothing to track: that is for the `impl`.
                    makes: makes(&of.sig, of.default.as_ref()?),
                }),
                _ => None,
            });
            let members: Vec<_> = functions.collect();
            self.block(&item.ident.to_string(), item, &item.attrs, &members);
        }
        self.inside(false, |finder| visit::visit_item_trait(finder, item));
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        let covered = self.covered || judge(&item.attrs) == Verdict::Tracked;
        self.inside(covered, |finder| visit::visit_item_mod(finder, item));
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        match &item.ident {
            Some(name) => self.count(&format!("macro_rules! {name}"), &item.mac),
            None => visit::visit_item_macro(self, item),
        }
    }

    fn visit_macro(&mut self, item: &'ast Macro) {
        let path = item.path.to_token_stream().to_string().replace(' ', "");
        self.count(&format!("{path}!"), item);
    }
}
