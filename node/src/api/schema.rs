//! JSON schemas of what `inferix-prover` declares, read off its values, so that nothing is declared twice.

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::{
    Array, Object, ObjectBuilder, RefOr, Schema,
    schema::{SchemaType, Type},
};

/// Describes a flat struct by its default.
pub(super) fn of_message<T: Default + Serialize>() -> Object {
    let Ok(Value::Object(fields)) = serde_json::to_value(T::default()) else {
        return Object::new();
    };
    let object = ObjectBuilder::new().schema_type(SchemaType::new(Type::Object));
    fields
        .into_iter()
        .fold(object, |object, (name, value)| {
            let kind = if value.is_number() {
                Type::Integer
            } else {
                Type::String
            };
            let field: RefOr<Schema> = Schema::Object(Object::with_type(kind)).into();
            object.property(name.clone(), field).required(name)
        })
        .build()
}

/// Describes a list of flat structs.
pub(super) fn of_messages<T: Default + Serialize>() -> Array {
    Array::new(of_message::<T>())
}
