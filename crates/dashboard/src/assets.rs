//! What the pages load: stylesheet, scripts, icon. Embedded in the binary, at addresses that name their content.

use std::fmt::Write;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};

use crate::error::ErrorPage;

/// A file of `web/static`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asset {
    /// `app.css`
    Stylesheet,
    /// `app.js`
    Script,
    /// `htmx.min.js`
    Htmx,
    /// `editor.js`, which `app.js` loads where there is an editor.
    Editor,
    /// `favicon.svg`
    Favicon,
}

static ADDRESSES: LazyLock<[String; 5]> = LazyLock::new(|| Asset::ALL.map(Asset::address));

impl Asset {
    /// Every file, in the order of the variants.
    pub const ALL: [Self; 5] = [Self::Stylesheet, Self::Script, Self::Htmx, Self::Editor, Self::Favicon];

    /// Where the page finds it. The address changes with the content, so a browser may keep it for ever.
    pub fn url(self) -> &'static str {
        &ADDRESSES[self as usize]
    }

    /// What is in it.
    #[cfg(test)]
    pub fn body(self) -> &'static [u8] {
        self.parts().3
    }

    fn parts(self) -> (&'static str, &'static str, &'static str, &'static [u8]) {
        match self {
            Self::Stylesheet => {
                ("app", "css", "text/css; charset=utf-8", include_bytes!("../../../web/static/app.css"))
            }
            Self::Script => {
                ("app", "js", "text/javascript; charset=utf-8", include_bytes!("../../../web/static/app.js"))
            }
            Self::Htmx => (
                "htmx",
                "js",
                "text/javascript; charset=utf-8",
                include_bytes!("../../../web/static/htmx.min.js"),
            ),
            Self::Editor => (
                "editor",
                "js",
                "text/javascript; charset=utf-8",
                include_bytes!("../../../web/static/editor.js"),
            ),
            Self::Favicon => {
                ("favicon", "svg", "image/svg+xml", include_bytes!("../../../web/static/favicon.svg"))
            }
        }
    }

    fn address(self) -> String {
        let (stem, extension, _, body) = self.parts();
        let mut address = format!("/static/{stem}.");
        for byte in &vault::sha256(body)[..8] {
            // Writing into a String can't fail.
            let _ = write!(address, "{byte:02x}");
        }
        address + "." + extension
    }
}

/// `GET /static/{file}`
pub async fn asset(Path(file): Path<String>) -> Result<Response, ErrorPage> {
    let found = Asset::ALL.into_iter().find(|asset| asset.url().strip_prefix("/static/") == Some(&file));
    let (_, _, content_type, body) = found.ok_or(ErrorPage::NotFound)?.parts();
    let headers = [(CONTENT_TYPE, content_type), (CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, body).into_response())
}
