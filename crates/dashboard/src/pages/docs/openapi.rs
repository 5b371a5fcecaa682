//! An OpenAPI 3.1 document taken apart for the reference page: groups of operations, and schemas with their fields.

use serde_json::Value;

/// Operations of one tag.
#[derive(Clone, Debug)]
pub struct Group {
    /// The tag.
    pub name: String,
    /// What it is about.
    pub description: String,
    /// In the document's order.
    pub operations: Vec<Operation>,
}

/// A method of an address.
#[derive(Clone, Debug)]
pub struct Operation {
    /// For links to it.
    pub id: String,
    /// In capitals.
    pub method: String,
    /// With its parameters in braces.
    pub path: String,
    /// What it does, in a few words.
    pub summary: String,
    /// What else there is to say.
    pub description: String,
    /// In path and query.
    pub parameters: Vec<Field>,
    /// What is sent.
    pub body: Option<TypeName>,
    /// Status, what it means, what is sent back.
    pub responses: Vec<(String, String, Option<TypeName>)>,
}

/// A schema that others refer to.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Members of an object.
    pub fields: Vec<Field>,
    /// Values of an enumeration.
    pub values: Vec<String>,
}

/// A member of an object, or a parameter.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: TypeName,
    /// It must be there.
    pub required: bool,
    /// What it means.
    pub description: String,
}

/// A type in words, with the schema that it refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TypeName {
    /// `list of`, or nothing.
    pub before: String,
    /// `text`, `number`, or the schema's name.
    pub name: String,
    /// The name is a schema's.
    pub link: bool,
}

/// Every operation, by tag in the order of the tags.
pub fn groups(document: &Value) -> Vec<Group> {
    let tags = document["tags"].as_array().into_iter().flatten();
    let group = |tag: &Value| {
        let name = text(&tag["name"]);
        let operations = operations(document, &name);
        Group { description: text(&tag["description"]), name, operations }
    };
    tags.map(group).filter(|group| !group.operations.is_empty()).collect()
}

fn operations(document: &Value, tag: &str) -> Vec<Operation> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let methods = paths.flat_map(|(path, methods)| {
        methods.as_object().into_iter().flatten().map(move |(method, operation)| (path, method, operation))
    });
    methods
        .filter(|(_, _, operation)| operation["tags"][0] == tag)
        .map(|(path, method, operation)| Operation {
            id: text(&operation["operationId"]),
            method: method.to_uppercase(),
            path: path.clone(),
            summary: text(&operation["summary"]),
            description: text(&operation["description"]),
            parameters: operation["parameters"].as_array().into_iter().flatten().map(parameter).collect(),
            body: content(&operation["requestBody"]),
            responses: responses(document, &operation["responses"]),
        })
        .collect()
}

fn parameter(value: &Value) -> Field {
    Field {
        name: text(&value["name"]),
        kind: type_name(&value["schema"]),
        required: value["required"] == true,
        description: text(&value["description"]),
    }
}

fn responses(document: &Value, value: &Value) -> Vec<(String, String, Option<TypeName>)> {
    let found = value.as_object().into_iter().flatten();
    found
        .map(|(status, response)| {
            let response = resolved(document, response);
            (status.clone(), text(&response["description"]), content(response))
        })
        .collect()
}

/// Every schema with a name, in order.
pub fn schemas(document: &Value) -> Vec<Schema> {
    let found = document["components"]["schemas"].as_object().into_iter().flatten();
    found
        .map(|(name, schema)| Schema {
            name: name.clone(),
            description: text(&schema["description"]),
            fields: fields(document, schema),
            values: schema["enum"].as_array().into_iter().flatten().map(text).collect(),
        })
        .collect()
}

/// The members of an object; of all parts, where it is put together from several.
fn fields(document: &Value, schema: &Value) -> Vec<Field> {
    let parts = schema["allOf"].as_array().into_iter().flatten();
    let inherited = parts.flat_map(|part| fields(document, resolved(document, part)));
    let required =
        |name: &str| schema["required"].as_array().is_some_and(|list| list.iter().any(|each| each == name));
    let own = schema["properties"].as_object().into_iter().flatten().map(|(name, value)| Field {
        name: name.clone(),
        kind: type_name(value),
        required: required(name),
        description: text(&value["description"]),
    });
    inherited.chain(own).collect()
}

fn content(value: &Value) -> Option<TypeName> {
    let (kind, media) = value["content"].as_object()?.iter().next()?;
    let named = type_name(&media["schema"]);
    Some(if named.name.is_empty() { TypeName { name: kind.clone(), ..named } } else { named })
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let place = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    place.and_then(|place| document.pointer(place)).unwrap_or(value)
}

/// A schema's type in words.
pub fn type_name(schema: &Value) -> TypeName {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return TypeName { name: name.to_owned(), link: true, ..TypeName::default() };
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        let mut parts = schema[key].as_array().into_iter().flatten();
        if let Some(part) = parts.find(|part| part["type"] != "null") {
            return type_name(part);
        }
    }
    let kinds = schema["type"].as_array().map_or_else(|| vec![&schema["type"]], |list| list.iter().collect());
    let kind = kinds.into_iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or_default();
    match kind {
        "array" => {
            let inner = type_name(&schema["items"]);
            TypeName { before: format!("list of {}", inner.before), ..inner }
        }
        "string" => named(schema["format"].as_str().unwrap_or("text")),
        "integer" => named("whole number"),
        other => named(other),
    }
}

fn named(name: &str) -> TypeName {
    TypeName { name: name.to_owned(), ..TypeName::default() }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_said_in_words() {
        let said = |schema: Value| {
            let TypeName { before, name, link } = type_name(&schema);
            format!("{before}{name}{}", if link { "#" } else { "" })
        };
        assert_eq!(said(json!({"type": "string"})), "text");
        assert_eq!(said(json!({"type": ["string", "null"], "format": "date-time"})), "date-time");
        assert_eq!(
            said(json!({"type": "array", "items": {"$ref": "#/components/schemas/Tool"}})),
            "list of Tool#"
        );
        assert_eq!(
            said(json!({"oneOf": [{"type": "null"}, {"$ref": "#/components/schemas/Tool"}]})),
            "Tool#"
        );
    }

    #[test]
    fn an_operation_is_found_by_its_tag_with_what_it_refers_to() {
        let document = json!({
            "tags": [{"name": "grants", "description": "Tokens."}, {"name": "empty"}],
            "paths": {"/grants": {"post": {
                "tags": ["grants"], "operationId": "mint", "summary": "Mint",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/NewGrant"}}}},
                "responses": {"401": {"$ref": "#/components/responses/Unauthenticated"}}
            }}},
            "components": {
                "responses": {"Unauthenticated": {"description": "No valid token."}},
                "schemas": {"NewGrant": {"required": ["label"], "properties": {"label": {"type": "string"}}}}
            }
        });
        let groups = groups(&document);
        assert_eq!(groups.len(), 1);
        let mint = &groups[0].operations[0];
        assert_eq!((mint.method.as_str(), mint.path.as_str()), ("POST", "/grants"));
        assert_eq!(mint.body.as_ref().map(|body| body.name.as_str()), Some("NewGrant"));
        assert_eq!(mint.responses[0].1, "No valid token.");
        let schemas = schemas(&document);
        assert!(schemas[0].fields[0].required && schemas[0].fields[0].name == "label");
    }
}
