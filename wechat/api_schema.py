"""What the schema of the REST interface says of refusals: the same for all operations, so no view has to."""

from typing import Any

REFUSALS = {
    "400": "A field is wrong or missing: the answer names it, with the reason.",
    "403": "No valid key, or one without the scope that this needs.",
    "404": "There is no such thing.",
    "405": "This address does not take that method.",
    "413": "Too much was sent at once.",
    "415": "Not JSON.",
    "429": "Too often; the answer says when to try again.",
}


def with_refusals(result: dict[str, Any], **_generator: Any) -> dict[str, Any]:
    """SPECTACULAR_SETTINGS["POSTPROCESSING_HOOKS"]: every operation gets the refusals that it does not describe itself."""
    refusal = {
        "type": "object",
        "additionalProperties": {},
        "description": "`detail`, or reasons by the names of the fields.",
    }
    result.setdefault("components", {}).setdefault("schemas", {})["Refusal"] = refusal
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    for operations in result["paths"].values():
        for operation in operations.values():
            for status, words in REFUSALS.items():
                operation["responses"].setdefault(status, {"description": words, "content": content})
    return result
