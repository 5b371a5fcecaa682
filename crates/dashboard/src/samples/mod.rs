//! Every template with contexts that show all of it. Rendered by the test below into `target/pages`, to be looked at
//! with a browser, and held to the rules that all pages keep.

mod approvals;
mod connect;
mod data;
mod grants;
mod log;
mod organisation;
mod people;
mod policies;
mod servers;
mod simulations;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use askama::Template;

use crate::assets::Asset;

/// Renders every sample; a name may come twice only if a page is really shown twice.
fn rendered() -> Vec<(&'static str, String)> {
    let all = [
        people::all(),
        organisation::all(),
        servers::all(),
        connect::all(),
        policies::all(),
        simulations::all(),
        grants::all(),
        log::all(),
        approvals::all(),
    ]
    .concat();
    let names: BTreeSet<_> = all.iter().map(|(name, _)| *name).collect();
    assert_eq!(names.len(), all.len(), "two samples have one name");
    all
}

#[test]
fn every_template_has_a_sample() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/templates");
    let samples: Vec<_> = rendered().into_iter().map(|(name, _)| name).collect();
    let mut missing = Vec::new();
    for entry in walk(&folder) {
        let name = entry
            .strip_prefix(&folder)
            .expect("inside")
            .with_extension("")
            .to_string_lossy()
            .replace('/', "-");
        let text = fs::read_to_string(&entry).expect("a template");
        // Layouts, macros and parts have no struct: nothing in them says where the page begins.
        let page = text.contains("{% block content %}") || text.contains("{% block tab %}");
        let layout = text.contains("{% block content %}{% endblock %}")
            || text.contains("{% block tab %}{% endblock %}");
        if page && !layout && !samples.iter().any(|sample| sample.starts_with(&name)) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "no sample of {missing:?}");
}

#[test]
fn samples_keep_the_rules_of_all_pages() {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/pages");
    fs::create_dir_all(target.join("static")).expect("target/pages");
    for asset in Asset::ALL {
        fs::write(target.join(asset.url().trim_start_matches('/')), asset.body()).expect("an asset");
    }
    for (name, html) in rendered() {
        // A file has no root to be absolute from.
        let local = html.replace("\"/static/", "\"static/");
        fs::write(target.join(format!("{name}.html")), local).expect("a sample");
        for inline in [" style=", "<style", " onclick=", "javascript:", "<script>"] {
            assert!(!html.contains(inline), "{name} has {inline}");
        }
        assert_eq!(html.matches("<h1").count(), 1, "{name} has one main heading");
        assert_eq!(html.matches("<main").count(), 1, "{name} has one main part");
        assert!(!html.contains("{{") && !html.contains("{%"), "{name} has template left in it");
        let forms = html.matches("<form ").count();
        let reading = html.matches("method=\"get\"").count();
        assert_eq!(
            html.matches("name=\"csrf\"").count(),
            forms - reading,
            "{name}: a token in every form that changes"
        );
        balanced(name, &html);
        unique_ids(name, &html);
    }
}

/// Every element that is opened is closed, in order.
fn balanced(name: &str, html: &str) {
    const VOID: [&str; 7] = ["meta", "link", "input", "br", "hr", "img", "!doctype"];
    let mut open = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        let end = rest[at..].find('>').expect("a tag ends") + at;
        let tag = &rest[at + 1..end];
        let word =
            tag.split([' ', '\n', '/']).find(|part| !part.is_empty()).unwrap_or_default().to_lowercase();
        if tag.starts_with('/') {
            assert_eq!(
                open.pop().as_deref(),
                Some(word.as_str()),
                "{name}: {}",
                &rest[at.saturating_sub(80)..end]
            );
        } else if !tag.ends_with('/') && !VOID.contains(&word.as_str()) {
            open.push(word);
        }
        rest = &rest[end + 1..];
    }
    assert!(open.is_empty(), "{name}: {open:?} stay open");
}

fn unique_ids(name: &str, html: &str) {
    let mut seen = BTreeSet::new();
    for part in html.split(" id=\"").skip(1) {
        let id = part.split('"').next().unwrap_or_default();
        assert!(seen.insert(id), "{name}: the id {id} is there twice");
    }
}

fn walk(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

fn html(template: &impl Template) -> String {
    template.render().expect("a sample renders")
}

fn wrong(form: &mut crate::form::Form, problems: &[(&str, &str)]) {
    for (field, problem) in problems {
        form.refuse(field, problem);
    }
}
