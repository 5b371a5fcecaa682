//! Sentences with names in backticks, as the crates below write them, as HTML.

/// Escapes the text, sets what stands between backticks as code, and begins with a capital letter.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 32);
    let mut parts = text.split('`').peekable();
    let mut code = false;
    while let Some(part) = parts.next() {
        // An unpaired backtick is only a character.
        let closed = !code || parts.peek().is_some();
        match (code, closed) {
            (true, true) => {
                out.push_str("<code>");
                escape(part, &mut out);
                out.push_str("</code>");
            }
            (true, false) => {
                out.push('`');
                escape(part, &mut out);
            }
            (false, _) if out.is_empty() => escape(&capital(part), &mut out),
            (false, _) => escape(part, &mut out),
        }
        code = !code;
    }
    out
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_code_and_nothing_is_markup() {
        assert_eq!(html("`a<b` is not a name"), "<code>a&lt;b</code> is not a name");
        assert_eq!(html("must not be empty"), "Must not be empty");
        assert_eq!(html("one ` alone <b>"), "One ` alone &lt;b&gt;");
        assert_eq!(html(""), "");
    }
}
