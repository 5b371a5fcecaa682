//! Addresses that a server would send the person at a client to (elicitation by URL). A client may open one at a click.

use json::Value;

/// Those that a message has: of a request, of what a round or a task asks, and of an error that asks for a person.
pub(crate) fn of<'v, 'a>(message: &'v Value<'a>) -> impl Iterator<Item = &'v Value<'a>> {
    let params = message
        .get("params")
        .into_iter()
        .filter(|_| message.get("method").and_then(Value::as_str) == Some("elicitation/create"));
    let holders = ["result", "params"].into_iter().filter_map(|holder| message.get(holder));
    let rounds =
        holders.filter_map(|holder| holder.get("inputRequests")?.as_object()).flat_map(json::Object::members);
    let rounds = rounds.filter_map(|request| request.value.get("params"));
    let errors = message.get("error").and_then(|error| error.get("data")?.get("elicitations")?.as_array());
    params
        .chain(rounds)
        .chain(errors.unwrap_or_default())
        .filter_map(|asked| asked.get("url"))
        .filter(|url| !url.is_null())
}

/// Whether an address is one of `https` or `http`.
pub(crate) fn is_of_the_web(link: &Value<'_>) -> bool {
    let scheme = link.as_str().and_then(|link| link.split_once("://")).map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| ["https", "http"].iter().any(|web| scheme.eq_ignore_ascii_case(web)))
}
