//! A document line by line, with the lines of one rule marked.

/// A line as the page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// From 1.
    pub number: usize,
    /// Without its line end.
    pub text: String,
    /// It belongs to the rule.
    pub hit: bool,
    /// It is the first of the rule: the page's address ends in `#rule`.
    pub first: bool,
}

/// Every line of `document`; those of the value at the JSON Pointer `rule` are marked, its key's line included.
pub fn marked(document: &str, rule: Option<&str>) -> Vec<Line> {
    let span = rule.and_then(|rule| span_of(document, place(rule)));
    let line_at = |offset: usize| document.get(..offset).unwrap_or(document).split('\n').count();
    let (from, to) = span.map_or((0, 0), |(start, end)| (line_at(start), line_at(end)));
    document
        .lines()
        .enumerate()
        .map(|(at, text)| {
            let number = at + 1;
            let hit = (from..=to).contains(&number);
            Line { number, text: text.to_owned(), hit, first: hit && number == from }
        })
        .collect()
}

/// The marked lines with `around` more on each side; nothing where there is no such rule.
pub fn excerpt(document: &str, rule: &str, around: usize) -> Vec<Line> {
    let lines = marked(document, Some(rule));
    let Some(from) = lines.iter().position(|line| line.hit) else { return Vec::new() };
    let to = lines.iter().rposition(|line| line.hit).unwrap_or(from);
    let range = from.saturating_sub(around)..(to + around + 1).min(lines.len());
    lines.get(range).map(<[Line]>::to_vec).unwrap_or_default()
}

/// Where a rule stands. Two of the rules in brackets come from a field of the document as well.
pub fn place(rule: &str) -> &str {
    match rule {
        "(default deny)" => "/default",
        "(hidden)" => "/hide",
        pointer => pointer,
    }
}

/// Start and end of the value at `pointer` in the text, from its key on where it is a member of an object.
fn span_of(document: &str, pointer: &str) -> Option<(usize, usize)> {
    let root = json::parse(document.as_bytes(), json::MAX_DEPTH).ok()?;
    let (parent, last) = pointer.rsplit_once('/')?;
    let value = root.pointer(pointer)?;
    let key = last.replace("~1", "/").replace("~0", "~");
    let member = root
        .pointer(parent)?
        .as_object()
        .and_then(|object| object.members().iter().find(|member| member.key == key));
    let start = member.map_or(value.span.start, |member| member.key_span.start);
    Some((usize::try_from(start).ok()?, usize::try_from(value.span.end.saturating_sub(1)).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = "{\n  \"default\": \"deny\",\n  \"tools\": {\n    \"a/b\": {\n      \"rate_limit\": \"1/minute\"\n    }\n  }\n}";

    fn hits(rule: &str) -> Vec<usize> {
        marked(DOCUMENT, Some(rule)).iter().filter(|line| line.hit).map(|line| line.number).collect()
    }

    #[test]
    fn the_lines_of_a_rule_are_marked() {
        assert_eq!(hits("/tools/a~1b"), [4, 5, 6]);
        assert_eq!(hits("/tools/a~1b/rate_limit"), [5]);
        assert_eq!(hits("(default deny)"), [2]);
        assert_eq!(hits("/tools/c"), [0; 0]);
        assert_eq!(hits("(no policy)"), [0; 0]);
    }

    #[test]
    fn an_excerpt_has_lines_around_the_rule() {
        let numbers: Vec<_> = excerpt(DOCUMENT, "(default deny)", 1).iter().map(|line| line.number).collect();
        assert_eq!(numbers, [1, 2, 3]);
        assert_eq!(excerpt(DOCUMENT, "/gone", 1), []);
    }
}
