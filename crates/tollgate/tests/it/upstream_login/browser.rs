//! A browser without scripts: cookies, pages and their forms.

use std::collections::BTreeMap;

use reqwest::redirect::Policy;
use reqwest::{RequestBuilder, Response, StatusCode};
use testkit::PASSWORD;
use url::Url;

pub struct Browser {
    http: reqwest::Client,
    home: Url,
    cookies: BTreeMap<String, String>,
}

/// What an address answered with.
pub struct Page {
    pub status: StatusCode,
    pub html: String,
    /// Where it sends to.
    pub location: Option<Url>,
}

impl Browser {
    /// At the installation at `home`, not logged in.
    pub fn at(home: &str) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { http, home: home.parse().unwrap(), cookies: BTreeMap::new() }
    }

    pub async fn log_in(&mut self) {
        let page = self.get("/login").await;
        let fields = [("email", "ada@example.com"), ("password", PASSWORD), ("next", "")];
        let page = self.submit(&page, "/login", &fields).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{}", page.html);
    }

    /// The page at an address, here or elsewhere. Cookies stay here.
    pub async fn get(&mut self, address: &str) -> Page {
        let url = self.home.join(address).unwrap();
        let request = self.http.get(url.clone());
        self.send(request, &url).await
    }

    /// Sends the form of `page` that goes to `action`, with these fields.
    pub async fn submit(&mut self, page: &Page, action: &str, fields: &[(&str, &str)]) -> Page {
        let form = page.html.split("<form ").find(|form| form.contains(&format!("action=\"{action}\"")));
        let form = form.unwrap_or_else(|| panic!("no form to {action}: {}", page.html));
        let form = form.split("</form>").next().unwrap();
        let mut all: Vec<(&str, &str)> = vec![("csrf", value(form, "csrf"))];
        all.extend(fields);
        if form.contains("name=\"connection\"") {
            all.push(("connection", value(form, "connection")));
        }
        let url = self.home.join(action).unwrap();
        let request = self.http.post(url.clone()).header("origin", self.home.origin().ascii_serialization());
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(all).finish();
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(body);
        self.send(request, &url).await
    }

    /// Follows a link that leaves, and whatever sends it on, until a page is there.
    pub async fn follow(&mut self, mut address: String) -> Page {
        for _ in 0..5 {
            let page = self.get(&address).await;
            match &page.location {
                Some(next) => address = next.to_string(),
                None => return page,
            }
        }
        panic!("sent on and on: {address}")
    }

    async fn send(&mut self, mut request: RequestBuilder, url: &Url) -> Page {
        let here = url.origin() == self.home.origin();
        if here {
            let cookies: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            request = request.header("cookie", cookies.join("; "));
        }
        let response = request.send().await.unwrap();
        if here {
            self.keep(&response);
        }
        let location = response.headers().get("location").map(|value| value.to_str().unwrap());
        let location = location.map(|location| url.join(location).unwrap());
        let status = response.status();
        Page { status, location, html: response.text().await.unwrap() }
    }

    fn keep(&mut self, response: &Response) {
        for cookie in response.headers().get_all("set-cookie") {
            let (name, rest) = cookie.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Page {
    /// The address of the link that leads away.
    pub fn way_out(&self) -> String {
        let link = self.html.split("<a ").find(|link| link.contains("rel=\"noreferrer\""));
        let link = link.unwrap_or_else(|| panic!("no way out: {}", self.html));
        let href = link.split("href=\"").nth(1).unwrap().split('"').next().unwrap();
        href.replace("&#38;", "&").replace("&amp;", "&")
    }
}

/// The value of a hidden field.
fn value<'a>(form: &'a str, name: &str) -> &'a str {
    let field = form.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
    field.split('"').next().unwrap()
}
