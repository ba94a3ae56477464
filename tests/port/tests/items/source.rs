//! What a crate has for others, read from its sources: public paths, and methods of types.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::parse::Parser;
use syn::{Attribute, Item, UseTree, Visibility};

use crate::cfg::Build;

/// A crate's modules, by their paths; the root's is empty.
pub(crate) struct Crate {
    build: Build,
    modules: BTreeMap<Vec<String>, Module>,
}

#[derive(Default)]
struct Module {
    is_public: bool,
    /// Names of items that are public in it.
    items: BTreeSet<String>,
    /// `pub use`: the path, and the name that it gets; `*`: all names.
    uses: Vec<(Vec<String>, String)>,
    /// Methods that are public, by the type's name.
    methods: BTreeMap<String, BTreeSet<String>>,
    /// `#[macro_export]`: names at the root.
    macros: BTreeSet<String>,
}

impl Crate {
    /// Reads the crate whose `lib.rs` is in this folder.
    pub(crate) fn read(folder: &Path, build: Build) -> Self {
        let mut this = Self {
            build,
            modules: BTreeMap::new(),
        };
        let text = fs::read_to_string(folder.join("lib.rs")).expect("a crate");
        let file = syn::parse_file(&text).expect("Rust");
        this.module(&[], folder, true, file.items);
        this
    }

    /// The public paths, without the crate's name.
    pub(crate) fn paths(&self) -> BTreeSet<String> {
        let mut paths = BTreeSet::new();
        for (path, module) in &self.modules {
            if self.is_public(path) {
                for name in self.names(path) {
                    paths.insert([path.as_slice(), &[name]].concat().join("::"));
                }
            }
            paths.extend(module.macros.iter().cloned());
        }
        paths
    }

    /// The public methods of a type, wherever under `module` they are written.
    pub(crate) fn methods(&self, module: &str, name: &str) -> BTreeSet<String> {
        // Tokio's `task::JoinHandle` is written under `runtime`.
        let near = |path: &&Vec<String>| {
            let first = path.first().map(String::as_str);
            first == Some(module) || (module == "task" && first == Some("runtime"))
        };
        let modules = self.modules.iter().filter(|(path, _)| near(path));
        modules
            .filter_map(|(_, module)| module.methods.get(name))
            .flatten()
            .cloned()
            .collect()
    }

    fn is_public(&self, path: &[String]) -> bool {
        (1..=path.len()).all(|len| self.modules[&path[..len]].is_public)
    }

    /// The names that are public in a module, those of its globs included.
    fn names(&self, path: &[String]) -> BTreeSet<String> {
        let module = &self.modules[path];
        let mut names = module.items.clone();
        for (from, name) in &module.uses {
            if name == "*" {
                if let Some(from) = self.resolve(path, from) {
                    names.extend(self.names(&from));
                }
            } else {
                names.insert(name.clone());
            }
        }
        names
    }

    /// The module of this crate that a path in `within` names.
    fn resolve(&self, within: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut at = within.to_vec();
        for segment in path {
            match segment.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => _ = at.pop(),
                name => at.push(name.to_owned()),
            }
        }
        self.modules.contains_key(&at).then_some(at)
    }

    fn module(&mut self, path: &[String], folder: &Path, is_public: bool, items: Vec<Item>) {
        let mut module = Module {
            is_public,
            ..Module::default()
        };
        self.items(path, folder, &mut module, items);
        self.modules.insert(path.to_vec(), module);
    }

    fn items(&mut self, path: &[String], folder: &Path, module: &mut Module, items: Vec<Item>) {
        for item in items {
            self.item(path, folder, module, item);
        }
    }

    fn item(&mut self, path: &[String], folder: &Path, module: &mut Module, item: Item) {
        let (attributes, visibility, name) = match &item {
            Item::Const(item) => (&item.attrs, &item.vis, item.ident.to_string()),
            Item::Enum(item) => (&item.attrs, &item.vis, item.ident.to_string()),
            Item::Fn(item) => (&item.attrs, &item.vis, item.sig.ident.to_string()),
            Item::Static(item) => (&item.attrs, &item.vis, item.ident.to_string()),
            Item::Struct(item) => (&item.attrs, &item.vis, item.ident.to_string()),
            Item::Trait(item) => (&item.attrs, &item.vis, item.ident.to_string()),
            Item::Type(item) => (&item.attrs, &item.vis, item.ident.to_string()),
            Item::Union(item) => (&item.attrs, &item.vis, item.ident.to_string()),
            _ => return self.other(path, folder, module, item),
        };
        if self.build.has(attributes) && is_pub(visibility) && !is_hidden(attributes) {
            module.items.insert(name);
        }
    }

    fn other(&mut self, path: &[String], folder: &Path, module: &mut Module, item: Item) {
        match item {
            Item::Mod(item) if self.build.has(&item.attrs) => {
                let name = item.ident.to_string();
                let is_public = is_pub(&item.vis) && !is_hidden(&item.attrs);
                let inner = [path, std::slice::from_ref(&name)].concat();
                // Tokio gives some modules a place of their own by `#[path]`: none of them is public.
                let found = match item.content {
                    Some((_, items)) => Some((folder.join(&name), items)),
                    None => self.file_of(folder, &name),
                };
                if let Some((folder, items)) = found {
                    if is_public {
                        module.items.insert(name);
                    }
                    self.module(&inner, &folder, is_public, items);
                }
            }
            Item::Use(item)
                if self.build.has(&item.attrs) && is_pub(&item.vis) && !is_hidden(&item.attrs) =>
            {
                leaves(&item.tree, &mut Vec::new(), &mut module.uses);
            }
            Item::Impl(item) if self.build.has(&item.attrs) && item.trait_.is_none() => {
                self.methods_of(module, &item);
            }
            Item::Macro(item) if self.build.has(&item.attrs) => {
                self.in_macro(path, folder, module, &item);
            }
            _ => {}
        }
    }

    /// The file of a module, where it is compiled, and the folder of its own modules.
    fn file_of(&self, folder: &Path, name: &str) -> Option<(PathBuf, Vec<Item>)> {
        let own = folder.join(name);
        let file = [folder.join(format!("{name}.rs")), own.join("mod.rs")];
        let text = file.iter().find_map(|file| fs::read_to_string(file).ok())?;
        let file = syn::parse_file(&text).expect("Rust");
        self.build.has(&file.attrs).then_some((own, file.items))
    }

    fn methods_of(&self, module: &mut Module, item: &syn::ItemImpl) {
        let syn::Type::Path(of) = &*item.self_ty else {
            return;
        };
        let Some(last) = of.path.segments.last() else {
            return;
        };
        let methods = module.methods.entry(last.ident.to_string()).or_default();
        let mut parts = item.items.clone();
        while let Some(part) = parts.pop() {
            match part {
                syn::ImplItem::Fn(method)
                    if is_pub(&method.vis) && self.build.has(&method.attrs) =>
                {
                    methods.insert(method.sig.ident.to_string());
                }
                syn::ImplItem::Macro(wrapped) => {
                    let name = wrapped
                        .mac
                        .path
                        .segments
                        .last()
                        .map(|last| last.ident.to_string());
                    match name.as_deref() {
                        // Ours: builder methods that hand on to Tokio's, by their names.
                        Some("mirrored") => {
                            methods.extend(mirrored(&wrapped.mac.tokens.to_string()));
                        }
                        Some(name) if self.build.takes(name) => {
                            let body = &wrapped.mac.tokens;
                            let text = format!("impl It {{ {body} }}");
                            if let Ok(inner) = syn::parse_str::<syn::ItemImpl>(&text) {
                                parts.extend(inner.items);
                            }
                        }
                        _ => {}
                    }
                }
                _ => {}
            }
        }
    }

    fn in_macro(
        &mut self,
        path: &[String],
        folder: &Path,
        module: &mut Module,
        item: &syn::ItemMacro,
    ) {
        if let Some(name) = &item.ident {
            let is_exported = item
                .attrs
                .iter()
                .any(|attribute| attribute.path().is_ident("macro_export"));
            if is_exported && !is_hidden(&item.attrs) {
                module.macros.insert(name.to_string());
            }
            return;
        }
        let Some(name) = item
            .mac
            .path
            .segments
            .last()
            .map(|last| last.ident.to_string())
        else {
            return;
        };
        let body = item.mac.tokens.clone();
        if name == "doc" {
            // `select!` and its like, with documentation that is written once: exported by that macro.
            if let Ok(inner) = syn::parse2::<syn::ItemMacro>(body) {
                module
                    .macros
                    .extend(inner.ident.map(|name| name.to_string()));
            }
        } else if name == "pin_project" {
            // A type, with attributes on its fields that are no Rust of their own.
            if let Ok(item) = syn::parse2::<syn::ItemStruct>(body) {
                self.item(path, folder, module, Item::Struct(item));
            }
        } else if self.build.takes(&name) {
            // `feature! { #![…] items }`: the attributes are the condition.
            let parse = |input: syn::parse::ParseStream<'_>| {
                let attributes = Attribute::parse_inner(input)?;
                let mut items = Vec::new();
                while !input.is_empty() {
                    items.push(input.parse::<Item>()?);
                }
                Ok((attributes, items))
            };
            if let Ok((attributes, items)) = parse.parse2(body) {
                if self.build.has(&attributes) {
                    self.items(path, folder, module, items);
                }
            }
        }
    }
}

fn is_pub(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_hidden(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("doc")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|what| what == "hidden")
    })
}

fn leaves(tree: &UseTree, before: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    match tree {
        UseTree::Path(path) => {
            before.push(path.ident.to_string());
            leaves(&path.tree, before, found);
            before.pop();
        }
        UseTree::Name(name) if name.ident == "self" => {
            if let Some(last) = before.last() {
                found.push((before.clone(), last.clone()));
            }
        }
        UseTree::Name(name) => found.push((before.clone(), name.ident.to_string())),
        UseTree::Rename(rename) if rename.rename != "_" => {
            found.push((before.clone(), rename.rename.to_string()));
        }
        UseTree::Rename(_) => {}
        UseTree::Glob(_) => found.push((before.clone(), "*".to_owned())),
        UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, before, found);
            }
        }
    }
}

/// The names in `name [generics] (arguments);`.
fn mirrored(text: &str) -> Vec<String> {
    text.split(';')
        .filter_map(|line| {
            let head = line.split('[').rev().nth(1)?;
            let name = head
                .rsplit([' ', '\n', ']'])
                .find(|word| !word.is_empty())?;
            Some(name.to_owned())
        })
        .collect()
}
