//! The JSON schema of configurations, for editors: made from the same tables of keys that the reader checks against.

use serde_json::{Map, Value, json};

use super::keys::{DISTRIBUTIONS, Key, ROOT, Section, Shape};

/// The schema.
pub fn schema() -> Value {
    let mut schema = object(&ROOT);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("couple configuration");
    schema["description"] = json!("A network of spiking neurons and the simulators that its parts live on.");
    let number = json!({ "anyOf": [
        { "type": "number" },
        { "type": "string", "pattern": "^=", "description": "an expression" },
        { "type": "string", "pattern": "^ *[-+.0-9]", "description": "a number with a unit" },
    ] });
    let value = json!({ "anyOf": [
        { "$ref": "#/$defs/number" },
        { "$ref": "#/$defs/distribution" },
        { "type": "array", "items": { "anyOf": [
            { "$ref": "#/$defs/number" }, { "type": "array", "items": { "$ref": "#/$defs/number" } },
        ] } },
    ] });
    schema["$defs"] = json!({
        "number": number, "value": value, "distribution": kinds("distribution", &DISTRIBUTIONS),
    });
    schema
}

fn object(section: &Section) -> Value {
    let properties: Map<String, Value> = section.keys.iter().map(|k| (k.name.to_string(), property(k))).collect();
    let required: Vec<_> = section.required().collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn property(key: &Key) -> Value {
    let mut property = shape(key.shape);
    property["description"] = json!(key.doc);
    property
}

fn shape(shape: Shape) -> Value {
    let number = json!({ "$ref": "#/$defs/number" });
    let by_name = |value: Value| json!({ "type": "object", "additionalProperties": value });
    let list = |value: Value| json!({ "type": "array", "items": value });
    let text = json!({ "type": "string" });
    match shape {
        Shape::Text => text,
        Shape::Word(words) => json!({ "enum": words }),
        Shape::Texts => json!({ "anyOf": [text, { "type": "array", "items": text, "minItems": 1 }] }),
        Shape::List => json!({ "type": "array", "items": text, "minItems": 1 }),
        Shape::Flag => json!({ "type": "boolean" }),
        Shape::Whole | Shape::Number | Shape::Time => number,
        Shape::Value => json!({ "$ref": "#/$defs/value" }),
        Shape::Settings => by_name(json!({ "$ref": "#/$defs/value" })),
        Shape::Units => by_name(text),
        Shape::Numbers => by_name(number),
        Shape::Lists => by_name(list(number)),
        Shape::Matrices => by_name(list(list(number))),
        Shape::Matrix => list(list(number)),
        Shape::Pairs => list(json!({ "type": "array", "items": number, "minItems": 2, "maxItems": 2 })),
        Shape::One(section) => object(section),
        Shape::Named(section) => by_name(object(section)),
        Shape::Many(section) => list(object(section)),
        Shape::Kinds(key, sections) => kinds(key, sections),
    }
}

/// One of several tables, told apart by the word under `key`.
fn kinds(key: &str, sections: &[Section]) -> Value {
    let each = sections.iter().map(|section| {
        let mut table = object(section);
        table["properties"][key] = json!({ "const": section.title });
        table
    });
    json!({ "oneOf": each.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    /// `COUPLE_UPDATE=1 cargo test` writes the file anew.
    #[test]
    fn the_schema_in_the_repository_is_current() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs/schema.json");
        let text = serde_json::to_string_pretty(&super::schema()).expect("a schema is JSON") + "\n";
        if std::env::var_os("COUPLE_UPDATE").is_some() {
            std::fs::write(&path, &text).expect("writable");
        }
        let written = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(written == text, "configs/schema.json is not current: run the tests with COUPLE_UPDATE=1");
    }
}
